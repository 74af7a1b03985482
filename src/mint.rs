//! Minting: a username and a password become a token of the registry's own, by its documented API; one
//! that may do no more than images need, and that the same API deletes. At most two of a login exist at
//! any time, and only while the next one takes the place of the previous; or one for each spelling of
//! its registry that one command takes.

use std::rc::Rc;

use jiff::Timestamp;
use url::Url;

use crate::error::{Error, Result};
use crate::http::{Http, QUICK_DEADLINE};
use crate::secret::{AccessToken, Password, RefreshToken};
use crate::token_api::{MintedToken, TokenApi};
use api::Made;
use names::Sorted;

mod api;
mod artifactory;
mod docker_hub;
mod find;
mod gitea;
mod names;
mod turn;

pub use api::{Api, Authority};
pub use find::{find, recorded};
pub use names::Names;
pub use turn::Turn;

/// An account at an API, with what may make and delete its tokens.
pub struct Session {
    api: Api,
    account: String,
    authority: Authority,
}

/// A token that was made, and is not kept yet.
pub struct Fresh {
    /// The token.
    pub token: RefreshToken,
    /// What the record is to know of it.
    pub minted: MintedToken,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
    session: Session,
    previous: Option<String>,
    _turn: Rc<Turn>,
}

/// Whose turn it is, and what is known of the tokens of the login that one is made for.
pub struct Slot<'a> {
    /// What they are called.
    pub names: Names,
    /// The id of the one that is kept.
    pub recorded: Option<String>,
    /// This process's turn.
    pub turn: &'a Rc<Turn>,
}

impl Session {
    /// Of an account by its password; none if that is refused.
    ///
    /// # Errors
    /// Network and TLS.
    pub fn by_password(
        api: &Api,
        http: &Http,
        account: &str,
        password: Password,
    ) -> Result<Option<Self>> {
        let authority = match api.kind {
            TokenApi::DockerHub => match docker_hub::bearer(api, http, account, &password)? {
                Some(bearer) => Authority::Bearer(bearer),
                None => return Ok(None),
            },
            _ => Authority::Password(password),
        };
        Ok(Some(Self { api: api.clone(), account: account.to_owned(), authority }))
    }

    /// By a token that the API made; none where that may do nothing there.
    ///
    /// # Errors
    /// Network and TLS.
    pub fn by_token(
        api: &Api,
        http: &Http,
        account: &str,
        token: &RefreshToken,
    ) -> Result<Option<Self>> {
        let bearer = match api.kind {
            TokenApi::Gitea | TokenApi::Forgejo => None,
            TokenApi::DockerHub => docker_hub::bearer(api, http, account, token)?,
            TokenApi::Artifactory => Some(as_bearer(token)),
        };
        let account = account.to_owned();
        Ok(bearer.map(Authority::Bearer).map(|authority| Self {
            api: api.clone(),
            account,
            authority,
        }))
    }

    /// Makes a token, after those that are left of runs that were cut short are deleted. What this one
    /// leaves is told to `note`.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`](crate::error::Kind::NoRefreshToken) where the API makes none; network and TLS.
    pub fn mint(self, http: &Http, slot: &Slot<'_>, note: &mut dyn FnMut(&str)) -> Result<Fresh> {
        if self.api.kind == TokenApi::Artifactory {
            return self.mint_first(http, slot, note);
        }
        let sorted = self.sort_out(http, slot)?;
        let name = slot.names.free(&sorted);
        let made = self.create(http, &name)?;
        Ok(self.made(made, name, sorted.in_use.map(|token| token.id), slot.turn))
    }

    /// The same where only the new token may see the others, and a name may be given twice; the password
    /// has gone by then.
    fn mint_first(
        mut self,
        http: &Http,
        slot: &Slot<'_>,
        note: &mut dyn FnMut(&str),
    ) -> Result<Fresh> {
        let name = slot.names.first().to_owned();
        let made = self.create(http, &name)?;
        self.authority = Authority::Bearer(as_bearer(&made.token));
        let mut fresh = self.made(made, name, None, slot.turn);
        match fresh.session.sort_out(http, slot) {
            Ok(sorted) => {
                fresh.previous = sorted.in_use.map(|token| token.id);
                Ok(fresh)
            }
            Err(error) => {
                // The time that the login's own network has may be up.
                let deleted = Http::new(QUICK_DEADLINE).and_then(|http| fresh.take_back(&http));
                if let Err(why) = deleted {
                    note(&fresh.left(&why));
                }
                Err(error)
            }
        }
    }

    /// Deletes what is left of runs that were cut short.
    fn sort_out(&self, http: &Http, slot: &Slot<'_>) -> Result<Sorted> {
        let Slot { names, recorded, turn } = slot;
        let made_here = turn.made_at(&self.url());
        let sorted = names.sort_out(self.list(http, names)?, recorded.as_deref(), &made_here);
        for token in &sorted.left {
            self.delete(http, &token.id)?;
        }
        Ok(sorted)
    }

    fn made(self, made: Made, name: String, previous: Option<String>, turn: &Rc<Turn>) -> Fresh {
        let Made { id, token, expires } = made;
        let minted = MintedToken { api: self.api.kind, url: self.url(), id, name };
        turn.remember(&minted);
        Fresh { token, minted, expires, session: self, previous, _turn: Rc::clone(turn) }
    }

    fn url(&self) -> String {
        self.api.base.url().to_string()
    }

    fn list(&self, http: &Http, names: &Names) -> Result<Vec<api::Listed>> {
        let Self { api, account, authority } = self;
        let caller = authority.caller(account);
        match api.kind {
            TokenApi::Gitea | TokenApi::Forgejo => gitea::list(api, http, account, caller),
            TokenApi::DockerHub => docker_hub::list(api, http, caller),
            TokenApi::Artifactory => artifactory::list(api, http, caller, names.first()),
        }
    }

    fn create(&self, http: &Http, name: &str) -> Result<Made> {
        let Self { api, account, authority } = self;
        let caller = authority.caller(account);
        match api.kind {
            TokenApi::Gitea | TokenApi::Forgejo => gitea::create(api, http, account, caller, name),
            TokenApi::DockerHub => docker_hub::create(api, http, caller, name),
            TokenApi::Artifactory => artifactory::create(api, http, caller, name),
        }
    }

    /// Deletes a token, and is content if there is none; false if that is not allowed.
    ///
    /// # Errors
    /// Network and TLS, and an answer that means nothing here.
    pub fn delete(&self, http: &Http, id: &str) -> Result<bool> {
        let Self { api, account, authority } = self;
        let caller = authority.caller(account);
        let status = match api.kind {
            TokenApi::Gitea | TokenApi::Forgejo => gitea::delete(api, http, account, caller, id)?,
            TokenApi::DockerHub => docker_hub::delete(api, http, caller, id)?,
            TokenApi::Artifactory => artifactory::delete(api, http, caller, id)?,
        };
        match status {
            200 | 204 | 404 => Ok(true),
            401 | 403 => Ok(false),
            status => Err(api.undeleted(status)),
        }
    }
}

fn as_bearer(token: &RefreshToken) -> AccessToken {
    AccessToken::new(token.expose().to_owned())
}

impl Fresh {
    /// It is not to be kept after all.
    ///
    /// # Errors
    /// It stays valid: why.
    pub fn take_back(&self, http: &Http) -> Result<()> {
        self.give_up(http, &self.minted.id)
    }

    /// That it was not kept, and stays valid; and what to do about that.
    pub fn left(&self, why: &Error) -> String {
        format!(
            "the new token {:?} was not kept, and stays valid: {}; {}",
            self.minted.name,
            why.fact,
            self.session.api.how_it_is_deleted()
        )
    }

    /// It is kept: deletes the one that was in use before, and `kept`, which was kept since, for
    /// another spelling of the registry.
    ///
    /// # Errors
    /// One of them stays valid: why.
    pub fn replace(&self, http: &Http, kept: Option<&MintedToken>) -> Result<()> {
        let kept = kept.map(|kept| kept.id.as_str());
        let mut previous: Vec<&str> = self.previous.as_deref().into_iter().chain(kept).collect();
        previous.dedup();
        previous.into_iter().try_for_each(|id| self.give_up(http, id))
    }

    /// Whether that one is of the same account at the same place.
    pub fn may_delete(&self, other: &MintedToken, account: &str) -> bool {
        self.minted.url == other.url && self.session.account == account
    }

    /// That it is not a token, or that the registry's token server does not accept it.
    pub fn useless(&self) -> Error {
        self.session.api.useless()
    }

    fn give_up(&self, http: &Http, id: &str) -> Result<()> {
        match self.session.delete(http, id)? {
            true => Ok(()),
            false => Err(self.session.api.undeleted(403)),
        }
    }
}

/// What a person does about such a token that stays valid.
pub fn how_to_delete(minted: &MintedToken) -> Option<String> {
    Some(format!("delete {:?} at {}", minted.name, page_of(minted)?))
}

/// Where a person deletes a token that was made by an API.
pub fn page_of(minted: &MintedToken) -> Option<String> {
    let base = Url::parse(&minted.url).ok()?;
    Some(api::page(minted.api, &base))
}
