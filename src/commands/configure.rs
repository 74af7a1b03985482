//! `configure`: makes the clients use this helper, so that no login goes dead by it.
//!
//! First everything is found out and every password exchanged; only if no login would be lost are
//! tokens kept and settings changed.

use super::clients::diff::Diff;
use super::clients::found_login::FoundLogin;
use super::clients::note_closed;
use super::streams::Streams;
use crate::cli::Configure;
use crate::docker_config::undo::{Change, FileUndo, Undo};
use crate::docker_config::{ConfigFile, Document, Former, Login, Setting, podman};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

mod losses;
mod moving;
mod plan;

use plan::Plan;

pub(super) fn run(
    configure: &Configure,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let file = ConfigFile::of_docker()?;
    let document = file.read()?;
    check_binary(configure.force, logins)?;
    let plan = Plan::new(configure, &document, logins)?;
    if plan.podman {
        note_closed(logins);
    }
    losses::check(&plan, &document, configure.force, logins)?;
    for (registry, name) in &plan.fallbacks {
        let parsed = crate::settings::parse_fallback(name).unwrap_or_default();
        logins.settings.set_fallback(registry.as_deref(), parsed);
    }
    let moved = moving::take_over(&plan, configure.force, logins)?;
    let mut diff = Diff::default();
    apply(&plan, &file, &document, logins, &mut diff)?;
    for found in &moved {
        remove(found, logins, &mut diff);
    }
    note_leftovers(&file, logins)?;
    streams.print(&diff.shown("Nothing to change"))
}

/// The settings, once every login has its place: ours first, the client's last.
fn apply(
    plan: &Plan,
    file: &ConfigFile,
    planned_on: &Document,
    logins: &mut Logins<'_>,
    diff: &mut Diff,
) -> Result<()> {
    let state = logins.records.directory().to_owned();
    let mut undo = Undo::read(&state)?;
    for (registry, name) in &plan.fallbacks {
        let key = registry.as_deref();
        let former = logins.settings.written_fallback(key)?;
        diff.fallback(&logins.settings.file, key, former.as_deref(), Some(name));
        let former = former.map_or(Former::Absent, Former::Text);
        remember_fallback(&mut undo, key.unwrap_or_default(), former, name);
        undo.write(&state)?;
        logins.settings.save_fallback(key, Some(name))?;
    }
    if !plan.settings.is_empty() {
        file.change(false, |document| {
            if document.entries() != planned_on.entries() {
                let message = format!("another login came to {} meanwhile", file.path().display());
                return Err(Error::new(Kind::Other, message).hint("run configure again"));
            }
            let known = undo.files.remove(file.path()).filter(|_| has_ours(document));
            let created = !file.exists();
            let fresh = FileUndo { created, ..FileUndo::default() };
            let mut file_undo = known.unwrap_or(fresh);
            diff.forget(file.path());
            for (setting, name) in &plan.settings {
                let former = document.former(setting);
                diff.setting(file.path(), setting, &former, &Former::Text((*name).to_owned()));
                file_undo.set(document, setting, name)?;
            }
            undo.files.insert(file.path().to_owned(), file_undo);
            undo.write(&state)?;
            Ok(true)
        })?;
    }
    if plan.podman {
        diff.added(&podman::write_drop_in()?, "credential-helpers = [\"refresh\"]");
    }
    Ok(())
}

/// What was there before the first of our changes is what comes back.
fn remember_fallback(undo: &mut Undo, key: &str, former: Former, name: &str) {
    let known = undo.fallbacks.remove(key);
    let ours = known.filter(|change| former == Former::Text(change.set.clone()));
    let former = ours.map_or(former, |change| change.former);
    undo.fallbacks.insert(key.to_owned(), Change { former, set: name.to_owned() });
}

fn has_ours(document: &Document) -> bool {
    document.helper(&Setting::Store).as_deref() == Some(HELPER_NAME)
        || document.helpers().iter().any(|(_, helper)| helper == HELPER_NAME)
}

/// The login has its new place by now: what cannot be removed here is no failure.
fn remove(found: &FoundLogin, logins: &mut Logins<'_>, diff: &mut Diff) {
    match found.remove(logins) {
        Ok(true) => diff.login_removed(found),
        Ok(false) => {
            logins.note(&format!("another login came to {} meanwhile", found.place()));
        }
        Err(error) => {
            let (name, place) = (&found.server_url, found.place());
            logins.note(&format!("the password for {name} is still in {place}: {error}"));
        }
    }
}

/// Docker finds this helper by its name on PATH, and goes on anonymously without it.
fn check_binary(force: bool, logins: &mut Logins<'_>) -> Result<()> {
    let name = env!("CARGO_PKG_NAME");
    let me = std::env::current_exe().ok();
    let Some(found) = crate::external_helper::find_on_path(name) else {
        let message = format!("{name} is not on PATH, so that no client would find it");
        if force {
            logins.note(&message);
            return Ok(());
        }
        let directory = me.as_ref().and_then(|me| me.parent()).map(|d| d.display().to_string());
        return Err(Error::new(Kind::Other, message)
            .hint(format!("add {} to PATH", directory.unwrap_or_else(|| "its folder".into()))));
    };
    let same = me.and_then(|me| me.canonicalize().ok()) == found.canonicalize().ok();
    if !same {
        logins.note(&format!("clients will run {}, which is another file", found.display()));
    }
    Ok(())
}

/// Passwords that nobody reads any more, and that lie there all the same.
fn note_leftovers(file: &ConfigFile, logins: &mut Logins<'_>) -> Result<()> {
    let document = file.read()?;
    let unread = |entry: &&crate::docker_config::Entry| {
        matches!(entry.login, Login::Password(_))
            && crate::docker_config::registry_name(&entry.server_url)
                .is_none_or(|registry| !plan::is_plain(&document, &registry))
    };
    let entries = document.entries();
    let left = entries.iter().filter(unread).count();
    if left > 0 {
        let place = file.path().display();
        logins.note(&format!(
            "{left} of the passwords in {place} are not read any more; docker-credential-refresh \
             import takes them"
        ));
    }
    Ok(())
}
