//! Finding the logins that are kept.

use std::collections::BTreeSet;

use super::{Logins, parse_url};
use crate::error::{Error, Kind, Remedy, Result};
use crate::keychain::{self, DEFAULT_PROFILE, Item, KeychainName};
use crate::login_record::{Found, LoginRecord, Lookup, Prepared, Records};
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;

impl Logins<'_> {
    /// The record of the login that a `get` for this server URL would answer.
    ///
    /// # Errors
    /// [`Kind::NotLoggedIn`], and records that could not be read.
    pub fn find_login(&mut self, server_url: &str) -> Result<LoginRecord> {
        let url = parse_url(server_url)?;
        self.find(&url, url.keys())
    }

    /// The record of the login under exactly this key.
    ///
    /// # Errors
    /// As [`Logins::find_login`].
    pub fn find_exact(&mut self, server_url: &str) -> Result<LoginRecord> {
        let url = parse_url(server_url)?;
        self.find(&url, std::iter::once(url.key()))
    }

    fn find<'k>(
        &mut self,
        url: &ServerUrl,
        keys: impl Iterator<Item = &'k str> + Clone,
    ) -> Result<LoginRecord> {
        let mut found = self.records.look_up(&self.settings.profile, keys.clone())?;
        if let Lookup::Unknown | Lookup::Damaged(_) = found {
            found = self.all_records()?.look_up(&self.settings.profile, keys);
        }
        match found {
            Lookup::Found(record) => Ok(*record),
            _ => Err(not_logged_in(url, &self.settings.profile)),
        }
    }

    /// Every login of the profile.
    ///
    /// # Errors
    /// Records that could not be read.
    pub fn all(&mut self) -> Result<Vec<LoginRecord>> {
        let records = self.all_records()?;
        Ok(records.of_profile(&self.settings.profile).cloned().collect())
    }

    /// The profiles that have logins, and the one in use.
    ///
    /// # Errors
    /// As [`Logins::all`].
    pub fn profiles(&mut self) -> Result<BTreeSet<String>> {
        let records = self.all_records()?;
        let own = self.settings.profile.clone();
        Ok(records.all().map(|record| record.profile.clone()).chain([own]).collect())
    }

    /// What is known about a registry without a login there.
    ///
    /// # Errors
    /// It is not a server URL.
    pub fn unknown_login(&self, server_url: &str) -> Result<LoginRecord> {
        let url = parse_url(server_url)?;
        // No keychain holds it; the name is never used.
        Ok(LoginRecord::new(&self.settings.profile, url.key(), KeychainName::Kernel))
    }

    /// The records; rebuilt from the keychains where they are missing or damaged.
    fn all_records(&mut self) -> Result<Records> {
        if let Found::Records(records) = self.records.read()?
            && records.is_complete(&self.settings.profile)
        {
            return Ok(records);
        }
        let store = self.records.clone();
        let locked = store.lock()?;
        let records = self.records_or_rebuilt(&locked)?;
        // What cannot be remembered is found out again the next time.
        if let Err(error) = locked.prepare(&records).and_then(Prepared::commit) {
            self.note(&error.to_string());
        }
        Ok(records)
    }

    /// The token of a login, from the keychain that keeps it.
    ///
    /// # Errors
    /// [`Kind::NotLoggedIn`] if it is gone, [`Kind::Keychain`] if that could not be found out.
    pub fn item(&self, record: &LoginRecord) -> Result<Item> {
        self.item_by(record, &self.options())
    }

    /// The same for one login of many: somebody who just dismissed a prompt is not asked again.
    pub(super) fn item_unless_dismissed(&self, record: &LoginRecord) -> Result<Item> {
        self.item_by(record, &self.options_unless_dismissed())
    }

    /// Whether somebody logged out since the record was read.
    fn is_logged_out(&self, record: &LoginRecord) -> bool {
        let key = std::iter::once(record.key.as_str());
        matches!(self.records.look_up(&record.profile, key), Ok(Lookup::Absent))
    }

    fn item_by(&self, record: &LoginRecord, options: &keychain::Options) -> Result<Item> {
        let found = self.open(&record.keychain, options).and_then(|k| k.get(&record.key));
        found.map_err(|error| match error {
            keychain::Error::Absent | keychain::Error::Elsewhere { .. }
                if self.is_logged_out(record) =>
            {
                not_logged_in_to(&record.server_url, &record.profile)
            }
            keychain::Error::Absent => gone(record).log_in_again(),
            error => self.keychain_error(error),
        })
    }
}

/// A recorded login that its keychain no longer has.
pub(super) fn gone(record: &LoginRecord) -> Error {
    let (server, keychain) = (&record.server_url, &record.keychain);
    Error::new(Kind::NotLoggedIn, format!("the login for {server} is gone from {keychain}"))
}

pub(super) fn not_logged_in(url: &ServerUrl, profile: &str) -> Error {
    not_logged_in_to(url.asked(), profile)
}

fn not_logged_in_to(server_url: &str, profile: &str) -> Error {
    let login = to_type(profile, &format!("login {}", shell_word(server_url)));
    let fact = match profile {
        DEFAULT_PROFILE => format!("not logged in to {server_url}"),
        name => format!("not logged in to {server_url} in profile {name}"),
    };
    Error::new(Kind::NotLoggedIn, fact).remedy(Remedy::LogInWith(login))
}
