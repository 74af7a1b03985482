//! Minted tokens: the registry's own API makes them of a password where there are no refresh tokens. They
//! are kept and handed out like personal tokens, and the same API deletes them.

use std::iter::once;

use super::Logins;
use super::new_login::LoginToken;
use super::personal::where_revoked;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE, QUICK_DEADLINE};
use crate::keychain::Item;
use crate::login_record::{LoginRecord, Lookup};
use crate::mint::{self, Fresh, Names, Session};
use crate::personal_token::form_of;
use crate::protocol::Credentials;
use crate::registry::TokenEndpoint;
use crate::secret::disguise;
use crate::secret::{Password, RefreshToken, check_token};
use crate::server_url::ServerUrl;
use crate::token::{Answer, TokenResponse, TokenServer};

/// Asks for the password of a login's account, where there is somebody to ask.
pub type AskPassword<'a> = dyn FnMut(&LoginRecord) -> Result<Option<Password>> + 'a;

impl Logins<'_> {
    /// A token in the place of the password, proved by what clients will do with it; none where that is
    /// not set, or the registry has no such API.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`] where the API makes none; network and TLS. One that is left then is noted, and
    /// deleted by the next login.
    pub(super) fn mint(
        &mut self,
        url: &ServerUrl,
        server: &TokenServer<'_>,
        http: &Http,
        endpoint: &TokenEndpoint,
        credentials: &Credentials<Password>,
    ) -> Result<Option<Fresh>> {
        let (account, password) = (&credentials.username, &credentials.secret);
        // A personal token makes no others; a password that nobody was seen to accept goes nowhere else;
        // and HTTP Basic ends the username at the colon.
        let is_for_it =
            form_of(password.expose()).is_none() && server.has_accepted() && !account.contains(':');
        if !is_for_it {
            return Ok(None);
        }
        let setting = self.settings.minting(url);
        let Some(api) = mint::find(setting, endpoint, &self.certs_d, http)? else {
            return Ok(None);
        };
        let previous = self.minted_before(url).filter(|previous| previous.account == *account);
        let recorded = previous.and_then(|previous| previous.minted).map(|minted| minted.id);
        let session = Session::by_password(&api, http, account, password.clone())?;
        let fresh = session.ok_or_else(|| api.refused(401))?.mint(
            http,
            &self.token_names(url),
            recorded.as_deref(),
        )?;
        let is_token = check_token(fresh.token.expose()).is_ok()
            && !disguise::is_in(&fresh.token, account, password);
        let proved = if is_token { prove(server, account, &fresh) } else { Err(fresh.useless()) };
        if let Err(error) = proved {
            self.take_back_minted(&fresh);
            return Err(error);
        }
        Ok(Some(fresh))
    }

    /// Why a password alone is not enough, where the registry's page gives tokens to people.
    pub(super) fn or_by_page(
        &self,
        why: Error,
        url: &ServerUrl,
        endpoint: &TokenEndpoint,
        http: &Http,
    ) -> Error {
        if why.kind != Kind::Rejected {
            return why;
        }
        match mint::find(self.settings.minting(url), endpoint, &self.certs_d, http) {
            Ok(Some(api)) => why.also(format!(
                "where the account has two-factor authentication, make a token at {}",
                api.page()
            )),
            _ => why,
        }
    }

    /// The login that is replaced, if it is by a minted token.
    pub(super) fn minted_before(&self, url: &ServerUrl) -> Option<LoginRecord> {
        match self.records.look_up(&self.settings.profile, once(url.key())) {
            Ok(Lookup::Found(login)) if login.minted.is_some() => Some(*login),
            _ => None,
        }
    }

    /// After a login is kept: the minted token that it replaces is deleted, or named.
    pub(super) fn retire(&mut self, previous: Option<&LoginRecord>, new: &LoginToken) {
        let fresh = match new {
            LoginToken::Minted { fresh, .. } => Some(fresh),
            _ => None,
        };
        if let Some(fresh) = fresh.filter(|fresh| fresh.has_previous()) {
            let replaced = Http::new(QUICK_DEADLINE).and_then(|http| fresh.replace(&http));
            if let Err(why) = replaced {
                self.note(&format!(
                    "the previous minted token stays valid: {}; the next login deletes it",
                    why.fact
                ));
            }
        }
        let Some(LoginRecord { minted: Some(old), account, .. }) = previous else { return };
        let is_replaced = fresh.is_some_and(|fresh| {
            fresh.has_replaced(&old.id) && fresh.minted.url == old.url && fresh.is_of(account)
        });
        if !is_replaced {
            let page = mint::page_of(old).unwrap_or_else(|| old.url.clone());
            self.note(&format!(
                "the previous login's token {:?} of {account} stays valid: delete it at {page}",
                old.name
            ));
        }
    }

    /// Deletes a token that is not kept after all.
    pub(super) fn take_back_minted(&mut self, fresh: &Fresh) {
        let deleted = Http::new(QUICK_DEADLINE).and_then(|http| fresh.take_back(&http));
        self.note_left(deleted);
    }

    fn note_left(&mut self, deleted: Result<()>) {
        if let Err(why) = deleted {
            self.note(&format!(
                "the new token was not kept, and stays valid: {}; the next login deletes it",
                why.fact
            ));
        }
    }

    /// One name for each login of each user on each machine: the tokens of that name are its own.
    fn token_names(&self, url: &ServerUrl) -> Names {
        let state = self.records.directory().display();
        let machine = environment::machine_id().unwrap_or_default();
        let login = format!("{machine}\n{state}\n{}\n{}", self.settings.profile, url.key());
        Names::new(&environment::host_name(), crc32fast::hash(login.as_bytes()))
    }

    /// Deletes a login's minted token at the API, sees it refused, and removes it here; false if another
    /// login came meanwhile, which is kept.
    ///
    /// # Errors
    /// As [`Logins::revoke_login`]; without the password, where that is wanted, the login is removed.
    pub(super) fn revoke_minted(
        &mut self,
        record: &LoginRecord,
        item: &Item,
        password: &mut AskPassword<'_>,
    ) -> Result<bool> {
        let name = &record.server_url;
        let kept = |error: Error| {
            let fact = format!("{}; the login was kept", error.fact);
            Error { fact, ..error }
        };
        let http = Http::new(NETWORK_DEADLINE)?;
        if !self.delete_minted(&http, record, &item.token, password).map_err(kept)? {
            let why = format!("{name} deletes tokens only with the password of {}", record.account);
            return Err(self.erase_unrevoked(record, &item.token, &why, &where_revoked(record)));
        }
        match self.access_by_personal(record, item, &[]).map_err(kept)? {
            Err(refusal) if refusal.is_of_the_token() => self.erase_revoked(record, &item.token),
            Err(refusal) => {
                let fact =
                    format!("that {name} deleted the token could not be confirmed ({refusal})");
                Err(kept(Error::new(Kind::RevocationUnconfirmed, fact)).hint(where_revoked(record)))
            }
            Ok(_) => {
                let fact = format!("{name} says that the token is deleted, but it still works");
                Err(kept(Error::new(Kind::RevocationUnconfirmed, fact)).hint(where_revoked(record)))
            }
        }
    }

    /// Has the API delete the minted token of a login: by the token itself where the API lets it, or else
    /// by the password, if there is one; false if neither is enough.
    ///
    /// # Errors
    /// [`Kind::Rejected`] for a wrong password; network and TLS; [`Kind::RevocationUnconfirmed`].
    pub(super) fn delete_minted(
        &self,
        http: &Http,
        record: &LoginRecord,
        token: &RefreshToken,
        password: &mut AskPassword<'_>,
    ) -> Result<bool> {
        let Some(minted) = &record.minted else { return Ok(false) };
        let endpoint = self.endpoint_of(http, record)?;
        let api = mint::recorded(minted, &endpoint, &self.certs_d)?;
        let account = &record.account;
        if let Some(session) = Session::by_token(&api, http, account, token)?
            && session.delete(http, &minted.id)?
        {
            return Ok(true);
        }
        let Some(password) = password(record)? else { return Ok(false) };
        if let Some(session) = Session::by_password(&api, http, account, password)?
            && session.delete(http, &minted.id)?
        {
            return Ok(true);
        }
        let fact = format!("{} refused the password of {}", record.server_url, record.account);
        Err(Error::new(Kind::Rejected, fact).hint("check it, and revoke again"))
    }
}

/// By Basic at the token endpoint, as clients will send it.
fn prove(server: &TokenServer<'_>, account: &str, fresh: &Fresh) -> Result<()> {
    match server.access(account, &fresh.token, &[])? {
        Answer::Tokens(TokenResponse { access: Some(_), .. }) => Ok(()),
        _ => Err(fresh.useless()),
    }
}
