//! How a server is set up.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use serde_json::Value;

use super::TokenServer;
use super::behaviour::{Behaviour, Post};
use super::device::DeviceFlow;
use super::fault::{At, Fault};
use super::journal::hash;
use super::listener::Server;
use super::profile::Profile;
use super::shared::{Config, Shared, lock};
use super::tls::{Authority, Pair, Tls};

/// A server to be; see [`TokenServer::builder`].
pub struct Builder {
    config: Config,
    port: u16,
    plain_http: bool,
    separate_registry: bool,
    ask_clients: bool,
    names: Vec<&'static str>,
    authority: Option<Arc<Authority>>,
    certificate: Option<Arc<ServerConfig>>,
    faults: Vec<(At, Fault, Option<usize>)>,
}

impl Default for Builder {
    fn default() -> Self {
        let builder = Self {
            config: Config::default(),
            port: 0,
            plain_http: false,
            separate_registry: false,
            ask_clients: false,
            names: Vec::new(),
            authority: None,
            certificate: None,
            faults: Vec::new(),
        };
        builder.profile(Profile::Specification)
    }
}

impl Builder {
    /// Behaves like that registry ([`Profile::Specification`] unless said). Resets [`Self::adjust`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.config.profile = profile;
        self.config.behaviour = profile.behaviour();
        if profile == Profile::Acr && self.config.jwt_refresh_tokens.is_none() {
            // Azure's are JWTs that last three hours.
            self.config.jwt_refresh_tokens = Some(Duration::from_secs(3 * 3600));
        }
        self
    }

    /// Changes single quirks of the profile.
    pub fn adjust(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.config.behaviour);
        self
    }

    /// Adds a user.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.config.users.set_password(name, password);
        self
    }

    /// Adds a token that a user may give as the password, for which there is no refresh token.
    pub fn api_token(mut self, name: &str, token: &str) -> Self {
        self.config.users.add_api_token(name, token);
        self
    }

    /// The Entra token, and its tenant, that Azure's exchange takes for alice.
    pub fn entra_token(mut self, tenant: &str, token: &str) -> Self {
        self.config.entra_token = Some((tenant.to_owned(), hash(token)));
        self
    }

    /// Speaks device authorization (RFC 8628), and says so in the metadata.
    pub fn device_flow(mut self, flow: DeviceFlow) -> Self {
        self.config.device_flow = Some(flow);
        self
    }

    /// Lets a user do `type:name:actions`, `*` standing for anything. The first one replaces the
    /// default: everything under `repository:<user>/*`, and pull everywhere.
    pub fn user_scope(mut self, name: &str, scope: &str) -> Self {
        self.config.users.add_scope(name, scope);
        self
    }

    /// Lets clients without a login do `type:name:actions`; without any they get 401.
    pub fn anonymous_scope(mut self, scope: &str) -> Self {
        self.config.users.add_anonymous_scope(scope);
        self
    }

    /// HTTP instead of HTTPS.
    pub fn plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The token endpoint listens on a port of its own.
    pub fn separate_registry(mut self) -> Self {
        self.separate_registry = true;
        self
    }

    /// The registry's port, instead of any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Certificates from the authority of another server.
    pub fn authority_of(mut self, other: &TokenServer) -> Self {
        self.authority = other.server.shared.tls.as_ref().map(|tls| tls.authority.clone());
        self
    }

    /// Its certificate is for these names too.
    pub fn names(mut self, names: &[&'static str]) -> Self {
        self.names.extend_from_slice(names);
        self
    }

    /// This certificate and key in the place of one that the server's own authority signed.
    pub fn certificate(mut self, pair: &Pair) -> Self {
        self.certificate = Some(pair.config());
        self
    }

    /// Only clients with [`TokenServer::client_certificate`] are let in.
    pub fn require_client_certificate(mut self) -> Self {
        self.ask_clients = true;
        self
    }

    /// This realm in the challenge, to the letter; the token endpoint stays where it is.
    pub fn realm(mut self, realm: &str) -> Self {
        self.config.realm = Some(realm.to_owned());
        self
    }

    /// The path of the token endpoint, instead of the profile's.
    pub fn token_path(mut self, path: &'static str) -> Self {
        self.config.behaviour.token_path = path;
        self
    }

    /// The service, `mock-registry` unless said.
    pub fn service(mut self, service: &str) -> Self {
        self.config.service = service.to_owned();
        self
    }

    /// No service in the challenge.
    pub fn no_service(mut self) -> Self {
        self.config.service_in_challenge = false;
        self
    }

    /// The `iss` of the access tokens and the metadata, the token endpoint's origin unless said.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.config.issuer = Some(issuer.to_owned());
        self
    }

    /// A scope in the challenge of `/v2/`.
    pub fn challenge_scope(mut self, scope: &str) -> Self {
        self.config.challenge_scope = Some(scope.to_owned());
        self
    }

    /// These `WWW-Authenticate` headers, to the letter.
    pub fn challenge_headers(mut self, headers: Vec<String>) -> Self {
        self.config.challenge_headers = Some(headers);
        self
    }

    /// Refresh tokens work for the client id that obtained them only.
    pub fn bind_client_id(mut self) -> Self {
        self.config.bind_client_id = true;
        self
    }

    /// Refresh tokens of this length (JWTs: of this length at least).
    pub fn token_length(mut self, length: usize) -> Self {
        self.config.token_length = Some(length);
        self
    }

    /// Refresh tokens are JWTs, and end after that time.
    pub fn jwt_refresh_tokens(mut self, lifetime: Duration) -> Self {
        self.config.jwt_refresh_tokens = Some(lifetime);
        self
    }

    /// How long access tokens last, 300 s unless said.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.access_token_lifetime = lifetime;
        self
    }

    /// How long a rotated token still works, 60 s unless said.
    pub fn rotation_grace(mut self, grace: Duration) -> Self {
        self.config.rotation_grace = grace;
        self
    }

    /// POST to the token endpoint is answered with this status, whatever is sent.
    pub fn post_status(mut self, status: u16) -> Self {
        self.config.behaviour.post = Post::Refused(status);
        self
    }

    /// No revocation endpoint: 404, and the metadata name none.
    pub fn no_revocation(mut self) -> Self {
        self.config.revocation = false;
        self
    }

    /// No metadata: 404.
    pub fn no_metadata(mut self) -> Self {
        self.config.metadata = false;
        self
    }

    /// Sets a field of the metadata.
    pub fn metadata_field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.config.metadata_fields.push((name.to_owned(), value.into()));
        self
    }

    /// Goes wrong at that step, each time; may be given several times.
    pub fn fault(mut self, at: At, fault: Fault) -> Self {
        self.faults.push((at, fault, None));
        self
    }

    /// Goes wrong at that step the first few times.
    pub fn fault_times(mut self, at: At, fault: Fault, times: usize) -> Self {
        self.faults.push((at, fault, Some(times)));
        self
    }

    /// Starts it on the loopback address.
    pub fn start(self) -> TokenServer {
        let bind = |port| TcpListener::bind(("127.0.0.1", port)).expect("a port can be bound");
        let mut sockets = vec![bind(self.port)];
        if self.separate_registry {
            sockets.push(bind(0));
        }
        let addresses: Vec<_> =
            sockets.iter().map(|s| s.local_addr().expect("it is bound")).collect();
        let tls = (!self.plain_http).then(|| {
            let authority = self.authority.unwrap_or_else(|| Arc::new(Authority::new()));
            let tls = Tls::new(authority, &self.names, self.ask_clients);
            let good = self.certificate.unwrap_or_else(|| tls.good.clone());
            Tls { good, ..tls }
        });
        let token = addresses[addresses.len() - 1];
        let shared = Shared::new(self.config, tls, addresses[0], token);
        for (at, fault, times) in self.faults {
            lock(&shared.faults).add(at, fault, times);
        }
        let server = Server::start(shared, sockets).expect("bound sockets have addresses");
        server.apply_refused();
        TokenServer::new(server)
    }
}
