//! `erase`: local, idempotent, and exactly the key asked.

use std::time::Duration;

use super::{Helper, parse_url};
use crate::error::Result;
use crate::http::Http;
use crate::http::trust::Trust;
use crate::keychain;
use crate::login_record::{Found, LoginRecord};
use crate::realm;
use crate::revocation::Endpoint;
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
            self.revoke_erased(&url, &record, &token);
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
    fn revoke_erased(&mut self, url: &ServerUrl, record: &LoginRecord, token: &RefreshToken) {
        if let Err(error) = self.revoke(url, record, token, REVOCATION_DEADLINE) {
            let name = &record.server_url;
            self.note(&format!(
                "the login for {name} is erased here, but may be valid at the server: {error}"
            ));
        }
    }

    /// Revokes at the endpoint that is known for the record's realm.
    pub(super) fn revoke(
        &self,
        url: &ServerUrl,
        record: &LoginRecord,
        token: &RefreshToken,
        limit: Duration,
    ) -> Result<()> {
        let none = || {
            crate::error::Error::new(
                crate::error::Kind::RevocationUnconfirmed,
                "no revocation endpoint is known",
            )
            .hint("end it at the registry, or set revocation_endpoint")
        };
        let named = record.realm.as_deref().ok_or_else(none)?;
        let (_, origin) = realm::parse(named).map_err(|_| none())?;
        let own = self.settings.registry(url);
        let trust = self.trust_of_realm(url, &origin)?;
        let http = Http::new(limit)?;
        let configured = own.revocation_endpoint.as_deref();
        let endpoint = Endpoint::find(&http, &origin, &trust, configured)?.ok_or_else(none)?;
        let client_id = record.obtained_as.as_deref().unwrap_or("docker");
        endpoint.revoke(&http, &trust, client_id, token)
    }

    fn trust_of_realm(&self, url: &ServerUrl, origin: &realm::Origin) -> Result<Trust> {
        let trust = Trust::of_host(&self.certs_d, &origin.host, origin.port, None)?;
        let Some((host, port)) = url.registry() else { return Ok(trust) };
        if !realm::same_site(&host, &origin.host) {
            return Ok(trust);
        }
        let ca_file = self.settings.registry(url).ca_file;
        let registry = Trust::of_host(&self.certs_d, &host, port, ca_file.as_deref())?;
        Ok(trust.with_registry(&registry, host == origin.host))
    }
}
