//! `import --configure`: both, in the order that loses nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::import::{GOOD, PLAIN};
use super::{PASSWORD, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::strace::{has_strace, strace};
use crate::support::user::User;

/// The calls that change something and are this helper's own: the other one is a script.
const CALLS: [&str; 4] = ["add_key", "fsync", "/^rename", "/^unlink"];
const BOTH: [&str; 5] = ["import", "--from", "plain", "--configure", "--yes"];

struct Case {
    user: User,
    /// In docker's file; in the helper; in the helper, and without refresh tokens.
    hosts: [String; 3],
}

/// One who uses the helper `plain`, and has a login for one registry in docker's file.
fn case(servers: &[TokenServer; 3]) -> Case {
    let user = User::new();
    let bin = user.home().join("bin");
    user.program("docker-credential-plain", PLAIN);
    let program = crate::support::tested_program();
    symlink(program, bin.join("docker-credential-refresh")).unwrap();
    user.set("PATH", bin.to_str().unwrap());
    let hosts = [0, 1, 2].map(|at: usize| {
        user.trust(&servers[at].registry_host(), &servers[at]);
        servers[at].registry_host()
    });
    let entry = json!({"auth": GOOD});
    let config =
        json!({"credHelpers": {&hosts[0]: ""}, "auths": {&hosts[0]: entry}, "credsStore": "plain"});
    fs::create_dir_all(user.home().join(".docker")).unwrap();
    fs::write(config_file(&user), config.to_string()).unwrap();
    fs::create_dir_all(user.home().join("plain")).unwrap();
    for host in &hosts[1..] {
        let login = json!({"ServerURL": host, "Username": "alice", "Secret": PASSWORD});
        fs::write(user.home().join("plain").join(host.replace(':', "_")), login.to_string())
            .unwrap();
    }
    Case { user, hosts }
}

fn servers() -> [TokenServer; 3] {
    let gitlab = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD);
    [server().start(), server().start(), gitlab.start()]
}

fn config_file(user: &User) -> PathBuf {
    user.home().join(".docker/config.json")
}

fn config(user: &User) -> Value {
    serde_json::from_slice(&fs::read(config_file(user)).unwrap()).unwrap()
}

fn in_plain(user: &User) -> Vec<String> {
    let files = fs::read_dir(user.home().join("plain")).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_clients_ask_this_helper_and_then_its_passwords_go() {
    let servers = servers();
    let Case { user, hosts } = case(&servers);
    let [_, helpers, gitlab] = &hosts;
    let before = fs::read(config_file(&user)).unwrap();
    user.does(&["import", "--from", "plain", "--yes"], "")
        .succeeded()
        .noted("first, run: docker-credential-refresh configure");
    let dry = user.does(&["import", "--from", "plain", "--configure"], "").succeeded();
    assert_eq!(dry.stdout.matches("would be tried").count(), 2, "{dry:?}");
    assert_eq!(fs::read(config_file(&user)).unwrap(), before);
    assert!(servers.iter().all(|server| server.journal().requests().is_empty()));

    let done = user.does(&BOTH, "").succeeded();
    assert!(done.stdout.contains("+ \"credsStore\": \"refresh\""), "{done:?}");
    assert_eq!(
        (config(&user)["credsStore"].as_str(), user.token(helpers).is_empty()),
        (Some("refresh"), false)
    );
    // What cannot be exchanged is where the fallback finds it.
    assert_eq!(in_plain(&user), [gitlab.replace(':', "_")]);
    let found: Value = serde_json::from_str(&user.get(gitlab).succeeded().stdout).unwrap();
    assert_eq!((&found["Username"], &found["Secret"]), (&json!("alice"), &json!(PASSWORD)));
    user.secret("another secret");
    let again = user.does(&BOTH, "").succeeded();
    assert!(again.stdout.starts_with("Nothing to change\n"), "{again:?}");
    fs::remove_file(user.home().join("plain").join(gitlab.replace(':', "_"))).unwrap();
}

#[test]
fn one_registry_alone_and_as_json() {
    let servers = servers();
    let Case { user, hosts } = case(&servers);
    let config_text = json!({"auths": {&hosts[0]: {"auth": GOOD}, &hosts[1]: {"auth": GOOD}}});
    fs::write(config_file(&user), config_text.to_string()).unwrap();
    let both = ["import", "--configure", "--registry", &hosts[0], "--yes", "--json"];
    user.does(&both, "").is(2, "", "name one with --fallback NAME");
    let done = user.does(&[&both[..], &["--fallback", "none"]].concat(), "").succeeded();
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let changes = report["changes"].as_array().unwrap();
    assert!(
        changes.contains(&json!(format!("+ \"credHelpers\": {{\"{}\": \"refresh\"}}", hosts[0])))
    );
    let logins = report["logins"].as_array().unwrap();
    assert_eq!((logins.len(), &logins[0]["outcome"]), (1, &json!("exchanged")));
    assert_eq!(config(&user)["auths"], json!({&hosts[1]: {"auth": GOOD}}));
    user.does(&["import", "--fallback", "none"], "").is(2, "", "--configure");
    fs::write(config_file(&user), "{}").unwrap();
    fs::remove_dir_all(user.home().join("plain")).unwrap();
}

#[test]
fn a_source_that_is_none_changes_nothing() {
    let Case { user, .. } = case(&servers());
    let before = fs::read(config_file(&user)).unwrap();
    let wrong = ["import", "--from", "nowhere", "--configure", "--fallback", "none", "--yes"];
    user.does(&wrong, "").is(2, "", "is not on PATH");
    assert_eq!(fs::read(config_file(&user)).unwrap(), before);
    fs::remove_dir_all(user.home().join("plain")).unwrap();
}

/// Docker and podman may be logged in as two accounts: here a registry has one.
#[test]
fn two_accounts_that_become_one_are_told() {
    let servers = servers();
    let Case { user, hosts } = case(&servers);
    let host = &hosts[0];
    let podmans = user.home().join(".config/containers/auth.json");
    user.program("podman", "#!/bin/sh\n");
    fs::create_dir_all(podmans.parent().unwrap()).unwrap();
    let auths = |account: &str| json!({"auths": {host: {"auth": account, "identitytoken": "token-of-nobody"}}});
    fs::write(config_file(&user), auths("YWxpY2U6").to_string()).unwrap();
    fs::write(&podmans, auths("Ym9iOg==").to_string()).unwrap();
    let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
    done.noted(&format!(
        "{host} has several logins, but only one can be stored here: that of bob in {} replaces that of alice in {}",
        podmans.display(),
        config_file(&user).display()
    ));
    // One that is kept already is as much a login.
    user.does(&["logout", host], "").succeeded();
    user.store(host, "alice", PASSWORD).succeeded();
    fs::write(&podmans, auths("Ym9iOg==").to_string()).unwrap();
    let import = user.does(&["import", "--from", "podman", "--yes"], "").succeeded();
    import.noted("replaces that of alice in the keychain");
    // The same account is no matter.
    fs::write(&podmans, auths("").to_string()).unwrap();
    fs::write(config_file(&user), auths("").to_string()).unwrap();
    user.does(&["logout", host], "").succeeded();
    let quiet = user.does(&["import", "--from", "podman"], "").succeeded();
    assert!(!quiet.stderr.contains("several logins"), "{quiet:?}");
    fs::remove_dir_all(user.home().join("plain")).unwrap();
}

/// Killed before any call that changes something, no login is lost, and the same again finishes.
#[test]
fn killed_at_every_step_repeating_finishes() {
    if !has_strace("killed_at_every_step_repeating_finishes") {
        return;
    }
    let servers = servers();
    let mut killed = 0;
    for call in CALLS {
        for number in (1..).step_by(2) {
            let Case { user, hosts } = case(&servers);
            let at = format!("{call} {number}");
            let inject = format!("signal=SIGKILL:when={number}");
            let status = strace(&user, call, &inject, &BOTH).status().unwrap();
            // The helper's own calls are hit, too: what it was doing then is for the next run.
            let left = in_plain(&user);
            assert!(
                left.contains(&hosts[1].replace(':', "_")) || user.kept(&hosts[1]).is_some(),
                "{at}"
            );
            assert!(left.contains(&hosts[2].replace(':', "_")), "{at}");
            user.does(&BOTH, "").succeeded();
            assert_eq!(in_plain(&user), [hosts[2].replace(':', "_")], "{at}");
            assert!(!user.token(&hosts[1]).is_empty(), "{at}");
            assert_eq!(config(&user)["credsStore"], "refresh", "{at}");
            let files = fs::read_dir(user.home().join(".docker")).unwrap().count();
            assert_eq!(files, 1, "{at} left a temporary file");
            fs::remove_dir_all(user.home().join("plain")).unwrap();
            fs::write(config_file(&user), "{}").unwrap();
            if status.code().is_some() {
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 8, "killed only {killed} times");
}
