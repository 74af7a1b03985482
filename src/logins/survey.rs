//! Records and keychains side by side: what is kept, what is gone, what has no record.

use super::find::gone;
use super::{Logins, parse_url};
use crate::error::{Error, Kind, Remedy, Result};
use crate::external_helper::HelperName;
use crate::keychain::{self, Keychain, KeychainName, Lifetime, Listed};
use crate::login_record::LoginRecord;
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;

/// What became of a login's token.
#[derive(Debug, Clone)]
pub enum State {
    /// Recorded, and in the keychain.
    Kept,
    /// Recorded, and not in the keychain any more: `get` answers "not found".
    Gone,
    /// In the keychain without a record: no client finds it.
    Unrecorded,
    /// Its login moved on to this keychain, and it could not be deleted here.
    Previous(KeychainName),
    /// Recorded, and the keychain cannot be searched: why.
    Unreadable(Error),
    /// This fallback has it, as the client handed it over.
    InFallback(HelperName),
}

impl State {
    /// Whether it is a login, which a client could find.
    pub fn is_recorded(&self) -> bool {
        !matches!(self, Self::Unrecorded | Self::Previous(_) | Self::InFallback(_))
    }
}

/// One login.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its record; for one without what the keychain tells, with no date of its own.
    pub record: LoginRecord,
    /// What the keychain says about it.
    pub state: State,
    /// How long the keychain keeps it, if that could be opened.
    pub lifetime: Option<Lifetime>,
}

impl Surveyed {
    /// What is wrong with it, as far as this machine knows.
    pub fn trouble(&self) -> Option<Error> {
        let LoginRecord { profile, server_url: server, keychain, .. } = &self.record;
        let word = shell_word(server);
        let log_in = Remedy::Run(to_type(profile, &format!("login {word}")));
        match &self.state {
            State::Kept | State::InFallback(_) => None,
            State::Gone => Some(gone(&self.record).remedy(log_in)),
            State::Unrecorded => {
                let fact = format!(
                    "{keychain} has an entry for {server} that this helper has no record of, so clients cannot use it"
                );
                let log_out = Remedy::Run(to_type(profile, &format!("logout {word}")));
                let both = log_in.when("to log in again").and(log_out.when("to remove it"));
                Some(Error::new(Kind::NotLoggedIn, fact).remedy(both))
            }
            State::Previous(now) => {
                let fact =
                    format!("{keychain} still has a previous token of {server}, now in {now}");
                let finish = Remedy::Run(to_type(profile, &format!("migrate --to {now} {word}")));
                Some(Error::new(Kind::Other, fact).remedy(finish))
            }
            State::Unreadable(why) => Some(why.clone()),
        }
    }
}

/// What one keychain lists, and whether that can be read.
struct Seen {
    name: KeychainName,
    lifetime: Option<Lifetime>,
    outcome: std::result::Result<(Keychain, Vec<Listed>, Checked), keychain::Error>,
}

type Checked = std::result::Result<(), keychain::Error>;

impl Logins<'_> {
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
                let lifetime = place.and_then(|seen| seen.lifetime);
                let state = place.map_or_else(
                    || {
                        let fact = format!("the {} keychain was not asked", record.keychain);
                        State::Unreadable(Error::new(Kind::Keychain, fact))
                    },
                    |seen| state_of(record, seen),
                );
                Surveyed { record: record.clone(), state, lifetime }
            })
            .collect();
        for Seen { name, outcome, lifetime } in seen {
            // One that cannot be listed and holds nothing known says nothing.
            for login in outcome.map(|(_, listed, _)| listed).unwrap_or_default() {
                let known = |r: &LoginRecord| r.keychain == name && r.key == login.key;
                if !records.iter().any(known) {
                    let left = |r: &&LoginRecord| r.key == login.key && r.left_in.contains(&name);
                    let state = records
                        .iter()
                        .find(left)
                        .map_or(State::Unrecorded, |now| State::Previous(now.keychain.clone()));
                    let record = self.rebuilt(name.clone(), login);
                    all.push(Surveyed { record, state, lifetime });
                }
            }
        }
        all.sort_by(|a, b| a.record.server_url.cmp(&b.record.server_url));
        all
    }

    /// The logins of the fallbacks that clients would be given, none of them among ours; and which
    /// fallbacks could not be asked.
    pub fn survey_fallbacks(&mut self, ours: &[Surveyed]) -> (Vec<Surveyed>, Vec<HelperName>) {
        let profile = self.settings.profile.clone();
        let mut unread = self.settings.fallbacks();
        let mut all = Vec::new();
        for (helper, names) in self.by_fallback() {
            unread.retain(|name| *name != helper);
            for (server_url, account) in names {
                let key = ServerUrl::parse(&server_url)
                    .map_or_else(|_| server_url.clone(), |url| url.key().to_owned());
                if ours.iter().any(|l| l.state.is_recorded() && l.record.key == key) {
                    continue;
                }
                let name = KeychainName::Helper(helper.clone());
                let record =
                    LoginRecord { server_url, account, ..LoginRecord::new(&profile, &key, name) };
                let state = State::InFallback(helper.clone());
                all.push(Surveyed { record, state, lifetime: None });
            }
        }
        (all, unread)
    }

    /// Of a survey, the login that a `get` for this server URL would answer.
    ///
    /// # Errors
    /// [`Kind::NotLoggedIn`] if there is none, not even one without a record.
    pub fn surveyed_login(&self, all: Vec<Surveyed>, server_url: &str) -> Result<Vec<Surveyed>> {
        let url = parse_url(server_url)?;
        let has = |key: &&str| all.iter().any(|login| login.record.key == **key);
        let key = url
            .keys()
            .find(has)
            .ok_or_else(|| super::find::not_logged_in(&url, &self.settings.profile))?;
        let mut found: Vec<Surveyed> =
            all.iter().filter(|login| login.record.key == key).cloned().collect();
        found.sort_by_key(|login| !login.state.is_recorded());
        Ok(found)
    }

    fn look_into(&self, name: KeychainName) -> Seen {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let opened = self.open(&name, &options);
        let lifetime = opened.as_ref().ok().map(Keychain::lifetime);
        let outcome = opened.and_then(|keychain| {
            let (listed, checked) = (keychain.list()?.logins, keychain.check());
            Ok((keychain, listed, checked))
        });
        Seen { name, lifetime, outcome }
    }
}

fn state_of(record: &LoginRecord, seen: &Seen) -> State {
    use keychain::Error::{Damaged, Elsewhere};
    let (keychain, listed, checked) = match &seen.outcome {
        Ok(seen) => seen,
        Err(error) => return State::Unreadable(error.told()),
    };
    let is_listed = listed.iter().any(|login| login.key == record.key);
    let unreadable = |error: &keychain::Error| State::Unreadable(error.told());
    match checked {
        Err(Damaged { .. } | Elsewhere { .. }) => match keychain.check_login(&record.key) {
            Ok(()) if is_listed => State::Kept,
            Ok(()) | Err(keychain::Error::Absent) => State::Gone,
            Err(error) => unreadable(&error),
        },
        _ if !is_listed => State::Gone,
        Err(error) => unreadable(error),
        Ok(()) => State::Kept,
    }
}
