//! Minted tokens: the registry's own API makes them of a password where there are no refresh tokens. They
//! are kept and handed out like personal tokens, and the same API deletes them.

use std::iter::once;
use std::rc::Rc;

use super::Logins;
use super::new_login::LoginToken;
use super::personal::where_revoked;
use super::revoked::Revoked;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE, QUICK_DEADLINE};
use crate::keychain::Item;
use crate::login_record::{LoginRecord, Lookup};
use crate::mint::{self, Api, Fresh, Names, Session, Slot, Turn};
use crate::personal_token::form_of;
use crate::protocol::Credentials;
use crate::registry::TokenEndpoint;
use crate::secret::disguise;
use crate::secret::{Password, RefreshToken, check_token};
use crate::server_url::ServerUrl;
use crate::token::{Answer, TokenResponse, TokenServer};
use crate::token_api::MintedToken;

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
        // Before anything of the account is looked at, and until the login is kept or given up.
        let turn = self.take_turn()?;
        let previous = self.previous(url).filter(|previous| previous.account == *account);
        let session = Session::by_password(&api, http, account, password.clone())?;
        let session = session.ok_or_else(|| api.refused(401))?;
        let recorded = previous.and_then(|previous| previous.minted).map(|minted| minted.id);
        let slot = Slot { names: self.token_names(url), recorded, turn: &turn };
        let fresh = session.mint(http, &slot, &mut |text| self.note(text))?;
        let is_token = check_token(fresh.token.expose()).is_ok()
            && !disguise::is_in(&fresh.token, account, password);
        let proved = if is_token { prove(server, account, &fresh) } else { Err(fresh.useless()) };
        if let Err(error) = proved {
            self.take_back_minted(&fresh);
            return Err(error);
        }
        Ok(Some(fresh))
    }

    /// The turn that this process has, or the next one.
    fn take_turn(&mut self) -> Result<Rc<Turn>> {
        if let Some(turn) = self.turn.upgrade() {
            return Ok(turn);
        }
        let turn = Rc::new(Turn::new(self.records.lock_minting()?));
        self.turn = Rc::downgrade(&turn);
        Ok(turn)
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

    /// The login that a new one replaces.
    pub(super) fn previous(&self, url: &ServerUrl) -> Option<LoginRecord> {
        match self.records.look_up(&self.settings.profile, once(url.key())) {
            Ok(Lookup::Found(login)) => Some(*login),
            _ => None,
        }
    }

    /// After a login is kept, here or in the fallback: a minted token that it replaces is deleted, or
    /// named.
    pub(super) fn retire(&mut self, previous: Option<&LoginRecord>, new: Option<&LoginToken>) {
        let old = previous.and_then(|old| Some((old.minted.as_ref()?, &old.account)));
        let mut is_replaced = false;
        if let Some(LoginToken::Minted { fresh, .. }) = new {
            let kept = old.filter(|(old, account)| fresh.may_delete(old, account));
            is_replaced = kept.is_some();
            let kept = kept.map(|(old, _)| old);
            let replaced = Http::new(QUICK_DEADLINE).and_then(|http| fresh.replace(&http, kept));
            if let Err(why) = replaced {
                self.note(&format!(
                    "the previous minted token stays valid: {}; the next login deletes it",
                    why.fact
                ));
            }
        }
        if let Some((old, account)) = old.filter(|_| !is_replaced) {
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
        if let Err(why) = deleted {
            self.note(&fresh.left(&why));
        }
    }

    /// One name for each login of each user on each machine: the tokens of that name are its own.
    fn token_names(&self, url: &ServerUrl) -> Names {
        let state = self.records.directory().display();
        let machine = environment::machine_id().unwrap_or_default();
        let login = format!("{machine}\n{state}\n{}\n{}", self.settings.profile, url.key());
        Names::new(&environment::host_name(), crc32fast::hash(login.as_bytes()))
    }

    /// Deletes a login's minted token at the API, sees it refused, and removes it here, unless another
    /// login came meanwhile.
    ///
    /// # Errors
    /// As [`Logins::revoke_login`]; without the password, where that is wanted, the login is kept, for another try.
    pub(super) fn revoke_minted(
        &mut self,
        record: &LoginRecord,
        item: &Item,
        password: &mut AskPassword<'_>,
    ) -> Result<Revoked> {
        let name = &record.server_url;
        // Nobody is asked for a password to delete what is deleted.
        if let Err(refusal) = self.access_by_personal(record, item, &[]).map_err(kept)?
            && refusal.is_of_the_token()
        {
            let removed = self.erase_revoked(record, &item.token)?;
            return Ok(if removed { Revoked::WasDead } else { Revoked::Replaced });
        }
        let http = Http::new(NETWORK_DEADLINE)?;
        if !self.delete_minted(&http, record, &item.token, password).map_err(kept)? {
            let fact =
                format!("{name} deletes tokens only with the password of {}", record.account);
            return Err(kept(Error::new(Kind::RevocationUnconfirmed, fact)).hint(format!(
                "pipe it in with --password-stdin, or log out and {}",
                where_revoked(record)
            )));
        }
        match self.access_by_personal(record, item, &[]).map_err(kept)? {
            Err(refusal) if refusal.is_of_the_token() => {
                self.erase_revoked(record, &item.token).map(Revoked::here)
            }
            Err(refusal) => {
                let fact = format!("could not confirm that {name} deleted the token ({refusal})");
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
        let api = self.recorded_api(http, record, minted)?;
        if let Some(session) = Session::by_token(&api, http, &record.account, token)?
            && session.delete(http, &minted.id)?
        {
            return Ok(true);
        }
        delete_by_password(&api, http, record, minted, password)
    }

    /// The same for a login whose token is gone from its keychain; the record goes with it.
    ///
    /// # Errors
    /// As [`Logins::delete_minted`]; then the record stays. Without the password, `gone`.
    pub(super) fn revoke_gone(
        &mut self,
        record: &LoginRecord,
        minted: &MintedToken,
        gone: Error,
        password: &mut AskPassword<'_>,
    ) -> Result<Revoked> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let api = self.recorded_api(&http, record, minted).map_err(kept)?;
        if delete_by_password(&api, &http, record, minted, password).map_err(kept)? {
            return self.forget(record).map(Revoked::here);
        }
        Err(self.forget_gone(record, gone, &where_revoked(record)))
    }

    fn recorded_api(&self, http: &Http, record: &LoginRecord, minted: &MintedToken) -> Result<Api> {
        let endpoint = self.endpoint_of(http, record)?;
        mint::recorded(minted, &endpoint, &self.certs_d)
    }
}

/// False if there is no password.
fn delete_by_password(
    api: &Api,
    http: &Http,
    record: &LoginRecord,
    minted: &MintedToken,
    password: &mut AskPassword<'_>,
) -> Result<bool> {
    let Some(password) = password(record)? else { return Ok(false) };
    if let Some(session) = Session::by_password(api, http, &record.account, password)?
        && session.delete(http, &minted.id)?
    {
        return Ok(true);
    }
    // The APIs answer both alike.
    let fact = format!(
        "{} did not accept the password of {}, or wants a second factor",
        record.server_url, record.account
    );
    Err(Error::new(Kind::Rejected, fact).hint(format!(
        "check it, and revoke again; if the account has two-factor authentication, {}",
        where_revoked(record)
    )))
}

fn kept(error: Error) -> Error {
    let fact = format!("{}; the login is still stored here", error.fact);
    Error { fact, ..error }
}

/// By Basic at the token endpoint, as clients will send it.
fn prove(server: &TokenServer<'_>, account: &str, fresh: &Fresh) -> Result<()> {
    match server.access(account, &fresh.token, &[])? {
        Answer::Tokens(TokenResponse { access: Some(_), .. }) => Ok(()),
        _ => Err(fresh.useless()),
    }
}
