//! Erasing what no record tells of.

use super::erase::Erased;
use super::{Logins, parse_url};
use crate::error::Result;
use crate::keychain::{self, KeychainName, Listed, Listing};
use crate::server_url::ServerUrl;

impl Logins<'_> {
    /// Also where it cannot be told, unless it matters no more than a keychain out of reach.
    pub(super) fn may_have(&self, name: &KeychainName, url: &ServerUrl, must_answer: bool) -> bool {
        let unasked = keychain::Options { may_prompt: false, ..self.options() };
        match self.open(name, &unasked).and_then(|k| k.list()).and_then(Listing::complete) {
            Ok(listed) => listed.iter().any(|login| login.key == url.key()),
            Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. }) => false,
            Err(keychain::Error::Locked { .. }) => true,
            Err(error) => must_answer || !error.is_out_of_reach(),
        }
    }

    /// Without complete records, each keychain that may hold the login is asked, under the lock: a login may
    /// be put there right now.
    pub(super) fn erase_unrecorded(
        &mut self,
        url: &ServerUrl,
        names: Vec<KeychainName>,
    ) -> Result<Erased> {
        let must_answer = self.unrecorded_places().1;
        let options = self.options_unrecorded(must_answer);
        let (mut erased, mut erased_from) = (None, None);
        for name in names {
            match self.remove_item(&name, &options, url.key()) {
                Ok(token) => {
                    erased_from = Some(name.clone());
                    let login = Listed { key: url.key().to_owned(), account: String::new() };
                    erased = token.map(|token| (self.rebuilt(name, login), token)).or(erased);
                }
                Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. }) => {}
                Err(error @ keychain::Error::Locked { .. }) if !must_answer => {
                    self.note(&format!("a keychain was not searched for this login: {error}"));
                }
                Err(error) => {
                    if let Some(name) = erased_from {
                        self.note(&format!("the login was already removed from {name}"));
                    }
                    return Err(self.cannot_erase(error, ""));
                }
            }
        }
        Ok(erased)
    }

    /// Removes what has no record, as `status` shows it; returns whether there was anything. A keychain
    /// that cannot be searched is skipped, unless it is set and `must_answer`.
    ///
    /// # Errors
    /// What is there cannot be removed, or it could not be searched.
    pub fn erase_leftovers(&mut self, server_url: &str, must_answer: bool) -> Result<bool> {
        let url = parse_url(server_url)?;
        let (names, is_set) = self.unrecorded_places();
        let unasked = keychain::Options { may_prompt: false, ..self.options() };
        let mut erased = false;
        for name in names {
            match self.open(&name, &unasked).and_then(|k| k.list()).and_then(Listing::complete) {
                Ok(listed) if listed.iter().any(|login| login.key == url.key()) => {}
                Ok(_) | Err(keychain::Error::Elsewhere { .. }) => continue,
                Err(error) if error.is_out_of_reach() && !(is_set && must_answer) => continue,
                Err(error) => return Err(self.cannot_erase(error, "")),
            }
            if let Some((record, token)) = self.erase_leftover(&url, name, &mut erased)? {
                self.revoke_erased(&record, &token);
            }
        }
        Ok(erased)
    }

    /// The same in one keychain, under the lock: a login may be put there right now.
    fn erase_leftover(
        &mut self,
        url: &ServerUrl,
        name: KeychainName,
        erased: &mut bool,
    ) -> Result<Erased> {
        let store = self.records.clone();
        let locked = store.lock()?;
        let records = self.records_or_rebuilt(&locked)?;
        let record = records.find(&self.settings.profile, url.key());
        if record.is_some_and(|record| record.keychain == name) {
            return Ok(None);
        }
        match self.remove_item(&name, &self.options(), url.key()) {
            Ok(token) => {
                *erased = true;
                let login = Listed { key: url.key().to_owned(), account: String::new() };
                Ok(token.map(|token| (self.rebuilt(name, login), token)))
            }
            Err(keychain::Error::Absent) => Ok(None),
            Err(error) => Err(self.cannot_erase(error, "")),
        }
    }
}
