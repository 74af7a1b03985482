//! Other processes at the same time.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::{KEYCHAIN, places, prefer, record, with_identity};
use crate::support::user::User;

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn migrate(user: &User, to: &str) -> Command {
    let mut command = quiet(user.command());
    command.args(["migrate", "--to", to, "h.example"]);
    command
}

#[test]
fn a_get_never_misses_a_login_on_its_way() {
    let user = with_identity(User::new());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let mut ways = ["file", "kernel"].map(|to| migrate(&user, to));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..25 {
                for way in &mut ways {
                    assert!(way.status().unwrap().success());
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            assert_eq!(user.token("h.example"), "token-of-nobody");
        }
    });
}

#[test]
fn logins_logouts_and_moves_of_one_key_leave_one_item_or_none() {
    let user = with_identity(User::new());
    user.secret("token-of-");
    for round in 0..4 {
        let mut running = Vec::new();
        for number in 0..8 {
            let keychain = ["kernel", "file"][number % 2];
            let mut store = quiet(user.command());
            store.env(KEYCHAIN, keychain).arg("store").stdin(Stdio::piped());
            let payload = json!({"ServerURL": "h.example", "Username": "<token>",
                "Secret": format!("token-of-{number}")});
            let mut child = store.spawn().unwrap();
            child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
            running.push(child);
            running.push(migrate(&user, ["file", "kernel"][number / 2 % 2]).spawn().unwrap());
            if round % 2 == 1 {
                let mut erase = quiet(user.command());
                let mut child = erase.arg("erase").stdin(Stdio::piped()).spawn().unwrap();
                child.stdin.take().unwrap().write_all(b"h.example").unwrap();
                running.push(child);
            }
        }
        for mut child in running {
            // A move that comes after a logout finds no login.
            assert!(matches!(child.wait().unwrap().code(), Some(0 | 3)));
        }
        let kept = places(&user, None, "h.example");
        if user.records().is_empty() {
            assert!(round % 2 == 1 && kept.is_empty(), "{kept:?}");
            continue;
        }
        let record = record(&user);
        assert_eq!(kept, [record["keychain"].as_str().unwrap()]);
        assert_eq!(record["left_in"], Value::Null);
        assert!(user.token("h.example").starts_with("token-of-"));
    }
    prefer(&user, "kernel");
    user.erase("h.example").succeeded();
    assert!(places(&user, None, "h.example").is_empty());
}
