//! A login that lies somewhere as a password: in a client's file, or in another helper.

use crate::docker_config::{ConfigFile, Entry, Login, podman};
use crate::error::{Error, Kind, Result};
use crate::external_helper::HelperName;
use crate::logins::Logins;
use crate::protocol::{self, Credentials, IDENTITY_TOKEN_USERNAME};
use crate::server_url::ServerUrl;

/// One login, and where it lies.
pub struct FoundLogin {
    /// The server URL as it is spelled there.
    pub server_url: String,
    /// The user name.
    pub account: String,
    /// What can be done with it.
    pub way: Way,
    place: Place,
}

/// What can be done with a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Its password can be sent to the token server.
    Exchange,
    /// It is a refresh token already.
    Move,
    /// Nothing: why.
    Stays(String),
}

enum Place {
    File(ConfigFile, Entry),
    Helper(HelperName),
}

/// The logins in a client's file.
///
/// # Errors
/// It cannot be read or understood.
pub fn in_file(file: &ConfigFile) -> Result<Vec<FoundLogin>> {
    let mut found: Vec<_> = file.read()?.entries().into_iter().map(|e| of_entry(file, e)).collect();
    // Of two that mean one registry docker takes the one under its very name: so that is kept last.
    found.sort_by_key(|found| {
        ServerUrl::parse(&found.server_url).is_ok_and(|url| url.key() == found.server_url)
    });
    Ok(found)
}

/// The logins that podman, skopeo and buildah find in their own files.
///
/// # Errors
/// As [`in_file`].
pub fn in_auth_files() -> Result<Vec<FoundLogin>> {
    let mut found = Vec::new();
    // From the last that they look into to the first, so that the first is kept last.
    for file in podman::auth_files()?.iter().rev() {
        found.extend(in_file(file)?);
    }
    Ok(found)
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
            Err(refused) => Way::Stays(format!("its server URL {refused}")),
            // Another spelling of the same: taken out of the helper with the first.
            Ok(url) if keys.contains(&url.key().to_owned()) => continue,
            Ok(url) => {
                keys.push(url.key().to_owned());
                if account == IDENTITY_TOKEN_USERNAME { Way::Move } else { Way::Exchange }
            }
        };
        found.push(FoundLogin { server_url, account, way, place: Place::Helper(name.clone()) });
    }
    Ok(found)
}

fn of_entry(file: &ConfigFile, entry: Entry) -> FoundLogin {
    let way = match (ServerUrl::parse(&entry.server_url), &entry.login) {
        (Err(refused), _) => Way::Stays(format!("its server URL {refused}")),
        (_, Login::Damaged(why)) => Way::Stays((*why).to_owned()),
        (_, Login::RegistryToken) => {
            Way::Stays("it is a bearer token, which no helper can give to a client".into())
        }
        // Clients use it for the whole registry or for that path, but ask helpers for neither.
        (Ok(url), _) if url.key() != url.registry_key() => {
            Way::Stays("it is for a path, and clients ask helpers for whole registries".into())
        }
        (Ok(_), Login::IdentityToken(_)) => Way::Move,
        (Ok(_), Login::Password(_)) => Way::Exchange,
    };
    let (server_url, account) = (entry.server_url.clone(), entry.account.clone());
    FoundLogin { server_url, account, way, place: Place::File(file.clone(), entry) }
}

impl FoundLogin {
    /// What it is called under `credHelpers` and in the settings.
    pub fn registry(&self) -> Option<String> {
        crate::docker_config::registry_name(&self.server_url)
    }

    /// Where it lies, for messages.
    pub fn place(&self) -> String {
        match &self.place {
            Place::File(file, _) => file.path().display().to_string(),
            Place::Helper(name) => name.to_string(),
        }
    }

    /// The login itself.
    ///
    /// # Errors
    /// That of the helper; nothing is in it any more.
    pub fn credentials(&self, logins: &Logins<'_>) -> Result<Credentials> {
        let (username, secret) = match &self.place {
            Place::File(_, entry) => match &entry.login {
                Login::Password(password) => (entry.account.clone(), password.clone()),
                Login::IdentityToken(token) => (IDENTITY_TOKEN_USERNAME.into(), token.clone()),
                Login::RegistryToken | Login::Damaged(_) => {
                    return Err(Error::new(Kind::Other, "no password is in it"));
                }
            },
            Place::Helper(name) => {
                let found =
                    logins.fallback_named(name)?.get(&self.server_url).map_err(|error| {
                        if protocol::is_not_found(&error) {
                            return Error::new(Kind::Other, format!("{name} has it no more"));
                        }
                        error
                    })?;
                (found.username, found.secret)
            }
        };
        Ok(Credentials { server_url: self.server_url.clone(), username, secret })
    }

    /// Takes it away from where it lies; false if another one is there by now.
    ///
    /// # Errors
    /// It could not be taken away.
    pub fn remove(&self, logins: &Logins<'_>) -> Result<bool> {
        match &self.place {
            Place::File(file, entry) => file.change(false, |document| document.remove(entry)),
            Place::Helper(name) => {
                let url = ServerUrl::parse(&self.server_url)
                    .map_err(|why| Error::new(Kind::Usage, format!("the server URL {why}")))?;
                logins.fallback_named(name)?.erase(&url).map(|_| true)
            }
        }
    }
}
