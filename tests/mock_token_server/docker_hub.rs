//! Docker Hub's API for tokens (docker/docs `content/reference/api/hub/latest.yaml`):
//!
//! | route | who | what |
//! |---|---|---|
//! | `POST /v2/auth/token` | anybody | a bearer token for `identifier` and `secret`, a password or a token |
//! | `GET /v2/access-tokens` | bearer | uuid, label and scopes of each |
//! | `POST /v2/access-tokens` | bearer | 201 and the secret |
//! | `DELETE /v2/access-tokens/UUID` | bearer | 204; 404 for none |
//!
//! A bearer that was got for a token is 403: the documentation marks none of these routes for it.

use serde_json::{Value, json};

use super::journal::hash;
use super::minted::Minted;
use super::policy::Verdict;
use super::random;
use super::shared::Shared;
use super::wire::{Answer, Authorization, Incoming};

/// Answers those paths; none for others.
pub fn answer(shared: &Shared, request: &Incoming) -> Option<Answer> {
    let field = |name: &str| request.json.as_ref().and_then(|body| body.get(name)?.as_str());
    if request.path == "/v2/auth/token" && request.method == "POST" {
        let user = field("identifier").unwrap_or_default();
        return Some(bearer(shared, user, field("secret").unwrap_or_default()));
    }
    let id = request.path.strip_prefix("/v2/access-tokens")?.trim_start_matches('/');
    let user = match request.authorization() {
        Authorization::Bearer(token) => shared.config().users.minted.bearer(&token),
        _ => None,
    };
    Some(match (request.method.as_str(), user) {
        (_, None) => error(401, "unauthorized"),
        (_, Some((_, false))) => error(403, "access denied"),
        ("GET", Some((user, true))) => list(shared, &user),
        ("POST", Some((user, true))) => create(shared, &user, request.json.as_ref()),
        ("DELETE", Some((user, true))) => delete(shared, &user, id),
        _ => error(405, "method not allowed"),
    })
}

fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"detail": text, "message": text}))
}

fn bearer(shared: &Shared, user: &str, secret: &str) -> Answer {
    let config = shared.config();
    let by_password = match config.users.check(user, secret) {
        Verdict::Password if !config.two_factor => true,
        Verdict::ApiToken => false,
        _ => return error(401, "incorrect authentication credentials"),
    };
    let token = random::text(64);
    shared.configure(|config| config.users.minted.add_bearer(&token, user, by_password));
    Answer::json(200, &json!({"access_token": token}))
}

fn list(shared: &Shared, user: &str) -> Answer {
    let config = shared.config();
    let all: Vec<Value> = config
        .users
        .minted
        .of(user)
        .map(
            |t| json!({"uuid": t.id, "token_label": t.name, "scopes": t.scopes, "is_active": true}),
        )
        .collect();
    Answer::json(200, &json!({"count": all.len(), "next": null, "previous": null, "results": all}))
}

fn create(shared: &Shared, user: &str, body: Option<&Value>) -> Answer {
    let text = |name: &str| body.and_then(|body| body.get(name)?.as_str());
    let scopes = body.and_then(|body| serde_json::from_value(body.get("scopes")?.clone()).ok());
    let (Some(label), Some(scopes)) = (text("token_label"), scopes) else {
        return error(400, "token_label and scopes are required");
    };
    let secret = format!("dckr_pat_{}", random::text(27));
    let expires = text("expires_at").map(str::to_owned);
    let mut id = String::new();
    shared.configure(|config| {
        id = format!("b30bbf97-506c-4ecd-aabc-{:012}", config.users.minted.next());
        config.users.minted.add(Minted {
            id: id.clone(),
            user: user.to_owned(),
            name: label.to_owned(),
            scopes,
            expires: expires.clone(),
            hash: hash(&secret),
        });
    });
    Answer::json(
        201,
        &json!({"uuid": id, "token_label": label, "token": secret, "expires_at": expires}),
    )
}

fn delete(shared: &Shared, user: &str, id: &str) -> Answer {
    let mut found = false;
    shared.configure(|config| found = config.users.minted.remove(user, id));
    match found {
        true => Answer { status: 204, headers: Vec::new(), body: Vec::new() },
        false => error(404, "not found"),
    }
}
