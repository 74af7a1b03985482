//! `erase`: local, idempotent, and exactly the key asked.

use jiff::Timestamp;

use super::refresh::url_of;
use super::{Logins, parse_url};
use crate::error::{Error, Remedy, Result};
use crate::external_helper::HelperName;
use crate::keychain::{self, KeychainName};
use crate::login_record::{Locked, LoginRecord, Lookup, Records};
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;

/// What was removed here, if it is to be revoked.
pub(super) type Erased = Option<(LoginRecord, RefreshToken)>;

/// Where a login is that is to be erased.
enum Places {
    /// Where its record says.
    Recorded,
    /// There are no complete records: each of these may have it.
    Unrecorded(Vec<KeychainName>),
}

impl Logins<'_> {
    /// Removes a login here and in the fallback; one that is not there counts as removed. The answer
    /// is the fallback, if it was seen to have it.
    ///
    /// # Errors
    /// Anything but absence; then the login is as it was, here or in the fallback.
    pub fn erase(&mut self, server_url: &str) -> Result<Option<HelperName>> {
        let url = parse_url(server_url)?;
        let erased = self.erase_ours(&url, "")?;
        let elsewhere = self.fallback(&url).and_then(|fallback| {
            let Some(fallback) = fallback else { return Ok(None) };
            Ok(fallback.erase(&url)?.then(|| fallback.name().clone()))
        });
        // Also where the fallback failed: nobody has the token to try again with.
        if let Some((record, token)) = erased {
            self.revoke_erased(&record, &token);
        }
        elsewhere
    }

    /// Removes the item, then the record; answers with what is to be revoked. If a previous token
    /// cannot be removed, that is said with the next step, followed by `then`.
    pub(super) fn erase_ours(&mut self, url: &ServerUrl, then: &str) -> Result<Erased> {
        // Without a lock first: most erases find nothing, and need not create a directory.
        let Some(places) = self.places(url)? else { return Ok(None) };
        let store = self.records.clone();
        let locked = store.lock()?;
        if let Places::Unrecorded(names) = places
            && !self.is_recorded(url)?
        {
            return self.erase_unrecorded(url, names);
        }
        let records = self.records_or_rebuilt(&locked)?;
        self.erase_locked(url, then, &locked, records)
    }

    /// When the login here was kept, if there is one: one that comes later is another.
    ///
    /// # Errors
    /// Those of the records.
    pub(super) fn kept_since(&self, url: &ServerUrl) -> Result<Option<Timestamp>> {
        let since = || match self.look_up(url)? {
            Lookup::Found(record) => Ok(Some(record.since)),
            Lookup::Absent | Lookup::Unknown | Lookup::Damaged(_) => Ok(None),
        };
        if since()?.is_none() {
            return Ok(None);
        }
        // Whoever keeps one removes that of the fallback before the lock is free.
        let _locked = self.records.lock()?;
        since()
    }

    /// Removes the login that the fallback has replaced; none if another one was kept after `before`,
    /// which stays.
    ///
    /// # Errors
    /// As [`Logins::erase_ours`].
    pub(super) fn erase_replaced(
        &mut self,
        url: &ServerUrl,
        before: Option<Timestamp>,
        then: &str,
    ) -> Result<Option<Erased>> {
        // One that comes from now on is newer than the fallback's.
        let Some(places) = self.places(url)? else { return Ok(Some(None)) };
        let store = self.records.clone();
        let locked = store.lock()?;
        if let Places::Unrecorded(names) = places
            && !self.is_recorded(url)?
        {
            return self.erase_unrecorded(url, names).map(Some);
        }
        let records = self.records_or_rebuilt(&locked)?;
        let is_newer = |record: &LoginRecord| Some(record.since) != before;
        if records.find(&self.settings.profile, url.key()).is_some_and(is_newer) {
            return Ok(None);
        }
        self.erase_locked(url, then, &locked, records).map(Some)
    }

    /// Removes a login whose token was revoked; false if another one is there by now, which stays.
    ///
    /// # Errors
    /// Any but absence; then the login is as it was.
    pub fn erase_revoked(&mut self, record: &LoginRecord, token: &RefreshToken) -> Result<bool> {
        let store = self.records.clone();
        let locked = store.lock()?;
        let records = self.records_or_rebuilt(&locked)?;
        let now = records.find(&record.profile, &record.key).map(|now| self.item(now));
        if matches!(now, Some(Ok(item)) if item.token != *token) {
            return Ok(false);
        }
        self.erase_locked(&url_of(record)?, "", &locked, records).map(|_| true)
    }

    fn erase_locked(
        &mut self,
        url: &ServerUrl,
        then: &str,
        locked: &Locked<'_>,
        mut records: Records,
    ) -> Result<Erased> {
        let profile = self.settings.profile.clone();
        let Some(record) = records.remove(&profile, url.key()) else {
            return locked.prepare(&records)?.commit().map(|()| None);
        };
        let prepared = locked.prepare(&records)?;
        let options = self.options_unless_dismissed();
        let removed = self.remove_item(&record.keychain, &options, url.key());
        let token = match removed {
            Ok(token) => token,
            Err(keychain::Error::Absent) => None,
            Err(error) => {
                // Docker erases each spelling: without a display, too, one prompt in vain is enough.
                if options.may_prompt && matches!(error, keychain::Error::Locked { .. }) {
                    self.remember_dismissed();
                }
                return Err(self.cannot_erase(error, then));
            }
        };
        for name in &record.left_in {
            if let Err(left) = self.delete_in(&mut vec![name.clone()], url.key()) {
                let server = shell_word(&record.server_url);
                let step = format!("logout --keychain {name} {server}");
                let step = to_type(&profile, &step);
                let finish = Remedy::Run(format!("{step}{then}")).when("to finish later");
                self.note(&left.also(finish).to_string());
            }
        }
        // The token is gone, as was asked: a record that stays is only noted.
        if let Err(error) = prepared.commit() {
            let name = &record.server_url;
            self.note(&format!("the login for {name} was removed, but its record stays: {error}"));
        }
        Ok(token.map(|token| (record, token)))
    }

    /// Where there is something to erase, as far as can be told without a lock and without a prompt.
    fn places(&self, url: &ServerUrl) -> Result<Option<Places>> {
        match self.look_up(url)? {
            Lookup::Found(_) => Ok(Some(Places::Recorded)),
            Lookup::Absent => Ok(None),
            Lookup::Unknown | Lookup::Damaged(_) => {
                let (mut names, must_answer) = self.unrecorded_places();
                names.retain(|name| self.may_have(name, url, must_answer));
                Ok((!names.is_empty()).then_some(Places::Unrecorded(names)))
            }
        }
    }

    fn look_up(&self, url: &ServerUrl) -> Result<Lookup> {
        self.records.look_up(&self.settings.profile, std::iter::once(url.key()))
    }

    /// Whether the records tell by now what is there: a login was being stored, and is.
    fn is_recorded(&self, url: &ServerUrl) -> Result<bool> {
        Ok(matches!(self.look_up(url)?, Lookup::Found(_) | Lookup::Absent))
    }

    /// A keychain's error, with what to do to log out: to set another one does not help there.
    pub(super) fn cannot_erase(&self, error: keychain::Error, then: &str) -> Error {
        let is_dismissed = matches!(error, keychain::Error::Dismissed { .. });
        let mut told = self.keychain_error(error);
        let left = told.remedy.clone().and_then(Remedy::without_keychains);
        if left != told.remedy || is_dismissed {
            let again = format!("log out again{then}");
            told.remedy = Some(match left {
                Some(left) => format!("{left}, and {again}").into(),
                None => again.into(),
            });
        }
        told
    }

    /// The token that was there, if it is to be revoked; one that cannot be read is removed all the
    /// same, with a note.
    pub(super) fn remove_item(
        &mut self,
        name: &KeychainName,
        options: &keychain::Options,
        key: &str,
    ) -> std::result::Result<Option<RefreshToken>, keychain::Error> {
        let keychain = self.open(name, options)?;
        let item = self.settings.revoke_on_erase.then(|| keychain.get(key));
        keychain.delete(key)?;
        match item {
            Some(Ok(item)) => Ok(Some(item.token)),
            Some(Err(error)) => {
                self.note(&format!("the token of {key} was removed and not revoked: {error}"));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The login is erased whatever the outcome; what was not confirmed is noted.
    pub(super) fn revoke_erased(&mut self, record: &LoginRecord, token: &RefreshToken) {
        if let Err(error) = self.try_to_revoke(record, token) {
            let name = &record.server_url;
            self.note(&format!(
                "the login for {name} was removed here, but may still be valid at the server: {}",
                error.fact
            ));
        }
    }
}
