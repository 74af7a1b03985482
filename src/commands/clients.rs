//! What `configure` and `import` share: the logins that clients keep, and the changes that are shown.

use crate::docker_config::{podman, registry_name};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;

pub(super) mod diff;
pub(super) mod found_login;

/// Registries as `credHelpers` names them.
pub(super) fn registries(named: &[String]) -> Result<Vec<String>> {
    let name = |host: &String| {
        registry_name(host)
            .ok_or_else(|| Error::new(Kind::Usage, format!("{host} is no registry's name")))
    };
    named.iter().map(name).collect()
}

/// One place of podman's may be out of reach; that is no reason to stop.
pub(super) fn note_closed(logins: &mut Logins<'_>) {
    if let Some(folder) = podman::closed_folder() {
        let (message, remedy) = podman::closed(&folder);
        logins.note(&format!("{message}; {remedy}"));
    }
}
