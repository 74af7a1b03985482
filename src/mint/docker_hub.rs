//! Docker Hub: `https://hub.docker.com/v2/access-tokens` (docker/docs `content/reference/api/hub/latest.yaml`;
//! <https://docs.docker.com/reference/api/hub/latest/>). A bearer token opens it, which
//! `POST /v2/auth/token` gives for a password or a personal access token and which lasts ten minutes.
//! Which routes take a bearer that was got for a personal access token is marked there; those for
//! tokens have no such mark, so whether a token may delete itself is not known: it is tried.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::api::{Api, LIFETIME, Listed, Made, unreadable};
use crate::error::Result;
use crate::http::{Caller, Http, Verb};
use crate::realm::TrustedUrl;
use crate::secret::{AccessToken, RefreshToken, Secret};

/// The one address of the API, which its documentation names for everybody.
pub(super) const ORIGIN: &str = "https://hub.docker.com";
/// Reads and writes repositories; it cannot delete them (`repo:admin`).
const SCOPE: &str = "repo:write";
/// So much at once, as documented.
const PAGE: &str = "100";
const MAX_PAGES: usize = 20;

/// The bearer token for an account, by its password or a token of its own; none if that is refused.
pub(super) fn bearer(
    api: &Api,
    http: &Http,
    account: &str,
    secret: &dyn Secret,
) -> Result<Option<AccessToken>> {
    #[derive(Deserialize)]
    struct Bearer {
        access_token: AccessToken,
    }
    let body =
        Zeroizing::new(json!({"identifier": account, "secret": secret.expose()}).to_string());
    let url = api.at(&["v2", "auth", "token"]);
    let reply = api.ask(http, Verb::Post, &url, Caller::Anyone, Some(body.as_bytes()))?;
    match reply.status {
        200 => {
            let bearer = reply.parse::<Bearer>().ok_or_else(|| unreadable(api))?;
            Ok(Some(bearer.access_token))
        }
        401 | 403 => Ok(None),
        status => Err(api.refused(status)),
    }
}

fn tokens(api: &Api) -> TrustedUrl {
    api.at(&["v2", "access-tokens"])
}

pub(super) fn list(api: &Api, http: &Http, caller: Caller<'_>) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Page {
        next: Option<serde::de::IgnoredAny>,
        results: Vec<Token>,
    }
    #[derive(Deserialize)]
    struct Token {
        uuid: String,
        token_label: String,
    }
    let mut all = Vec::new();
    for page in 1..=MAX_PAGES {
        let page = page.to_string();
        let url = tokens(api).with_query([("page", page.as_str()), ("page_size", PAGE)]);
        let reply = api.ask(http, Verb::Get, &url, caller, None)?;
        if reply.status != 200 {
            return Err(api.refused(reply.status));
        }
        let Page { next, results } = reply.parse().ok_or_else(|| unreadable(api))?;
        let listed =
            results.into_iter().map(|token| Listed { id: token.uuid, name: token.token_label });
        all.extend(listed);
        if next.is_none() {
            break;
        }
    }
    Ok(all)
}

pub(super) fn create(api: &Api, http: &Http, caller: Caller<'_>, name: &str) -> Result<Made> {
    #[derive(Deserialize)]
    struct Created {
        uuid: String,
        token: RefreshToken,
        expires_at: Option<Value>,
    }
    let expires = Timestamp::now() + LIFETIME;
    let body = json!({
        "token_label": name,
        "scopes": [SCOPE],
        "expires_at": format!("{expires:.0}"),
    });
    let reply = api.ask_for_token(http, &tokens(api), caller, name, &body)?;
    let Created { uuid, token, expires_at } = api.made(&reply, name)?;
    // A hint, which fails no login.
    let expires = expires_at.as_ref().and_then(Value::as_str).and_then(|at| at.parse().ok());
    Ok(Made { id: uuid, token, expires })
}

/// The status that it answered.
pub(super) fn delete(api: &Api, http: &Http, caller: Caller<'_>, id: &str) -> Result<u16> {
    let url = api.at(&["v2", "access-tokens", id]);
    Ok(api.ask(http, Verb::Delete, &url, caller, None)?.status)
}
