//! Revocation that is proved: afterwards the token must be refused.

use super::Logins;
use super::minted::AskPassword;
use super::personal::where_revoked;
use super::refresh::url_of;
use super::revoked::Revoked;
use crate::error::{Error, Kind, Remedy, Result, Setting};
use crate::http::{Http, NETWORK_DEADLINE, QUICK_DEADLINE};
use crate::login_record::{Found, LoginRecord};
use crate::registry::{Registry, TokenEndpoint};
use crate::revocation::Endpoint;
use crate::secret::RefreshToken;
use crate::token::{Answer, TokenServer, USED_AS};

impl Logins<'_> {
    /// Revokes a login at the server, proves it dead, and removes it here, unless another one came
    /// meanwhile.
    ///
    /// # Errors
    /// [`Kind::RevocationUnconfirmed`]: no endpoint is known, or it is a personal token (then it is
    /// removed here all the same), or the token still works, or it can only be deleted with the password, and none
    /// was given (then it is kept). [`Kind::Network`]: kept, to try again.
    /// [`Kind::Rejected`]: the password that a minted token is deleted by was wrong; kept.
    pub fn revoke_login(
        &mut self,
        record: &LoginRecord,
        password: &mut AskPassword<'_>,
    ) -> Result<Revoked> {
        let item = match self.item(record) {
            Err(gone) if gone.kind == Kind::NotLoggedIn => {
                if let Some(minted) = &record.minted {
                    return self.revoke_gone(record, minted, gone, password);
                }
                let next = "if the token was not revoked before, revoke it at the registry";
                return Err(self.forget_gone(record, gone, next));
            }
            item => item?,
        };
        self.ready_to_change(&record.keychain)?;
        if record.minted.is_some() {
            return self.revoke_minted(record, &item, password);
        }
        let token = item.token;
        let name = &record.server_url;
        if record.is_docker_hub_oauth() {
            let why = format!("Docker's own token, {name}, cannot be revoked from here");
            let next = Remedy::from("next time, docker logout revokes it first");
            return Err(self.erase_unrevoked(record, &token, &why, next));
        }
        if record.credential.is_personal(&token) {
            let why = format!("the personal token of {name} cannot be revoked from here");
            return Err(self.erase_unrevoked(record, &token, &why, where_revoked(record)));
        }
        match self.revoke_token(record, &token) {
            Ok(true) => self.erase_revoked(record, &token).map(Revoked::here),
            Ok(false) => {
                let why = format!("no revocation endpoint is known for {name}");
                let setting = Remedy::from(Setting::new("revocation_endpoint"));
                let next = Remedy::RevokeThere.and(setting.when("for the next login"));
                Err(self.erase_unrevoked(record, &token, &why, next))
            }
            Err(error) => {
                let message = format!("{}; the login is still stored here", error.fact);
                Err(Error { fact: message, ..error })
            }
        }
    }

    /// Removes a login whose token cannot be revoked, unless another one came meanwhile; the error says
    /// which.
    pub(super) fn erase_unrevoked(
        &mut self,
        record: &LoginRecord,
        token: &RefreshToken,
        why: &str,
        next: impl Into<Remedy>,
    ) -> Error {
        let fact = match self.erase_revoked(record, token) {
            Ok(true) => format!(
                "{why}: the login was removed here, but its token stays valid at the server"
            ),
            Ok(false) => format!(
                "{why}: the previous token stays valid at the server; the new login, made in the \
                 meantime, was kept"
            ),
            Err(error) => return error,
        };
        Error::new(Kind::RevocationUnconfirmed, fact).remedy(next)
    }

    /// The token of a recorded login is gone, by a reboot or because an earlier run was cut short
    /// after it had deleted it: the record goes as well. The error says what is `next` then.
    pub(super) fn forget_gone(&self, record: &LoginRecord, gone: Error, next: &str) -> Error {
        match self.forget(record) {
            Ok(true) => gone.hint(format!("its record was removed; {next}")),
            Ok(false) => gone,
            Err(error) => error,
        }
    }

    /// Removes the record of a login whose token is gone; false if somebody logged in in the meantime.
    pub(super) fn forget(&self, record: &LoginRecord) -> Result<bool> {
        let store = self.records.clone();
        let locked = store.lock()?;
        let Found::Records(mut records) = locked.read()? else { return Ok(false) };
        let is_same = records.find(&record.profile, &record.key) == Some(record);
        if !is_same || !self.item(record).is_err_and(|e| e.kind == Kind::NotLoggedIn) {
            return Ok(false);
        }
        records.remove(&record.profile, &record.key);
        locked.prepare(&records)?.commit().map(|()| true)
    }

    /// Revokes a token of one login's realm and proves it dead; false if no endpoint is known.
    ///
    /// # Errors
    /// As [`Logins::revoke_login`].
    pub fn revoke_token(&mut self, record: &LoginRecord, token: &RefreshToken) -> Result<bool> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        self.revoke_at(&http, &endpoint, record, token)
    }

    /// The same at an endpoint that was asked for.
    pub(super) fn revoke_at(
        &self,
        http: &Http,
        endpoint: &TokenEndpoint,
        record: &LoginRecord,
        token: &RefreshToken,
    ) -> Result<bool> {
        if !self.send_revocation(http, endpoint, record, token)? {
            return Ok(false);
        }
        // As the client that proved the token.
        let client_id = record.proven_as.as_deref().unwrap_or(USED_AS);
        let why = match self.refresh_as(client_id, http, endpoint, record, token)? {
            Answer::Tokens(tokens) if tokens.access.is_some() => "it still works".to_owned(),
            Answer::Refused(refusal) if !refusal.is_of_the_token() => {
                format!("a test refresh could not confirm it ({refusal})")
            }
            _ => return Ok(true),
        };
        let name = &record.server_url;
        let message = format!("{name} says that the token is revoked, but {why}");
        Err(Error::new(Kind::RevocationUnconfirmed, message).remedy(Remedy::RevokeThere))
    }

    /// Refreshes as this client; a server that wants a scope gets the challenge's, or it would refuse a
    /// live token too.
    pub(super) fn refresh_as(
        &self,
        client_id: &str,
        http: &Http,
        endpoint: &TokenEndpoint,
        record: &LoginRecord,
        token: &RefreshToken,
    ) -> Result<Answer> {
        let server = TokenServer::new(http, endpoint);
        let answer = server.refresh(client_id, token, None)?;
        match &answer {
            Answer::Refused(refusal)
                if refusal.may_want_scope() && refusal.code != Some("invalid_grant") => {}
            _ => return Ok(answer),
        }
        let url = url_of(record)?;
        let challenge = Registry::new(&url, &self.settings, &self.certs_d)?.challenge(http)?;
        match challenge.scope {
            Some(scope) => server.refresh(client_id, token, Some(&scope)),
            None => Ok(answer),
        }
    }

    /// Where tokens are revoked, if that is known.
    pub(super) fn revocation_at(
        &self,
        http: &Http,
        endpoint: &TokenEndpoint,
        record: &LoginRecord,
    ) -> Result<Option<Endpoint>> {
        let own = self.settings.registry(&url_of(record)?);
        let configured = own.revocation_endpoint.as_deref();
        Endpoint::find(http, endpoint.realm.origin(), &endpoint.trust, configured)
    }

    /// Asks the server to revoke; false if no endpoint is known. Not proved.
    pub(super) fn send_revocation(
        &self,
        http: &Http,
        endpoint: &TokenEndpoint,
        record: &LoginRecord,
        token: &RefreshToken,
    ) -> Result<bool> {
        let Some(known) = self.revocation_at(http, endpoint, record)? else { return Ok(false) };
        let trust = known.trust(endpoint.realm.origin(), &endpoint.trust, &self.certs_d)?;
        known.revoke(http, &trust, issued_to(record), token).map(|()| true)
    }

    /// One quick attempt, without proof, for a token that is given up anyway.
    pub(super) fn try_to_revoke(&self, record: &LoginRecord, token: &RefreshToken) -> Result<()> {
        if record.minted.is_some() {
            let http = Http::new(QUICK_DEADLINE)?;
            if self.delete_minted(&http, record, token, &mut |_| Ok(None))? {
                return Ok(());
            }
            let fact = format!("the account's password is needed: {}", where_revoked(record));
            return Err(Error::new(Kind::RevocationUnconfirmed, fact));
        }
        if record.credential.is_personal(token) {
            let fact =
                format!("a personal token cannot be revoked from here; {}", where_revoked(record));
            return Err(Error::new(Kind::RevocationUnconfirmed, fact));
        }
        let http = Http::new(QUICK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        if self.send_revocation(&http, &endpoint, record, token)? {
            return Ok(());
        }
        Err(Error::new(Kind::RevocationUnconfirmed, "no revocation endpoint is known")
            .remedy(Remedy::RevokeThere.or(Setting::new("revocation_endpoint").into())))
    }
}

/// The client whose token it is, which alone may revoke it (RFC 7009 section 2.1): where a client brought
/// it, that is not this helper, but the one that it works for.
fn issued_to(record: &LoginRecord) -> &str {
    record.obtained_as.as_deref().or(record.proven_as.as_deref()).unwrap_or(USED_AS)
}
