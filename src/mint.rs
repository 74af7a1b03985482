//! Minting: a user name and a password become a token of the registry's own, by its documented API; one
//! that may do no more than images need, and that the same API deletes. At most two of a login exist at
//! any time, and only while the next one takes the place of the previous.

use jiff::Timestamp;
use url::Url;

use crate::error::Result;
use crate::http::Http;
use crate::secret::{Password, RefreshToken};
use crate::token_api::MintedToken;

mod api;
mod find;
mod gitea;
mod names;

pub use api::{Api, Authority};
pub use find::{find, recorded};
pub use names::Names;

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
}

impl Session {
    /// Of an account by its password.
    pub fn by_password(api: Api, account: &str, password: Password) -> Self {
        Self { api, account: account.to_owned(), authority: Authority::Password(password) }
    }

    /// Makes a token, after those that are left of runs that were cut short are deleted.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`](crate::error::Kind::NoRefreshToken) where the API makes none; network and TLS.
    pub fn mint(self, http: &Http, names: &Names, recorded: Option<&str>) -> Result<Fresh> {
        let Self { api, account, authority } = &self;
        let (in_use, left) = names.sort_out(self.list(http)?, recorded);
        for token in &left {
            self.delete(http, &token.id)?;
        }
        let name = names.beside(in_use.as_ref());
        let (id, token) = gitea::create(api, http, account, authority, &name)?;
        let minted = MintedToken { api: api.kind, url: api.base.url().to_string(), id, name };
        let previous = in_use.map(|token| token.id);
        Ok(Fresh { token, minted, expires: None, session: self, previous })
    }

    fn list(&self, http: &Http) -> Result<Vec<api::Listed>> {
        let Self { api, account, authority } = self;
        gitea::list(api, http, account, authority)
    }

    /// Deletes a token, and is content if there is none; false if that is not allowed.
    ///
    /// # Errors
    /// Network and TLS, and an answer that means nothing here.
    pub fn delete(&self, http: &Http, id: &str) -> Result<bool> {
        let Self { api, account, authority } = self;
        match gitea::delete(api, http, account, authority, id)? {
            200 | 204 | 404 => Ok(true),
            401 | 403 => Ok(false),
            status => Err(api.undeleted(status)),
        }
    }
}

impl Fresh {
    /// It is not to be kept after all.
    ///
    /// # Errors
    /// It stays valid: why.
    pub fn take_back(&self, http: &Http) -> Result<()> {
        self.give_up(http, &self.minted.id)
    }

    /// It is kept: deletes the previous one, if there was one.
    ///
    /// # Errors
    /// That one stays valid: why.
    pub fn replace(&self, http: &Http) -> Result<()> {
        self.previous.as_deref().map_or(Ok(()), |id| self.give_up(http, id))
    }

    /// Whether it took the place of this one.
    pub fn has_replaced(&self, id: &str) -> bool {
        self.previous.as_deref() == Some(id)
    }

    /// Whether it is a token of that account.
    pub fn is_of(&self, account: &str) -> bool {
        self.session.account == account
    }

    /// Whether there is a previous one to delete.
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// That it is no token, or that the registry's token server does not take it.
    pub fn useless(&self) -> crate::error::Error {
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
