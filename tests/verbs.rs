//! The protocol, byte for byte: arguments and stdin to stdout and exit status.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::{NOT_FOUND, User};

const USAGE: &str = "Usage: docker-credential-refresh <store|get|erase|list|version>\n";

fn answer(arguments: &[&str]) -> (String, String, i32) {
    let user = User::new();
    let output =
        user.command().args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn arguments_are_answered_on_stdout() {
    let version = concat!(
        "docker-credential-refresh (docker-credential-refresh) v",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    for (arguments, stdout, code) in [
        (&[][..], USAGE, 1),
        (&["get", "list"], USAGE, 1),
        // The second word is a command's name, and the first is a client's.
        (&["get", "login"], USAGE, 1),
        (&["bogus"], USAGE, 1),
        (&["GET"], USAGE, 1),
        (&["-x"], USAGE, 1),
        (&["version"], version, 0),
        (&["--version"], version, 0),
        (&["-v"], version, 0),
        (&["get"], "no credentials server URL\n", 1),
        (&["erase"], "no credentials server URL\n", 1),
        (&["list"], "{}\n", 0),
    ] {
        let (out, _, status) = answer(arguments);
        assert_eq!((out.as_str(), status), (stdout, code), "{arguments:?}");
    }
}

/// Clients read stdout; whoever typed it learns why a verb with more than its name does nothing.
#[test]
fn a_verb_with_options_or_arguments_says_what_to_do_instead() {
    let options = "get takes no options: set profile and keychain in config.toml, or by \
                   DOCKER_CREDENTIAL_REFRESH_PROFILE and DOCKER_CREDENTIAL_REFRESH_KEYCHAIN";
    let input = "get takes no arguments: what it works on is read from standard input";
    for (arguments, told) in [
        (&["--profile", "work", "get"][..], options),
        (&["get", "--keychain=file"], options),
        (&["get", "h.example"], input),
    ] {
        let told = format!("docker-credential-refresh: {told}\n");
        assert_eq!(answer(arguments), (USAGE.to_owned(), told, 1), "{arguments:?}");
    }
    // A profile may be called like a verb.
    let told = answer(&["--profile", "get", "stauts"]).1;
    assert!(told.contains("unknown command"), "{told}");
}

#[test]
fn help_begins_with_the_usage_line_of_the_protocol() {
    for argument in ["--help", "-h"] {
        let (out, err, status) = answer(&[argument]);
        assert!(out.starts_with(USAGE) && out.contains("login"), "{out}");
        assert_eq!((err.as_str(), status), ("", 0));
    }
}

#[test]
fn a_token_is_kept_as_it_came_and_answered_as_go_writes_it() {
    let user = User::new();
    let stored = user.run(
        "store",
        b"{\"ServerURL\":\"h:5000\",\"Username\":\"\\u003ctoken\\u003e\",\"Secret\":\"to+ke/n=\"}\n",
    );
    assert_eq!(stored.succeeded().noted("stored in the kernel keychain").stdout, "");
    assert_eq!(
        user.get("h:5000").succeeded().stdout,
        "{\"ServerURL\":\"h:5000\",\"Username\":\"\\u003ctoken\\u003e\",\"Secret\":\"to+ke/n=\"}\n"
    );
    assert_eq!(
        user.get("https://h:5000/v2/\n").succeeded().stdout,
        "{\"ServerURL\":\"https://h:5000/v2/\",\"Username\":\"\\u003ctoken\\u003e\",\"Secret\":\"to+ke/n=\"}\n"
    );
    assert_eq!(
        user.run("list", b"unused").succeeded().stdout,
        "{\"h:5000\":\"\\u003ctoken\\u003e\"}\n"
    );
    assert_eq!(user.records()[0]["proven"], false);
    assert_eq!(user.erase("http://h:5000").succeeded().stdout, "");
    user.get("h:5000").not_found();
    assert_eq!(user.erase("h:5000").succeeded().stdout, "");
    assert!(user.keychain().list().unwrap().logins.is_empty());
}

#[test]
fn a_token_that_is_a_jwt_says_whose_it_is_and_when_it_ends() {
    let user = User::new();
    let claims = br#"{"preferred_username":"alice","sub":"0b1c","exp":4102444800}"#;
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    user.store("h", "<token>", &token).succeeded();
    let record = &user.records()[0];
    assert_eq!(
        (&record["account"], &record["expires"]),
        (&"alice".into(), &"2100-01-01T00:00:00Z".into())
    );
}

#[test]
fn fixed_texts() {
    let user = User::new();
    for (payload, text) in [
        (r#"{"Username":"u","Secret":"s"}"#, "no credentials server URL\n"),
        (r#"{"ServerURL":"","Username":"u","Secret":"s"}"#, "no credentials server URL\n"),
        (r#"{"ServerURL":"h","Username":"","Secret":"s"}"#, "no credentials username\n"),
    ] {
        assert_eq!(user.run("store", payload.as_bytes()).stdout, text);
    }
    assert_eq!(user.get("h").stdout, NOT_FOUND);
}

#[test]
fn the_two_oauth_keys_of_docker_hub_are_opaque_pairs() {
    let user = User::new();
    let hub = "https://index.docker.io/v1/";
    for (key, secret) in [("access-token", "eyJ.a.b"), ("refresh-token", "opaque-1")] {
        user.store(&format!("{hub}{key}"), "alice", secret).succeeded();
    }
    user.get(hub).not_found();
    let answer = user.get("https://index.docker.io/v1/refresh-token").succeeded().stdout;
    assert_eq!(
        answer,
        "{\"ServerURL\":\"https://index.docker.io/v1/refresh-token\",\"Username\":\"alice\",\"Secret\":\"opaque-1\"}\n"
    );
    assert_eq!(user.list()["https://index.docker.io/v1/access-token"], "alice");
    user.get("https://index.docker.io/v1/refresh-token/").not_found();
    user.store(hub, "<token>", "hub-token").succeeded();
    user.erase(hub).succeeded();
    assert_eq!(user.list().as_object().unwrap().len(), 2);
    user.erase("https://index.docker.io/v1/access-token").succeeded();
    user.get("https://index.docker.io/v1/access-token").not_found();
    user.get("https://index.docker.io/v1/refresh-token").succeeded();
}

#[test]
fn a_repository_path_finds_the_nearest_login() {
    let user = User::new();
    user.store("h.example", "<token>", "host-token").succeeded();
    assert_eq!(user.token("h.example/team/app"), "host-token");
    user.store("h.example/team", "<token>", "team-token").succeeded();
    assert_eq!(user.token("h.example/team/app"), "team-token");
    assert_eq!(user.token("h.example/teams"), "host-token");
    user.erase("h.example/team/app").succeeded();
    assert_eq!(user.token("h.example/team/app"), "team-token");
    user.store("docker.io", "<token>", "hub-token").succeeded();
    assert_eq!(user.token("index.docker.io/library/alpine"), "hub-token");
    assert_eq!(user.token("https://index.docker.io/v1/"), "hub-token");
}

#[test]
fn a_token_that_went_away_is_not_found_and_said_so() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.keychain().delete("h.example").unwrap();
    user.get("h.example")
        .not_found()
        .noted("login for h.example is gone from kernel; log in again");
    user.erase("h.example").succeeded();
    assert_eq!(user.list(), serde_json::json!({}));
}

#[test]
fn an_expired_login_is_answered_with_a_note() {
    let user = User::new();
    // {"exp":1000000000}
    let jwt = "e30.eyJleHAiOjEwMDAwMDAwMDB9.c2ln";
    user.store("h.example", "<token>", jwt).succeeded();
    user.get("h.example").succeeded().noted("expired at 2001-09-09T01:46:40Z; log in again");
}

#[test]
fn tokens_that_are_none_are_refused_and_the_previous_stays() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    let long = "x".repeat(16 * 1024 + 1);
    for bad in ["", "a\nb", "a\u{7f}", "\u{e9}", &long] {
        user.store("h.example", "<token>", bad).failed_with(&["the token"]);
    }
    user.store("h.example", "alice", "").failed_with(&["the password is empty"]);
    assert_eq!(user.token("h.example"), "a-token");
    let longest = "y".repeat(16 * 1024);
    user.store("h.example", "<token>", &longest).succeeded();
    assert_eq!(user.token("h.example"), longest);
}

#[test]
fn an_invalid_username_is_refused_before_anything_is_sent() {
    let longest = "a".repeat(1024);
    let server = TokenServer::builder()
        .profile(Profile::Specification)
        .user(&longest, "correct horse battery")
        .start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    for bad in [&format!("{longest}a"), "a\tb"] {
        let refused = user.store(&host, bad, "correct horse battery");
        refused.failed_with(&["the username is too long or has control characters"]);
    }
    assert_eq!(server.journal().requests().len(), 0);
    user.store(&host, &longest, "correct horse battery").succeeded();
    assert_eq!(user.records()[0]["account"], longest);
}
