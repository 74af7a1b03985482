//! A login by a Microsoft Entra access token, at an Azure registry.

use super::new_login::{LoginToken, NewLogin};
use super::{Logins, parse_url};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::registry::Registry;
use crate::secret::{EntraToken, check_token};
use crate::token::{NULL_GUID, TokenServer, exchange_entra, prove_given};

impl Logins<'_> {
    /// Exchanges an Entra token for the registry's refresh token, proves that, and keeps it. The
    /// Entra token is treated as a password is: it is never kept.
    ///
    /// # Errors
    /// As [`Logins::log_in`].
    pub fn log_in_by_entra(
        &mut self,
        server_url: &str,
        tenant: Option<&str>,
        token: EntraToken,
    ) -> Result<()> {
        let url = parse_url(server_url)?;
        check_token(token.expose()).map_err(|shape| {
            Error::new(Kind::Usage, format!("the Microsoft Entra token {shape}"))
        })?;
        let (settings, certs_d) = (self.settings.clone(), self.certs_d.clone());
        let mut registry = Registry::new(&url, &settings, &certs_d)?;
        let destination = self.ready_to_keep()?;
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.ask_for_endpoint(&mut registry, &http)?;
        let server = TokenServer::new(&http, &endpoint);
        let refresh = exchange_entra(&server, tenant, &token)?;
        drop(token);
        let token = LoginToken::Proven { token: prove_given(&server, refresh)?, endpoint };
        self.keep_login(&NewLogin { url, account: NULL_GUID.to_owned(), destination, token })
    }
}
