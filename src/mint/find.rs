//! Which API a registry has, found out without a credential.

use std::path::PathBuf;

use super::api::Api;
use super::{artifactory, docker_hub, gitea};
use crate::error::{Error, Kind, Result};
use crate::http::Http;
use crate::http::trust::Trust;
use crate::origin::{self, Origin};
use crate::realm::TrustedUrl;
use crate::registry::TokenEndpoint;
use crate::server_url::DOCKER_HUB;
use crate::token_api::{MintedToken, Minting, TokenApi};

/// The API that is set, or the one that the registry is seen to have; none if there is none.
///
/// # Errors
/// Network and TLS; [`Kind::NoRefreshToken`] where it is too old.
pub fn find(
    minting: Minting,
    endpoint: &TokenEndpoint,
    certs_d: &[PathBuf],
    http: &Http,
) -> Result<Option<Api>> {
    let realm = endpoint.realm.trusted();
    let at_realm = |kind, base| Api {
        kind,
        base,
        trust: endpoint.trust.clone(),
        registry: endpoint.registry.clone(),
    };
    match minting {
        Minting::Off => Ok(None),
        Minting::Auto if endpoint.registry == DOCKER_HUB => of_docker_hub(certs_d).map(Some),
        Minting::Auto => {
            if let Some(base) = artifactory::base(realm) {
                return Ok(Some(at_realm(TokenApi::Artifactory, base)));
            }
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
        Minting::By(TokenApi::DockerHub) if endpoint.registry != DOCKER_HUB => Ok(None),
        Minting::By(TokenApi::DockerHub) => of_docker_hub(certs_d).map(Some),
        Minting::By(kind @ TokenApi::Artifactory) => {
            let base = artifactory::base(realm).unwrap_or_else(|| realm.at("/"));
            Ok(Some(at_realm(kind, base)))
        }
    }
}

/// Not on the registry's site, and not named by it either: at the address that is documented.
fn of_docker_hub(certs_d: &[PathBuf]) -> Result<Api> {
    let malformed = |e: origin::BadUrl| Error::new(Kind::Other, e.to_string());
    let origin: Origin = docker_hub::ORIGIN.parse().map_err(malformed)?;
    let base = TrustedUrl::named_by(&origin, docker_hub::ORIGIN)
        .ok_or_else(|| malformed(origin::BadUrl::Malformed))?;
    let trust = Trust::of_host(certs_d, &origin.host, origin.port, None)?;
    Ok(Api { kind: TokenApi::DockerHub, base, trust, registry: DOCKER_HUB.to_owned() })
}

/// The API by which a token of a record was made, judged again.
///
/// # Errors
/// [`Kind::Trust`]: the record names a place that is not the registry's own.
pub fn recorded(
    minted: &MintedToken,
    endpoint: &TokenEndpoint,
    certs_d: &[PathBuf],
) -> Result<Api> {
    if minted.api == TokenApi::DockerHub && endpoint.registry == DOCKER_HUB {
        return of_docker_hub(certs_d);
    }
    let own = TrustedUrl::named_by(endpoint.realm.origin(), &minted.url);
    let base = own.ok_or_else(|| {
        let fact = format!(
            "{} makes tokens at another address now than when you logged in",
            endpoint.registry
        );
        Error::new(Kind::Trust, fact).log_in_again()
    })?;
    let (trust, registry) = (endpoint.trust.clone(), endpoint.registry.clone());
    Ok(Api { kind: minted.api, base, trust, registry })
}
