//! What cannot work is found out before anything is sent to a registry.

use std::fs;
use std::os::unix::fs::symlink;

use docker_credential_refresh::keychain::new_identity;
use serde_json::json;

use super::{PASSWORD, log_in_to, logged_in, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::terminal::Terminal;
use crate::support::user::{Outcome, User};

const IDENTITY: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
/// `base64(alice:correct horse battery)`
const AUTH: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
const SSH_KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n";

/// Every command that sends a password, by name.
fn commands(user: &User, host: &str) -> Vec<(&'static str, Outcome)> {
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = crate::support::tested_program();
    // The second time it is there.
    let _known = symlink(program, bin.join("docker-credential-refresh"));
    let file = user.home().join(".docker/config.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let config = json!({"auths": {host: {"auth": AUTH}}, "credsStore": "refresh"});
    fs::write(&file, config.to_string()).unwrap();
    let import = user.does(&["import", "--yes"], "");
    fs::write(&file, json!({"auths": {host: {"auth": AUTH}}}).to_string()).unwrap();
    let configure = user.does(&["configure", "--fallback", "none"], "");
    fs::remove_file(&file).unwrap();
    vec![
        ("store", user.store(host, "alice", PASSWORD)),
        ("login", user.does(&["login", "-u", "alice", "--password-stdin", host], PASSWORD)),
        ("import", import),
        ("configure", configure),
    ]
}

#[track_caller]
fn nothing_was_sent(server: &TokenServer, what: &str) {
    assert!(server.journal().connections().is_empty(), "{what}");
}

#[test]
fn an_identity_that_is_no_good_is_found_before_the_registry_is_asked() {
    let server = server().start();
    let user = User::trusting(&server);
    user.set(IDENTITY, SSH_KEY);
    for keychain in ["file", "auto"] {
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
        for (what, outcome) in commands(&user, &server.registry_host()) {
            assert_ne!(outcome.code, 0, "{what}: {outcome:?}");
            let told = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(told.contains("an SSH key"), "{what}: {told}");
            nothing_was_sent(&server, what);
        }
    }
}

#[test]
fn a_folder_of_records_that_cannot_be_made_is_found_before_the_registry_is_asked() {
    let server = server().start();
    let user = User::trusting(&server);
    fs::create_dir_all(user.state().parent().unwrap()).unwrap();
    fs::write(user.state(), "").unwrap();
    for (what, outcome) in commands(&user, &server.registry_host()) {
        assert_ne!(outcome.code, 0, "{what}: {outcome:?}");
        nothing_was_sent(&server, what);
    }
}

#[test]
fn nobody_is_asked_for_a_password_in_vain() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.set(IDENTITY, SSH_KEY);
    let mut command = user.command();
    command.args(["login", "h.example"]);
    let (screen, status) = Terminal::run(&command).end();
    assert!(screen.contains("an SSH key") && !screen.contains("Username"), "{screen}");
    assert_eq!(status, 6);
}

/// The server may give another token and end this one: it must find its place.
#[test]
fn a_token_is_not_sent_where_another_one_could_not_be_kept() {
    let server = server().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.set(IDENTITY, new_identity().0.expose());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    log_in_to(&user, &server, "file");
    let files = user.home().join(".local/share/docker-credential-refresh/logins");
    let asked = server.journal().connections().len();
    for blocked in [user.state().join("logins.json.new"), files.join("new")] {
        fs::create_dir(&blocked).unwrap();
        for arguments in
            [&["token", &host, "--pull", "a/b"][..], &["status", "--check"], &["revoke", &host]]
        {
            let outcome = user.does(arguments, "");
            assert_ne!(outcome.code, 0, "{outcome:?}");
            assert!(outcome.stderr.contains(blocked.to_str().unwrap()), "{outcome:?}");
            assert_eq!(server.journal().connections().len(), asked, "{arguments:?}");
        }
        fs::remove_dir(&blocked).unwrap();
    }
    user.does(&["token", &host, "--pull", "alice/app"], "").succeeded();
}

#[test]
fn a_login_stays_where_its_record_could_not_be_changed() {
    let server = server().start();
    let user = logged_in(&server);
    user.set(IDENTITY, new_identity().0.expose());
    fs::create_dir(user.state().join("logins.json.new")).unwrap();
    user.does(&["migrate", "--all", "--to", "file"], "").is(1, "", "no login was moved: cannot");
    assert!(!user.token(&server.registry_host()).is_empty());
}

/// Nobody could take what the registry accepts.
#[test]
fn a_fallback_that_is_not_installed_is_found_before_a_password_is_checked_for_it() {
    let server = TokenServer::builder().profile(Profile::BasicOnly).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "absent");
    let login = ["login", "-u", "alice", "--password-stdin", &host];
    user.does(&login, PASSWORD).is(2, "", "docker-credential-absent is not on PATH");
    assert!(server.journal().requests().is_empty());
}
