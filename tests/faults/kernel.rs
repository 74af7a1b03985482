//! A login in the kernel keyring, which is out of reach: an error of every verb, by the helper as
//! clients start it, and never "not found". Only who has the records of another, and a keyring of
//! their own, is told that the login is gone from it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::left_out;
use crate::support::seccomp::forbidding;
use crate::support::user::{NOT_FOUND, User};

const KEY: &str = "registry.example.com";

/// One login kept and recorded; under the wrapper it is out of reach, and stays as it is.
fn is_never_not_found(wrapper: &[&str], why: &str) {
    let user = User::new();
    user.store(KEY, "<token>", "first-token").succeeded();
    let before = fs::read(user.records_file()).unwrap();
    let got =
        user.run_under(wrapper, "get", KEY.as_bytes()).failed_with(&["the kernel keychain", why]);
    assert!(got.stdout != NOT_FOUND && got.stderr.contains("kernel"), "{got:?}");
    user.run_under(wrapper, "erase", KEY.as_bytes()).failed_with(&["the kernel keychain", why]);
    // What is not recorded is asked for all the time, and no keychain is.
    user.run_under(wrapper, "get", b"other.example.com").not_found();
    user.run_under(wrapper, "erase", b"other.example.com").succeeded();
    let listed = user.run_under(wrapper, "list", b"").succeeded();
    assert_eq!(listed.stdout, "{}\n");
    listed.noted("logins in kernel are not listed");
    assert_eq!(fs::read(user.records_file()).unwrap(), before);
    assert_eq!(user.token(KEY), "first-token");
}

/// The number of the login's key, in hexadecimal.
fn key_number(user: &User) -> String {
    let description = format!("docker-credential-refresh:{}:{KEY}", user.profile());
    let keys = fs::read_to_string("/proc/keys").unwrap();
    let line = keys.lines().find(|line| line.contains(&description)).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

fn words(wrapper: &[String]) -> Vec<&str> {
    wrapper.iter().map(String::as_str).collect()
}

#[test]
fn forbidden_by_a_seccomp_filter() {
    for (errno, name) in [(1, "EPERM"), (38, "ENOSYS")] {
        let wrapper = forbidding(&["keyctl", "add_key", "request_key"], errno);
        is_never_not_found(&words(&wrapper), name);
    }
}

#[test]
fn kept_outside_of_a_user_namespace() {
    is_never_not_found(&["unshare", "--map-root-user", "--"], "this user namespace");
    is_never_not_found(&["unshare", "--user", "--map-current-user", "--"], "this user namespace");
}

#[test]
fn kept_by_another_user() {
    if !rustix::process::getuid().is_root() {
        return left_out("a login of another user", "it needs root");
    }
    let user = User::new();
    user.store(KEY, "<token>", "first-token").succeeded();
    // The home of one and the rights of another, as `su` without `-l` may leave them.
    let copy = user.home().join("helper");
    let program = user.command().get_program().to_owned();
    assert!(Command::new("cp").arg(program).arg(&copy).status().unwrap().success());
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(user.home(), open).unwrap();
    let other =
        ["setpriv", "--reuid", "3000000004", "--regid", "3000000004", "--clear-groups", "--"];
    let as_other = |home: &Path, verb: &str| {
        let instead = format!("shift; HOME='{}' exec '{}' \"$@\"", home.display(), copy.display());
        let wrapper = [&other[..], &["sh", "-c", &instead, "sh"]].concat();
        user.run_under(&wrapper, verb, KEY.as_bytes())
    };
    for verb in ["get", "erase", "list"] {
        as_other(user.home(), verb).failed_with(&["logins.json", "Permission denied"]);
    }
    // With a copy of the records, what is asked is the other's own keyring.
    let theirs = tempfile::tempdir().unwrap();
    let script = "cp -r \"$1/.local\" \"$2\" && chown -R 3000000004 \"$2\"";
    let give = ["-c", script, "sh"];
    let mut give =
        Command::new("sh").args(give).arg(user.home()).arg(theirs.path()).spawn().unwrap();
    assert!(give.wait().unwrap().success());
    let gone = format!("login for {KEY} is gone from kernel; log in again");
    as_other(theirs.path(), "get").not_found().noted(&gone);
    as_other(theirs.path(), "erase").succeeded();
    // The key itself is there, and not theirs to see.
    let key = format!("0x{}", key_number(&user));
    for action in ["describe", "read", "revoke"] {
        let output =
            Command::new(other[0]).args(&other[1..]).args(["keyctl", action, &key]).output();
        let said = String::from_utf8(output.unwrap().stderr).unwrap();
        assert!(said.contains("Permission denied"), "{action}: {said}");
    }
    assert_eq!(user.token(KEY), "first-token");
}

#[test]
fn a_store_that_may_not_add_a_key_leaves_the_previous_login() {
    let user = User::new();
    user.store(KEY, "<token>", "first-token").succeeded();
    let before = fs::read(user.records_file()).unwrap();
    let payload =
        json!({"ServerURL": KEY, "Username": "<token>", "Secret": "second-token"}).to_string();
    user.secret("second-token");
    for calls in [&["add_key"][..], &["keyctl", "add_key", "request_key"]] {
        let wrapper = forbidding(calls, 1);
        user.run_under(&words(&wrapper), "store", payload.as_bytes()).failed_with(&["EPERM"]);
        assert_eq!(user.token(KEY), "first-token");
        assert_eq!(fs::read(user.records_file()).unwrap(), before);
    }
}

#[test]
fn inside_of_a_user_namespace_logins_are_kept_like_anywhere() {
    let user = User::new();
    let script = "helper=$1; put() { printf '{\"ServerURL\":\"h.example\",\"Username\":\"<token>\",\"Secret\":\"in\"}' | $helper store; }
        put && printf h.example | $helper get && $helper list </dev/null && $helper status h.example && { $helper doctor; true; } &&
        printf h.example | $helper erase; echo $?; printf h.example | $helper get";
    let helper = user.command();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--", "sh", "-c", script, "sh"])
        .arg(helper.get_program())
        .env_clear()
        .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(stdout.contains("\"Secret\":\"in\"") && stdout.contains("{\"h.example\":"), "{stdout}");
    assert!(stdout.contains("Kept until:  namespace ends\n"), "{stdout}");
    assert!(stdout.contains("OK    keychain: kernel stores, returns and deletes"), "{stdout}");
    assert!(stdout.ends_with(&format!("\n0\n{NOT_FOUND}")), "{stdout}");
    assert!(
        stderr.contains("stored in the kernel keychain until this user namespace ends"),
        "{stderr}"
    );
}

#[test]
fn taken_away_by_another_program_of_the_user() {
    let user = User::new();
    user.store(KEY, "<token>", "first-token").succeeded();
    let description = format!("docker-credential-refresh:{}:{KEY}", user.profile());
    let run = |command: String| {
        let session = ["session", "-", "sh", "-c", &command];
        assert!(Command::new("keyctl").args(session).output().unwrap().status.success());
    };
    let key = format!("$(keyctl search @u user {description})");
    run(format!("keyctl link @u @s; keyctl setperm {key} 0x01010000"));
    for outcome in [user.get(KEY), user.erase(KEY), user.store(KEY, "<token>", "second-token")] {
        outcome.failed_with(&["the kernel keychain", "EACCES"]);
    }
    let status = user.does(&["status", KEY], "");
    assert_eq!(status.code, 6, "{status:?}");
    // What is gone for good is "not found", and that is said.
    let key = format!("0x{}", key_number(&user));
    let persistent = "$(keyctl get_persistent @s)";
    run(format!("keyctl unlink {key} {persistent} && keyctl unlink {key} @u"));
    let gone = format!("login for {KEY} is gone from kernel; log in again");
    user.get(KEY).not_found().noted(&gone);
    user.store(KEY, "<token>", "second-token").succeeded();
    assert_eq!(user.token(KEY), "second-token");
}
