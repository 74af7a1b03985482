//! The registry's side: the challenge, and two resources behind it.

use serde_json::{Value, json};

use super::behaviour::Challenge;
use super::errors::{registry_error, unauthorized};
use super::jwt;
use super::policy::Verdict;
use super::shared::{Config, Shared};
use super::wire::{Answer, Authorization, Incoming};

/// Answers everything below `/v2/` that is not the token endpoint.
pub fn answer(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    let needed = match request.path.strip_prefix("/v2/") {
        Some("" | "_catalog") if request.method != "GET" && request.method != "HEAD" => None,
        Some("") => Some(None),
        Some("_catalog") => Some(Some(("registry", "catalog", "*"))),
        Some(rest) => {
            rest.strip_suffix("/tags/list").map(|name| Some(("repository", name, "pull")))
        }
        None => None,
    };
    let Some(needed) = needed else {
        return registry_error(404, "NAME_UNKNOWN", "repository name not known to registry", "");
    };
    let allowed = match (config.behaviour.challenge, request.authorization()) {
        (Challenge::None, _) => Ok(()),
        (
            Challenge::Basic | Challenge::BearerWithoutServiceAndBasic,
            Authorization::Basic(u, p),
        ) => match config.users.check(&u, &p) {
            Verdict::Password | Verdict::ApiToken => Ok(()),
            _ => Err(None),
        },
        (_, Authorization::Bearer(token)) => check(shared, &config, &token, needed),
        _ => Err(None),
    };
    let answer = match (allowed, needed) {
        (Err(error), _) => challenged(shared, &config, needed, error),
        (Ok(()), None) => Answer::json(200, &json!({})),
        (Ok(()), Some(("repository", name, _))) => {
            Answer::json(200, &json!({"name": name, "tags": []}))
        }
        (Ok(()), Some(_)) => Answer::json(200, &json!({"repositories": []})),
    };
    answer.with("Docker-Distribution-Api-Version", "registry/2.0")
}

type Needed<'a> = Option<(&'a str, &'a str, &'a str)>;

/// Whether a bearer token allows what is needed; if not, the challenge's `error`.
fn check(
    shared: &Shared,
    config: &Config,
    token: &str,
    needed: Needed<'_>,
) -> Result<(), Option<&'static str>> {
    let claims = jwt::verify(token, &shared.issuer(), &config.service);
    let claims = claims.ok_or(Some("invalid_token"))?;
    let Some((kind, name, action)) = needed else { return Ok(()) };
    let allows = |access: &Value| {
        let actions = access["actions"].as_array().into_iter().flatten();
        access["type"] == kind
            && access["name"] == name
            && actions.into_iter().any(|a| a == action || a == "*")
    };
    let mut accesses = claims["access"].as_array().into_iter().flatten();
    accesses.any(allows).then_some(()).ok_or(Some("insufficient_scope"))
}

/// The 401 with its challenge headers.
fn challenged(shared: &Shared, config: &Config, needed: Needed<'_>, error: Option<&str>) -> Answer {
    let scope = needed.map(|(kind, name, action)| format!("{kind}:{name}:{action}"));
    let scope = scope.or_else(|| config.challenge_scope.clone());
    // Of other resources, it is not known how they say it.
    let words = &config.behaviour.words.login_needed;
    let answer = unauthorized("");
    let answer = if needed.is_none() { words.of(shared, answer) } else { answer };
    headers(shared, config, scope.as_deref(), error)
        .into_iter()
        .fold(answer, |answer, header| answer.with("WWW-Authenticate", header))
}

/// The values of the `WWW-Authenticate` headers.
fn headers(
    shared: &Shared,
    config: &Config,
    scope: Option<&str>,
    error: Option<&str>,
) -> Vec<String> {
    if let Some(headers) = &config.challenge_headers {
        return headers.clone();
    }
    let realm = config.realm.clone().unwrap_or_else(|| shared.token_endpoint());
    let mut bearer = format!("Bearer realm=\"{realm}\"");
    let service = config.names_service().then_some(config.service.as_str());
    for (name, value) in [("service", service), ("scope", scope), ("error", error)] {
        if let Some(value) = value {
            bearer.push_str(&format!(",{name}=\"{value}\""));
        }
    }
    let basic = "Basic realm=\"mock registry\"".to_owned();
    match config.behaviour.challenge {
        Challenge::Bearer | Challenge::None => vec![bearer],
        Challenge::BearerWithoutServiceAndBasic => vec![bearer, basic],
        Challenge::Basic => vec![basic],
    }
}
