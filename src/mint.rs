//! Minting: a username and a password become a token of the registry's own, by its documented API; one
//! that may do no more than images need, and that the same API deletes. At most two of a login exist at
//! any time, and only while the next one takes the place of the previous.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::error::Result;
use crate::http::Http;
use crate::secret::{AccessToken, Password, RefreshToken};
use crate::token_api::{MintedToken, TokenApi};

mod api;
mod artifactory;
mod docker_hub;
mod find;
mod gitea;
mod names;

pub use api::{Api, Authority};
pub use find::{find, recorded};
pub use names::Names;

/// How long a token lasts where the API has an expiry: nobody has to log in every day for it, and one that
/// was forgotten does not live for ever.
const LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

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

/// What an API made.
struct Made {
    id: String,
    token: RefreshToken,
    expires: Option<Timestamp>,
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

    /// Makes a token, after those that are left of runs that were cut short are deleted.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`](crate::error::Kind::NoRefreshToken) where the API makes none; network and TLS.
    pub fn mint(self, http: &Http, names: &Names, recorded: Option<&str>) -> Result<Fresh> {
        if self.api.kind == TokenApi::Artifactory {
            return self.mint_first(http, names, recorded);
        }
        let (in_use, left) = names.sort_out(self.list(http, names)?, recorded);
        for token in &left {
            self.delete(http, &token.id)?;
        }
        let name = names.beside(in_use.as_ref());
        let made = self.create(http, &name)?;
        Ok(self.made(made, name, in_use.map(|token| token.id)))
    }

    /// The same where only the new token may see the others; the password has gone by then.
    fn mint_first(mut self, http: &Http, names: &Names, recorded: Option<&str>) -> Result<Fresh> {
        let name = names.first().to_owned();
        let made = self.create(http, &name)?;
        self.authority = Authority::Bearer(as_bearer(&made.token));
        let mut fresh = self.made(made, name, None);
        let tidy = || -> Result<Option<String>> {
            let mut listed = fresh.session.list(http, names)?;
            listed.retain(|token| token.id != fresh.minted.id);
            let (in_use, left) = names.sort_out(listed, recorded);
            for token in &left {
                fresh.session.delete(http, &token.id)?;
            }
            Ok(in_use.map(|token| token.id))
        };
        match tidy() {
            Ok(previous) => {
                fresh.previous = previous;
                Ok(fresh)
            }
            Err(error) => {
                // The next login finds it by its name.
                let _left = fresh.take_back(http);
                Err(error)
            }
        }
    }

    fn made(self, made: Made, name: String, previous: Option<String>) -> Fresh {
        let Made { id, token, expires } = made;
        let url = self.api.base.url().to_string();
        let minted = MintedToken { api: self.api.kind, url, id, name };
        Fresh { token, minted, expires, session: self, previous }
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
        let (id, token, expires) = match api.kind {
            TokenApi::Gitea | TokenApi::Forgejo => {
                let (id, token) = gitea::create(api, http, account, caller, name)?;
                (id, token, None)
            }
            TokenApi::DockerHub => docker_hub::create(api, http, caller, name, LIFETIME)?,
            TokenApi::Artifactory => artifactory::create(api, http, caller, name, LIFETIME)?,
        };
        Ok(Made { id, token, expires })
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
