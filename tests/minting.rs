//! Minted tokens: the registry's own API makes one of the password, it is proved and kept like a personal
//! token, and the same API deletes it; at most two of a login exist at any time.

use std::fs;

use serde_json::{Value, json};

use crate::mock_token_server::{At, Builder, Fault, Minted, Profile, TokenServer, hash};
use crate::support::user::{Outcome, User};

mod artifactory;
mod docker_hub;
mod faults;
mod gitea;
mod revoked;
mod settings;

const PASSWORD: &str = "correct horse battery";

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
