//! What must hold before a password is sent or anything is changed, and what to know afterwards.

use super::plan::Plan;
use crate::commands::clients::asks::Clients;
use crate::commands::clients::found_login::{self, FoundLogin, Way};
use crate::commands::clients::log_out::log_out;
use crate::commands::clients::note_place;
use crate::docker_config::undo::Undo;
use crate::docker_config::{ConfigFile, check_writable, podman};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;

/// Docker finds this helper by its name on PATH, and goes on anonymously without it.
///
/// # Errors
/// It is not there, unless told to go on.
pub fn check_binary(force: bool, logins: &mut Logins<'_>) -> Result<()> {
    let name = env!("CARGO_PKG_NAME");
    let me = std::env::current_exe().ok();
    let Some(found) = crate::external_helper::find_on_path(name) else {
        let message = format!("{name} is not on PATH, so clients cannot find it");
        if force {
            logins.note(&message);
            return Ok(());
        }
        let directory = me.as_ref().and_then(|me| me.parent()).map(|d| d.display().to_string());
        return Err(Error::new(Kind::Other, message)
            .hint(format!("add {} to PATH", directory.unwrap_or_else(|| "its directory".into()))));
    };
    let same = me.and_then(|me| me.canonicalize().ok()) == found.canonicalize().ok();
    if !same {
        logins.note(&format!("clients will run {}, which is another file", found.display()));
    }
    Ok(())
}

/// Whether everything that must be written can be, and what to know about it.
///
/// # Errors
/// The first that cannot.
pub fn check_files(plan: &Plan, docker: &ConfigFile, logins: &mut Logins<'_>) -> Result<()> {
    // A killed run may have left what it removed from any of them.
    for file in podman::files_read()? {
        file.tidy()?;
    }
    let taken_from = plan.files();
    let mut files: Vec<&ConfigFile> = taken_from.clone();
    if !plan.settings.is_empty() && !files.contains(&docker) {
        files.push(docker);
    }
    for file in files {
        let place = file.check_writable()?;
        note_place(file, place, taken_from.contains(&file), logins);
    }
    if plan.podman {
        podman::check_drop_in()?;
    }
    if !plan.fallbacks.is_empty() || !plan.keep_tokens.is_empty() || !plan.mint.is_empty() {
        check_writable(&logins.settings.file)?;
    }
    check_writable(&Undo::file(logins.records.directory()))?;
    if !plan.moving.is_empty() {
        logins.records.lock().map(drop)?;
    }
    Ok(())
}

/// Passwords that no client reads any longer, but that are still there.
///
/// # Errors
/// A file cannot be read.
pub fn note_leftovers(file: &ConfigFile, logins: &mut Logins<'_>) -> Result<()> {
    let clients = Clients::find(logins)?;
    let found = found_login::in_file(file)?;
    let is_left = |found: &&FoundLogin| clients.who_would_lose(found, "docker-config").is_none();
    // Import does not take them either.
    for path in found.iter().filter(|found| matches!(found.way, Way::Stays(_))).filter(is_left) {
        logins.note(&format!(
            "a {} for {} stays in plain text in {}; to remove it, {}",
            path.noun(),
            path.server_url,
            path.place(),
            log_out(path)
        ));
    }
    let left = found.iter().filter(|found| found.way == Way::Exchange).filter(is_left).count();
    if left > 0 {
        let place = file.path().display();
        let (what, them) = match left {
            1 => (
                "1 password".to_owned(),
                "is no longer read; import it with docker-credential-refresh import, or log out there",
            ),
            n => (
                format!("{n} passwords"),
                "are no longer read; take them over with docker-credential-refresh import, or log out there",
            ),
        };
        logins.note(&format!("{what} in {place} {them}"));
    }
    Ok(())
}
