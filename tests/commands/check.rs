//! `check`: what a registry is, before any configuration.

use serde_json::{Value, json};

use super::{PASSWORD, server};
use crate::mock_token_server::{Builder, DeviceFlow, Profile, TokenServer};
use crate::support::user::User;

const GITLAB: &str = concat!("glpat", "-0123456789abcdefghij");

fn of(profile: Profile) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD).api_token("alice", GITLAB)
}

fn check(user: &User, host: &str) -> Value {
    let outcome = user.does(&["check", "--json", host], "").succeeded();
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn it_tells_each_kind_and_what_would_be_kept() {
    const ISSUED: &str = "refresh token, if the server issues one";
    for (profile, asks_for, kind, password, entra) in [
        (Profile::Specification, "bearer", None, ISSUED, "nothing"),
        (Profile::Gitlab, "bearer", Some("GitLab"), "nothing", "nothing"),
        (Profile::Harbor, "bearer", Some("Harbor"), "nothing", "nothing"),
        (Profile::Quay, "bearer", Some("Quay"), "nothing", "nothing"),
        (Profile::Keycloak, "bearer", Some("Keycloak (docker-v2)"), "nothing", "nothing"),
        (Profile::Artifactory, "bearer", Some("Artifactory"), "nothing", "nothing"),
        (Profile::Acr, "bearer", Some("Azure (ACR)"), "nothing", "refresh token"),
        (Profile::Google, "bearer", None, "nothing", "nothing"),
        (Profile::BasicOnly, "basic", None, "nothing", "nothing"),
        (Profile::NoLogin, "nothing", None, "nothing", "nothing"),
    ] {
        let server = of(profile).start();
        let user = User::trusting(&server);
        let host = server.registry_host();
        let found = check(&user, &host);
        println!("{}: {found}", profile.name());
        assert_eq!(found["server"], host);
        assert_eq!((&found["asks_for"], &found["kind"]), (&json!(asks_for), &json!(kind)));
        assert_eq!((&found["password"], &found["entra_token"]), (&json!(password), &json!(entra)));
        assert_eq!(found["personal_token"], password);
        assert_eq!(found["tried"], Value::Null);
        user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
        let personal = match (asks_for, password) {
            ("nothing", _) => "nothing",
            // Nothing tells their tokens from passwords.
            _ if kind.is_some_and(|kind| !["GitLab", "Artifactory"].contains(&kind)) => "nothing",
            (_, ISSUED) => "refresh token, or as it is",
            _ => "as it is",
        };
        assert_eq!(check(&user, &host)["personal_token"], personal);
        assert_eq!(server.journal().passwords_sent(), 0);
        assert!(user.records().is_empty());
    }
}

#[test]
fn the_token_server_is_asked_what_it_speaks() {
    let server = server().start();
    let user = User::trusting(&server);
    let found = check(&user, &server.registry_host());
    assert_eq!((&found["oauth"], &found["metadata"]), (&json!("yes"), &json!(true)));
    let revoke = format!("{}/revoke", server.token_origin());
    assert_eq!((&found["revocation"], &found["device_flow"]), (&json!(revoke), &json!(false)));
    assert_eq!(
        (&found["realm"], &found["service"]),
        (&json!(server.token_endpoint()), &json!("mock-registry"))
    );
    let device = super::server().device_flow(DeviceFlow::default()).start();
    let user = User::trusting(&device);
    let found = check(&user, &device.registry_host());
    assert_eq!(found["device_flow"], true);
    let next = format!("docker-credential-refresh login --web {}", device.registry_host());
    assert_eq!(found["next"], next);
    // One that the rules do not allow is none.
    let elsewhere = "https://login.example.net/device";
    let device = super::server().metadata_field("device_authorization_endpoint", elsewhere).start();
    let user = User::trusting(&device);
    assert_eq!(check(&user, &device.registry_host())["device_flow"], false);
    let none = super::server().no_metadata().start();
    let user = User::trusting(&none);
    let found = check(&user, &none.registry_host());
    assert_eq!((&found["metadata"], &found["revocation"]), (&json!(false), &Value::Null));
}

#[test]
fn a_person_reads_a_fact_a_line_and_what_to_type() {
    let server = of(Profile::Gitlab).start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    let outcome = user.does(&["check", &host], "").succeeded();
    let expected = format!(
        "Registry:            {host}\nKind:                GitLab\nAsks for:            bearer\n\
         Realm:               {}\nService:             mock-registry\nOAuth 2:             no\n\
         Metadata:            yes\nRevocation:          {}/revoke\nDevice flow:         no\n\
         With password:       nothing\nWith personal token: nothing\nWith Entra token:    nothing\n\
         Next:                docker-credential-refresh configure --registry {host} --keep-tokens \
         --fallback none, and log in with a personal token\n",
        server.token_endpoint(),
        server.token_origin()
    );
    assert_eq!(outcome.stdout, expected);
}

#[test]
fn what_to_type_depends_on_the_fallback_and_on_whether_tokens_have_a_form() {
    let server = of(Profile::Harbor).start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    let next = || check(&user, &host)["next"].as_str().unwrap().to_owned();
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    assert!(next().contains(&format!("configure --registry {host} --fallback NAME")), "{}", next());
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "pass");
    let login = format!("docker-credential-refresh login {host} (the fallback, pass, keeps");
    assert!(next().starts_with(&login), "{}", next());
}

#[test]
fn a_realm_that_the_trust_rules_refuse_is_told_with_the_remedy() {
    let server = server().realm("https://auth.other.example/token").start();
    let user = User::trusting(&server);
    let found = check(&user, &server.registry_host());
    let refused = found["refused"].as_str().unwrap();
    assert!(refused.contains("--trust-realm https://auth.other.example"), "{refused}");
    assert_eq!((&found["password"], &found["oauth"]), (&json!("nothing"), &Value::Null));
}

#[test]
fn a_login_that_is_tried_is_not_kept_and_what_it_got_is_revoked() {
    let server = server().start();
    let user = User::trusting(&server);
    user.secret(PASSWORD);
    let host = server.registry_host();
    let attempt = ["check", "-u", "alice", "--password-stdin", &host];
    let outcome = user.does(&attempt, PASSWORD).succeeded();
    assert!(outcome.stdout.contains("Tried:               refresh token\n"));
    assert!(server.live_refresh_tokens().is_empty(), "it was revoked");
    user.does(&attempt, "wrong horse").code_is(4).noted("refused the username or password");
    user.get(&host).not_found();
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
    // A server that revokes nothing leaves one alive, and that is said.
    let without = super::server().no_revocation().start();
    let user = User::trusting(&without);
    let attempt = ["check", "-u", "alice", "--password-stdin", &without.registry_host()];
    user.does(&attempt, PASSWORD).succeeded().noted("could not be revoked");
}

#[test]
fn a_login_of_which_nothing_can_be_kept_says_why() {
    let server = of(Profile::Gitlab).start();
    let user = User::trusting(&server);
    user.secret(GITLAB);
    let host = server.registry_host();
    let attempt = ["check", "--json", "-u", "alice", "--password-stdin", &host];
    let tried = |secret: &str| -> Value {
        let outcome = user.does(&attempt, secret).succeeded();
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let password = tried(PASSWORD);
    assert_eq!(password["tried"], "nothing");
    assert!(password["why"].as_str().unwrap().contains("issues no refresh tokens"));
    assert!(tried(GITLAB)["why"].as_str().unwrap().contains("personal_tokens"));
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    let token = tried(GITLAB);
    assert_eq!((&token["tried"], &token["why"]), (&json!("as it is"), &Value::Null));
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

#[test]
fn what_is_no_registry_or_out_of_reach_is_an_error() {
    let user = User::new();
    user.does(&["check", "h h"], "").is(2, "", "the server URL");
    user.does(&["check", "127.0.0.1:1"], "").is(7, "", "cannot reach");
    user.does(&["check", "-u", "alice", "h.example"], "").is(2, "", "--password-stdin");
}
