//! A running server, as tests hold it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::builder::Builder;
use super::fault::{At, Fault};
use super::journal::{Journal, Origin};
use super::jwt;
use super::listener::Server;
use super::minted::Minted;
use super::profile::Profile;
use super::shared::lock;
use super::tls::Pair;
use super::tokens::LiveToken;

/// A running server; it stops when this is dropped.
pub struct TokenServer {
    pub(super) server: Arc<Server>,
    directory: TempDir,
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.server.stop();
    }
}

impl TokenServer {
    /// A server to be set up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn new(server: Arc<Server>) -> Self {
        let directory = private_directory("mock-token-server-");
        Self { server, directory: directory.expect("a private directory can be made") }
    }

    /// `127.0.0.1:PORT`: what a user would `docker login`.
    pub fn registry_host(&self) -> String {
        self.server.shared.registry.to_string()
    }

    /// `https://127.0.0.1:PORT` of the registry.
    pub fn registry_url(&self) -> String {
        self.server.shared.origin(Origin::Registry)
    }

    /// `https://127.0.0.1:PORT` of the token endpoint.
    pub fn token_origin(&self) -> String {
        self.server.shared.origin(Origin::Token)
    }

    /// The URL of the token endpoint, whatever realm the challenge names.
    pub fn token_endpoint(&self) -> String {
        self.server.shared.token_endpoint()
    }

    /// The `iss` of the access tokens.
    pub fn issuer(&self) -> String {
        self.server.shared.issuer()
    }

    /// The service that access tokens are for.
    pub fn service(&self) -> String {
        self.server.shared.config().service.clone()
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.server.shared.tls.is_some()
    }

    /// The CA's certificate; `None` over plain HTTP.
    pub fn ca_pem(&self) -> Option<String> {
        self.server.shared.tls.as_ref().map(|tls| tls.authority.pem())
    }

    /// The CA's certificate in a file of a private directory.
    ///
    /// # Panics
    /// Over plain HTTP.
    pub fn ca_file(&self) -> PathBuf {
        self.write("ca.crt", &self.ca_pem().expect("only TLS has a CA"))
    }

    /// A certificate for 127.0.0.1, ::1 and localhost, for a server beside this one.
    pub fn server_certificate(&self) -> Option<Pair> {
        self.server.shared.tls.as_ref().map(|tls| tls.server.clone())
    }

    /// The certificate that [`Builder::require_client_certificate`] asks for.
    pub fn client_certificate(&self) -> Option<Pair> {
        self.server.shared.tls.as_ref().map(|tls| tls.client.clone())
    }

    /// The certificate of the JWTs, for the `rootcertbundle` of the real registry.
    pub fn jwt_cert_file(&self) -> PathBuf {
        self.write("jwt.crt", jwt::certificate_pem())
    }

    /// The private directory of this server's files, for files of a test beside them.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).expect("the private directory can be written");
        path
    }

    /// What was asked so far.
    pub fn journal(&self) -> Journal {
        lock(&self.server.shared.journal).clone()
    }

    /// Forgets what was asked so far.
    pub fn clear_journal(&self) {
        *lock(&self.server.shared.journal) = Journal::default();
    }

    /// The refresh tokens that work, oldest first.
    pub fn live_refresh_tokens(&self) -> Vec<LiveToken> {
        lock(&self.server.shared.tokens).live()
    }

    /// Makes a refresh token as if that client had asked for it.
    pub fn issue_refresh_token(&self, account: &str, client_id: &str) -> String {
        self.server.shared.issue_refresh_token(account, &self.service(), client_id)
    }

    /// A person's answer to a login by device: the account that approves it; without one, no.
    /// Whether there is such a code.
    pub fn decide_device(&self, user_code: &str, account: Option<&str>) -> bool {
        lock(&self.server.shared.device_codes).decide(user_code, account)
    }

    /// How many device codes wait for an answer.
    pub fn device_codes(&self) -> usize {
        lock(&self.server.shared.device_codes).len()
    }

    /// How long refresh tokens last that are made from now on.
    pub fn set_refresh_token_lifetime(&self, lifetime: Duration) {
        self.server.shared.configure(|config| config.jwt_refresh_tokens = Some(lifetime));
    }

    /// Ends one refresh token.
    pub fn revoke(&self, token: &str) {
        lock(&self.server.shared.tokens).revoke(token);
    }

    /// Ends the refresh tokens that were rotated out, as if their grace were over.
    pub fn end_grace(&self) {
        lock(&self.server.shared.tokens).end_grace();
    }

    /// Ends all refresh tokens.
    pub fn revoke_everything(&self) {
        lock(&self.server.shared.tokens).revoke_everything();
    }

    /// Puts this fault in the place of those at that step.
    pub fn set_fault(&self, at: At, fault: Fault) {
        lock(&self.server.shared.faults).remove(at);
        self.add_fault(at, fault, None);
    }

    /// Adds a fault for so many requests (or connections), or for all.
    pub fn add_fault(&self, at: At, fault: Fault, times: Option<usize>) {
        lock(&self.server.shared.faults).add(at, fault, times);
        self.server.apply_refused();
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        lock(&self.server.shared.faults).clear();
        self.server.apply_refused();
    }

    /// Behaves like another registry from now on; tokens and users stay.
    pub fn set_profile(&self, profile: Profile) {
        self.server.shared.configure(|config| {
            config.profile = profile;
            config.behaviour = profile.behaviour();
        });
    }

    /// Names another realm from now on.
    pub fn set_realm(&self, realm: &str) {
        self.server.shared.configure(|config| config.realm = Some(realm.to_owned()));
    }

    /// Sends these `WWW-Authenticate` headers from now on.
    pub fn set_challenge_headers(&self, headers: Vec<String>) {
        self.server.shared.configure(|config| config.challenge_headers = Some(headers));
    }

    /// Ends the tokens that a user may give as the password.
    pub fn remove_api_tokens(&self, user: &str) {
        self.server.shared.configure(|config| config.users.remove_api_tokens(user));
    }

    /// The tokens that users had made by the registry's API, oldest first.
    pub fn minted_tokens(&self) -> Vec<Minted> {
        self.server.shared.config().users.minted.all().to_vec()
    }

    /// Ends all of them, as their users can on the registry's page.
    pub fn delete_minted_tokens(&self) {
        self.server.shared.configure(|config| config.users.minted.clear());
    }

    /// Has no account log in by its password alone from now on.
    pub fn set_two_factor(&self) {
        self.server.shared.configure(|config| config.two_factor = true);
    }

    /// Gives a user another password; refresh tokens stay alive, as they do at real servers.
    pub fn set_password(&self, user: &str, password: &str) {
        self.server.shared.configure(|config| config.users.set_password(user, password));
    }
}

/// A temporary directory that nobody else can look into.
pub(super) fn private_directory(prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}
