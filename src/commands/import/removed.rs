//! Removing the password of a login whose token is kept.

use super::outcome::{Outcome, Row};
use crate::commands::clients::asks::Clients;
use crate::commands::clients::found_login::FoundLogin;
use crate::docker_config::undo::Undo;
use crate::docker_config::{ConfigFile, Setting};
use crate::error::Result;
use crate::login_record::ConfigureLock;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

/// What came of it.
pub(super) fn removed(
    found: &FoundLogin,
    done: Outcome,
    clients: &Clients,
    lock: &ConfigureLock,
    logins: &Logins<'_>,
) -> Row {
    let removed = match (found.file(), clients.podman_name_to_set(found)) {
        (Some(file), Some(name)) => remove_for_podman(found, file, &name, lock),
        _ => found.remove(logins),
    };
    let why = match removed {
        Ok(true) => return Row::new(found, done, None),
        Ok(false) => {
            "its token is kept, but another login was written there in the meantime".to_owned()
        }
        Err(error) => format!("its token is kept, but the password is still there: {error}"),
    };
    Row::new(found, Outcome::Failed, Some(why))
}

/// Podman reads the login in docker's file, too: with the password gone, it asks this helper by the
/// `credHelpers` there.
fn remove_for_podman(
    found: &FoundLogin,
    file: &ConfigFile,
    name: &str,
    lock: &ConfigureLock,
) -> Result<bool> {
    file.change(false, |document| {
        if !found.remove_from(document)? {
            return Ok(false);
        }
        let mut undo = Undo::read(lock.directory())?;
        let setting = Setting::Helper(name.to_owned());
        match undo.files.get_mut(file.path()) {
            Some(known) => known.set(document, &setting, HELPER_NAME)?,
            // From such a file unconfigure removes whatever names this helper.
            None => document.set(&setting, HELPER_NAME).map(drop)?,
        }
        undo.write(lock)?;
        Ok(true)
    })
}
