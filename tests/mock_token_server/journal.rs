//! What was asked of the server, with every secret hashed, for tests to assert upon.

use std::ops::Deref;

use sha2::{Digest, Sha256};

/// Which of the two listeners; with one origin, everything is `Registry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The one that a user logs in to.
    Registry,
    /// The one behind the realm.
    Token,
}

/// How a connection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Accepted; nothing was heard so far.
    Silent,
    /// Plain HTTP where that is spoken.
    Plain,
    /// A TLS handshake that was completed.
    Tls,
    /// A TLS handshake that failed: the client did not like the certificate, say.
    TlsFailed,
    /// A TLS hello where plain HTTP is spoken.
    HelloOnPlain,
    /// Plain HTTP where TLS is spoken.
    PlainOnTls,
    /// A fault ended it before any of that.
    Fault,
}

/// One accepted connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Counted from 1, over both listeners.
    pub number: u64,
    /// Where it came in.
    pub listener: Origin,
    /// How it began.
    pub opening: Opening,
}

/// What the `Authorization` header held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationKind {
    /// There was none.
    None,
    /// Username and [`hash`] of the password.
    Basic {
        /// As it came.
        user: String,
        /// Hashed.
        password_hash: String,
    },
    /// The [`hash`] of a bearer token.
    Bearer {
        /// Hashed.
        hash: String,
    },
    /// Another scheme, or one that does not parse: the [`hash`] of the whole header.
    Other {
        /// Hashed.
        hash: String,
    },
}

/// A parameter of the query or the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As it came.
    pub name: String,
    /// As it came where the name is known to be harmless, else its [`hash`].
    pub value: String,
    /// It came in the body, not in the query.
    pub in_form: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of its [`Connection`].
    pub connection: u64,
    /// Where it came in.
    pub listener: Origin,
    /// Over TLS.
    pub tls: bool,
    /// `GET`, `POST`, ….
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Of the query first, then of the form, each in order.
    pub parameters: Vec<Parameter>,
    /// What the `Authorization` header held.
    pub authorization: AuthorizationKind,
    /// The `User-Agent`, empty if there was none.
    pub user_agent: String,
    /// The names of all headers, in lower case and order.
    pub header_names: Vec<String>,
    /// The `Referer`, if there was one.
    pub referer: Option<String>,
    /// The status answered; `None` where a fault left it unanswered.
    pub status: Option<u16>,
}

impl Request {
    /// The first parameter of that name, as the journal has it.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|p| p.name == name).map(|p| p.value.as_str())
    }

    /// All parameters of that name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.parameters.iter().filter(|p| p.name == name).map(|p| p.value.as_str()).collect()
    }

    /// Whether a parameter was sent with that value, secret or not.
    pub fn has(&self, name: &str, value: &str) -> bool {
        let hashed = hash(value);
        self.all(name).into_iter().any(|sent| sent == value || sent == hashed)
    }

    /// Whether a password was in it, by Basic authentication or as a parameter.
    pub fn has_password(&self) -> bool {
        matches!(self.authorization, AuthorizationKind::Basic { .. })
            || self.parameter("password").is_some()
    }

    /// Whether this very secret was in it, by Basic authentication or as a parameter.
    pub fn has_secret(&self, secret: &str) -> bool {
        let hashed = hash(secret);
        let by_basic = match &self.authorization {
            AuthorizationKind::Basic { password_hash, .. } => *password_hash == hashed,
            _ => false,
        };
        by_basic || self.parameters.iter().any(|sent| sent.value == hashed || sent.value == secret)
    }

    /// Whether any credential was in it.
    pub fn has_credential(&self) -> bool {
        self.authorization != AuthorizationKind::None
            || ["password", "refresh_token", "token"].iter().any(|n| self.parameter(n).is_some())
    }
}

/// The requests since the start, as of one moment; a list of [`Request`].
#[derive(Clone, Debug, Default)]
pub struct Journal {
    pub(super) requests: Vec<Request>,
    pub(super) connections: Vec<Connection>,
}

impl Deref for Journal {
    type Target = [Request];

    fn deref(&self) -> &[Request] {
        &self.requests
    }
}

impl Journal {
    /// All requests, in the order they were read.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Each accepted connection, whatever came of it.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// On how many connections requests came.
    pub fn connections_used(&self) -> usize {
        let mut numbers: Vec<_> = self.requests.iter().map(|r| r.connection).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }

    /// How many requests had a password in them.
    pub fn passwords_sent(&self) -> usize {
        self.requests.iter().filter(|request| request.has_password()).count()
    }

    /// One line each, `POST /token 200`, for a failing test to print.
    pub fn lines(&self) -> Vec<String> {
        let line = |r: &Request| {
            let status = r.status.map_or("no answer".to_owned(), |s| s.to_string());
            format!("{} {} {status}", r.method, r.path)
        };
        self.requests.iter().map(line).collect()
    }
}

/// `sha256:<hex>` of a secret: how the journal names it.
pub fn hash(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What the journal keeps of a parameter: known names are harmless, all others are hashed.
pub(super) fn redact(name: &str, value: &str) -> String {
    const HARMLESS: [&str; 9] = [
        "service",
        "scope",
        "account",
        "client_id",
        "grant_type",
        "access_type",
        "offline_token",
        "username",
        "token_type_hint",
    ];
    if HARMLESS.contains(&name) { value.to_owned() } else { hash(value) }
}
