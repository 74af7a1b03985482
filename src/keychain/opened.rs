//! A keychain in use: a store under its name, for one profile.

use std::fmt;

use super::error::Error;
use super::name::KeychainName;
use super::store::{Item, Lifetime, Listing, LoginKey, Store};
use crate::error::Remedy;
use crate::secret::{MAX_TOKEN_BYTES, RefreshToken, TokenShape, check_token};
use crate::trace;

/// A place for refresh tokens, for one profile. Each operation writes a line to the trace.
pub struct Keychain {
    name: KeychainName,
    profile: String,
    store: Box<dyn Store>,
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keychain({}, {})", self.name, self.profile)
    }
}

impl Keychain {
    /// Any store, under a name.
    pub fn with_store(name: KeychainName, profile: &str, store: Box<dyn Store>) -> Self {
        Self { name, profile: profile.to_owned(), store }
    }

    /// Its name in login records and messages.
    pub fn name(&self) -> &KeychainName {
        &self.name
    }

    /// How long it keeps a login.
    pub fn lifetime(&self) -> Lifetime {
        self.store.lifetime()
    }

    /// As [`Store::unlock`].
    ///
    /// # Errors
    /// As there.
    pub fn unlock(&self) -> Result<(), Error> {
        self.traced("unlock", "", || self.store.unlock())
    }

    /// As [`Store::put`].
    ///
    /// # Errors
    /// As there; [`Error::TooLarge`] and [`Error::Failed`] also for what is not a token.
    pub fn put(&self, key: &str, account: &str, token: &RefreshToken) -> Result<(), Error> {
        check_token(token.expose()).map_err(|shape| match shape {
            TokenShape::TooLong => Error::TooLarge {
                keychain: self.name.clone(),
                size: token.expose().len(),
                limit: MAX_TOKEN_BYTES,
            },
            shape => Error::failed(&self.name, &format!("the token {shape}"), Remedy::LogInAgain),
        })?;
        self.traced("put", key, || self.store.put(&self.login(key), account, token))
    }

    /// As [`Store::get`].
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, key: &str) -> Result<Item, Error> {
        self.traced("get", key, || self.store.get(&self.login(key)))
    }

    /// As [`Store::token`].
    ///
    /// # Errors
    /// As there.
    pub fn token(&self, key: &str) -> Result<RefreshToken, Error> {
        self.traced("get", key, || self.store.token(&self.login(key)))
    }

    /// As [`Store::delete`].
    ///
    /// # Errors
    /// As there.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.traced("delete", key, || self.store.delete(&self.login(key)))
    }

    /// As [`Store::list`], sorted by key.
    ///
    /// # Errors
    /// As there.
    pub fn list(&self) -> Result<Listing, Error> {
        let mut listing = self.traced("list", "", || self.store.list(&self.profile))?;
        listing.logins.sort();
        Ok(listing)
    }

    /// As [`Store::check`].
    ///
    /// # Errors
    /// As there.
    pub fn check(&self) -> Result<(), Error> {
        self.traced("check", "", || self.store.check(&self.profile))
    }

    /// As [`Store::check_login`].
    ///
    /// # Errors
    /// As there.
    pub fn check_login(&self, key: &str) -> Result<(), Error> {
        self.traced("check", key, || self.store.check_login(&self.login(key)))
    }

    /// As [`Store::make_way`].
    ///
    /// # Errors
    /// As there.
    pub fn make_way(&self, key: &str) -> Result<(), Error> {
        self.traced("make way", key, || self.store.make_way(&self.login(key)))
    }

    fn login(&self, key: &str) -> LoginKey {
        LoginKey::new(&self.profile, key)
    }

    /// An operation with its line in the trace; the errors hold no secret.
    fn traced<T>(
        &self,
        what: &str,
        key: &str,
        operation: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        trace::timed(
            || format!("keychain {}: {what} {key}", self.name),
            operation,
            |outcome| outcome.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned()),
        )
    }
}
