//! `login` with a fallback: nobody has checked the password before, so that the fallback gets only
//! what the registry was seen to accept, and "Login Succeeded" is the truth.

use serde_json::{Value, json};

use super::PASSWORD;
use crate::fallback::PLAIN;
use crate::mock_token_server::{AuthorizationKind, Builder, Profile, TokenServer};
use crate::support::user::{Outcome, User};

/// Logged in at the registry already, in the keychain.
fn with_fallback(server: &TokenServer) -> User {
    let user = User::trusting(server);
    user.program("docker-credential-plain", PLAIN);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    user.store(&server.registry_host(), "<token>", "previous-token").succeeded();
    user
}

fn login(user: &User, server: &TokenServer, name: &str, password: &str) -> Outcome {
    let login = ["login", "-u", name, "--password-stdin", &server.registry_host()];
    user.does(&login, password)
}

/// The previous login is as it was, and the fallback has nothing.
fn unchanged(user: &User, server: &TokenServer) {
    assert_eq!(user.token(&server.registry_host()), "previous-token");
    // The stand-in makes its folder whatever it is asked.
    let kept = std::fs::read_dir(user.home().join("plain"));
    assert_eq!(kept.map_or(0, Iterator::count), 0);
}

fn handed_over(user: &User, server: &TokenServer, name: &str) {
    let host = server.registry_host();
    let answer: Value = serde_json::from_str(&user.get(&host).succeeded().stdout).unwrap();
    assert_eq!(answer, json!({"ServerURL": host, "Username": name, "Secret": PASSWORD}));
    assert!(user.records().is_empty());
    std::fs::remove_dir_all(user.home().join("plain")).unwrap();
}

fn builder(profile: Profile) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD).user("al:ice", PASSWORD)
}

#[test]
fn a_wrong_password_is_rejected_whatever_the_registry_offers() {
    for profile in [
        Profile::BasicOnly,
        Profile::Gitea,
        Profile::Gitlab,
        Profile::HarborRefusesOfflineToken,
        Profile::DockerAuth,
        Profile::RotatingSingleUse,
        Profile::Ghcr,
    ] {
        let server = builder(profile).start();
        let user = with_fallback(&server);
        login(&user, &server, "alice", "wrong horse").is(4, "", "refused the username or password");
        unchanged(&user, &server);
        login(&user, &server, "alice", PASSWORD).is(0, "Login Succeeded\n", "was handed to");
        handed_over(&user, &server, "alice");
        // Where the token server accepted it, the registry is not asked as well.
        let basic_at_registry = server.journal().requests().iter().any(|request| {
            request.path == "/v2/"
                && matches!(request.authorization, AuthorizationKind::Basic { .. })
        });
        assert_eq!(basic_at_registry, profile == Profile::BasicOnly, "{profile:?}");
    }
}

#[test]
fn what_cannot_be_checked_replaces_nothing_and_says_so() {
    for (profile, name) in [
        // Anybody is let in: that shows nothing.
        (Profile::NoLogin, "alice"),
        // HTTP Basic ends the name at the colon.
        (Profile::BasicOnly, "al:ice"),
        (Profile::Gitlab, "al:ice"),
    ] {
        let server = builder(profile).start();
        let user = with_fallback(&server);
        let refused = login(&user, &server, name, PASSWORD);
        refused.is(5, "", "the password could not be checked, so it was not handed to").noted(
            "and nothing was changed; log in with a client that checks it, such as docker login",
        );
        unchanged(&user, &server);
        // A client has checked it already.
        user.store(&server.registry_host(), name, PASSWORD).succeeded().noted("was handed to");
        handed_over(&user, &server, name);
    }
}

#[test]
fn a_realm_that_was_refused_leaves_basic_where_the_registry_offers_that() {
    let server = builder(Profile::Specification).start();
    let user = with_fallback(&server);
    server.set_realm("https://auth.other.example/token");
    let refused = login(&user, &server, "alice", PASSWORD);
    refused.is(8, "", "could not be checked").noted("--trust-realm https://auth.other.example");
    unchanged(&user, &server);
    assert_eq!(server.journal().passwords_sent(), 0);

    let server = builder(Profile::Gitea).start();
    let user = with_fallback(&server);
    server.set_realm("https://auth.other.example/token");
    login(&user, &server, "alice", "wrong horse").is(4, "", "refused the username");
    unchanged(&user, &server);
    login(&user, &server, "alice", PASSWORD).is(0, "Login Succeeded\n", "was handed to");
    handed_over(&user, &server, "alice");
}

/// A password by POST alone, for which the server gives an access token.
#[test]
fn a_colon_in_the_name_is_no_obstacle_where_the_token_server_accepted_it() {
    let server = builder(Profile::DockerAuth).start();
    let user = with_fallback(&server);
    login(&user, &server, "al:ice", PASSWORD).is(0, "Login Succeeded\n", "was handed to");
    handed_over(&user, &server, "al:ice");
    let user = with_fallback(&server);
    login(&user, &server, "al:ice", "wrong horse");
    unchanged(&user, &server);
}

/// No password is sent where nothing could come of it.
#[test]
fn without_a_fallback_a_password_is_not_sent_to_be_checked() {
    let server = builder(Profile::BasicOnly).start();
    let user = User::trusting(&server);
    login(&user, &server, "alice", PASSWORD).is(5, "", "offers Basic authentication only");
    assert_eq!(server.journal().passwords_sent(), 0);
}

/// All that can be known before, is known before the password is sent.
#[test]
fn records_that_cannot_be_written_are_found_out_before_the_password_is_sent() {
    let server = builder(Profile::Specification).start();
    let user = User::trusting(&server);
    let elsewhere = user.home().join(".local");
    std::fs::write(&elsewhere, "").unwrap();
    login(&user, &server, "alice", PASSWORD).is(1, "", "cannot write in");
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["cannot write in"]);
    std::fs::remove_file(&elsewhere).unwrap();
    user.store("h.example", "<token>", "a-token").succeeded();
    let lock = user.state().join("logins.lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    login(&user, &server, "alice", PASSWORD).is(1, "", "cannot lock");
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["cannot lock"]);
    std::fs::remove_dir(&lock).unwrap();
    user.store("h.example", "<token>", "a-token").succeeded();
    std::fs::create_dir(user.state().join("logins.json.new")).unwrap();
    login(&user, &server, "alice", PASSWORD).is(1, "", "logins.json.new");
    assert_eq!(server.journal().passwords_sent(), 0);
    std::fs::remove_dir(user.state().join("logins.json.new")).unwrap();
    login(&user, &server, "alice", PASSWORD).is(0, "Login Succeeded\n", "");
}
