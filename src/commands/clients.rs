//! What `configure` and `import` share: the logins that clients keep, and the changes that are shown.

use std::collections::BTreeMap;

use self::found_login::{FoundLogin, Way};
use crate::docker_config::preflight::Place;
use crate::docker_config::{ConfigFile, podman};
use crate::login_record::Lookup;
use crate::logins::Logins;

pub(super) mod asks;
pub(super) mod command;
pub(super) mod diff;
pub(super) mod found_login;
pub(super) mod log_out;
pub(super) mod podman_logins;

/// One of podman's places may be out of reach; that is no reason to stop.
pub(super) fn note_closed(logins: &mut Logins<'_>) {
    if let Some(folder) = podman::closed_folder() {
        let (message, remedy) = podman::closed(&folder);
        logins.note(&format!("{message}; {remedy}"));
    }
}

/// Clients may each be logged in as somebody else; here a registry has one login. Of several the last
/// is kept, and that is said.
pub(super) fn note_merged<'f>(
    found: impl Iterator<Item = &'f FoundLogin>,
    logins: &mut Logins<'_>,
) {
    let mut by_key: BTreeMap<String, Vec<&FoundLogin>> = BTreeMap::new();
    for found in found.filter(|found| matches!(found.way, Way::Exchange | Way::Move)) {
        if let Some(key) = found.key() {
            by_key.entry(key).or_default().push(found);
        }
    }
    let who = |account: &str, place: &str| match account {
        "" => format!("a token in {place}"),
        account => format!("{account} in {place}"),
    };
    for (key, all) in by_key {
        let Some(last) = all.last() else { continue };
        let mut others: Vec<String> = all.iter().map(|f| who(&f.account, &f.place())).collect();
        others.pop();
        let mut differ = all.iter().any(|found| found.account != last.account);
        let profile = logins.settings.profile.clone();
        // Nothing is made anew for that: it may be a dry run.
        let kept = logins.records.look_up(&profile, std::iter::once(key.as_str()));
        if let Ok(Lookup::Found(record)) = kept
            && !record.account.is_empty()
            && record.account != last.account
        {
            differ = true;
            others.push(who(&record.account, "the keychain"));
        }
        if differ {
            logins.note(&format!(
                "{key} has several logins, but only one can be stored here: that of {} replaces that of {}",
                who(&last.account, &last.place()),
                others.join(", and of ")
            ));
        }
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
