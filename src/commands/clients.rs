//! What `configure` and `import` share: the logins that clients keep, and the changes that are shown.

use crate::docker_config::preflight::Place;
use crate::docker_config::{ConfigFile, podman};
use crate::logins::Logins;

pub(super) mod asks;
pub(super) mod diff;
pub(super) mod found_login;
pub(super) mod podman_logins;

/// One of podman's places may be out of reach; that is no reason to stop.
pub(super) fn note_closed(logins: &mut Logins<'_>) {
    if let Some(folder) = podman::closed_folder() {
        let (message, remedy) = podman::closed(&folder);
        logins.note(&format!("{message}; {remedy}"));
    }
}

/// What a person should know about a file before passwords are removed from it.
pub(super) fn note_place(
    file: &ConfigFile,
    place: Place,
    passwords_go: bool,
    logins: &mut Logins<'_>,
) {
    let shown = file.path().display();
    if place.is_mount_point {
        logins.note(&format!(
            "{shown} is a mount point, and can only be written in place: if the machine crashes at that \
             moment, check it"
        ));
    }
    if place.other_names > 0 && passwords_go {
        let names = match place.other_names {
            1 => "another name (hard link)".to_owned(),
            n => format!("{n} other names (hard links)"),
        };
        logins.note(&format!(
            "{shown} has {names}: copies of the passwords stay there; find them with find -samefile, \
             and delete them"
        ));
    }
}
