//! The token endpoint's three requests (distribution token specification and its OAuth2 part,
//! RFC 6749), and what an answer means.

use std::cell::Cell;

use jiff::Timestamp;
use serde::Deserialize;

use crate::environment;
use crate::error::{Error, Kind, Remedy, Result};
use crate::http::{Body, Failure, Http, Response};
use crate::registry::TokenEndpoint;
use crate::secret::{Password, RefreshToken};
use crate::trace;

mod basic;
mod device;
mod entra;
mod exchange;
mod jwt;
mod printed;
mod proof;
mod response;
mod seconds;
mod unkept;

pub use device::{DeviceLogin, DeviceToken};
pub use entra::exchange_entra;
pub use exchange::{PasswordLogin, ProvenToken, check_basic, obtain, prove_given};
pub use printed::{NotPrinted, Printed};
use response::Odd;
pub use response::TokenResponse;
pub(crate) use seconds::seconds;
use unkept::Issued;
pub use unkept::Unkept;

/// The client id that tokens are obtained as, unless the settings say otherwise.
pub const CLIENT_ID: &str = environment::PROGRAM;
/// The client that will use the token: a server may bind it to its client (RFC 6749 section 6).
pub const USED_AS: &str = "docker";
/// Azure's way to say that the password is a refresh token already (Azure/acr, AAD-OAuth).
pub const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// When a refresh token says that it expires, if it is a JWT: a hint to show.
pub fn expiry_of(token: &RefreshToken) -> Option<Timestamp> {
    jwt::expiry(token.expose())
}

/// Whose login a refresh token says that it is, if it is a JWT: a hint to show.
pub fn account_of(token: &RefreshToken) -> Option<String> {
    jwt::account(token.expose())
}

/// A token endpoint that may be asked.
pub struct TokenServer<'a> {
    http: &'a Http,
    endpoint: &'a TokenEndpoint,
    /// Whether it gave an access token for the password.
    accepted: Cell<bool>,
    /// Whether it did so for HTTP Basic, which is how clients send a personal token.
    accepted_basic: Cell<bool>,
    /// For a login that is not proven yet.
    issued: Issued,
}

/// An answer that is neither a network nor a TLS failure.
pub enum Answer {
    /// 200.
    Tokens(TokenResponse),
    /// The server said no.
    Refused(Refusal),
}

/// A status that is not a login, and the OAuth error code if it has one (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The error code, if it is one of the specification's.
    pub code: Option<&'static str>,
}

/// The codes that are told apart or shown; anything else a server says is never repeated, because
/// it could repeat what it was sent.
const CODES: [&str; 12] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    // RFC 8628 section 3.5.
    "authorization_pending",
    "slow_down",
    "expired_token",
];

impl<'a> TokenServer<'a> {
    /// A token endpoint that the trust rules allowed.
    pub fn new(http: &'a Http, endpoint: &'a TokenEndpoint) -> Self {
        let (accepted, accepted_basic, issued) = Default::default();
        Self { http, endpoint, accepted, accepted_basic, issued }
    }

    /// Whether it was seen to accept the password.
    pub fn has_accepted(&self) -> bool {
        self.accepted.get()
    }

    /// What it issued for a login that failed, the newest first; nothing after one that is proven.
    pub fn take_unkept(&self) -> Vec<Unkept> {
        self.issued.take()
    }

    fn note_accepted(&self, answer: &Answer) {
        if let Answer::Tokens(TokenResponse { access: Some(_), .. }) = answer {
            self.accepted.set(true);
        }
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
        let url = self.endpoint.realm.trusted();
        let answer = self.http.send(url, &self.endpoint.trust, &Body::Form(&form));
        match self.understand("log in", answer)? {
            // Something in front answers POST with its own page (containerd #12857): GET may
            // still reach the token server.
            Err(Odd::NotTokens | Odd::Coding(_)) => {
                Ok(Answer::Refused(Refusal { status: 200, code: None }))
            }
            answer => self.readable(answer).inspect(|answer| self.note_accepted(answer)),
        }
    }

    /// `POST grant_type=refresh_token`, scopes joined by spaces.
    ///
    /// # Errors
    /// Network and TLS, a 200 without a token response, any status that is not a refusal, and a refusal
    /// that tells of the server's own trouble.
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
        let url = self.endpoint.realm.trusted();
        let answer = self.http.send(url, &self.endpoint.trust, &Body::Form(&form));
        let answer = self.understand("refresh the login", answer)?;
        match self.readable(answer)? {
            // As by its proper status, 503: it says nothing of the token.
            Answer::Refused(refusal) if refusal.is_trouble() => Err(self.in_trouble(&refusal)),
            answer => Ok(answer),
        }
    }

    /// Asks for a refresh without a token, to see how the server refuses. Nothing secret is sent.
    ///
    /// # Errors
    /// As [`TokenServer::refresh`].
    pub fn ask_without_token(&self) -> Result<Answer> {
        let mut form = vec![("grant_type", "refresh_token")];
        form.extend(self.service());
        form.push(("client_id", USED_AS));
        let url = self.endpoint.realm.trusted();
        let answer = self.http.send(url, &self.endpoint.trust, &Body::Form(&form));
        let answer = self.understand("ask", answer)?;
        self.readable(answer)
    }

    fn in_trouble(&self, refusal: &Refusal) -> Error {
        let fact = format!("the token server of {} answered with {refusal}", self.name());
        Error::new(Kind::Network, fact).try_again_later()
    }

    fn service(&self) -> Option<(&str, &str)> {
        self.endpoint.service.as_deref().map(|service| ("service", service))
    }

    fn understand(
        &self,
        doing: &str,
        answer: std::result::Result<Response, Failure>,
    ) -> Result<std::result::Result<Answer, Odd>> {
        let name = self.endpoint.realm.origin();
        let registry = &self.endpoint.registry;
        let failed = |e: Failure| e.during(&format!("cannot {doing} at {name} for {registry}"));
        let answer = answer.map_err(failed)?;
        match answer.status {
            200 => {
                let tokens = match answer.content() {
                    Ok(content) => TokenResponse::read(&content),
                    Err(Failure::Coding(why)) => Err(Odd::Coding(why)),
                    Err(failure) => return Err(failed(failure)),
                };
                trace::step(|| match &tokens {
                    Ok(tokens) => tokens.describe(),
                    Err(odd) => format!("token server answered {odd}"),
                });
                Ok(tokens.map(Answer::Tokens))
            }
            400 | 401 | 403 | 404 | 405 | 415 | 422 | 501 => {
                // A body that cannot be read has no error code.
                let code = answer.content().ok().and_then(|content| error_code(&content));
                let refusal = Refusal { status: answer.status, code };
                trace::step(|| format!("token server refused: {refusal}"));
                Ok(Ok(Answer::Refused(refusal)))
            }
            _ => {
                let (then, remedy) = match answer.status {
                    300..=399 => ("redirects are not followed", Remedy::TellOperator),
                    _ => ("nothing was changed", Remedy::TryAgainLater),
                };
                let said = answer.describe();
                let message = format!("the token server {name} answered with {said}; {then}");
                Err(Error::new(Kind::Network, message).remedy(remedy))
            }
        }
    }

    fn readable(&self, answer: std::result::Result<Answer, Odd>) -> Result<Answer> {
        answer.map_err(|odd| {
            let name = self.endpoint.realm.origin();
            Error::new(Kind::Network, format!("the token server {name} answered {odd}"))
                .hint("check that nothing is in the way, such as a captive portal")
        })
    }
}

impl Refusal {
    /// The username and password are wrong, and another attempt could lock the account.
    pub fn settles(&self) -> bool {
        matches!(self.code, Some("invalid_grant" | "access_denied"))
    }

    /// A refresh with the challenge's scope may work.
    pub fn may_want_scope(&self) -> bool {
        self.status == 400 || self.code == Some("invalid_scope")
    }

    /// The server's own trouble, for which there is no status in an answer to a grant (RFC 6749 section
    /// 4.1.2.1): the same may work later.
    pub fn is_trouble(&self) -> bool {
        matches!(self.code, Some("server_error" | "temporarily_unavailable"))
    }

    /// It is about the token, not about the request, the client or the endpoint, which would get a
    /// live token refused as well (RFC 6749 section 5.2).
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
    fn what_a_refusal_leads_to_is_told_by_its_code_before_its_status() {
        for (status, code, leads_to, shown) in [
            (400, Some("invalid_grant"), "settled or scope", "status 400 invalid_grant"),
            (401, Some("access_denied"), "settled", "status 401 access_denied"),
            (400, None, "scope", "status 400"),
            (401, Some("invalid_scope"), "scope", "status 401 invalid_scope"),
            (401, None, "", "status 401"),
            (403, Some("server_error"), "trouble", "status 403 server_error"),
            (401, Some("temporarily_unavailable"), "trouble", "status 401 temporarily_unavailable"),
        ] {
            let refusal = Refusal { status, code };
            assert_eq!(refusal.settles(), leads_to.contains("settled"), "{shown}");
            assert_eq!(refusal.may_want_scope(), leads_to.contains("scope"), "{shown}");
            assert_eq!(refusal.is_trouble(), leads_to.contains("trouble"), "{shown}");
            assert_eq!(refusal.to_string(), shown);
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
