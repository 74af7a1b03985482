//! What all connections of one server share: its configuration, its tokens, its journal.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::behaviour::{Behaviour, Challenge};
use super::device::{Codes, DeviceFlow};
use super::faults::Faults;
use super::journal::{Connection, Journal, Opening, Origin, hash};
use super::policy::{Scope, Users};
use super::profile::Profile;
use super::tls::Tls;
use super::tokens::{LiveToken, RefreshTokens};
use super::{jwt, random};

/// The azure user without a name.
pub const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// What the builder was told.
#[derive(Clone)]
pub struct Config {
    pub profile: Profile,
    pub behaviour: Behaviour,
    pub users: Users,
    pub issuer: Option<String>,
    pub service: String,
    pub service_in_challenge: bool,
    pub realm: Option<String>,
    pub challenge_scope: Option<String>,
    pub challenge_headers: Option<Vec<String>>,
    pub bind_client_id: bool,
    pub token_length: Option<usize>,
    pub jwt_refresh_tokens: Option<Duration>,
    pub access_token_lifetime: Duration,
    pub rotation_grace: Duration,
    pub revocation: bool,
    pub metadata: bool,
    pub entra_token: Option<(String, String)>,
    pub device_flow: Option<DeviceFlow>,
    pub two_factor: bool,
    pub metadata_fields: Vec<(String, Value)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: Profile::Specification,
            behaviour: Behaviour::default(),
            users: Users::default(),
            issuer: None,
            service: "mock-registry".into(),
            service_in_challenge: true,
            realm: None,
            challenge_scope: None,
            challenge_headers: None,
            bind_client_id: false,
            token_length: None,
            jwt_refresh_tokens: None,
            access_token_lifetime: Duration::from_secs(300),
            rotation_grace: Duration::from_secs(60),
            revocation: true,
            metadata: true,
            entra_token: None,
            device_flow: None,
            two_factor: false,
            metadata_fields: Vec::new(),
        }
    }
}

impl Config {
    /// Whether a client can know the service from the challenge.
    pub fn names_service(&self) -> bool {
        self.service_in_challenge
            && self.behaviour.challenge != Challenge::BearerWithoutServiceAndBasic
    }
}

/// What all connections share.
pub struct Shared {
    config: Mutex<Arc<Config>>,
    pub tokens: Mutex<RefreshTokens>,
    pub device_codes: Mutex<Codes>,
    pub journal: Mutex<Journal>,
    pub faults: Mutex<Faults>,
    pub tls: Option<Tls>,
    pub registry: SocketAddr,
    pub token: SocketAddr,
}

/// A lock that a panicking test does not spoil for the others.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(config: Config, tls: Option<Tls>, registry: SocketAddr, token: SocketAddr) -> Self {
        Self {
            config: Mutex::new(Arc::new(config)),
            tokens: Mutex::default(),
            device_codes: Mutex::default(),
            journal: Mutex::default(),
            faults: Mutex::default(),
            tls,
            registry,
            token,
        }
    }

    /// The configuration as of now.
    pub fn config(&self) -> Arc<Config> {
        lock(&self.config).clone()
    }

    /// Changes the configuration for the requests to come.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        change(Arc::make_mut(&mut lock(&self.config)));
    }

    /// Whether registry and token endpoint share a listener.
    pub fn one_origin(&self) -> bool {
        self.registry == self.token
    }

    /// `https://127.0.0.1:PORT` of a listener.
    pub fn origin(&self, origin: Origin) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = match origin {
            Origin::Registry => self.registry,
            Origin::Token => self.token,
        };
        format!("{scheme}://{address}")
    }

    /// Where the token endpoint really is, whatever the challenge says.
    pub fn token_endpoint(&self) -> String {
        format!("{}{}", self.origin(Origin::Token), self.config().behaviour.token_path)
    }

    /// Who signs the access tokens.
    pub fn issuer(&self) -> String {
        self.config().issuer.clone().unwrap_or_else(|| self.origin(Origin::Token))
    }

    /// Notes how a connection began.
    pub fn opening(&self, number: u64, opening: Opening) {
        let mut journal = lock(&self.journal);
        let found = journal.connections.iter_mut().find(|c| c.number == number);
        found.into_iter().for_each(|connection| connection.opening = opening);
    }

    /// Notes a connection.
    pub fn accepted(&self, number: u64, listener: Origin) {
        let connection = Connection { number, listener, opening: Opening::Silent };
        lock(&self.journal).connections.push(connection);
    }

    /// Makes a refresh token and remembers it.
    pub fn issue_refresh_token(&self, account: &str, service: &str, client_id: &str) -> String {
        let config = self.config();
        let expires = config.jwt_refresh_tokens.map(|lifetime| SystemTime::now() + lifetime);
        let text = match expires {
            None => random::text(config.token_length.unwrap_or(43)),
            Some(expires) => {
                let claims = |padding: usize| {
                    json!({
                        "jti": random::text(16), "sub": account, "aud": service,
                        "iss": self.issuer(), "iat": Timestamp::now().as_second(),
                        "exp": seconds(expires), "grant_type": "refresh_token",
                        "padding": "x".repeat(padding),
                    })
                };
                let text = jwt::sign(&claims(0));
                let missing = config.token_length.unwrap_or(0).saturating_sub(text.len());
                // Three bytes of the claims are four characters of the token.
                if missing == 0 { text } else { jwt::sign(&claims(missing * 3 / 4 + 1)) }
            }
        };
        let token = LiveToken {
            hash: hash(&text),
            account: account.to_owned(),
            service: service.to_owned(),
            client_id: client_id.to_owned(),
        };
        lock(&self.tokens).add(token, expires);
        text
    }

    /// Makes an access token for exactly these scopes.
    pub fn issue_access_token(&self, subject: &str, service: &str, scopes: &[Scope]) -> String {
        let now = Timestamp::now().as_second();
        let lifetime = self.config().access_token_lifetime.as_secs() as i64;
        let access: Vec<Value> = scopes
            .iter()
            .map(|s| json!({"type": s.kind, "name": s.name, "actions": s.actions}))
            .collect();
        jwt::sign(&json!({
            "iss": self.issuer(), "sub": subject, "aud": service,
            "iat": now, "nbf": now - 10, "exp": now + lifetime,
            "jti": random::text(16), "access": access,
        }))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
