//! `configure`: makes the clients use this helper, without breaking any login.
//!
//! First everything is found out: what clients read now, and whether each file can be changed. Then
//! every password is exchanged; only if no login would be lost are tokens kept and settings
//! changed, and only then are the passwords removed. What is to be removed is written down first,
//! so that the next run can finish it.

use std::collections::BTreeMap;

use super::clients::asks::names_us;
use super::clients::diff::Diff;
use super::clients::found_login::FoundLogin;
use super::clients::{note_closed, note_merged};
use super::streams::Streams;
use crate::cli::Configure;
use crate::docker_config::undo::{Change, FileUndo, Taking, Undo};
use crate::docker_config::{ConfigFile, Entry, Previous, podman};
use crate::environment::PROGRAM;
use crate::error::{Error, Kind, Remedy, Result};
use crate::login_record::ConfigureLock;
use crate::logins::Logins;
use crate::settings::{KEEP, OwnSetting};

mod fallbacks;
mod half_way;
mod identity;
mod losses;
mod moved_login;
mod moving;
mod paths;
mod plan;
mod preconditions;
mod taking;
mod wanted;

use half_way::Progress;
pub(super) use moving::Took;
pub(super) use plan::Plan;

/// What was done.
pub(super) struct Configured {
    /// The changes of files.
    pub(super) diff: Diff,
    /// The logins that have another place now.
    pub(super) taken: Vec<(FoundLogin, Took)>,
    /// How many passwords could not be taken out of their file.
    left: usize,
}

pub(super) fn run(
    configure: &Configure,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let lock = logins.records.lock_configure()?;
    let done = apply(configure, &lock, logins, streams)?;
    if done.left == 0 {
        preconditions::note_leftovers(&ConfigFile::of_docker()?, logins)?;
    }
    streams.print(&done.diff.shown("Nothing to change"))?;
    done.conclude()
}

/// What docker's file said when the plan was made.
pub(super) struct Seen {
    entries: Vec<Entry>,
    names_us: bool,
}

/// Finds out what is to be changed, and that it can be; with what docker's file says now. Nothing is
/// changed, and no password is sent.
pub(super) fn plan(configure: &Configure, logins: &mut Logins<'_>) -> Result<(Plan, Seen)> {
    let file = ConfigFile::of_docker()?;
    let document = file.read()?;
    preconditions::check_binary(configure.force, logins)?;
    let undo = Undo::read(logins.records.directory())?;
    let mut plan = Plan::new(configure, &document, &undo, logins)?;
    if plan.podman {
        note_closed(logins);
    }
    losses::check(&plan, &document, configure.force, logins)?;
    moving::check(&plan, configure.force, logins)?;
    preconditions::check_files(&plan, &file, logins)?;
    for note in std::mem::take(&mut plan.notes) {
        logins.note(&note);
    }
    note_merged(plan.moving.iter().map(|moving| &moving.found), logins);
    Ok((plan, Seen { entries: document.entries(), names_us: names_us(&document) }))
}

/// Changes it. The lock is held since before the plan is made, which must still hold when it is done.
pub(super) fn apply(
    configure: &Configure,
    lock: &ConfigureLock,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<Configured> {
    let (plan, seen) = plan(configure, logins)?;
    let file = ConfigFile::of_docker()?;
    use_settings(&plan, logins);
    if !configure.force {
        fallbacks::try_out(&plan.moving, logins)?;
    }
    let mut diff = Diff::default();
    let identity = match plan.podman || podman::has_drop_in()? {
        true => identity::offer(logins, streams)?,
        false => None,
    };
    let mut undo = Undo::read(lock.directory())?;
    let prepared = moving::prepare(&plan, configure.force, logins)
        .inspect_err(|_| identity::take_back(identity.as_ref(), logins))?;
    let moved: Vec<_> = prepared.logins().collect();
    let taken = prepared.taken();
    let before = undo.clone();
    undo.no_podman = plan.no_podman;
    undo.identity = identity.as_ref().map(|new| new.path().to_owned()).or(undo.identity);
    undo.taking = moved.iter().flat_map(|moving| moving.entries()).filter_map(Taking::of).collect();
    if let Err(error) = undo.write(lock) {
        prepared.give_up(logins);
        identity::take_back(identity.as_ref(), logins);
        return Err(error);
    }
    let kept = prepared.keep(&plan, logins);
    if kept.as_ref().is_err_and(|(progress, _)| progress.is_none()) {
        identity::take_back(identity.as_ref(), logins);
        // What stays written down is only looked at again by the next run.
        let _left = before.write(lock);
    } else if let Some(identity) = &identity {
        identity.tell(logins, &mut diff);
    }
    kept.map_err(|(progress, error)| progress.stopped(error, logins))?;
    change_settings(&plan, &file, &seen, lock, logins, &mut undo, &mut diff).map_err(|error| {
        let taken = moved.iter().map(|moving| moving.found.server_url.clone()).collect();
        Progress { taken, of: moved.len(), settings: true }.stopped(error, logins)
    })?;
    let left = taking::remove(&plan, &moved, logins, &mut undo, &mut diff);
    undo.write(lock)?;
    Ok(Configured { diff, taken, left })
}

impl Configured {
    /// Whether all was done.
    ///
    /// # Errors
    /// Passwords are left in a file.
    pub(super) fn conclude(&self) -> Result<()> {
        let are = match self.left {
            0 => return Ok(()),
            1 => "1 password is".to_owned(),
            left => format!("{left} passwords are"),
        };
        let message = format!("{are} still in plain text in a client's file");
        Err(Error::new(Kind::Other, message)
            .remedy(Remedy::Run(format!("{PROGRAM} configure")).when("to remove them")))
    }
}

/// The settings that will be written hold for the logins that are taken over before.
fn use_settings(plan: &Plan, logins: &mut Logins<'_>) {
    for (registry, name) in &plan.fallbacks {
        let parsed = crate::settings::parse_fallback(name).unwrap_or_default();
        logins.settings.set_fallback(registry.as_deref(), parsed);
    }
    for registry in &plan.keep_tokens {
        logins.settings.set_keep_personal_tokens(registry.as_deref());
    }
    for (registry, minting) in &plan.mint {
        logins.settings.set_mint(registry.as_deref(), *minting);
    }
}

/// The settings, once every login has its place: ours first, the client's last.
fn change_settings(
    plan: &Plan,
    file: &ConfigFile,
    seen: &Seen,
    lock: &ConfigureLock,
    logins: &mut Logins<'_>,
    undo: &mut Undo,
    diff: &mut Diff,
) -> Result<()> {
    let keep = plan.keep_tokens.iter().map(|key| (OwnSetting::PersonalTokens, key, KEEP));
    let fallbacks = plan.fallbacks.iter().map(|(key, name)| (OwnSetting::Fallback, key, &name[..]));
    let mint: Vec<_> = plan.mint.iter().map(|(key, how)| (key, how.to_string())).collect();
    let mint = mint.iter().map(|(key, how)| (OwnSetting::Mint, *key, &how[..]));
    for (setting, key, value) in fallbacks.chain(keep).chain(mint) {
        let key = key.as_deref();
        let previous = logins.settings.written(setting, key)?;
        if previous.as_deref() == Some(value) {
            continue;
        }
        diff.own(&logins.settings.file, setting, key, previous.as_deref(), Some(value));
        let changes = match setting {
            OwnSetting::Fallback => &mut undo.fallbacks,
            OwnSetting::PersonalTokens => &mut undo.personal_tokens,
            OwnSetting::Mint => &mut undo.mint,
        };
        let previous = previous.map_or(Previous::Absent, Previous::Text);
        remember(changes, key.unwrap_or_default(), previous, value);
        undo.write(lock)?;
        logins.settings.save(setting, key, Some(value), &logins.records)?;
    }
    if plan.settings.is_empty() && seen.names_us {
        // A setting that named this helper before we changed anything must survive unconfigure.
        undo.files.entry(file.path().to_owned()).or_default();
    }
    if !plan.settings.is_empty() {
        file.change(false, |document| {
            if document.entries() != seen.entries {
                let message = format!(
                    "another login was written to {} in the meantime",
                    file.path().display()
                );
                return Err(Error::new(Kind::Other, message).remedy(Remedy::TryAgain));
            }
            let known = undo.files.remove(file.path()).filter(|_| names_us(document));
            let created = !file.exists();
            let fresh = FileUndo { created, ..FileUndo::default() };
            let mut file_undo = known.unwrap_or(fresh);
            diff.forget(file.path());
            for (setting, name) in &plan.settings {
                let previous = document.previous(setting);
                diff.setting(file.path(), setting, &previous, &Previous::Text((*name).to_owned()));
                file_undo.set(document, setting, name)?;
            }
            undo.files.insert(file.path().to_owned(), file_undo);
            undo.write(lock)?;
            Ok(true)
        })?;
    }
    if plan.podman {
        diff.added(&podman::write_drop_in()?, "credential-helpers = [\"refresh\"]");
    }
    Ok(())
}

/// What was there before our first change is what is restored.
fn remember(changes: &mut BTreeMap<String, Change>, key: &str, previous: Previous, value: &str) {
    let known = changes.remove(key);
    let ours = known.filter(|change| previous == Previous::Text(change.set.clone()));
    let previous = ours.map_or(previous, |change| change.previous);
    changes.insert(key.to_owned(), Change { previous, set: value.to_owned() });
}
