//! Personal tokens: kept as they are where that is set, proved by the registry's own check, and never
//! taken for a password or a password for one.

use std::fs;

use serde_json::{Value, json};

use crate::exchange::steps;
use crate::mock_token_server::{At, Builder, Fault, NULL_GUID, Profile, TokenServer};
use crate::support::user::{Outcome, User};

mod docker_hub;
mod kept;
mod kinds;

const PASSWORD: &str = "correct horse battery";
// In two parts, so that no scanner of secrets takes them for somebody's.
const GITLAB: &str = concat!("glpat", "-0123456789abcdefghij");
const GITHUB: &str = concat!("ghp", "_0123456789abcdefghijABCDEFGHIJ012345");
const ARTIFACTORY: &str =
    concat!("cmVmd", "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHI");

/// A server where alice has a password, and a token in its place.
fn with_token(profile: Profile, token: &str) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD).api_token("alice", token)
}

/// One who has personal tokens kept.
fn keeping(server: &TokenServer) -> User {
    let user = User::trusting(server);
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    user
}

/// Logged in to GitLab with a personal token.
fn logged_in(server: &TokenServer) -> User {
    let user = keeping(server);
    let stored = user.store(&server.registry_host(), "alice", GITLAB);
    stored.succeeded().noted("personal token for").noted("stored in the kernel keychain");
    user
}

fn got(user: &User, host: &str) -> Value {
    serde_json::from_str(&user.get(host).succeeded().stdout).unwrap()
}

/// What clients get: username and token, as they came.
#[track_caller]
fn handed_out(user: &User, host: &str, name: &str, token: &str) {
    assert_eq!(got(user, host), json!({"ServerURL": host, "Username": name, "Secret": token}));
}

/// Nothing is kept, and `get` says so.
#[track_caller]
fn nothing(user: &User, server: &TokenServer, outcome: Outcome, parts: &[&str]) {
    outcome.failed_with(parts);
    user.get(&server.registry_host()).not_found();
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

#[test]
fn it_is_proved_by_what_clients_will_do_and_handed_out_as_it_is() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    assert_eq!(steps(&server.journal()), ["ping", "post", "get-offline"]);
    handed_out(&user, &host, "alice", GITLAB);
    assert_eq!(user.list(), json!({ (host.clone()): "alice" }));
    let record = &user.records()[0];
    assert_eq!(
        (&record["credential"], &record["proven"], &record["account"]),
        (&json!("personal-token"), &json!(true), &json!("alice"))
    );
    assert_eq!(record["realm"], server.token_endpoint());
    user.erase(&host).succeeded();
    user.get(&host).not_found();
}

#[test]
fn it_is_kept_for_the_registries_that_are_set() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let offer = "to keep a GitLab access token as it is, set personal_tokens = \"keep\" in";
    let refused = user.store(&host, "alice", GITLAB);
    nothing(&user, &server, refused, &["issues no refresh tokens", offer, "PERSONAL_TOKENS=keep"]);
    // No such thing is said of a password.
    let refused = user.store(&host, "alice", PASSWORD);
    assert!(!refused.stdout.contains("personal_tokens"), "{refused:?}");
    user.settings(&format!("[registry.\"{host}\"]\npersonal_tokens = \"keep\"\n"));
    user.store(&host, "alice", GITLAB).succeeded();
    handed_out(&user, &host, "alice", GITLAB);
    user.erase(&host).succeeded();
    user.settings(&format!(
        "personal_tokens = \"keep\"\n[registry.\"{host}\"]\npersonal_tokens = \"refuse\"\n"
    ));
    let refused = user.store(&host, "alice", GITLAB);
    nothing(&user, &server, refused, &["the password was not stored"]);
}

#[test]
fn where_refresh_tokens_are_issued_it_is_exchanged_first() {
    let server = TokenServer::builder().user("alice", GITLAB).start();
    let user = keeping(&server);
    let host = server.registry_host();
    user.store(&host, "alice", GITLAB).succeeded().noted("refresh token for");
    assert_ne!(user.token(&host), GITLAB);
    assert_eq!(user.records()[0].get("credential"), None);
}

#[test]
fn refresh_tokens_that_are_of_no_use_leave_the_token_as_it_is() {
    for profile in [Profile::RotatingSingleUse, Profile::DeadRefreshTokens] {
        let server = TokenServer::builder().profile(profile).user("alice", GITLAB).start();
        let user = keeping(&server);
        user.store(&server.registry_host(), "alice", GITLAB).succeeded().noted("personal token");
        // The exchange was by POST, and clients will send it by Basic.
        assert_eq!(steps(&server.journal()).last().unwrap(), "get");
        assert!(server.journal().passwords_sent() <= 3, "{}", profile.name());
        handed_out(&user, &server.registry_host(), "alice", GITLAB);
    }
}

#[test]
fn one_that_is_refused_is_rejected_and_the_former_login_stays() {
    let wrong = concat!("glpat", "-zzzzzzzzzzzzzzzzzzzz");
    for profile in [Profile::Gitlab, Profile::BasicOnly, Profile::DockerAuth, Profile::Harbor] {
        let server = with_token(profile, GITLAB).start();
        let user = logged_in(&server);
        let host = server.registry_host();
        user.store(&host, "alice", wrong).failed_with(&["refused the username or password"]);
        handed_out(&user, &host, "alice", GITLAB);
        let login = ["login", "-u", "alice", "--password-stdin", &host];
        user.secret(wrong);
        user.does(&login, wrong).is(4, "", "refused the username or password");
        handed_out(&user, &host, "alice", GITLAB);
    }
}

#[test]
fn what_cannot_be_proved_is_not_kept() {
    // Anybody is let in: that shows nothing.
    let server = with_token(Profile::NoLogin, GITLAB).start();
    let user = keeping(&server);
    let stored = user.store(&server.registry_host(), "alice", GITLAB);
    nothing(&user, &server, stored, &["asks for no login"]);
    // HTTP Basic ends the name at the colon: it would be another user's login.
    for profile in [Profile::Gitlab, Profile::DockerAuth, Profile::BasicOnly] {
        let server = TokenServer::builder().profile(profile).user("al:ice", GITLAB).start();
        let user = keeping(&server);
        let stored = user.store(&server.registry_host(), "al:ice", GITLAB);
        nothing(&user, &server, stored, &["the password was not stored"]);
    }
}

/// The token would be the prize.
#[test]
fn cve_2026_33540_it_goes_where_the_trust_rules_let_a_password_go() {
    let server = with_token(Profile::Gitea, GITLAB).start();
    server.set_realm("https://auth.other.example/token");
    let user = keeping(&server);
    let stored = user.store(&server.registry_host(), "alice", GITLAB);
    nothing(&user, &server, stored, &["which is on another site", "--trust-realm"]);
    assert_eq!(server.journal().passwords_sent(), 0);
    // To keep it as it is would not help.
    let plain = User::trusting(&server);
    let stored = plain.store(&server.registry_host(), "alice", GITLAB);
    let stored = stored.failed_with(&["--trust-realm"]);
    assert!(!stored.stdout.contains("personal_tokens"), "{stored:?}");
    assert_eq!(server.journal().passwords_sent(), 0);
}

#[test]
fn faults_of_the_check_keep_nothing() {
    for (at, fault, part) in [
        (At::Challenge, Fault::status(503), "status 503"),
        (At::ExchangeGet, Fault::status(503), "status 503"),
        (At::ExchangeGet, Fault::Reset, "cannot log in"),
        (At::ExchangeGet, Fault::CaptivePortal, "captive portal"),
        (At::ExchangeGet, Fault::status(302), "status 302"),
    ] {
        let server = with_token(Profile::Gitlab, GITLAB).fault(at, fault).start();
        let user = keeping(&server);
        let stored = user.store(&server.registry_host(), "alice", GITLAB);
        nothing(&user, &server, stored, &[part]);
    }
}

/// All that can be known before, is known before the token is sent.
#[test]
fn a_place_to_keep_it_is_found_before_it_is_sent() {
    for profile in [Profile::Gitlab, Profile::BasicOnly] {
        let server = with_token(profile, GITLAB).start();
        let user = keeping(&server);
        fs::write(user.home().join(".local"), "").unwrap();
        let stored = user.store(&server.registry_host(), "alice", GITLAB);
        stored.failed_with(&["cannot write in"]);
        assert_eq!(server.journal().passwords_sent(), 0);
    }
}

/// The fallback is for what cannot be kept here.
#[test]
fn with_a_fallback_it_is_kept_here_and_a_password_goes_there() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = keeping(&server);
    user.program("docker-credential-plain", crate::fallback::PLAIN);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    user.store(&host, "alice", PASSWORD).succeeded().noted("was handed to docker-credential-plain");
    user.store(&host, "alice", GITLAB).succeeded().noted("personal token for");
    handed_out(&user, &host, "alice", GITLAB);
    let left = fs::read_dir(user.home().join("plain")).unwrap().count();
    assert_eq!(left, 0, "the password is gone from the fallback");
}
