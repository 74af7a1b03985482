//! What else is known where a login is not here: that the fallback has it, or which logins there are
//! on the same host.

use super::{Logins, parse_url};
use crate::error::{Error, Kind, Remedy, Result};
use crate::external_helper::HelperName;
use crate::login_record::LoginRecord;
use crate::protocol::IDENTITY_TOKEN_USERNAME;
use crate::server_url::ServerUrl;

impl Logins<'_> {
    /// A login that was looked for; where there is none, the error says what there is instead.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`] if the fallback has it as a password; else what it was.
    pub fn or_elsewhere(
        &mut self,
        server_url: &str,
        found: Result<LoginRecord>,
    ) -> Result<LoginRecord> {
        let none = match found {
            Err(none) if none.kind == Kind::NotLoggedIn => none,
            found => return found,
        };
        let url = parse_url(server_url)?;
        if let Some(helper) = self.password_in_fallback(&url) {
            let fact = format!(
                "the login for {} is in {helper}, which has a password and no token",
                url.asked()
            );
            return Err(Error::new(Kind::NoRefreshToken, fact)
                .remedy(Remedy::see_check(url.registry_key())));
        }
        Err(self.name_others(&url, none))
    }

    /// Adds to an error which logins there are on the same host.
    pub fn name_others(&mut self, url: &ServerUrl, none: Error) -> Error {
        let others = self.on_same_host(url);
        if others.is_empty() {
            return none;
        }
        let fact = format!("{}, but logged in to {}", none.fact, others.join(", "));
        Error { fact, ..none }
    }

    /// The logins under other ports and paths of a host, as they are called.
    pub fn on_same_host(&mut self, url: &ServerUrl) -> Vec<String> {
        let host = |url: &ServerUrl| url.registry().map(|(host, _)| host);
        let is_other = |record: &LoginRecord| {
            ServerUrl::parse(&record.key)
                .is_ok_and(|other| other.key() != url.key() && host(&other) == host(url))
        };
        // It only adds to an error: records that cannot be read are one of their own.
        let all = self.all().unwrap_or_default();
        all.into_iter().filter(is_other).map(|record| record.server_url).collect()
    }

    /// The fallback, if clients get a password for this server URL from it; one that cannot be asked
    /// is noted.
    fn password_in_fallback(&mut self, url: &ServerUrl) -> Option<HelperName> {
        let means_it = |name: &str| ServerUrl::parse(name).is_ok_and(|own| own.key() == url.key());
        let name = self.settings.fallback_for(url)?;
        match self.fallback_named(&name).and_then(|fallback| fallback.list()) {
            Ok(listed) => listed
                .iter()
                .any(|(name, user)| user != IDENTITY_TOKEN_USERNAME && means_it(name))
                .then_some(name),
            Err(error) => {
                self.note(&format!("the logins of {name} are not listed: {error}"));
                None
            }
        }
    }
}
