//! Records and keychains side by side: what is kept, what is gone, what no record tells of.

use super::{Helper, parse_url};
use crate::error::Result;
use crate::keychain::{self, Keychain, KeychainName, Listed};
use crate::login_record::LoginRecord;

/// What became of a login's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Recorded, and in the keychain.
    Kept,
    /// Recorded, and not in the keychain any more: `get` answers "not found".
    Gone,
    /// In the keychain without a record: no client finds it.
    Unrecorded,
    /// Recorded, and the keychain cannot be looked into: why.
    Unreadable(String),
}

/// One login.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its record; for [`State::Unrecorded`] what the keychain tells, with no date of its own.
    pub record: LoginRecord,
    /// What the keychain says to that.
    pub state: State,
    /// How long the keychain keeps it, in a word, if that could be opened.
    pub kept_until: Option<&'static str>,
}

/// What one keychain lists, and why it cannot be read if it is locked.
struct Seen {
    name: KeychainName,
    keychain: Option<Keychain>,
    outcome: std::result::Result<(Vec<Listed>, Option<String>), keychain::Error>,
}

impl Helper<'_> {
    /// Compares these records with every keychain that could hold a login of the profile, sorted
    /// by server URL. Reads no secret, unlocks nothing and asks nobody.
    pub fn survey(&self, records: &[LoginRecord]) -> Vec<Surveyed> {
        let mut names: Vec<KeychainName> = self.unrecorded_places().0;
        for name in records.iter().flat_map(|r| r.left_in.iter().chain([&r.keychain])) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let seen: Vec<Seen> = names.into_iter().map(|name| self.look_into(name)).collect();
        let mut all: Vec<Surveyed> = records
            .iter()
            .map(|record| {
                let place = seen.iter().find(|seen| seen.name == record.keychain);
                let kept_until = place.and_then(Seen::kept_until);
                let state = place.map_or_else(
                    || State::Unreadable("it was not asked".into()),
                    |seen| state_of(record, seen),
                );
                Surveyed { record: record.clone(), state, kept_until }
            })
            .collect();
        for seen in seen {
            let kept_until = seen.kept_until();
            let Seen { name, outcome, .. } = seen;
            // One that cannot be listed and holds nothing we know of tells nothing.
            for login in outcome.map(|(listed, _)| listed).unwrap_or_default() {
                let known = |r: &LoginRecord| r.keychain == name && r.key == login.key;
                if !records.iter().any(known) {
                    let record = self.rebuilt(name.clone(), login);
                    all.push(Surveyed { record, state: State::Unrecorded, kept_until });
                }
            }
        }
        all.sort_by(|a, b| a.record.server_url.cmp(&b.record.server_url));
        all
    }

    /// Of a survey, the login that a `get` for this server URL would answer.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotLoggedIn`] if there is none, not even one without a record.
    pub fn surveyed_login(&self, all: Vec<Surveyed>, server_url: &str) -> Result<Vec<Surveyed>> {
        let url = parse_url(server_url)?;
        let has = |key: &&str| all.iter().any(|login| login.record.key == **key);
        let key = url.keys().find(has).ok_or_else(|| super::logins::not_logged_in(&url))?;
        let mut found: Vec<Surveyed> =
            all.iter().filter(|login| login.record.key == key).cloned().collect();
        found.sort_by_key(|login| login.state == State::Unrecorded);
        Ok(found)
    }

    fn look_into(&self, name: KeychainName) -> Seen {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let look = |keychain: &Keychain| {
            let listed = keychain.list()?;
            Ok((listed, keychain.check().err().map(|error| error.to_string())))
        };
        match self.open(&name, &options) {
            Ok(keychain) => Seen { name, outcome: look(&keychain), keychain: Some(keychain) },
            Err(error) => Seen { name, outcome: Err(error), keychain: None },
        }
    }
}

impl Seen {
    fn kept_until(&self) -> Option<&'static str> {
        self.keychain.as_ref().map(Keychain::kept_until)
    }
}

fn state_of(record: &LoginRecord, seen: &Seen) -> State {
    match &seen.outcome {
        Err(error) => State::Unreadable(error.to_string()),
        Ok((listed, _)) if listed.iter().all(|login| login.key != record.key) => {
            let checked = seen.keychain.as_ref().map(|keychain| keychain.check_login(&record.key));
            match checked {
                Some(Err(error)) => State::Unreadable(error.to_string()),
                _ => State::Gone,
            }
        }
        Ok((_, Some(locked))) => State::Unreadable(locked.clone()),
        Ok((_, None)) => State::Kept,
    }
}
