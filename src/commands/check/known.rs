//! Which kind of registry it is, as far as its name or its token endpoint tells (docs/registries.md).

use crate::server_url::DOCKER_HUB;

/// What is known of one kind.
pub struct Known {
    /// As docs/registries.md calls it.
    pub name: &'static str,
    /// Whether it issues refresh tokens for a username and a password; none where nobody knows.
    pub issues: Option<bool>,
    /// Whether its personal tokens can be told from passwords.
    pub has_form: bool,
}

const fn without(name: &'static str) -> Known {
    Known { name, issues: Some(false), has_form: true }
}

const fn without_any(name: &'static str) -> Known {
    Known { name, issues: Some(false), has_form: false }
}

/// By the registry's key first, then by the path of its token endpoint.
pub fn known(registry_key: &str, token_path: &str) -> Option<Known> {
    Some(match (registry_key, token_path) {
        (DOCKER_HUB, _) => Known { name: "Docker Hub", issues: None, has_form: true },
        ("ghcr.io", _) => without("GHCR"),
        ("gcr.io", _) => without_any("Google (GCR, AR)"),
        (key, _) if key.ends_with(".gcr.io") || key.ends_with(".pkg.dev") => {
            without_any("Google (GCR, AR)")
        }
        (_, "/oauth2/token") => without_any("Azure (ACR)"),
        (_, "/jwt/auth") => without("GitLab"),
        (_, "/service/token") => without_any("Harbor"),
        (_, "/v2/auth") => without_any("Quay"),
        (_, path) if path.starts_with("/artifactory/") => without("Artifactory"),
        (_, path) if path.ends_with("/protocol/docker-v2/auth") => {
            without_any("Keycloak (docker-v2)")
        }
        _ => return None,
    })
}
