//! Artifactory 7.21.1 and later: JFrog's `/access/api/v1/tokens`
//! (<https://jfrog.com/help/r/jfrog-rest-apis/create-token-api-examples>, `revoke-token-by-id`,
//! <https://docs.jfrog.com/administration/reference/createtoken>). Making one takes HTTP Basic with the
//! password, if the platform is set up to allow that; listing and deleting take the token that was made,
//! which may delete itself and others of its user. The older `/artifactory/api/security/token` is
//! deprecated: it knows no description, and only an administrator may revoke there.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, LIFETIME, Listed, Made, unreadable};
use crate::error::Result;
use crate::http::{Caller, Http, Verb};
use crate::realm::TrustedUrl;
use crate::secret::RefreshToken;
use crate::token::seconds;

/// What its user may do, and not what an administrator may: narrower ones are made by administrators.
const SCOPE: &str = "applied-permissions/user";

/// A registry's token endpoint is below `/artifactory/api/docker/` (containerd's `authorizer.go` has an
/// example); the Access service is beside Artifactory.
pub(super) fn base(realm: &TrustedUrl) -> Option<TrustedUrl> {
    let (root, _) = realm.url().path().split_once("artifactory/api/docker/")?;
    Some(realm.at(root))
}

fn tokens(api: &Api) -> TrustedUrl {
    api.at(&["access", "api", "v1", "tokens"])
}

/// Of the names that begin so; all of the user's that the holder of a token may see.
pub(super) fn list(
    api: &Api,
    http: &Http,
    caller: Caller<'_>,
    beginning: &str,
) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Page {
        tokens: Vec<Token>,
    }
    #[derive(Deserialize)]
    struct Token {
        token_id: String,
        #[serde(default)]
        description: String,
    }
    let beginning = format!("{beginning}*");
    let url = tokens(api).with_query([("description", beginning.as_str())]);
    let reply = api.ask(http, Verb::Get, &url, caller, None)?;
    if reply.status != 200 {
        return Err(api.refused(reply.status));
    }
    let page = reply.parse::<Page>().ok_or_else(|| unreadable(api))?;
    let listed = page.tokens.into_iter();
    Ok(listed.map(|token| Listed { id: token.token_id, name: token.description }).collect())
}

/// With the lifetime that is asked for, or the server's own where that is longer than it allows.
pub(super) fn create(api: &Api, http: &Http, caller: Caller<'_>, name: &str) -> Result<Made> {
    #[derive(Deserialize)]
    struct Created {
        token_id: String,
        access_token: RefreshToken,
        reference_token: Option<RefreshToken>,
        expires_in: Option<Value>,
    }
    let mut body = json!({
        "scope": SCOPE,
        "description": name,
        "expires_in": LIFETIME.as_secs(),
        "include_reference_token": true,
    });
    let ask = |body: &Value| api.ask_for_token(http, &tokens(api), caller, name, body);
    let mut reply = ask(&body)?;
    if reply.status == 403 {
        // "expires_in provided but is higher than the limit defined by the admin", or any other reason.
        body.as_object_mut().and_then(|body| body.remove("expires_in"));
        reply = ask(&body)?;
    }
    let created: Created = api.made(&reply, name)?;
    // A hint, which fails no login; 0 is how it says that the token does not expire.
    let lasts = created.expires_in.as_ref().and_then(seconds).filter(|s| *s > 0);
    let expires = lasts.map(SignedDuration::from_secs);
    let expires = expires.and_then(|lasts| Timestamp::now().checked_add(lasts).ok());
    // 64 characters of a known form, in the place of a JWT.
    let token = created.reference_token.unwrap_or(created.access_token);
    Ok(Made { id: created.token_id, token, expires })
}

/// The status that it answered.
pub(super) fn delete(api: &Api, http: &Http, caller: Caller<'_>, id: &str) -> Result<u16> {
    let url = api.at(&["access", "api", "v1", "tokens", id]);
    Ok(api.ask(http, Verb::Delete, &url, caller, None)?.status)
}
