//! The token endpoint's three requests (distribution token specification and its OAuth2 part,
//! RFC 6749), and what an answer means.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Body, Failure, Http, Response};
use crate::registry::TokenEndpoint;
use crate::scope::Scope;
use crate::secret::{AccessToken, Password, RefreshToken, check_token};
use crate::trace;

mod exchange;
mod jwt;

pub use exchange::{CLIENT_ID, Login, NULL_GUID, Proven, USED_AS, obtain};

/// When a refresh token says that it expires, if it is a JWT: a hint to show.
pub fn expiry_of(token: &RefreshToken) -> Option<Timestamp> {
    jwt::expiry(token.expose())
}

/// What an access token is good for, if it is a JWT that tells.
pub fn granted_scopes(token: &AccessToken) -> Option<Vec<Scope>> {
    jwt::access(token.expose())
}

/// A token endpoint that may be asked.
pub struct TokenServer<'a> {
    http: &'a Http,
    endpoint: &'a TokenEndpoint,
}

/// A 200 with the tokens that came.
pub struct Granted {
    /// The access token, if there is one.
    pub access: Option<AccessToken>,
    /// Seconds that it lasts; 60 if the server does not say, and never less.
    pub expires_in: u64,
    /// When it was issued; now if the server does not say.
    pub issued_at: Timestamp,
    /// What it is for, as the server says.
    pub scope: Option<String>,
    /// The refresh token, if there is one.
    pub refresh: Option<RefreshToken>,
    /// When the refresh token expires, if the server or the token tells.
    pub refresh_expires: Option<Timestamp>,
}

/// Any answer that is no other trouble.
pub enum Answer {
    /// 200.
    Granted(Granted),
    /// The server said no.
    Refused(Refusal),
}

/// A 4xx or 501, and the OAuth error code if it has one (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The error code, if it is one of the specification's.
    pub code: Option<&'static str>,
}

/// The codes that are told apart or shown; anything else a server says is never repeated, because
/// it could repeat what it was sent.
const CODES: [&str; 9] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
];

impl<'a> TokenServer<'a> {
    /// A token endpoint that the trust rules allowed.
    pub fn new(http: &'a Http, endpoint: &'a TokenEndpoint) -> Self {
        Self { http, endpoint }
    }

    /// How messages call it, where it decides for the registry.
    fn name(&self) -> &str {
        &self.endpoint.registry
    }

    /// `POST grant_type=password`. RFC 9700 section 2.4 advises against this grant; the
    /// distribution specification defines it, and no other way takes a password.
    fn password_grant(
        &self,
        client_id: &str,
        username: &str,
        password: &Password,
    ) -> Result<Answer> {
        let mut form = vec![("grant_type", "password")];
        form.extend(self.service());
        // No scope at all: an empty one is an error on some servers (nerdctl #717).
        form.extend([
            ("client_id", client_id),
            ("access_type", "offline"),
            ("username", username),
            ("password", password.expose()),
        ]);
        let url = self.endpoint.realm.url();
        self.understand(self.http.send(url, &self.endpoint.trust, &Body::Form(&form)))
    }

    /// `GET` with Basic auth; the realm's own query is kept.
    fn basic_get(
        &self,
        client_id: &str,
        username: &str,
        password: &Password,
        offline: bool,
    ) -> Result<Answer> {
        let mut url = self.endpoint.realm.url().clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(self.service());
            query.append_pair("account", username).append_pair("client_id", client_id);
            if offline {
                query.append_pair("offline_token", "true");
            }
        }
        self.understand(self.http.send(
            &url,
            &self.endpoint.trust,
            &Body::Basic(username, password),
        ))
    }

    /// `POST grant_type=refresh_token`, scopes joined by spaces.
    ///
    /// # Errors
    /// Network and TLS, and any status but 200, 400, 401, 403, 404, 405 and 501.
    pub fn refresh(
        &self,
        client_id: &str,
        token: &RefreshToken,
        scope: Option<&str>,
    ) -> Result<Answer> {
        let mut form = vec![("grant_type", "refresh_token")];
        form.extend(self.service());
        form.extend([("client_id", client_id), ("refresh_token", token.expose())]);
        form.extend(scope.map(|scope| ("scope", scope)));
        let url = self.endpoint.realm.url();
        self.understand(self.http.send(url, &self.endpoint.trust, &Body::Form(&form)))
    }

    /// Asks for a refresh without a token, to see how the server says no. Nothing secret is sent.
    ///
    /// # Errors
    /// As [`TokenServer::refresh`].
    pub fn ask_without_token(&self) -> Result<Answer> {
        let mut form = vec![("grant_type", "refresh_token")];
        form.extend(self.service());
        form.push(("client_id", USED_AS));
        let url = self.endpoint.realm.url();
        self.understand(self.http.send(url, &self.endpoint.trust, &Body::Form(&form)))
    }

    fn service(&self) -> Option<(&str, &str)> {
        self.endpoint.service.as_deref().map(|service| ("service", service))
    }

    fn understand(&self, answer: std::result::Result<Response, Failure>) -> Result<Answer> {
        let name = self.endpoint.realm.origin();
        let answer = answer.map_err(|e| e.during(&format!("cannot log in at {name}")))?;
        match answer.status {
            200 => {
                let granted = granted(&answer.body);
                trace::step(|| describe(&granted));
                granted.map(Answer::Granted).map_err(|what| {
                    Error::new(Kind::Network, format!("the token server {name} answered {what}"))
                        .hint("check that nothing stands between, such as a captive portal")
                })
            }
            400 | 401 | 403 | 404 | 405 | 501 => {
                let refusal = Refusal { status: answer.status, code: error_code(&answer.body) };
                trace::step(|| format!("token server refused: {refusal}"));
                Ok(Answer::Refused(refusal))
            }
            _ => {
                let message =
                    format!("the token server {name} answered with {}", answer.describe());
                let hint = match answer.status {
                    300..=399 => "no redirect is followed: tell the operator of the registry",
                    _ => "try again later; nothing was changed",
                };
                Err(Error::new(Kind::Network, message).hint(hint))
            }
        }
    }
}

impl Refusal {
    /// A refresh with the challenge's scope may go better.
    pub fn may_want_scope(&self) -> bool {
        self.status == 400 || self.code == Some("invalid_scope")
    }

    /// It is about the token, and not about the request, the client or the endpoint: with such an
    /// answer a live token would be refused as well (RFC 6749 section 5.2).
    pub fn is_of_the_token(&self) -> bool {
        match self.code {
            Some(code) => matches!(code, "invalid_grant" | "access_denied"),
            None => matches!(self.status, 400 | 401 | 403),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "status {} {code}", self.status),
            None => write!(f, "status {}", self.status),
        }
    }
}

/// A token response for the trace: what came, not what it was.
fn describe(granted: &std::result::Result<Granted, &'static str>) -> String {
    let granted = match granted {
        Ok(granted) => granted,
        Err(what) => return format!("token server answered {what}"),
    };
    let came = |there: bool| if there { "came" } else { "did not come" };
    let (access, refresh) = (came(granted.access.is_some()), came(granted.refresh.is_some()));
    let seconds = granted.expires_in;
    format!("token server: access token {access} ({seconds} s), refresh token {refresh}")
}

/// Reads a token response. What is wrong with it is told without its content.
fn granted(body: &[u8]) -> std::result::Result<Granted, &'static str> {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Option<AccessToken>,
        token: Option<AccessToken>,
        refresh_token: Option<RefreshToken>,
        token_type: Option<String>,
        scope: Option<String>,
        // Hints, of whatever type: a login does not fail for one.
        expires_in: Option<Value>,
        issued_at: Option<Value>,
        // Not in RFC 6749; Keycloak and GitLab name them so.
        refresh_token_expires_in: Option<Value>,
        refresh_expires_in: Option<Value>,
    }
    let tokens: Tokens =
        serde_json::from_slice(body).map_err(|_| "something that is no token response")?;
    if tokens.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("with a token type other than Bearer");
    }
    // Both are names for the same token.
    let mut access = [tokens.access_token, tokens.token].into_iter().flatten();
    let access = access.find(|token| !token.expose().is_empty());
    // Go servers write an absent one as empty.
    let refresh = tokens.refresh_token.filter(|token| !token.expose().is_empty());
    let shaped = |text: Option<&str>| text.is_none_or(|text| check_token(text).is_ok());
    if !shaped(access.as_ref().map(AccessToken::expose))
        || !shaped(refresh.as_ref().map(RefreshToken::expose))
    {
        return Err("with a token that is over-long or not printable");
    }
    // Azure's older endpoints write numbers as text.
    let seconds = |told: Value| told.as_i64().or_else(|| told.as_str()?.parse().ok());
    let told = tokens.refresh_token_expires_in.or(tokens.refresh_expires_in);
    let refresh_seconds = told.and_then(seconds).filter(|seconds| *seconds > 0);
    let refresh_expires = refresh_seconds
        .and_then(|seconds| Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).ok())
        .or_else(|| refresh.as_ref().and_then(|token| jwt::expiry(token.expose())));
    // Distribution token specification: absent means 60 s, and now.
    let expires_in = tokens.expires_in.and_then(seconds);
    let expires_in = expires_in.and_then(|n| u64::try_from(n).ok()).map_or(60, |n| n.max(60));
    let issued_at = tokens.issued_at.as_ref().and_then(|at| at.as_str()?.parse().ok());
    let issued_at = issued_at.unwrap_or_else(Timestamp::now);
    let scope = tokens.scope;
    Ok(Granted { access, expires_in, issued_at, scope, refresh, refresh_expires })
}

/// The OAuth error code of a refusal, if it is one that is known.
fn error_code(body: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct OAuthError {
        error: String,
    }
    let told: OAuthError = serde_json::from_slice(body).ok()?;
    CODES.into_iter().find(|code| *code == told.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_responses_as_servers_write_them() {
        let read = |json: &str| granted(json.as_bytes()).unwrap();
        let both =
            read(r#"{"token":"a","access_token":"a","refresh_token":"r","scope":"","x":{}}"#);
        assert_eq!(both.access.unwrap().expose(), "a");
        assert_eq!(both.refresh.unwrap().expose(), "r");
        let none = read(r#"{"token":"a","refresh_token":"","token_type":"bearer"}"#);
        assert!(none.refresh.is_none() && none.access.is_some());
        let null = read(r#"{"access_token":null,"refresh_token":null}"#);
        assert!(null.refresh.is_none() && null.access.is_none());
        assert!(read(r#"{"refresh_token":"r","refresh_expires_in":60}"#).refresh_expires.is_some());
        assert!(
            read(r#"{"refresh_token":"r","refresh_expires_in":1e300}"#).refresh_expires.is_none()
        );
    }

    #[test]
    fn odd_token_responses_are_refused_without_being_quoted() {
        let long = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(16 * 1024 + 1));
        for json in [
            "",
            "<html>",
            "[]",
            "null",
            "\"t\"",
            r#"{"access_token":1}"#,
            r#"{"access_token":"a"}x"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"refresh_token":"\u00e9"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            &long,
        ] {
            assert!(granted(json.as_bytes()).is_err(), "{json:.40}");
        }
    }

    #[test]
    fn a_refusal_is_of_the_token_only_if_it_says_nothing_else() {
        for (status, code, of_the_token) in [
            (400, Some("invalid_grant"), true),
            (401, None, true),
            (403, Some("access_denied"), true),
            (400, Some("invalid_scope"), false),
            (400, Some("invalid_request"), false),
            (401, Some("invalid_client"), false),
            (400, Some("unsupported_grant_type"), false),
            (404, None, false),
            (501, None, false),
        ] {
            let refusal = Refusal { status, code };
            assert_eq!(refusal.is_of_the_token(), of_the_token, "{refusal}");
        }
    }

    #[test]
    fn error_bodies_are_read_by_an_allow_list() {
        assert_eq!(
            error_code(br#"{"error":"invalid_grant","error_description":"x"}"#),
            Some("invalid_grant")
        );
        assert_eq!(error_code(br#"{"error":"hunter2"}"#), None);
        assert_eq!(error_code(br#"{"errors":[{"code":"UNAUTHORIZED"}]}"#), None);
    }
}
