//! `--check`: all token servers at the same time, by a refresh of each login.

use std::path::PathBuf;
use std::rc::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::row::Row;
use crate::error::Result;
use crate::keychain::KeychainName;
use crate::login_record::{LoginRecord, RecordStore};
use crate::logins::{Checked, Logins, Open};
use crate::settings::Settings;

/// Each has a runtime and a connection of its own.
const MAX_THREADS: usize = 32;

/// What another thread needs to build a `Logins`: the user's terminal stays with this one.
struct Parts {
    settings: Settings,
    records: RecordStore,
    certs_d: Vec<PathBuf>,
    open_keychain: Open,
}

/// A login without a record is not one that a client could use, and Docker Hub's OAuth pairs are
/// Docker's own.
fn can_be_asked(row: &Row) -> bool {
    row.login.state.is_recorded() && !row.login.record.is_docker_hub_oauth()
}

/// The outcome of a refresh, and what it noted.
type Outcome = (Result<Option<String>>, Vec<u8>);

/// Asks for each login, at the same time, and remembers what was said.
pub(super) fn all(rows: &mut [Row], logins: &mut Logins<'_>) {
    unlock(rows, logins);
    let open: Vec<usize> =
        (0..rows.len()).filter(|at| matches!(rows[*at].check, Some(Ok(())))).collect();
    let records: Vec<&LoginRecord> = open.iter().map(|at| &rows[*at].login.record).collect();
    let outcomes = refresh(&records, logins);
    let mut said = Vec::new();
    for (at, (outcome, notes)) in open.into_iter().zip(outcomes) {
        // Having nobody to tell is no reason to fail.
        let _unheard = logins.notes.write_all(&notes);
        if let Some(checked) =
            Checked::of(&rows[at].login.record, outcome.as_ref().map(Option::as_deref))
        {
            checked.apply(&mut rows[at].login.record);
            said.push(checked);
        }
        rows[at].check = Some(outcome.map(drop));
    }
    if let Err(error) = logins.remember(&said) {
        logins.note(&format!("the result of the check could not be recorded: {error}"));
    }
}

/// A person is asked once for each locked keychain, and not by all threads at once.
fn unlock(rows: &mut [Row], logins: &mut Logins<'_>) {
    let own = logins.settings.profile.clone();
    let mut opened: Vec<((String, KeychainName), Result<()>)> = Vec::new();
    for row in rows.iter_mut().filter(|row| can_be_asked(row)) {
        let LoginRecord { profile, keychain, .. } = &row.login.record;
        let place = (profile.clone(), keychain.clone());
        if !opened.iter().any(|(known, _)| *known == place) {
            logins.settings.profile.clone_from(profile);
            opened.push((place.clone(), logins.unlock_for_reading(keychain)));
        }
        row.check = opened.iter().find(|(known, _)| *known == place).map(|(_, o)| o.clone());
    }
    logins.settings.profile = own;
}

fn refresh(records: &[&LoginRecord], logins: &Logins<'_>) -> Vec<Outcome> {
    let parts = Parts {
        settings: logins.settings.clone(),
        records: logins.records.clone(),
        certs_d: logins.certs_d.clone(),
        open_keychain: logins.open_keychain,
    };
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..records.len().min(MAX_THREADS) {
            scope.spawn(|| {
                while let Some((at, record)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    records.get(at).map(|record| (at, record))
                } {
                    let outcome = parts.check(record);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

impl Parts {
    fn check(&self, record: &LoginRecord) -> Outcome {
        let mut notes = Vec::new();
        let mut settings = self.settings.clone();
        settings.profile.clone_from(&record.profile);
        let mut logins = Logins {
            settings,
            records: self.records.clone(),
            certs_d: self.certs_d.clone(),
            notes: &mut notes,
            open_keychain: self.open_keychain,
            turn: Weak::new(),
        };
        let outcome = logins.check_login(record);
        (outcome, notes)
    }
}
