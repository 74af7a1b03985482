//! Removing the passwords from the clients' files, once each login has another place.

use super::moved_login::Moving;
use super::plan::Plan;
use crate::commands::clients::diff::Diff;
use crate::commands::clients::found_login::FoundLogin;
use crate::docker_config::ConfigFile;
use crate::docker_config::undo::{Taking, Undo};
use crate::logins::Logins;

impl Taking {
    /// What to write down about a login in a file.
    pub fn of(found: &FoundLogin) -> Option<Self> {
        let file = found.file()?.path().to_owned();
        Some(Self { file, server_url: found.server_url.clone() })
    }
}

/// Removes them, file by file, and returns how many are still there. Those that are gone are struck off
/// the list.
pub fn remove(
    plan: &Plan,
    moved: &[&Moving],
    logins: &mut Logins<'_>,
    undo: &mut Undo,
    diff: &mut Diff,
) -> usize {
    let mut left = 0;
    for file in plan.files() {
        let entries = moved.iter().flat_map(|moving| moving.entries());
        let here: Vec<&FoundLogin> = entries.filter(|found| found.file() == Some(file)).collect();
        let mut changed = Vec::new();
        let removed = file.change(false, |document| {
            changed.clear();
            let mut any = false;
            for found in &here {
                if found.remove_from(document)? {
                    any = true;
                } else {
                    changed.push(found.server_url.clone());
                }
            }
            Ok(any)
        });
        if let Err(error) = removed {
            left += here.len();
            note_kept(file, &here, &error.to_string(), logins);
            continue;
        }
        for found in here {
            let is_there = changed.contains(&found.server_url) && still_there(found);
            if is_there {
                left += 1;
                logins.note(&format!(
                    "another login was written to {} in the meantime",
                    found.place()
                ));
            } else {
                diff.login_removed(found);
                let taking = Taking::of(found);
                undo.taking.retain(|known| Some(known) != taking.as_ref());
            }
        }
    }
    left
}

fn note_kept(file: &ConfigFile, here: &[&FoundLogin], why: &str, logins: &mut Logins<'_>) {
    let names: Vec<&str> = here.iter().map(|found| found.server_url.as_str()).collect();
    let (names, place) = (names.join(", "), file.path().display());
    logins.note(&format!("the password for {names} is still in {place}: {why}"));
}

/// There is another login under that name by now; one that is gone was logged out.
fn still_there(found: &FoundLogin) -> bool {
    let read = found.file().map(crate::commands::clients::found_login::in_file);
    read.is_some_and(|read| {
        read.map_or(true, |all| all.iter().any(|other| other.server_url == found.server_url))
    })
}
