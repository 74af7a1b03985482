//! `doctor`: each thing that can be wrong is found, with a remedy, and no secret is shown.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::{Keychain, KeychainName, Options};
use docker_credential_refresh::secret::RefreshToken;
use serde_json::{Value, json};

use super::{PASSWORD, log_in};
use crate::mock_token_server::{At, Fault, Profile, TokenServer};
use crate::support::canary::Canary;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::terminal::Terminal;
use crate::support::user::{Outcome, User};

mod clients;
mod files;
mod keychains;
mod server;

/// A user whose PATH holds this helper and nothing else, and whose docker is set up.
fn healthy() -> User {
    let user = User::new();
    set_up(&user);
    user
}

fn set_up(user: &User) {
    user.program("unused", "");
    let bin = user.home().join("bin");
    symlink(crate::support::tested_program(), bin.join("docker-credential-refresh")).unwrap();
    user.set("PATH", bin.to_str().unwrap());
    // The machine's own /run/containers is none of this user's.
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    config(user, ".docker/config.json", &json!({"credsStore": "refresh"}).to_string());
}

fn config(user: &User, path: &str, text: &str) {
    let file = user.home().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    mode(&file, 0o600);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The findings of `doctor --json`, strictly parsed.
fn findings(outcome: &Outcome) -> Vec<(String, String, String, String)> {
    assert_eq!(outcome.stdout.matches('\n').count(), 1, "{outcome:?}");
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let failed = answer["failed"].as_u64().unwrap();
    assert_eq!(outcome.code, i32::from(failed > 0), "{outcome:?}");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let all = answer["checks"].as_array().unwrap().iter().map(|finding| {
        let status = text(finding, "status");
        // Whatever is not well has its remedy.
        assert_eq!(finding["remedy"].is_null(), status == "OK", "{finding}");
        (text(finding, "check"), status, text(finding, "message"), text(finding, "remedy"))
    });
    all.collect()
}

/// Runs `doctor` and looks for findings: check, status, and a part of the message or the remedy.
#[track_caller]
fn finds(user: &User, server: Option<&str>, expected: &[(&str, &str, &str)]) -> Outcome {
    let arguments: Vec<&str> = ["doctor", "--json"].into_iter().chain(server).collect();
    let outcome = user.does(&arguments, "");
    let all = findings(&outcome);
    for (check, status, part) in expected {
        let found = all.iter().any(|(c, s, message, remedy)| {
            c == check && s == status && (message.contains(part) || remedy.contains(part))
        });
        assert!(found, "no {status} {check} with {part:?} in {all:#?}");
    }
    outcome
}

#[test]
fn a_healthy_setup_is_told_line_by_line() {
    let user = healthy();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let outcome = user.does(&["doctor"], "").succeeded();
    let home = user.home().display().to_string();
    let mut lines: Vec<String> =
        outcome.stdout.lines().map(|line| line.replace(&home, "HOME")).collect();
    // Whose home it is depends on the machine, and the time on its load.
    let user_line = lines.remove(0);
    assert!(user_line.contains(" user: HOME is "), "{user_line}");
    if user_line.starts_with("WARN") {
        let remedy = lines.remove(0);
        let keep =
            "or keep HOME=HOME everywhere: logins made with one are not found with the other";
        assert!(remedy.contains("-> set HOME=") && remedy.contains(keep), "{remedy}");
        *lines.last_mut().unwrap() = "Nothing to do".to_owned();
    }
    for line in &mut lines {
        if let Some(at) = line.find(" (").filter(|_| line.ends_with(" ms)")) {
            line.truncate(at);
        }
    }
    let expected = "\
OK    program: HOME/bin/docker-credential-refresh is on PATH
SKIP  clients: neither docker nor podman, skopeo or buildah is on PATH
      -> install one of them to log in from this machine
OK    files: settings and records are the user's own
OK    docker config: credsStore in HOME/.docker/config.json is this helper
OK    passwords: HOME/.docker/config.json has no password
OK    keychain: kernel stores, returns and deletes
OK    logins: 1 of 1 were found in their keychain
Nothing to do";
    assert_eq!(lines.join("\n"), expected);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_helper_that_clients_do_not_find_is_told() {
    let user = User::new();
    finds(
        &user,
        None,
        &[
            ("program", "FAIL", "is not on PATH"),
            ("docker config", "WARN", "does not exist: docker uses no helper"),
        ],
    );
    let user = healthy();
    let other = user.home().join("bin/docker-credential-refresh");
    fs::remove_file(&other).unwrap();
    user.program("docker-credential-refresh", "#!/bin/sh\n");
    finds(&user, None, &[("program", "WARN", "clients run ")]);
    user.settings("fallback = \"pass\"\n");
    finds(&user, None, &[("fallback", "FAIL", "docker-credential-pass is not on PATH")]);
    user.program("docker-credential-pass", "#!/bin/sh\necho '{\"h.example\":\"alice\"}'\n");
    finds(&user, None, &[("fallback", "OK", "takes what cannot be exchanged (it has 1 login)")]);
    user.program("docker", "");
    finds(&user, None, &[("docker", "OK", "bin/docker can start helpers")]);
}

#[test]
fn what_others_could_put_before_a_helper_is_found() {
    let user = healthy();
    let (bin, early) = (user.home().join("bin"), user.home().join("early"));
    fs::create_dir(&early).unwrap();
    user.set("PATH", &format!("{}:{}", early.display(), bin.display()));
    mode(&early, 0o777);
    finds(&user, None, &[("path", "FAIL", "which comes before a helper's in PATH")]);
    mode(&early, 0o755);
    mode(&bin, 0o777);
    finds(&user, None, &[("path", "FAIL", "which holds a helper")]);
    mode(&bin, 0o755);
    user.settings("");
    let folder = user.settings_file().parent().unwrap().to_owned();
    mode(&folder, 0o770);
    finds(&user, None, &[("files", "FAIL", "docker-credential-refresh (mode 770)")]);
    mode(&folder, 0o700);
    mode(&user.settings_file(), 0o620);
    finds(&user, None, &[("files", "FAIL", "config.toml (mode 620)")]);
    mode(&user.settings_file(), 0o600);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHIAN", "file");
    let meant = "did you mean DOCKER_CREDENTIAL_REFRESH_KEYCHAIN?";
    finds(&user, None, &[("settings", "FAIL", meant)]);
    user.settings("profile = 7");
    finds(&user, None, &[("settings", "FAIL", meant), ("settings", "FAIL", "profile in ")]);
}

#[test]
fn it_is_coloured_on_a_terminal_alone_and_not_against_the_users_will() {
    let user = healthy();
    let mut command = user.command();
    command.arg("doctor").env("PATH", "/usr/bin:/bin");
    command.env("TERM", "xterm");
    let (screen, _) = Terminal::run(&command).end();
    assert!(screen.contains("\u{1b}[31mFAIL \u{1b}[0m program: "), "{screen:?}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = user.command();
        command.arg("doctor").env("TERM", "xterm").env("PATH", "/usr/bin:/bin").env(name, value);
        let (screen, _) = Terminal::run(&command).end();
        assert!(!screen.contains('\u{1b}'), "{screen:?}");
    }
    assert!(!user.does(&["doctor"], "").stdout.contains('\u{1b}'));
}
