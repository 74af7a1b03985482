//! Minted tokens: the registry's own API makes one of the password, it is proved and kept like a personal
//! token, and the same API deletes it; at most two of a login exist at any time.

use std::fs;

use serde_json::{Value, json};

use crate::mock_token_server::{At, Builder, Fault, Minted, Profile, TokenServer, hash};
use crate::support::user::{Outcome, User};

mod artifactory;
mod at_once;
mod docker_hub;
mod faults;
mod gitea;
mod gone;
mod lost;
mod revoked;
mod settings;

/// Of these tests alone: one of them looks for it in every process of the machine.
const PASSWORD: &str = "correct horse that mints";

fn with_user(profile: Profile) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD)
}

/// One who has tokens minted.
fn minting(server: &TokenServer) -> User {
    let user = User::trusting(server);
    user.set("DOCKER_CREDENTIAL_REFRESH_MINT", "auto");
    user.secret(PASSWORD);
    user
}

/// A registry with one of the APIs, and somebody who has tokens made there.
struct Place {
    name: &'static str,
    server: TokenServer,
    user: User,
    host: String,
}

fn of_gitea() -> Place {
    Place::new("gitea", with_user(Profile::Gitea).start())
}

fn of_artifactory() -> Place {
    Place::new("artifactory", with_user(Profile::Artifactory).start())
}

fn of_docker_hub() -> Place {
    let (server, user) = docker_hub::hub();
    Place { name: "docker-hub", server, user, host: docker_hub::HUB.to_owned() }
}

/// One with each API; Forgejo's is that of Gitea.
fn everywhere() -> [Place; 3] {
    [of_gitea(), of_docker_hub(), of_artifactory()]
}

impl Place {
    fn new(name: &'static str, server: TokenServer) -> Self {
        let (user, host) = (minting(&server), server.registry_host());
        Self { name, server, user, host }
    }

    /// As the records and the keychain name it.
    fn key(&self) -> String {
        self.user.records()[0]["key"].as_str().unwrap().to_owned()
    }

    /// Logs in, and gives the token that is kept.
    #[track_caller]
    fn log_in(&self) -> String {
        let stored = self.user.store(&self.host, "alice", PASSWORD).succeeded();
        let stored = stored.noted("minted token for");
        assert!(!stored.stderr.contains("stays valid"), "{stored:?}");
        self.only_one()
    }

    /// The token that is kept is the one that the server knows.
    #[track_caller]
    fn only_one(&self) -> String {
        let tokens = self.server.minted_tokens();
        assert_eq!(tokens.len(), 1, "{}: {tokens:?}", self.name);
        let kept = self.kept();
        assert_eq!(hash(&kept), tokens[0].hash, "{}", self.name);
        assert_eq!(self.user.records()[0]["minted"]["id"], tokens[0].id);
        kept
    }

    #[track_caller]
    fn kept(&self) -> String {
        let answer = self.user.get(&self.host).succeeded().stdout;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["Username"], "alice");
        answer["Secret"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn revoke(&self) {
        self.user.does(&["revoke", "--password-stdin", &self.host], PASSWORD).succeeded();
        assert_eq!(self.server.minted_tokens(), []);
    }
}

/// As `configure` wants it.
fn on_path(user: &User) {
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = crate::support::tested_program();
    std::os::unix::fs::symlink(program, bin.join("docker-credential-refresh")).unwrap();
}

/// Logs in, which must leave one token at the server, and gives what is kept of it.
#[track_caller]
fn log_in(user: &User, server: &TokenServer) -> (String, Minted) {
    let host = server.registry_host();
    user.store(&host, "alice", PASSWORD).succeeded().noted("minted token for");
    only_one(user, server)
}

/// What is kept is the one token that the server knows.
#[track_caller]
fn only_one(user: &User, server: &TokenServer) -> (String, Minted) {
    let host = server.registry_host();
    let tokens = server.minted_tokens();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    let answer: Value = serde_json::from_str(&user.get(&host).succeeded().stdout).unwrap();
    assert_eq!((&answer["ServerURL"], &answer["Username"]), (&json!(host), &json!("alice")));
    let secret = answer["Secret"].as_str().unwrap().to_owned();
    assert_eq!(hash(&secret), tokens[0].hash);
    let record = &user.records()[0];
    assert_eq!(
        (&record["credential"], &record["proven"]),
        (&json!("personal-token"), &json!(true))
    );
    assert_eq!(
        (&record["minted"]["id"], &record["minted"]["name"]),
        (&json!(tokens[0].id), &json!(tokens[0].name))
    );
    (secret, tokens[0].clone())
}

/// A helper as keychain that takes no login.
fn keychain_that_fails(user: &User) {
    const FULL: &str = "#!/bin/sh\ncase $1 in\nlist) echo '{}' ;;\n\
        store) echo 'no space left in the vault'; exit 1 ;;\n\
        *) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n";
    user.program("docker-credential-full", FULL);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:full");
}

/// Nothing is kept, and nothing is left at the server.
#[track_caller]
fn nothing(user: &User, server: &TokenServer, outcome: Outcome, parts: &[&str]) {
    outcome.failed_with(parts);
    user.get(&server.registry_host()).not_found();
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
    assert_eq!(server.minted_tokens(), []);
}
