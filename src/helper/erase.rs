//! `erase`: local, idempotent, and exactly the key asked.

use std::time::Duration;

use super::{Helper, parse_url};
use crate::error::Result;
use crate::keychain;
use crate::login_record::{Found, LoginRecord};
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;

/// One attempt, so that a logout stays quick.
const REVOCATION_DEADLINE: Duration = Duration::from_secs(5);

impl Helper<'_> {
    /// Removes a login here and in the fallback; one that is not there is removed already.
    ///
    /// # Errors
    /// Any but absence; then the login is as it was.
    pub fn erase(&mut self, server_url: &str) -> Result<()> {
        let url = parse_url(server_url)?;
        let erased = self.erase_ours(&url)?;
        if let Some(fallback) = self.fallback(&url)? {
            fallback.erase(&url)?;
        }
        if let Some((record, token)) = erased {
            self.revoke_erased(&record, &token);
        }
        Ok(())
    }

    /// Removes the item, then the record; answers with what is to be revoked.
    pub(super) fn erase_ours(
        &mut self,
        url: &ServerUrl,
    ) -> Result<Option<(LoginRecord, RefreshToken)>> {
        let profile = self.settings.profile.clone();
        // Without a lock first: most erases are of nothing, and need make no directory.
        if let Found::Records(records) = self.records.read()?
            && records.find(&profile, url.key()).is_none()
        {
            return Ok(None);
        }
        let store = self.records.clone();
        if matches!(store.read()?, Found::Missing) {
            return self.erase_unrecorded(url).map(|()| None);
        }
        let locked = store.lock()?;
        let mut records = self.records_or_rebuilt(&locked)?;
        let Some(record) = records.remove(&profile, url.key()) else {
            return locked.prepare(&records)?.commit().map(|()| None);
        };
        let prepared = locked.prepare(&records)?;
        let options = self.options_unless_dismissed();
        let outcome = self.open(&record.keychain, &options).and_then(|keychain| {
            let token =
                self.settings.revoke_on_erase.then(|| keychain.get(url.key()).ok()).flatten();
            match keychain.delete(url.key()) {
                Ok(()) | Err(keychain::Error::Absent) => Ok(token),
                Err(error) => Err(error),
            }
        });
        let token = outcome.map_err(|e| self.keychain_error(e))?;
        prepared.commit()?;
        Ok(token.map(|item| (record, item.token)))
    }

    /// Without records, each keychain that may hold the login is asked.
    fn erase_unrecorded(&self, url: &ServerUrl) -> Result<()> {
        let (names, must_answer) = self.unrecorded_places();
        let options =
            keychain::Options { may_prompt: must_answer, ..self.options_unless_dismissed() };
        for name in names {
            match self.open(&name, &options).and_then(|keychain| keychain.delete(url.key())) {
                Ok(()) | Err(keychain::Error::Absent) => {}
                Err(error) if error.is_out_of_reach() && !must_answer => {}
                Err(error) => return Err(self.keychain_error(error)),
            }
        }
        Ok(())
    }

    /// The login is erased whatever comes of this; what was not confirmed is said.
    fn revoke_erased(&mut self, record: &LoginRecord, token: &RefreshToken) {
        if let Err(error) = self.try_to_revoke(record, token, REVOCATION_DEADLINE) {
            let name = &record.server_url;
            self.note(&format!(
                "the login for {name} is erased here, but may be valid at the server: {}",
                error.message
            ));
        }
    }
}
