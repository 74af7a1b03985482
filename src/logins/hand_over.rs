//! Handing a login that cannot be exchanged to the fallback, which then is the only one that has it.

use super::{Logins, parse_url};
use crate::environment::PREFIX;
use crate::error::{Error, Kind, Remedy, Result};
use crate::http::Http;
use crate::protocol::Credentials;
use crate::registry::Registry;
use crate::secret::Password;

impl Logins<'_> {
    /// Before the fallback gets a password that nobody has seen to be right: the registry is asked.
    ///
    /// # Errors
    /// It refused the password, or cannot say.
    pub(super) fn check_before_handing_over(
        &self,
        registry: &mut Registry<'_>,
        http: &Http,
        credentials: &Credentials<Password>,
        why: &Error,
    ) -> Result<()> {
        let url = parse_url(&credentials.server_url)?;
        // A fallback that is not installed is an error before the password is sent.
        let Some(fallback) = self.fallback(&url)? else { return Ok(()) };
        if registry.check_password(http, &credentials.username, &credentials.secret)? {
            return Ok(());
        }
        let fact = format!(
            "{}; the password could not be checked, so it was not handed to {}, and nothing was \
             changed",
            why.fact,
            fallback.name()
        );
        let unchecked = Error { fact, ..why.clone() };
        // A trust rule's own says how to allow the realm.
        Err(match unchecked.kind {
            Kind::Trust => unchecked,
            _ => unchecked.hint("log in with a client that checks it, such as docker login"),
        })
    }

    /// The fallback takes a login that cannot be exchanged; without one it is refused.
    ///
    /// # Errors
    /// Why it could not be exchanged, or that of the fallback.
    pub fn hand_over(&mut self, credentials: &Credentials<Password>, why: Error) -> Result<()> {
        let url = &parse_url(&credentials.server_url)?;
        let Some(fallback) = self.fallback(url)? else {
            if why.kind == Kind::Trust {
                return Err(why);
            }
            let file = self.settings.file.display();
            let why = why.also(format!(
                "the password was not stored; to use another helper for such logins, set fallback = \
                 \"NAME\" in {file} or {PREFIX}FALLBACK=NAME"
            ));
            return Err(why.also(Remedy::see_check(url.registry_key())));
        };
        self.make_way(url, fallback.name())?;
        let before = self.kept_since(url)?;
        let previous = self.previous(url);
        let handed = fallback.store(url.asked(), &credentials.username, &credentials.secret);
        handed.map_err(|error| {
            let fact = format!("{}; {}", why.fact, error.fact);
            Error { fact, ..error }
        })?;
        let name = fallback.name();
        // Logging out, as advised here, removes the login from the fallback as well.
        let erased = self.erase_replaced(url, before, ", and log in again").map_err(|error| {
            let message = format!(
                "the login was handed to {name}, but the previous one is still here: {}",
                error.fact
            );
            Error { fact: message, ..error }
        })?;
        let Some(erased) = erased else {
            self.note(&format!(
                "another login for {} was stored here in the meantime, so this one was not left in {name}",
                url.asked()
            ));
            return fallback.erase(url).map(drop);
        };
        self.note(&format!("{}; the login was handed to {name}", why.fact));
        match erased {
            Some((record, token)) => self.revoke_erased(&record, &token),
            None => self.retire(previous.as_ref(), None),
        }
        Ok(())
    }
}
