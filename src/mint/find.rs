//! Which API a registry has, found out without a credential.

use super::api::Api;
use super::gitea;
use crate::error::{Error, Kind, Result};
use crate::http::Http;
use crate::realm::TrustedUrl;
use crate::registry::TokenEndpoint;
use crate::token_api::{MintedToken, Minting, TokenApi};

/// The API that is set, or the one that the registry is seen to have; none if there is none.
///
/// # Errors
/// Network and TLS; [`Kind::NoRefreshToken`] where it is too old.
pub fn find(minting: Minting, endpoint: &TokenEndpoint, http: &Http) -> Result<Option<Api>> {
    let realm = endpoint.realm.trusted();
    let at_realm = |kind, base| Api {
        kind,
        base,
        trust: endpoint.trust.clone(),
        registry: endpoint.registry.clone(),
    };
    match minting {
        Minting::Off => Ok(None),
        Minting::Auto => {
            let Some(base) = gitea::base(realm) else { return Ok(None) };
            let mut api = at_realm(TokenApi::Gitea, base);
            let Some((kind, version)) = gitea::version(&api, http)? else { return Ok(None) };
            api.kind = kind;
            gitea::check_version(&api, &version).map(|()| Some(api))
        }
        Minting::By(kind @ (TokenApi::Gitea | TokenApi::Forgejo)) => {
            let base = gitea::base(realm).unwrap_or_else(|| realm.at("/"));
            let api = at_realm(kind, base);
            // One that lets nobody look at anything without a login does not say.
            if let Some((_, version)) = gitea::version(&api, http)? {
                gitea::check_version(&api, &version)?;
            }
            Ok(Some(api))
        }
    }
}

/// The API by which a token of a record was made, judged again.
///
/// # Errors
/// [`Kind::Trust`]: the record names a place that is not the registry's own.
pub fn recorded(minted: &MintedToken, endpoint: &TokenEndpoint) -> Result<Api> {
    let own = TrustedUrl::named_by(endpoint.realm.origin(), &minted.url);
    let base = own.ok_or_else(|| {
        let fact = format!("{} has its tokens made somewhere else by now", endpoint.registry);
        Error::new(Kind::Trust, fact).log_in_again()
    })?;
    let (trust, registry) = (endpoint.trust.clone(), endpoint.registry.clone());
    Ok(Api { kind: minted.api, base, trust, registry })
}
