//! POST to the token endpoint: the grants of OAuth2 (RFC 6749 sections 4.3 and 6).

use serde_json::Map;

use super::behaviour::{Post, PostScopes, Rotation};
use super::device;
use super::errors::{Failure, refused, unauthorized};
use super::policy::Verdict;
use super::shared::{Config, Shared, lock};
use super::token_endpoint::{internal, joined, put_access_token, scopes, service, success};
use super::wire::{Answer, Incoming};

/// Who is to get a token, and which refresh token goes with it.
struct Granted {
    account: String,
    refresh_token: Option<String>,
}

/// Answers `POST` of the token endpoint.
pub fn post(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    if let Some(flow) = &config.device_flow
        && request.form("grant_type") == Some(device::GRANT)
    {
        return device::grant(shared, &config, flow, request);
    }
    match config.behaviour.post {
        Post::Refused(status) => config.behaviour.words.no_post.of(shared, refused(status)),
        Post::CredentialsOnly => credentials_only(shared, &config, request),
        Post::OAuth2 => oauth2(shared, &config, request)
            .unwrap_or_else(|failure| failed(shared, &config, failure)),
    }
}

fn failed(shared: &Shared, config: &Config, failure: Failure) -> Answer {
    let words = &config.behaviour.words;
    let answer = failure.answer(config.behaviour.post_errors);
    match failure {
        Failure::Credentials => words.denied.of(shared, answer),
        Failure::GrantType => words.unsupported.of(shared, answer),
        _ => answer,
    }
}

fn oauth2(shared: &Shared, config: &Config, request: &Incoming) -> Result<Answer, Failure> {
    let field = |name: &'static str| {
        request.form(name).filter(|value| !value.is_empty()).ok_or(Failure::Missing(name))
    };
    let grant_type = field("grant_type")?;
    let service = service(config, request.form("service"), true)?;
    let client_id = field("client_id")?;
    let offline = match request.form("access_type") {
        None | Some("" | "online") => false,
        Some("offline") => true,
        Some(_) => return Err(Failure::Unsupported("access_type")),
    };
    let scopes = scopes(config, &request.form)?;
    let granted = match grant_type {
        "password" if config.behaviour.password_grant => {
            let (user, password) = (field("username")?, field("password")?);
            let may_refresh = match config.users.check(user, password) {
                Verdict::Password => true,
                Verdict::ApiToken => false,
                Verdict::UnknownUser if config.behaviour.unknown_user_500 => return Ok(internal()),
                Verdict::Wrong | Verdict::UnknownUser => return Err(Failure::Credentials),
            };
            let refresh_token = (offline && may_refresh)
                .then(|| shared.issue_refresh_token(user, &service, client_id));
            Granted { account: user.to_owned(), refresh_token }
        }
        "refresh_token" => {
            let token = field("refresh_token")?;
            if config.behaviour.refresh_needs_scope && scopes.is_empty() {
                return Err(Failure::Scope);
            }
            refresh(shared, config, token, &service, client_id)?
        }
        _ => return Err(Failure::GrantType),
    };

    let allowed = config.users.grant(&granted.account, &scopes);
    let token = shared.issue_access_token(&granted.account, &service, &allowed);
    let mut body = Map::new();
    put_access_token(&mut body, config.behaviour.post_token_names, token);
    let scopes = match config.behaviour.post_scopes {
        PostScopes::Always => true,
        PostScopes::IfAny => !allowed.is_empty(),
        PostScopes::Never => false,
    };
    if scopes {
        body.insert("scope".into(), joined(config, &allowed).into());
    }
    if let Some(refresh_token) = granted.refresh_token {
        body.insert("refresh_token".into(), refresh_token.into());
    }
    Ok(success(shared, config, body))
}

/// Takes a refresh token; what comes back depends on how the server rotates.
fn refresh(
    shared: &Shared,
    config: &Config,
    text: &str,
    service: &str,
    client_id: &str,
) -> Result<Granted, Failure> {
    let rotation = config.behaviour.rotation;
    // One lock for the look-up and the mark, so that a single-use token is used once.
    let mut tokens = lock(&shared.tokens);
    let token = tokens.find(text).ok_or(Failure::RefreshToken)?;
    let other_client = config.bind_client_id && token.client_id != client_id;
    if token.service != service || other_client || rotation == Rotation::Dead {
        return Err(Failure::RefreshToken);
    }
    let (account, client_id) = (token.account.clone(), token.client_id.clone());
    let refresh_token = match rotation {
        Rotation::Same | Rotation::Dead => text.to_owned(),
        Rotation::SingleUse | Rotation::Grace => {
            tokens.replaced(text, rotation, config.rotation_grace);
            drop(tokens);
            shared.issue_refresh_token(&account, service, &client_id)
        }
    };
    Ok(Granted { account, refresh_token: Some(refresh_token) })
}

/// docker_auth and Aliyun: username and password alone decide, the grant type is not looked at.
fn credentials_only(shared: &Shared, config: &Config, request: &Incoming) -> Answer {
    let style = config.behaviour.post_errors;
    let scopes = match scopes(config, &request.form) {
        Ok(scopes) => scopes,
        Err(failure) => return failure.answer(style),
    };
    let user = request.form("username").unwrap_or_default();
    let password = request.form("password").unwrap_or_default();
    let known = match (user, password) {
        ("", "") => config.users.anonymous.is_some(),
        _ => matches!(config.users.check(user, password), Verdict::Password | Verdict::ApiToken),
    };
    if !known {
        return config.behaviour.words.denied.of(shared, unauthorized("auth failed"));
    }
    let service = request.form("service").unwrap_or(&config.service);
    let token = shared.issue_access_token(user, service, &config.users.grant(user, &scopes));
    let mut body = Map::new();
    put_access_token(&mut body, config.behaviour.post_token_names, token);
    success(shared, config, body)
}
