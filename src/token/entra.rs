//! Azure registries: a Microsoft Entra access token for the registry's refresh token (Azure/acr,
//! docs/AAD-OAuth.md, "Calling POST /oauth2/exchange to get an ACR refresh token").

use super::{Answer, TokenResponse, TokenServer};
use crate::error::{Error, Kind, Result};
use crate::http::Body;
use crate::secret::disguise;
use crate::secret::{EntraToken, RefreshToken};

/// Where Azure's realm and its exchange are.
const TOKEN_PATH: &str = "/oauth2/token";
const EXCHANGE_PATH: &str = "/oauth2/exchange";

/// Exchanges it; the answer is what goes with [`NULL_GUID`](super::NULL_GUID), not proven yet.
///
/// # Errors
/// [`Kind::Rejected`]; [`Kind::NoRefreshToken`] where the registry is not Azure's; network and TLS.
pub fn exchange_entra(
    server: &TokenServer<'_>,
    tenant: Option<&str>,
    token: &EntraToken,
) -> Result<RefreshToken> {
    let name = server.name();
    let not_azure = || {
        let fact = format!("{name} does not exchange Microsoft Entra tokens");
        Error::new(Kind::NoRefreshToken, fact).hint("log in with a username and a password")
    };
    let realm = &server.endpoint.realm;
    // An Entra token opens more than a registry: it is shown to Azure's alone.
    if realm.url().path() != TOKEN_PATH {
        return Err(not_azure());
    }
    let url = realm.trusted().at(EXCHANGE_PATH);
    let mut form = vec![("grant_type", "access_token")];
    form.extend(server.service());
    form.extend(tenant.map(|tenant| ("tenant", tenant)));
    form.push(("access_token", token.expose()));
    let answer = server.http.send(&url, &server.endpoint.trust, &Body::Form(&form));
    let answer = server.understand("exchange the Microsoft Entra token", answer)?;
    match server.readable(answer)? {
        Answer::Tokens(TokenResponse { refresh: Some(refresh), .. })
            if !disguise::is_in(&refresh, "", token) =>
        {
            Ok(refresh)
        }
        Answer::Tokens(_) => Err(not_azure()),
        Answer::Refused(refusal) if matches!(refusal.status, 404 | 405 | 501) => Err(not_azure()),
        Answer::Refused(refusal) => Err(Error::new(
            Kind::Rejected,
            format!("{name} refused the Microsoft Entra token ({refusal})"),
        )
        .hint("get a new one, for example with az account get-access-token, or name its tenant with --tenant")),
    }
}
