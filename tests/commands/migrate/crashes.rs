//! Killed at every step: `get` answers afterwards, and the same command again finishes.

use std::process::{Command, Stdio};

use super::{places, record, with_identity};
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::keychains::vault::Vault;
use crate::support::user::User;

const KEY: &str = "h.example";

/// Runs it until the `n`th call of this kind; false if it came to its end.
fn killed_at(user: &User, call: &str, n: usize, to: &str) -> bool {
    let helper = user.command();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={n}")]);
    strace.arg(helper.get_program()).args(["migrate", "--to", to, KEY]);
    strace.env_clear().envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = strace
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("strace");
    !status.success()
}

/// Moves a login there and back, killed at every call of these kinds on the way there.
fn every_step(
    user: &User,
    places: &dyn Fn() -> Vec<&'static str>,
    from: &str,
    to: &str,
    calls: &[&str],
) {
    let token = "token-of-nobody";
    super::prefer(user, from);
    user.store(KEY, "<token>", token).succeeded();
    let mut kills = 0;
    for call in calls {
        let mut n = 1;
        while killed_at(user, call, n, to) {
            let point = format!("from {from} to {to}, killed at {call} {n}");
            assert_eq!(user.token(KEY), token, "{point}");
            user.does(&["migrate", "--to", to, KEY], "").succeeded();
            assert_eq!(places(), [to], "{point}");
            assert_eq!(record(user)["left_in"], serde_json::Value::Null, "{point}");
            assert_eq!(user.token(KEY), token, "{point}");
            user.does(&["migrate", "--to", from, KEY], "").succeeded();
            (n, kills) = (n + 1, kills + 1);
            assert!(n < 100, "{point}");
        }
        user.does(&["migrate", "--to", from, KEY], "").succeeded();
    }
    assert!(kills > 7, "{kills} kills");
}

const FILES: [&str; 4] = ["/^rename", "/^unlink", "fsync", "/^mkdir"];

#[test]
fn from_the_kernel_to_files() {
    let user = with_identity(User::new());
    every_step(
        &user,
        &|| places(&user, None, KEY),
        "kernel",
        "file",
        &[&FILES[..], &["keyctl"]].concat(),
    );
}

#[test]
fn from_files_to_the_kernel() {
    let user = with_identity(User::new());
    let calls = [&FILES[..], &["add_key", "keyctl"]].concat();
    every_step(&user, &|| places(&user, None, KEY), "file", "kernel", &calls);
}

#[test]
fn from_files_to_the_desktop_and_back() {
    let keyring = GnomeKeyring::start();
    let user = with_identity(User::new());
    user.on_bus(keyring.environment());
    let calls = [&FILES[..2], &["/^send"]].concat();
    let all = || places(&user, Some(&keyring), KEY);
    every_step(&user, &all, "file", "secret-service", &calls);
    every_step(&user, &all, "secret-service", "file", &["/^rename", "/^send"]);
}

#[test]
fn from_a_helper_to_files_and_back() {
    let vault = Vault::new();
    let user = with_identity(User::new());
    vault.install(&user, "vault", "cat");
    let all = || {
        let mut all = places(&user, None, KEY);
        all.resize(all.len() + vault.entries(), "helper:vault");
        all
    };
    // Of the helper's own calls, its failure is what is seen.
    every_step(&user, &all, "helper:vault", "file", &FILES);
    every_step(&user, &all, "file", "helper:vault", &FILES);
}

#[test]
fn what_a_killed_move_put_there_goes_with_the_logout() {
    let user = with_identity(User::new());
    super::prefer(&user, "kernel");
    user.store(KEY, "<token>", "token-of-nobody").succeeded();
    // Makes what names are made of, so that each run has the same renames.
    user.does(&["migrate", "--to", "file", KEY], "").succeeded();
    let mut there = 0;
    for n in 1.. {
        user.store(KEY, "<token>", "token-of-nobody").succeeded();
        if !killed_at(&user, "/^rename", n, "file") {
            break;
        }
        there += usize::from(places(&user, None, KEY) == ["kernel", "file"]);
        user.erase(KEY).succeeded();
        assert!(places(&user, None, KEY).is_empty(), "killed at rename {n}");
    }
    assert!(there > 0, "it was never in both");
}
