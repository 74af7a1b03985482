//! Gitea's and Forgejo's API for tokens (gitea `routers/api/v1/user/app.go` and `routers/api/v1/api.go`):
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /api/v1/version` | anybody | `{"version": …}` |
//! | `GET /api/v1/users/NAME/tokens` | NAME, by password | id, name, last eight characters and scopes of each |
//! | `POST /api/v1/users/NAME/tokens` | NAME, by password | 201 and the secret; 400 for a name that is taken or an unknown scope |
//! | `DELETE /api/v1/users/NAME/tokens/ID` | NAME, by password | 204; 404 for none |
//!
//! A token in the place of the password is 401 (`reqBasicOrRevProxyAuth`), and so is the password alone
//! where the account has two factors.

use serde_json::{Value, json};

use super::journal::hash;
use super::minted::Minted;
use super::policy::Verdict;
use super::random;
use super::shared::Shared;
use super::wire::{Answer, Authorization, Incoming};

const PAGE: usize = 50;

/// Answers what is below `/api/v1/`; none for other paths.
pub fn answer(shared: &Shared, version: &str, request: &Incoming) -> Option<Answer> {
    let path: Vec<&str> = request.path.strip_prefix("/api/v1/")?.split('/').collect();
    let method = request.method.as_str();
    Some(match (method, path.as_slice()) {
        ("GET", ["version"]) => Answer::json(200, &json!({"version": version})),
        (_, ["users", user, "tokens", id @ ..]) => {
            match (method, id, allowed(shared, user, request)) {
                (_, _, Err(refusal)) => refusal,
                ("GET", [], Ok(())) => list(shared, user, request),
                ("POST", [], Ok(())) => create(shared, user, request.json.as_ref()),
                ("DELETE", [id], Ok(())) => delete(shared, user, id),
                _ => message(404, "not found"),
            }
        }
        _ => message(404, "not found"),
    })
}

fn message(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"message": text, "url": "https://gitea.com/api/swagger"}))
}

fn allowed(shared: &Shared, user: &str, request: &Incoming) -> Result<(), Answer> {
    let Authorization::Basic(name, password) = request.authorization() else {
        return Err(message(401, "auth required"));
    };
    let config = shared.config();
    match config.users.check(&name, &password) {
        Verdict::Password if config.two_factor => Err(message(401, "invalid provided OTP")),
        Verdict::Password if name == user => Ok(()),
        Verdict::Password if config.users.knows(user) => {
            Err(message(403, "doer should be the site admin or be same as the contextUser"))
        }
        Verdict::Password => Err(message(404, "user redirect does not exist")),
        Verdict::ApiToken => Err(message(401, "auth method not allowed")),
        Verdict::Wrong | Verdict::UnknownUser => Err(message(401, "user does not exist")),
    }
}

fn list(shared: &Shared, user: &str, request: &Incoming) -> Answer {
    let number = |name| request.query(name).and_then(|text| text.parse::<usize>().ok());
    let (page, limit) = (number("page").unwrap_or(1), number("limit").unwrap_or(30).min(PAGE));
    let config = shared.config();
    let tokens = config.users.minted.of(user).skip((page - 1) * limit).take(limit);
    let all: Vec<Value> = tokens
        .map(|token| {
            let id: u64 = token.id.parse().expect("a number");
            json!({"id": id, "name": token.name, "sha1": "", "scopes": token.scopes})
        })
        .collect();
    Answer::json(200, &Value::Array(all))
}

fn create(shared: &Shared, user: &str, body: Option<&Value>) -> Answer {
    let field = |name: &str| body.and_then(|body| body.get(name));
    let Some(name) = field("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return message(422, "[Name]: Required");
    };
    let scopes: Option<Vec<String>> =
        field("scopes").and_then(|scopes| serde_json::from_value(scopes.clone()).ok());
    let Some(scopes) = scopes.filter(|all| all.iter().all(|s| s.ends_with(":package"))) else {
        return message(400, "invalid access token scope provided");
    };
    if shared.config().users.minted.of(user).any(|token| token.name == name) {
        return message(400, "access token name has been used already");
    }
    // 20 random bytes in hexadecimal.
    let secret: String = random::text(20).bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut id = 0;
    shared.configure(|config| {
        id = config.users.minted.next();
        config.users.minted.add(Minted {
            id: id.to_string(),
            user: user.to_owned(),
            name: name.to_owned(),
            scopes: scopes.clone(),
            expires: None,
            hash: hash(&secret),
        });
    });
    let last = &secret[secret.len() - 8..];
    Answer::json(
        201,
        &json!({"id": id, "name": name, "sha1": secret, "token_last_eight": last, "scopes": scopes}),
    )
}

fn delete(shared: &Shared, user: &str, id: &str) -> Answer {
    let mut found = false;
    shared.configure(|config| found = config.users.minted.remove(user, id));
    if found {
        Answer { status: 204, headers: Vec::new(), body: Vec::new() }
    } else {
        message(404, "")
    }
}
