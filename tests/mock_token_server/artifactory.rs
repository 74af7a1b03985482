//! JFrog's API for tokens (jfrog.com/help "JFrog REST APIs": Create Token, Get Tokens, Revoke Token by ID):
//!
//! | route | who | what |
//! |---|---|---|
//! | `POST /access/api/v1/tokens` | a password by Basic | id and secrets; 403 for more than 30 days |
//! | `GET /access/api/v1/tokens?description=X*` | bearer | id and description of each |
//! | `DELETE /access/api/v1/tokens/ID` | bearer | 200; 404 for none |

use serde_json::{Value, json};

use super::journal::hash;
use super::minted::Minted;
use super::policy::Verdict;
use super::random;
use super::shared::Shared;
use super::wire::{Answer, Authorization, Incoming};

/// What this server's administrator allows: also what is given where nothing is asked for.
const LONGEST: u64 = 30 * 24 * 3600;

/// Answers those paths; none for others.
pub fn answer(shared: &Shared, request: &Incoming) -> Option<Answer> {
    let id = request.path.strip_prefix("/access/api/v1/tokens")?.trim_start_matches('/');
    let config = shared.config();
    let user = match request.authorization() {
        Authorization::Bearer(token) => config.users.minted.owner(&token),
        _ => None,
    };
    Some(match (request.method.as_str(), user) {
        ("POST", _) => create(shared, request),
        (_, None) => error(401, "Bad credentials"),
        ("GET", Some(user)) => list(shared, &user, request.query("description")),
        ("DELETE", Some(user)) => delete(shared, &user, id),
        _ => error(405, "Method Not Allowed"),
    })
}

fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"errors": [{"status": status, "message": text}]}))
}

fn create(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    let user = match request.authorization() {
        Authorization::Basic(user, password) => match config.users.check(&user, &password) {
            Verdict::Password if !config.two_factor => user,
            _ => return error(401, "Bad credentials"),
        },
        _ => return error(401, "Bad credentials"),
    };
    let field = |name: &str| request.json.as_ref().and_then(|body| body.get(name));
    let lifetime = field("expires_in").and_then(Value::as_u64).unwrap_or(LONGEST);
    if lifetime > LONGEST {
        return error(403, "expires_in is higher than the limit defined by the admin");
    }
    let access = random::text(400);
    let reference = format!("cmVmd{}", random::text(59).replace(['-', '_'], "x"));
    let with_reference = field("include_reference_token") == Some(&json!(true));
    let text = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut id = String::new();
    shared.configure(|config| {
        id = format!("7e0eec00-{}", config.users.minted.next());
        config.users.minted.add(Minted {
            id: id.clone(),
            user,
            name: text("description"),
            scopes: vec![text("scope")],
            expires: Some(lifetime.to_string()),
            hash: hash(if with_reference { &reference } else { &access }),
        });
    });
    let mut body = json!({
        "token_id": id, "access_token": access, "expires_in": lifetime, "scope": text("scope"),
        "token_type": "Bearer",
    });
    if with_reference {
        body["reference_token"] = json!(reference);
    }
    Answer::json(200, &body)
}

fn list(shared: &Shared, user: &str, description: Option<&str>) -> Answer {
    let config = shared.config();
    let beginning = description.map(|text| text.trim_end_matches('*')).unwrap_or_default();
    let tokens = config.users.minted.of(user).filter(|token| token.name.starts_with(beginning));
    let all: Vec<Value> = tokens
        .map(|token| json!({"token_id": token.id, "subject": user, "description": token.name}))
        .collect();
    Answer::json(200, &json!({"tokens": all}))
}

fn delete(shared: &Shared, user: &str, id: &str) -> Answer {
    let mut found = false;
    shared.configure(|config| found = config.users.minted.remove(user, id));
    if found {
        Answer::json(200, &json!({"revoked-token-id": id}))
    } else {
        error(404, "not found")
    }
}
