//! What `status` knows without asking: the last check, accounts, other profiles, the fallback.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{log_in, logged_in, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::User;

fn json(user: &User, arguments: &[&str]) -> Value {
    let answer = user.does(&[&["status", "--json"], arguments].concat(), "");
    serde_json::from_str(&answer.stdout).unwrap()
}

/// The last cell of the first login's line.
fn state(user: &User) -> String {
    let table = user.does(&["status"], "").succeeded().stdout;
    table.lines().nth(1).unwrap().rsplit("  ").next().unwrap().to_owned()
}

#[test]
fn the_last_check_is_remembered_until_the_next_login() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    assert_eq!(state(&user), "proven");
    user.does(&["status", "--check"], "").succeeded();
    assert_eq!(state(&user), "valid just now");
    server.set_fault(At::Proof, Fault::status(503));
    assert_eq!(user.does(&["status", "--check"], "").code, 7);
    assert_eq!(state(&user), "unreachable just now");
    server.clear_faults();
    server.revoke_everything();
    assert_eq!(user.does(&["status", "--check"], "").code, 4);
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    let then = Timestamp::now() - SignedDuration::from_mins(3);
    file["logins"][0]["checked"]["at"] = json!(then);
    fs::write(user.records_file(), file.to_string()).unwrap();
    assert_eq!(state(&user), "rejected 3 minutes ago");
    let one = user.does(&["status", &host], "").succeeded().stdout;
    let line = format!("Last check:  rejected, 3 minutes ago ({then:.0})\n");
    assert!(one.contains(&line), "{one}");
    let last = json(&user, &[])["logins"][0]["last_check"].clone();
    assert_eq!(last, json!({"at": then, "result": "rejected"}));
    log_in(&user, &server);
    assert_eq!(state(&user), "proven");
}

/// As a script's `token` finds it out.
#[test]
fn a_token_that_is_refused_is_remembered_too() {
    let server = server().start();
    let user = logged_in(&server);
    let token = ["token", &server.registry_host(), "--pull", "alice/app"];
    // That it works is no news: nothing is written.
    user.does(&token, "").succeeded();
    assert_eq!(state(&user), "proven");
    user.does(&["status", "--check"], "").succeeded();
    let before = user.records();
    user.does(&token, "").succeeded();
    assert_eq!(user.records(), before);
    server.revoke_everything();
    assert_eq!(user.does(&token, "").code, 4);
    assert_eq!(state(&user), "rejected just now");
}

/// The servers have no status for their own trouble in an answer to a grant (RFC 6749 section 4.1.2.1).
#[test]
fn trouble_of_the_server_that_it_tells_by_a_refusal_is_no_dead_login() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let token = ["token", &host, "--pull", "alice/app"];
    for status in [400, 401, 403] {
        for code in ["temporarily_unavailable", "server_error"] {
            server.set_fault(At::Proof, Fault::oauth(status, code));
            let said = format!("answered with status {status} {code}; try again later");
            for command in [&["status", "--check"], &token[..]] {
                let outcome = user.does(command, "").code_is(7).noted(&said);
                assert!(!outcome.stderr.contains("no longer works"), "{outcome:?}");
                assert_eq!(state(&user), "unreachable just now");
            }
        }
    }
    // A refusal of the client is one of every pull.
    for (status, code) in [(400, "invalid_grant"), (401, "invalid_client")] {
        server.set_fault(At::Proof, Fault::oauth(status, code));
        user.does(&token, "").is(4, "", "no longer works");
        assert_eq!(state(&user), "rejected just now");
    }
    server.clear_faults();
    user.does(&["status", "--check"], "").succeeded();
    assert_eq!(state(&user), "valid just now");
}

#[test]
fn a_check_proves_a_token_that_a_client_brought() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let token = user.token(&host);
    user.store(&host, "<token>", &token).succeeded();
    assert_eq!(user.records()[0]["proven"], false);
    user.does(&["status", "--check"], "").succeeded();
    let record = &user.records()[0];
    assert_eq!((&record["proven"], &record["proven_as"]), (&json!(true), &json!("docker")));
    // The access token says whose it is.
    assert_eq!(record["account"], "alice");
    // One that is refused is proven by nothing.
    user.store(&host, "<token>", "token-of-nobody").succeeded();
    assert_eq!(user.does(&["status", "--check"], "").code, 4);
    assert_eq!(user.records()[0]["proven"], false);
}

#[test]
fn a_check_says_nothing_of_a_login_that_came_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let user = User::new();
    user.store(&host, "<token>", "token-of-nobody").succeeded();
    let since = user.records()[0]["since"].clone();
    let mut command = user.command();
    let quiet = command.args(["status", "--check"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut check = quiet.spawn().unwrap();
    let asking = listener.accept().unwrap();
    user.store(&host, "<token>", "token-of-nobody").succeeded();
    drop((asking, listener));
    assert_eq!(check.wait().unwrap().code(), Some(7));
    let record = &user.records()[0];
    assert!(record["since"] != since && record["checked"].is_null(), "{record}");
}

#[test]
fn a_jwt_tells_whose_login_a_client_brought() {
    let user = User::new();
    let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"alice","exp":4000000000}"#);
    let token = format!("e30.{claims}.c2ln");
    user.store("h.example", "<token>", &token).succeeded();
    let login = json(&user, &[])["logins"][0].clone();
    assert_eq!(
        (&login["account"], &login["expires"]),
        (&json!("alice"), &json!("2096-10-02T07:06:40Z"))
    );
}

#[test]
fn all_profiles_are_shown_and_checked_where_that_is_asked() {
    let servers = [server().start(), server().start()];
    let user = User::trusting(&servers[0]);
    user.trust(&servers[1].registry_host(), &servers[1]);
    let own = user.profile().to_owned();
    let work = format!("{own}-work");
    log_in(&user, &servers[0]);
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &work);
    log_in(&user, &servers[1]);
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &own);
    assert_eq!(json(&user, &[])["logins"].as_array().unwrap().len(), 1);
    servers[1].revoke_everything();
    let outcome = user.does(&["status", "--all-profiles", "--check"], "");
    assert_eq!(outcome.code, 4, "{outcome:?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("PROFILE") && lines.len() == 3, "{outcome:?}");
    assert!(lines[1].starts_with(&own) && lines[1].ends_with("  valid"), "{outcome:?}");
    assert!(lines[2].starts_with(&work) && lines[2].ends_with("  rejected"), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("profile {work}: the login for")), "{outcome:?}");
    let all = json(&user, &["--all-profiles"]);
    let profiles: Vec<_> =
        all["logins"].as_array().unwrap().iter().map(|login| login["profile"].clone()).collect();
    assert_eq!((all.get("profile"), profiles), (None, vec![json!(own), json!(work)]));
    // What to run is for that profile.
    let host = servers[1].registry_host();
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &work);
    user.does(&["logout", &host], "").succeeded();
    user.store(&host, "<token>", "token-of-nobody").succeeded();
    crate::support::kernel_keys::remove_own(&work);
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &own);
    user.does(&["status", "--all-profiles"], "").succeeded().noted(&format!(
        "is gone from kernel; run: docker-credential-refresh --profile {work} login {host}"
    ));
    let one = user.does(&["status", &host, "--all-profiles"], "").stdout;
    assert!(one.starts_with(&format!("Profile:     {work}\nServer:      {host}\n")), "{one}");
}

#[test]
fn logins_in_the_fallback_are_shown_as_such() {
    let user = User::new();
    user.program(
        "docker-credential-plain",
        "#!/bin/sh\n[ $1 = list ] && echo '{\"b.example\":\"bob\",\"https://a.example/v2/\":\"al\"}'\n",
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    // Ours is the one that clients are given.
    user.store("a.example", "<token>", "token-of-nobody").succeeded();
    let outcome = user.does(&["status"], "").succeeded();
    let table = "\
SERVER     ACCOUNT  KEYCHAIN                 KEPT UNTIL  SINCE     EXPIRES  STATE
a.example  -        kernel                   reboot      just now  -        unproven
b.example  bob      docker-credential-plain  -           -         -        in fallback
";
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (table, ""));
    let one = user.does(&["status", "https://b.example/v1/"], "").succeeded();
    assert_eq!(
        one.stdout,
        "Server:      b.example\nAccount:     bob\nKeychain:    docker-credential-plain\n\
         State:       in fallback\n"
    );
    let login = json(&user, &[])["logins"][1].clone();
    let told = ["state", "fallback", "keychain", "profile"].map(|name| login[name].clone());
    let plain = json!("docker-credential-plain");
    assert_eq!(told, [json!("in-fallback"), plain, Value::Null, Value::Null]);
    user.does(&["status", "--check", "--expires-within", "7d"], "");
    // One that answers, and does not have it.
    let none = user.does(&["status", "c.example"], "").is(3, "", "not logged in to c.example in");
    assert!(!none.stderr.contains("may have it"), "{none:?}");
    user.program("docker-credential-plain", "#!/bin/sh\necho the vault is sealed\nexit 1\n");
    user.does(&["status"], "")
        .succeeded()
        .noted("the logins of docker-credential-plain are not listed");
    user.does(&["status", "b.example"], "").is(3, "", "docker-credential-plain may have it");
}
