//! `unconfigure`: puts back what `configure` changed, and leaves alone what was changed since.

use super::clients::asks::names_us;
use super::clients::diff::Diff;
use super::streams::Streams;
use crate::docker_config::podman::{self, Removed};
use crate::docker_config::undo::{Change, FileUndo, Undo};
use crate::docker_config::{ConfigFile, Previous};
use crate::environment::PROGRAM;
use crate::error::Result;
use crate::logins::Logins;
use crate::settings::OwnSetting;
use crate::settings::to_type;
use crate::text::shell_word;

pub(super) fn run(logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let lock = logins.records.lock_configure()?;
    let mut undo = Undo::read(lock.directory())?;
    let mut diff = Diff::default();
    let file = ConfigFile::of_docker()?;
    file.tidy()?;
    let known = undo.files.remove(file.path());
    let created = known.as_ref().is_some_and(|known| known.created);
    file.change(created, |document| {
        diff = Diff::default();
        let undone = match &known {
            Some(known) => known.undo(document)?,
            None => FileUndo::take_out(document)?,
        };
        for (setting, said, previous) in &undone {
            diff.setting(file.path(), setting, &Previous::Text(said.clone()), previous);
        }
        Ok(!undone.is_empty())
    })?;
    match podman::delete_drop_in()? {
        Removed::Absent => {}
        Removed::Deleted(path) => diff.deleted(&path, "credential-helpers = [\"refresh\"]"),
        Removed::Changed(path) => logins.note(&format!(
            "{} is not as configure wrote it, and was left as it is",
            path.display()
        )),
    }
    let own = [
        (OwnSetting::Fallback, std::mem::take(&mut undo.fallbacks)),
        (OwnSetting::PersonalTokens, std::mem::take(&mut undo.personal_tokens)),
        (OwnSetting::Mint, std::mem::take(&mut undo.mint)),
    ];
    for (setting, changes) in own {
        for (key, change) in changes {
            put_back(setting, &key, &change, logins, &mut diff)?;
        }
    }
    for other in undo.files.keys() {
        let directory = shell_word(&other.parent().unwrap_or(other).display().to_string());
        logins.note(&format!(
            "{} is configured too; restore it with DOCKER_CONFIG={directory} {PROGRAM} unconfigure",
            other.display()
        ));
    }
    undo.no_podman = false;
    if let Some(identity) = undo.identity.take().filter(|identity| identity.exists()) {
        logins.note(&format!(
            "{} stays, the key that configure made for the file keychain; delete it when no login \
             needs it",
            identity.display()
        ));
    }
    // What configure did not finish is left to import.
    undo.taking.clear();
    undo.write(&lock)?;
    note_left(&file, logins)?;
    streams.print(&diff.shown("Nothing to undo"))
}

/// One of our own settings, unless it says something else by now.
fn put_back(
    setting: OwnSetting,
    key: &str,
    change: &Change,
    logins: &Logins<'_>,
    diff: &mut Diff,
) -> Result<()> {
    let key = (!key.is_empty()).then_some(key);
    let says = logins.settings.written(setting, key)?;
    if says.as_ref() != Some(&change.set) {
        return Ok(());
    }
    let previous = match &change.previous {
        Previous::Text(name) => Some(name.as_str()),
        Previous::Absent | Previous::Null => None,
    };
    logins.settings.save(setting, key, previous, &logins.records)?;
    diff.own(&logins.settings.file, setting, key, says.as_deref(), previous);
    Ok(())
}

/// Clients no longer find these logins, unless someone else set them up to.
fn note_left(file: &ConfigFile, logins: &mut Logins<'_>) -> Result<()> {
    let left = logins.all().map(|logins| logins.len()).unwrap_or_default();
    if left == 0 || names_us(&file.read()?) {
        return Ok(());
    }
    let (stay, them) = match left {
        1 => ("1 login stays".to_owned(), "it"),
        n => (format!("{n} logins stay"), "them"),
    };
    let [revoke, remove] =
        ["revoke --all", "logout --all"].map(|words| to_type(&logins.settings.profile, words));
    logins.note(&format!(
        "{stay} in the keychain, where clients no longer look: log in again with docker login or podman \
         login, and revoke and remove {them} here with {revoke} (or only remove {them} with {remove})"
    ));
    Ok(())
}
