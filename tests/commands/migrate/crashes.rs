//! Killed at every step: `get` answers afterwards, and the same command again finishes.

use std::process::{Command, Stdio};

use super::{places, record, with_identity};
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::user::User;

/// Runs it until the `n`th call of this kind; false if it came to its end.
fn killed_at(user: &User, call: &str, n: usize, to: &str) -> bool {
    let helper = user.command();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={n}")]);
    strace.arg(helper.get_program()).args(["migrate", "--to", to, "h.example"]);
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
fn every_step(user: &User, keyring: Option<&GnomeKeyring>, from: &str, to: &str, calls: &[&str]) {
    let token = "token-of-nobody";
    super::prefer(user, from);
    user.store("h.example", "<token>", token).succeeded();
    let mut kills = 0;
    for call in calls {
        let mut n = 1;
        while killed_at(user, call, n, to) {
            let point = format!("from {from} to {to}, killed at {call} {n}");
            assert_eq!(user.token("h.example"), token, "{point}");
            user.does(&["migrate", "--to", to, "h.example"], "").succeeded();
            assert_eq!(places(user, keyring, "h.example"), [to], "{point}");
            assert_eq!(record(user)["left_in"], serde_json::Value::Null, "{point}");
            assert_eq!(user.token("h.example"), token, "{point}");
            user.does(&["migrate", "--to", from, "h.example"], "").succeeded();
            (n, kills) = (n + 1, kills + 1);
            assert!(n < 100, "{point}");
        }
        user.does(&["migrate", "--to", from, "h.example"], "").succeeded();
    }
    assert!(kills > 7, "{kills} kills");
}

const FILES: [&str; 4] = ["/^rename", "/^unlink", "fsync", "/^mkdir"];

#[test]
fn from_the_kernel_to_files() {
    let user = with_identity(User::new());
    every_step(&user, None, "kernel", "file", &[&FILES[..], &["keyctl"]].concat());
}

#[test]
fn from_files_to_the_kernel() {
    let user = with_identity(User::new());
    let calls = [&FILES[..], &["add_key", "keyctl"]].concat();
    every_step(&user, None, "file", "kernel", &calls);
}

#[test]
fn from_files_to_the_desktop_and_back() {
    let keyring = GnomeKeyring::start();
    let user = with_identity(User::new());
    user.on_bus(keyring.environment());
    let calls = [&FILES[..2], &["/^send"]].concat();
    every_step(&user, Some(&keyring), "file", "secret-service", &calls);
    every_step(&user, Some(&keyring), "secret-service", "file", &["/^rename", "/^send"]);
}
