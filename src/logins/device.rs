//! A login that a person approves in a browser, where the token server offers that (RFC 8628).

use super::new_login::{LoginToken, NewLogin};
use super::ready::Destination;
use super::{Logins, parse_url};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::realm::TrustedUrl;
use crate::registry::{Registry, TokenEndpoint};
use crate::revocation::Metadata;
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;
use crate::token::{CLIENT_ID, DeviceLogin, TokenServer, account_of};

/// A login in a browser that was started.
pub struct WebLogin {
    url: ServerUrl,
    destination: Destination,
    endpoint: TokenEndpoint,
    client_id: String,
    /// What to show to the person.
    pub shown: DeviceLogin,
}

impl Logins<'_> {
    /// Asks the registry's token server for a code that a person can approve.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`] where it offers no such login, and as [`Logins::log_in`].
    pub fn start_web_login(&mut self, server_url: &str) -> Result<WebLogin> {
        let url = parse_url(server_url)?;
        let (settings, certs_d) = (self.settings.clone(), self.certs_d.clone());
        let mut registry = Registry::new(&url, &settings, &certs_d)?;
        let destination = self.ready_to_keep()?;
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.ask_for_endpoint(&mut registry, &http)?;
        let at = device_endpoint(&http, &endpoint, &settings.profile)?;
        let own = settings.registry(&url).client_id;
        let client_id = own.unwrap_or_else(|| CLIENT_ID.to_owned());
        let shown = TokenServer::new(&http, &endpoint).start_device_login(&at, &client_id)?;
        Ok(WebLogin { url, destination, endpoint, client_id, shown })
    }

    /// Waits until the person has approved, proves the token and keeps it.
    ///
    /// # Errors
    /// As [`Logins::log_in`], and that it was denied or not approved in time.
    pub fn finish_web_login(&mut self, login: WebLogin) -> Result<()> {
        let WebLogin { url, destination, endpoint, client_id, shown } = login;
        let http = Http::new(shown.left() + NETWORK_DEADLINE)?;
        let mut note = |text: &str| self.note(text);
        let server = TokenServer::new(&http, &endpoint);
        let obtained = server.finish_device_login(&shown, &client_id, &mut note);
        self.take_back_unkept(&url, &endpoint, &destination, server.take_unkept());
        let obtained = obtained?;
        let account = obtained.account.or_else(|| account_of(obtained.token.secret()));
        let token = LoginToken::Proven { token: obtained.token, endpoint };
        self.keep_login(&NewLogin { url, account: account.unwrap_or_default(), destination, token })
    }
}

/// Where the token server's metadata say that such a login begins.
fn device_endpoint(http: &Http, endpoint: &TokenEndpoint, profile: &str) -> Result<TrustedUrl> {
    let (origin, name) = (endpoint.realm.origin(), &endpoint.registry);
    let metadata = Metadata::fetch(http, origin, &endpoint.trust)?;
    match metadata.and_then(|metadata| metadata.device_authorization) {
        Some(Ok(url)) => Ok(url),
        Some(Err(named)) => {
            let fact = format!(
                "{origin} sends logins in a browser for {name} to {named}, which is not on its own \
                 origin; nothing was sent there"
            );
            Err(Error::new(Kind::Trust, fact).hint("tell the operator of the registry"))
        }
        None => {
            let fact = format!("{origin} offers no login in a browser for {name}");
            let command = to_type(profile, &format!("login {}", shell_word(name)));
            Err(Error::new(Kind::NoRefreshToken, fact)
                .hint(format!("log in with a username and a password: {command}")))
        }
    }
}
