//! The token endpoint: GET with Basic authentication, and what it shares with POST.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::behaviour::{ErrorStyle, ScopeList, ServiceRule, TokenNames};
use super::errors::{Failure, registry_error, unauthorized};
use super::policy::{Scope, Verdict};
use super::shared::{Config, NULL_GUID, Shared, lock};
use super::wire::{Answer, Authorization, Incoming};

/// Answers `GET` of the token endpoint: the token specification's first form.
pub fn get(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    let behaviour = &config.behaviour;
    let fail = |failure: Failure| failure.answer(ErrorStyle::Registry);
    let service = match service(&config, request.query("service"), false) {
        Ok(service) => service,
        Err(failure) => return fail(failure),
    };
    let scopes = match scopes(&config, &request.query) {
        Ok(scopes) => scopes,
        Err(failure) => return fail(failure),
    };
    let offline = request.query("offline_token");
    if offline.is_some() && behaviour.get_refuses_offline {
        return unauthorized("offline tokens are not issued");
    }
    let offline = match offline {
        None | Some("" | "false" | "0") => false,
        Some("true") => true,
        Some("1" | "t" | "T" | "TRUE" | "True") if !behaviour.offline_token_exactly_true => true,
        Some(_) if behaviour.offline_token_exactly_true => false,
        Some(_) => return fail(Failure::Unsupported("offline_token")),
    };
    let (account, may_refresh) = match authenticate(shared, &config, request) {
        Ok(authenticated) => authenticated,
        Err(answer) => return answer,
    };

    let granted = config.users.grant(&account, &scopes);
    let token = shared.issue_access_token(&account, &service, &granted);
    let mut body = Map::new();
    put_access_token(&mut body, behaviour.token_names, token);
    if offline && may_refresh && behaviour.get_refresh {
        let client_id = request.query("client_id").unwrap_or_default();
        let refresh = shared.issue_refresh_token(&account, &service, client_id);
        body.insert("refresh_token".into(), refresh.into());
    }
    if behaviour.get_scopes {
        body.insert("scope".into(), joined(&config, &granted).into());
    }
    success(shared, &config, body)
}

/// The account, and whether it may have a refresh token; the empty account is the anonymous one.
fn authenticate(
    shared: &Shared,
    config: &Config,
    request: &Incoming,
) -> Result<(String, bool), Answer> {
    let refused = |detail: &str| {
        let realm = shared.token_endpoint();
        unauthorized(detail).with("WWW-Authenticate", format!("Basic realm=\"{realm}\""))
    };
    let denied = |detail: &str| config.behaviour.words.denied.of(shared, refused(detail));
    match request.authorization() {
        Authorization::None if config.users.anonymous.is_some() => Ok((String::new(), false)),
        Authorization::Basic(user, password) if user == NULL_GUID => {
            let tokens = lock(&shared.tokens);
            match tokens.find(&password) {
                Some(token) if config.behaviour.null_guid => Ok((token.account.clone(), false)),
                _ => Err(refused("invalid refresh token")),
            }
        }
        Authorization::Basic(user, password) => match config.users.check(&user, &password) {
            Verdict::Password if config.two_factor => Err(refused("invalid provided OTP")),
            Verdict::Password => Ok((user, true)),
            Verdict::ApiToken => Ok((user, false)),
            Verdict::UnknownUser if config.behaviour.unknown_user_500 => Err(internal()),
            _ if config.behaviour.get_denies_403 => {
                Err(registry_error(403, "DENIED", "denied", "denied"))
            }
            Verdict::UnknownUser | Verdict::Wrong => Err(denied("invalid credentials")),
        },
        _ => Err(refused("basic auth required")),
    }
}

/// What Keycloak says of a user it does not know.
pub fn internal() -> Answer {
    registry_error(500, "UNKNOWN", "unknown error", "")
}

/// The service a token is for.
pub fn service(config: &Config, asked: Option<&str>, post: bool) -> Result<String, Failure> {
    let rule = config.behaviour.other_service;
    match asked.filter(|service| !service.is_empty()) {
        Some(other) if other != config.service && rule != ServiceRule::Ignored => {
            Err(Failure::Service)
        }
        Some(asked) => Ok(asked.to_owned()),
        None if !config.names_service() => Ok(config.service.clone()),
        None if post || rule == ServiceRule::Required => Err(Failure::Missing("service")),
        None => Ok(config.service.clone()),
    }
}

/// The scopes asked for: repeated, joined by spaces, or both.
pub fn scopes(config: &Config, parameters: &[(String, String)]) -> Result<Vec<Scope>, Failure> {
    let mut scopes = Vec::new();
    for (_, value) in parameters.iter().filter(|(name, _)| name == "scope") {
        if value.is_empty() && config.behaviour.empty_scope_400 {
            return Err(Failure::Scope);
        }
        for scope in value.split_ascii_whitespace() {
            scopes.push(Scope::parse(scope).ok_or(Failure::Scope)?);
        }
    }
    Ok(scopes)
}

/// The scopes as one text.
pub fn joined(config: &Config, scopes: &[Scope]) -> String {
    match config.behaviour.scopes {
        ScopeList::Spaces => scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(" "),
        ScopeList::CommasOneActionEach => {
            let each = |s: &Scope| -> Vec<String> {
                s.actions.iter().map(|action| format!("{}:{}:{action}", s.kind, s.name)).collect()
            };
            scopes.iter().flat_map(each).collect::<Vec<_>>().join(",")
        }
    }
}

/// Puts the access token into an answer.
pub fn put_access_token(body: &mut Map<String, Value>, names: TokenNames, token: String) {
    let (older, newer) = match names {
        TokenNames::Token => (Some(token), None),
        TokenNames::AccessToken => (None, Some(token)),
        TokenNames::Both => (Some(token.clone()), Some(token)),
        TokenNames::TokenAndEmpty => (Some(token), Some(String::new())),
    };
    body.extend(older.map(|token| ("token".into(), token.into())));
    body.extend(newer.map(|token| ("access_token".into(), token.into())));
}

/// A 200 with what both methods add.
pub fn success(shared: &Shared, config: &Config, mut body: Map<String, Value>) -> Answer {
    if config.behaviour.expires_in {
        body.insert("expires_in".into(), json!(config.access_token_lifetime.as_secs()));
        body.insert("issued_at".into(), json!(Timestamp::now().to_string()));
    }
    config.behaviour.words.granted.of(shared, Answer::json(200, &Value::Object(body)))
}
