//! Gitea and Forgejo: `/api/v1/users/{username}/tokens` (gitea `routers/api/v1/user/app.go`, and
//! `routers/api/v1/api.go` for who may). All three requests take HTTP Basic with the password alone: a
//! token, of whatever scopes, is refused (`reqBasicOrRevProxyAuth`; Forgejo has the same).

use serde::Deserialize;
use serde_json::json;

use super::api::{Api, Listed, Made, unreadable};
use crate::error::{Error, Kind, Result};
use crate::http::{Caller, Http, Verb};
use crate::realm::TrustedUrl;
use crate::secret::RefreshToken;
use crate::token_api::TokenApi;

/// Reads and writes packages, images among them, and nothing else (gitea
/// `models/auth/access_token_scope.go`).
const SCOPE: &str = "write:package";
/// What the API gives at once where nobody has changed `MAX_RESPONSE_ITEMS`.
const PAGE: &str = "50";
/// Nobody has a thousand tokens.
const MAX_PAGES: usize = 20;
/// Before it, a token had no scopes and could do everything (gitea 1.19, pull request 20908).
const FIRST_WITH_SCOPES: (u32, u32) = (1, 19);

/// A registry's token endpoint is at `v2/token` below the instance (gitea
/// `routers/api/packages/container/container.go`).
pub(super) fn base(realm: &TrustedUrl) -> Option<TrustedUrl> {
    realm.url().path().strip_suffix("v2/token").map(|root| realm.at(root))
}

/// What it says that it is, which it tells anybody: `GET /api/v1/version`; none if it is something else.
pub(super) fn version(api: &Api, http: &Http) -> Result<Option<(TokenApi, String)>> {
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    let url = api.at(&["api", "v1", "version"]);
    let reply = api.ask(http, Verb::Get, &url, Caller::Anyone, None)?;
    let version = reply.parse::<Version>().filter(|_| reply.status == 200);
    Ok(version.map(|Version { version }| {
        // Forgejo's is such as "7.0.0+gitea-1.22.0".
        let is_forgejo = version.contains("+gitea") || version.contains("forgejo");
        (if is_forgejo { TokenApi::Forgejo } else { TokenApi::Gitea }, version)
    }))
}

/// Refuses one whose tokens could do everything.
pub(super) fn check_version(api: &Api, version: &str) -> Result<()> {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < FIRST_WITH_SCOPES => {
            let fact = format!(
                "{} is {} {major}.{minor}, whose tokens cannot be limited to packages",
                api.host(),
                api.kind
            );
            Err(Error::new(Kind::NoRefreshToken, fact).hint("ask its operator to update it"))
        }
        _ => Ok(()),
    }
}

fn tokens(api: &Api, account: &str) -> TrustedUrl {
    api.at(&["api", "v1", "users", account, "tokens"])
}

pub(super) fn list(
    api: &Api,
    http: &Http,
    account: &str,
    caller: Caller<'_>,
) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Token {
        id: u64,
        name: String,
    }
    let mut all = Vec::new();
    for page in 1..=MAX_PAGES {
        let page = page.to_string();
        let url = tokens(api, account).with_query([("page", page.as_str()), ("limit", PAGE)]);
        let reply = api.ask(http, Verb::Get, &url, caller, None)?;
        let listed = match reply.status {
            200 => reply.parse::<Vec<Token>>().ok_or_else(|| unreadable(api))?,
            // It takes the address to log in with, and has no such path.
            404 if account.contains('@') => {
                let fact = format!("{} takes a username here, not an e-mail address", api.host());
                return Err(Error::new(Kind::NoRefreshToken, fact)
                    .hint("log in with the username, not with the e-mail address"));
            }
            status => return Err(api.refused(status)),
        };
        if listed.is_empty() {
            break;
        }
        all.extend(
            listed.into_iter().map(|Token { id, name }| Listed { id: id.to_string(), name }),
        );
    }
    Ok(all)
}

/// It has no expiry: this API knows none.
pub(super) fn create(
    api: &Api,
    http: &Http,
    account: &str,
    caller: Caller<'_>,
    name: &str,
) -> Result<Made> {
    #[derive(Deserialize)]
    struct Created {
        id: u64,
        sha1: RefreshToken,
    }
    let body = json!({"name": name, "scopes": [SCOPE]});
    let reply = api.ask_for_token(http, &tokens(api, account), caller, name, &body)?;
    let Created { id, sha1 } = api.made(&reply, name)?;
    Ok(Made { id: id.to_string(), token: sha1, expires: None })
}

/// The status that it answered.
pub(super) fn delete(
    api: &Api,
    http: &Http,
    account: &str,
    caller: Caller<'_>,
    id: &str,
) -> Result<u16> {
    let url = api.at(&["api", "v1", "users", account, "tokens", id]);
    let reply = api.ask(http, Verb::Delete, &url, caller, None)?;
    Ok(reply.status)
}
