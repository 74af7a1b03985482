//! `store` and `login`: exchanges a password, proves the token, keeps only that.

use super::Logins;
use super::exchange::{CheckedBy, Exchange};
use super::new_login::NewLogin;
use crate::error::Result;
use crate::protocol::Credentials;
use crate::secret::Password;

impl Logins<'_> {
    /// Keeps a login.
    ///
    /// # Errors
    /// Any; then the previous login is as it was, unless a fallback has taken the new one and ours
    /// could not be removed, which the error says.
    pub fn store(&mut self, credentials: Credentials<Password>) -> Result<()> {
        let (server_url, name) = (credentials.server_url.clone(), credentials.username.clone());
        let exchange = self.exchange(credentials);
        let stored = exchange.and_then(|exchange| self.finish(exchange));
        if stored.is_err() {
            self.forget_incomplete_pair(&server_url, &name);
        }
        stored
    }

    /// The same for a person. A client has seen that the password is right before it calls
    /// [`Logins::store`]; here the fallback gets only what the registry was seen to accept.
    ///
    /// # Errors
    /// As [`Logins::store`], and [`Kind::Rejected`](crate::error::Kind::Rejected) where only the
    /// fallback would have it.
    pub fn log_in(&mut self, credentials: Credentials<Password>) -> Result<()> {
        let exchange = self.exchange_for(credentials, CheckedBy::Nobody)?;
        self.finish(exchange)
    }

    fn finish(&mut self, exchange: Exchange) -> Result<()> {
        match exchange {
            Exchange::Done(login) => self.keep_login(&login),
            Exchange::Impossible { why, credentials } => self.hand_over(&credentials, why),
        }
    }

    /// The second half of [`Logins::store`].
    ///
    /// # Errors
    /// As [`Logins::store`]; the token is revoked then, where that is possible.
    pub fn keep_login(&mut self, login: &NewLogin) -> Result<()> {
        let NewLogin { url, account, destination, token } = login;
        let previous = self.previous(url);
        self.keep(url, account, destination, token)?;
        self.retire(previous.as_ref(), Some(token));
        Ok(())
    }

    /// Gives up a token that is not to be kept after all: revoked where that is possible.
    pub fn give_up(&mut self, login: &NewLogin) {
        let NewLogin { url, account, destination, token } = login;
        // A server that issues one token per account returned that of the login which stays.
        if destination.keychain.get(url.key()).is_ok_and(|kept| kept.token == *token.secret()) {
            return;
        }
        let name = destination.keychain.name();
        let record = token.record(&self.settings.profile, url, account, name);
        self.take_back(&record, token);
    }
}
