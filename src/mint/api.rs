//! An API that makes tokens, where one registry has it; and what its answers mean.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::http::trust::Trust;
use crate::http::{Body, Call, Caller, Failure, Http, Verb};
use crate::personal_token::page_of;
use crate::realm::TrustedUrl;
use crate::secret::{AccessToken, Password, RefreshToken};
use crate::server_url::DOCKER_HUB;
use crate::token_api::TokenApi;

/// An API at its place. What is sent there is under the rules that hold for the token endpoint: it is
/// on the same origin, or at the address that its issuer documents for everybody.
#[derive(Clone)]
pub struct Api {
    /// Which one.
    pub kind: TokenApi,
    /// Where: ends with a slash.
    pub(super) base: TrustedUrl,
    /// The certificates for it.
    pub(super) trust: Trust,
    /// The registry, by the key that the user knows it by.
    pub(super) registry: String,
}

/// What lets its holder make and delete tokens of an account.
pub enum Authority {
    /// Its password.
    Password(Password),
    /// A bearer token.
    Bearer(AccessToken),
}

/// How long a token lasts where the API has an expiry: nobody has to log in every day for it, and one that
/// was forgotten does not live for ever.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A token that an API made.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) token: RefreshToken,
    pub(super) expires: Option<Timestamp>,
}

/// A token that an API lists; the secret is not told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
}

/// An answer that is neither a network nor a TLS failure.
pub(super) struct Reply {
    pub(super) status: u16,
    content: Zeroizing<Vec<u8>>,
}

/// Why a request has no answer.
struct Unanswered {
    why: Error,
    /// Whether what was asked for may be done nevertheless.
    may_be_done: bool,
}

impl Authority {
    pub(super) fn caller<'a>(&'a self, account: &'a str) -> Caller<'a> {
        match self {
            Self::Password(password) => Caller::Basic(account, password),
            Self::Bearer(token) => Caller::Bearer(token.expose()),
        }
    }
}

impl Reply {
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.content).ok()
    }
}

impl Api {
    /// Where a person sees the tokens, and makes and deletes them.
    pub fn page(&self) -> String {
        page(self.kind, self.base.url())
    }

    /// How messages call its place.
    pub(super) fn host(&self) -> &str {
        self.base.url().host_str().unwrap_or_default()
    }

    /// A path below it, each segment escaped.
    pub(super) fn at(&self, segments: &[&str]) -> TrustedUrl {
        self.base.below(segments)
    }

    /// One request.
    ///
    /// # Errors
    /// Network and TLS, redirects, 429 and 5xx.
    pub(super) fn ask(
        &self,
        http: &Http,
        verb: Verb,
        url: &TrustedUrl,
        caller: Caller<'_>,
        json: Option<&[u8]>,
    ) -> Result<Reply> {
        self.send(http, url, &Call { verb, caller, json }).map_err(|unanswered| unanswered.why)
    }

    /// Asks for a token. Where the answer is lost, it may be there nevertheless, and is named.
    ///
    /// # Errors
    /// As [`Api::ask`].
    pub(super) fn ask_for_token(
        &self,
        http: &Http,
        url: &TrustedUrl,
        caller: Caller<'_>,
        name: &str,
        json: &Value,
    ) -> Result<Reply> {
        let json = json.to_string();
        let call = Call { verb: Verb::Post, caller, json: Some(json.as_bytes()) };
        self.send(http, url, &call).map_err(|Unanswered { why, may_be_done }| match may_be_done {
            true => self.may_be_made(why, name),
            false => why,
        })
    }

    /// Reads what [`Api::ask_for_token`] was answered.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`] where it was refused; that the answer is not readable.
    pub(super) fn made<T: DeserializeOwned>(&self, reply: &Reply, name: &str) -> Result<T> {
        match reply.status {
            200 | 201 => reply.parse().ok_or_else(|| self.may_be_made(unreadable(self), name)),
            status => Err(self.refused(status)),
        }
    }

    fn may_be_made(&self, why: Error, name: &str) -> Error {
        why.also(format!(
            "a token called {name:?} may have been made: {}",
            self.how_it_is_deleted()
        ))
    }

    /// What becomes of a token that nobody wants.
    pub(super) fn how_it_is_deleted(&self) -> String {
        format!("the next login deletes it, or delete it at {}", self.page())
    }

    fn send(
        &self,
        http: &Http,
        url: &TrustedUrl,
        call: &Call<'_>,
    ) -> std::result::Result<Reply, Unanswered> {
        let (host, registry) = (self.host(), &self.registry);
        let failed = |failure: Failure| Unanswered {
            may_be_done: failure.may_have_arrived(),
            why: failure.during(&format!("cannot ask {host} about the tokens of {registry}")),
        };
        let answer = http.send(url, &self.trust, &Body::Call(call)).map_err(failed)?;
        let (hint, may_be_done) = match answer.status {
            300..=399 => ("redirects are not followed: tell the operator of the registry", false),
            429 => ("try again later", false),
            500..=599 => ("try again later", true),
            status => {
                let content = answer.content().map_err(failed)?;
                return Ok(Reply { status, content });
            }
        };
        let fact = format!("{host} answered the request about tokens with {}", answer.describe());
        Err(Unanswered { why: Error::new(Kind::Network, fact).hint(hint), may_be_done })
    }

    /// Why there is no token, where the API answered.
    pub fn refused(&self, status: u16) -> Error {
        let host = self.host();
        let fact = match status {
            401 | 403 => format!(
                "{host} makes no token for this account with its password (status {status}); \
                 two-factor authentication may be on"
            ),
            404 => format!("{host} makes no tokens by the API of {} here", self.kind),
            _ => format!("{host} did not make a token (status {status})"),
        };
        Error::new(Kind::NoRefreshToken, fact).hint(format!("make one at {}", self.page()))
    }

    /// A token that was to be deleted is not.
    pub(super) fn undeleted(&self, status: u16) -> Error {
        let fact = format!("{} did not delete the token (status {status})", self.host());
        Error::new(Kind::RevocationUnconfirmed, fact).hint(format!("delete it at {}", self.page()))
    }

    /// What it made is not a token, or the token server does not accept it.
    pub(super) fn useless(&self) -> Error {
        let fact = format!("{} made a token that cannot be used at {}", self.host(), self.registry);
        Error::new(Kind::NoRefreshToken, fact).hint("tell the operator of the registry")
    }
}

/// The same page, of what a record knows.
pub(super) fn page(kind: TokenApi, base: &Url) -> String {
    match kind {
        TokenApi::Gitea | TokenApi::Forgejo => format!("{base}user/settings/applications"),
        TokenApi::DockerHub => page_of(DOCKER_HUB).unwrap_or_default().to_owned(),
        TokenApi::Artifactory => format!("{base}ui/"),
    }
}

/// What answered is not the API.
pub(super) fn unreadable(api: &Api) -> Error {
    let fact = format!(
        "{} answered the request about tokens with something that is not understood",
        api.host()
    );
    Error::new(Kind::Network, fact)
        .hint("check that nothing is in the way, such as a captive portal")
}
