//! Access tokens from a login that is kept.

use super::{Logins, parse_url};
use crate::error::{Error, Kind, Remedy, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::keychain::{self, Item};
use crate::login_record::LoginRecord;
use crate::registry::{Registry, TokenEndpoint};
use crate::scope::Scope;
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;
use crate::token::{Answer, Refusal, TokenResponse, TokenServer, USED_AS};

impl Logins<'_> {
    /// An access token for these scopes. A refresh token that changed is kept before this returns;
    /// no other process refreshes this login meanwhile.
    ///
    /// # Errors
    /// [`Kind::Rejected`] if the login is dead; network, keychain and trust as everywhere.
    pub fn refresh(&mut self, record: &LoginRecord, scopes: &[Scope]) -> Result<TokenResponse> {
        self.try_refresh(record, scopes)?.map_err(|refusal| refused(record, &refusal))
    }

    /// The same; the server's refusal is an answer.
    pub(super) fn try_refresh(
        &mut self,
        record: &LoginRecord,
        scopes: &[Scope],
    ) -> Result<std::result::Result<TokenResponse, Refusal>> {
        let _one_at_a_time = self.records.lock_refresh(&record.profile, &record.key)?;
        // It may have been moved while this waited.
        let record = &self.find_exact(&record.key)?;
        let item = self.item(record)?;
        if record.credential.is_personal(&item.token) {
            return self.access_by_personal(record, &item, scopes);
        }
        // The server may issue another token and invalidate this one: there must be a place for it.
        self.ready_to_change(&record.keychain)?;
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        let scope = Scope::join(scopes);
        let scope = (!scope.is_empty()).then_some(scope.as_str());
        let client_id = record.proven_as.as_deref().unwrap_or(USED_AS);
        let answer = TokenServer::new(&http, &endpoint).refresh(client_id, &item.token, scope)?;
        let tokens = match answer {
            Answer::Tokens(tokens) if tokens.access.is_some() => tokens,
            Answer::Tokens(_) => return Ok(Err(Refusal { status: 200, code: None })),
            Answer::Refused(refusal) => return Ok(Err(refusal)),
        };
        if let Some(changed) = tokens.refresh.as_ref().filter(|token| **token != item.token) {
            let expires = tokens.refresh_expires;
            self.keep_changed(record, &item, changed, |login| login.expires = expires)?;
        }
        Ok(Ok(tokens))
    }

    /// Where a login's token is refreshed and revoked.
    pub(super) fn endpoint_of(&self, http: &Http, record: &LoginRecord) -> Result<TokenEndpoint> {
        let url = parse_url(&record.key)?;
        let mut registry = Registry::new(&url, &self.settings, &self.certs_d)?;
        match &record.realm {
            Some(realm) => registry.recorded_endpoint(realm, record.service.clone()),
            // A client brought the token itself: the registry knows where it is from.
            None => {
                let challenge = registry.challenge(http)?;
                registry.judge(challenge)
            }
        }
    }

    /// Keeps a token in the place of the one that it was refreshed or renewed with, unless somebody
    /// logged in in the meantime.
    pub(super) fn keep_changed(
        &mut self,
        record: &LoginRecord,
        old: &Item,
        new: &RefreshToken,
        change: impl FnOnce(&mut LoginRecord),
    ) -> Result<()> {
        let store = self.records.clone();
        let locked = store.lock()?;
        let mut records = self.records_or_rebuilt(&locked)?;
        let mut changed = records.find(&record.profile, &record.key).unwrap_or(record).clone();
        // The previous keychain may still have the old token.
        if changed.keychain != record.keychain {
            return Ok(());
        }
        let keychain = self
            .open(&record.keychain, &self.options())
            .map_err(|error| self.keychain_error(error))?;
        match keychain.get(&record.key) {
            Ok(now) if now.token == old.token => {}
            Ok(_) | Err(keychain::Error::Absent) => return Ok(()),
            Err(error) => return Err(self.keychain_error(error)),
        }
        change(&mut changed);
        records.put(changed);
        let prepared = locked.prepare(&records)?;
        keychain.put(&record.key, &old.account, new).map_err(|e| self.keychain_error(e))?;
        prepared.commit()
    }
}

pub(super) fn refused(record: &LoginRecord, refusal: &Refusal) -> Error {
    let name = &record.server_url;
    if refusal.code == Some("invalid_scope") {
        return Error::new(Kind::Other, format!("{name} refused the scope ({refusal})"))
            .hint("ask for repository:NAME:pull or another scope that the account has");
    }
    // Not only what is said of the token: who refuses the client or the request refuses those of all
    // clients, and dead tokens are refused in many words.
    if matches!(refusal.status, 200 | 400 | 401 | 403) && !refusal.is_trouble() {
        let message =
            format!("the login for {name} no longer works: the server refused it ({refusal})");
        let login = to_type(&record.profile, &format!("login {}", shell_word(name)));
        return Error::new(Kind::Rejected, message).remedy(Remedy::LogInWith(login));
    }
    Error::new(Kind::Network, format!("the token server of {name} answered with {refusal}"))
        .try_again_later()
}

/// The key that a server URL means, for what is kept beside the records.
pub(super) fn url_of(record: &LoginRecord) -> Result<ServerUrl> {
    parse_url(&record.key)
}
