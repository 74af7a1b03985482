//! A login that a client keeps in a file, or in another helper.

use crate::docker_config::names::{docker_name, podman_name, registry_key};
use crate::docker_config::{ConfigFile, Document, Entry, EntryKind};
use crate::error::{Error, Kind, Remedy, Result};
use crate::external_helper::HelperName;
use crate::logins::Logins;
use crate::protocol::{self, Credentials, IDENTITY_TOKEN_USERNAME};
use crate::secret::Password;
use crate::server_url::{DOCKER_HUB, ServerUrl};

/// One login, and where it is.
#[derive(Clone)]
pub struct FoundLogin {
    /// The server URL as spelled there.
    pub server_url: String,
    /// The username.
    pub account: String,
    /// What can be done with it.
    pub way: Way,
    is_path: bool,
    place: Place,
}

/// What can be done with a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Its password can be sent to the token server.
    Exchange,
    /// It is a refresh token already.
    Move,
    /// Nothing, although clients use it: why.
    Stays(String),
    /// Nothing, and no client can use it either: why.
    Unusable(String),
}

#[derive(Clone)]
enum Place {
    File(ConfigFile, Entry),
    Helper(HelperName),
}

/// The logins in a client's file.
///
/// # Errors
/// It cannot be read or understood.
pub fn in_file(file: &ConfigFile) -> Result<Vec<FoundLogin>> {
    Ok(in_document(file, &file.read()?))
}

/// The logins in a client's file that was read.
pub fn in_document(file: &ConfigFile, document: &Document) -> Vec<FoundLogin> {
    let entries = document.entries().into_iter();
    let mut found: Vec<_> = entries.map(|entry| of_entry(file, entry)).collect();
    // Of two for one registry, clients take the one under its exact name, so that is kept last.
    found.sort_by_key(|found| {
        ServerUrl::parse(&found.server_url).is_ok_and(|url| url.key() == found.server_url)
    });
    found
}

/// The logins in another helper, each registry once; not ours, if it is our keychain.
///
/// # Errors
/// It is not there, or does not answer.
pub fn in_helper(name: &HelperName, logins: &Logins<'_>) -> Result<Vec<FoundLogin>> {
    let mut keys = Vec::new();
    let mut found = Vec::new();
    for (server_url, account) in logins.fallback_named(name)?.list()? {
        let way = match ServerUrl::parse(&server_url) {
            Err(refused) => Way::Unusable(format!("its server URL {refused}")),
            // Another spelling of the same: removed from the helper with the first.
            Ok(url) if keys.contains(&url.key().to_owned()) => continue,
            Ok(url) => {
                keys.push(url.key().to_owned());
                if account == IDENTITY_TOKEN_USERNAME { Way::Move } else { Way::Exchange }
            }
        };
        let place = Place::Helper(name.clone());
        found.push(FoundLogin { server_url, account, way, is_path: false, place });
    }
    Ok(found)
}

fn of_entry(file: &ConfigFile, entry: Entry) -> FoundLogin {
    let written = &entry.server_url;
    let understood = ServerUrl::parse(written);
    // With a scheme, clients use only the host; so do readers of a `.dockercfg`.
    let is_whole = file.is_legacy() || written.contains("://");
    let is_path = understood.as_ref().is_ok_and(|url| !is_whole && url.key() != url.registry_key());
    let way = match (understood, entry.kind) {
        (Err(refused), _) if registry_key(written).is_none() => {
            Way::Unusable(format!("its server URL {refused}"))
        }
        (_, kind @ (EntryKind::Damaged(_) | EntryKind::RegistryToken)) => way_of(kind),
        // Podman uses it for that path alone, and asks helpers for whole registries only.
        _ if is_path => {
            let host = written.split('/').next().unwrap_or_default();
            Way::Stays(format!(
                "it is for a path, and clients ask a helper for the whole of {host} only: log in to \
                 {host} instead"
            ))
        }
        (_, login) => way_of(login),
    };
    let (server_url, account) = (entry.server_url.clone(), entry.account.clone());
    FoundLogin { server_url, account, way, is_path, place: Place::File(file.clone(), entry) }
}

fn way_of(kind: EntryKind) -> Way {
    match kind {
        EntryKind::IdentityToken => Way::Move,
        EntryKind::Password => Way::Exchange,
        EntryKind::RegistryToken => {
            Way::Stays("it is a bearer token, which no helper can give to a client".into())
        }
        EntryKind::Damaged(why) => Way::Unusable(why.to_owned()),
    }
}

impl FoundLogin {
    /// As docker uses it: the entry of a path is the login for the whole registry, if its file has no
    /// other login for that.
    #[must_use]
    pub fn used_by_docker(mut self, document: &Document) -> Self {
        let name = self.docker_name();
        let entries = document.entries().into_iter();
        let mut same = entries.filter(|e| docker_name(&e.server_url) == name);
        if let Place::File(_, entry) = &self.place
            && self.is_path
            // Docker looks that up under another name.
            && self.key().as_deref() != Some(DOCKER_HUB)
            && same.all(|other| other.has_same_login(entry))
        {
            self.way = way_of(entry.kind);
        }
        self
    }

    /// The key of its registry; none if that is not a registry's name.
    pub fn key(&self) -> Option<String> {
        registry_key(&self.server_url)
    }

    /// The name under which docker looks it up.
    pub fn docker_name(&self) -> String {
        docker_name(&self.server_url)
    }

    /// The registry, or the path of one, that podman uses it for.
    pub fn podman_name(&self) -> String {
        let legacy = self.file().is_some_and(ConfigFile::is_legacy);
        podman_name(&self.server_url, legacy)
    }

    /// The name under which podman looks for its helper, and asks that: never a path.
    pub fn podman_helper_name(&self) -> String {
        let name = self.podman_name();
        if self.is_path { name.split('/').next().unwrap_or_default().to_owned() } else { name }
    }

    /// Whether the entry is for a path of its registry.
    pub fn is_path(&self) -> bool {
        self.is_path
    }

    /// The file that it is in, unless it is in a helper.
    pub fn file(&self) -> Option<&ConfigFile> {
        match &self.place {
            Place::File(file, _) => Some(file),
            Place::Helper(_) => None,
        }
    }

    /// Whether it is in docker's `config.json`.
    pub fn is_dockers(&self) -> bool {
        let docker = ConfigFile::of_docker();
        docker.is_ok_and(|docker| self.file().map(ConfigFile::path) == Some(docker.path()))
    }

    /// Whether both are one entry of one file.
    pub fn is(&self, other: &Self) -> bool {
        self.file().map(ConfigFile::path) == other.file().map(ConfigFile::path)
            && self.server_url == other.server_url
    }

    /// Whether its password can be exchanged, or its token moved.
    pub fn can_be_taken(&self) -> bool {
        matches!(self.way, Way::Exchange | Way::Move)
    }

    /// Whether both give a client the same username and secret.
    pub fn has_same_login(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::File(_, one), Place::File(_, two)) => one.has_same_login(two),
            _ => false,
        }
    }

    /// What kind of secret it has, for messages.
    pub fn noun(&self) -> &'static str {
        match &self.place {
            Place::File(_, entry) => entry.kind.noun(),
            Place::Helper(_) => "login",
        }
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        match &self.place {
            Place::File(file, _) => file.path().display().to_string(),
            Place::Helper(name) => name.to_string(),
        }
    }

    /// The login itself, read where it is: nothing here holds its secret.
    ///
    /// # Errors
    /// The helper's; or the login is no longer there.
    pub fn credentials(&self, logins: &Logins<'_>) -> Result<Credentials<Password>> {
        let (server_url, username, secret) = match &self.place {
            Place::File(file, entry) => {
                let username = match &entry.kind {
                    EntryKind::Password => entry.account.clone(),
                    EntryKind::IdentityToken => IDENTITY_TOKEN_USERNAME.into(),
                    EntryKind::RegistryToken | EntryKind::Damaged(_) => {
                        return Err(Error::new(Kind::Other, "it has no password"));
                    }
                };
                let secret = file.read()?.secret_of(entry).ok_or_else(|| {
                    Error::new(Kind::Other, format!("it was changed in {}", self.place()))
                        .remedy(Remedy::TryAgain)
                })?;
                // A fallback is asked for it by the name that clients use.
                (self.docker_name(), username, secret)
            }
            Place::Helper(name) => {
                let found =
                    logins.fallback_named(name)?.get(&self.server_url).map_err(|error| {
                        if protocol::is_not_found(&error) {
                            return Error::new(Kind::Other, format!("{name} no longer has it"));
                        }
                        error
                    })?;
                (self.server_url.clone(), found.username, found.secret)
            }
        };
        Ok(Credentials { server_url, username, secret })
    }

    /// Removes it from a document, if it is unchanged there; false if it is not.
    ///
    /// # Errors
    /// As [`Document::remove`].
    pub fn remove_from(&self, document: &mut Document) -> Result<bool> {
        match &self.place {
            Place::File(_, entry) => document.remove(entry),
            Place::Helper(_) => Ok(false),
        }
    }

    /// Removes it from where it is; false if another one is there by now.
    ///
    /// # Errors
    /// It could not be removed.
    pub fn remove(&self, logins: &Logins<'_>) -> Result<bool> {
        match &self.place {
            Place::File(file, entry) => file.change(false, |document| document.remove(entry)),
            Place::Helper(name) => {
                let url = ServerUrl::parse(&self.server_url)?;
                logins.fallback_named(name)?.erase(&url).map(|_| true)
            }
        }
    }
}
