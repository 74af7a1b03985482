//! Which helper a client asks for a registry's logins, by the very name that it looks up.

use super::command;
use super::found_login::FoundLogin;
use super::podman_logins::PodmanLogins;
use crate::docker_config::names::docker_name;
use crate::docker_config::{ConfigFile, Document, Previous, Setting, podman};
use crate::error::Result;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

/// The helper that docker asks for a name; if none, it reads and writes the login in plain text.
pub fn docker_asks(document: &Document, name: &str) -> Option<String> {
    match document.previous(&Setting::Helper(name.to_owned())) {
        Previous::Text(helper) => Some(helper).filter(|helper| !helper.is_empty()),
        // Go reads a null as an empty string.
        Previous::Null => None,
        Previous::Absent => document.helper(&Setting::Store),
    }
}

/// Whether docker reads and writes the logins under this name in plain text.
pub fn is_plain(document: &Document, name: &str) -> bool {
    docker_asks(document, name).is_none()
}

/// Whether docker is told to ask this helper, for all registries or for some.
pub fn names_us(document: &Document) -> bool {
    document.helper(&Setting::Store).as_deref() == Some(HELPER_NAME)
        || document.helpers().iter().any(|(_, helper)| helper == HELPER_NAME)
}

/// How the clients that are installed are set up now.
pub struct Clients {
    /// Its settings.
    docker: Document,
    podman: Option<Podman>,
    /// What makes the missing ones ask this helper.
    configure: String,
}

#[derive(Default)]
struct Podman {
    helpers: Vec<String>,
    files: PodmanLogins,
    /// Registries that they ask this helper for by `credHelpers`.
    ours: Vec<String>,
}

impl Clients {
    /// Finds it out.
    ///
    /// # Errors
    /// A client's file cannot be read or understood.
    pub fn find(logins: &Logins<'_>) -> Result<Self> {
        let docker = ConfigFile::of_docker()?.read()?.without_logins()?;
        let helpers = podman::helpers()?;
        let is_there = podman::is_installed() || helpers.iter().any(|name| name == HELPER_NAME);
        let podman = is_there.then(|| Podman::find(helpers, logins)).transpose()?;
        Ok(Self { docker, podman, configure: command::configure("", logins) })
    }

    /// The same, once `configure` will have changed these settings, and podman's if that is to be.
    #[must_use]
    pub fn after(mut self, settings: &[(Setting, &str)], podman: bool) -> Self {
        for (setting, name) in settings {
            // What cannot be set is told by configure itself.
            let _unset = self.docker.set(setting, name);
        }
        if podman {
            let ours = vec![HELPER_NAME.to_owned()];
            self.podman.get_or_insert_default().helpers = ours;
        }
        self
    }

    /// Why a login must stay where it is: a client that finds it there would not ask this helper for it.
    pub fn who_would_lose(&self, found: &FoundLogin, source: &str) -> Option<String> {
        let docker_name = found.docker_name();
        let docker = docker_asks(&self.docker, &docker_name);
        let ours = |helper: &Option<String>| helper.as_deref() == Some(HELPER_NAME);
        let podman = self.podman.as_ref();
        let podman_asks_us =
            podman.is_some_and(|podman| podman.asks_us(&found.podman_helper_name()));
        let loser = match source {
            "docker-config" if !ours(&docker) => Some("docker does"),
            "docker-config" => None,
            "podman" if !podman_asks_us => Some("podman, skopeo and buildah do"),
            "podman" => None,
            helper if docker.as_deref() == Some(helper) => Some("docker does"),
            helper if podman.is_some_and(|podman| podman.asks(helper) && !podman_asks_us) => {
                Some("podman, skopeo and buildah do")
            }
            _ if !ours(&docker) && !podman_asks_us => Some("the clients do"),
            _ => None,
        }?;
        let name = if source == "podman" { found.podman_name() } else { docker_name };
        Some(format!("{loser} not ask this helper for {name} yet; first, run: {}", self.configure))
    }

    /// The name by which podman, skopeo and buildah should ask this helper for a login that they
    /// read in docker's file, if they do not yet.
    pub fn podman_name_to_set(&self, found: &FoundLogin) -> Option<String> {
        let docker = ConfigFile::of_docker().ok()?;
        let podman = self.podman.as_ref()?;
        let is_dockers = found.file().map(ConfigFile::path) == Some(docker.path());
        let name = found.podman_helper_name();
        (is_dockers && podman.files.use_entry(found) && !podman.asks_us(&name)).then_some(name)
    }
}

impl Podman {
    fn find(helpers: Vec<String>, logins: &Logins<'_>) -> Result<Self> {
        let mut ours = Vec::new();
        for file in podman::files_read()? {
            let named = file.read()?.helpers().into_iter();
            ours.extend(named.filter(|(_, helper)| helper == HELPER_NAME).map(|(name, _)| name));
        }
        Ok(Self { helpers, files: PodmanLogins::find(logins)?, ours })
    }

    fn asks(&self, helper: &str) -> bool {
        self.helpers.iter().any(|name| name == helper)
    }

    fn asks_us(&self, name: &str) -> bool {
        let by_file = self.helpers.is_empty() || self.asks(podman::AUTH_FILE);
        self.asks(HELPER_NAME) || by_file && self.ours.iter().any(|ours| ours == name)
    }
}

/// Whether docker finds this login of a file: an entry under the exact name comes
/// first.
pub fn is_read_by_docker(document: &Document, found: &FoundLogin) -> bool {
    let name = docker_name(&found.server_url);
    found.server_url == name || document.entries().iter().all(|entry| entry.server_url != name)
}
