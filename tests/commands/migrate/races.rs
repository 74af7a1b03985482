//! Other processes at the same time.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::{PASSWORD, log_in_to, logged_in, server};
use super::{KEYCHAIN, places, prefer, record, with_identity};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::injection::Run;
use crate::support::keychains::vault::Vault;
use crate::support::user::{NOT_FOUND, User};

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn migrate(user: &User, to: &str) -> Command {
    let mut command = quiet(user.command());
    command.args(["migrate", "--to", to, "h.example"]);
    command
}

/// Where a helper is held up: before this call of its kind, after its trace has said this.
struct Hold {
    call: &'static str,
    when: u32,
    said: &'static str,
}

/// Before its first call of this kind, when it has read its records.
fn at_first(call: &'static str) -> Hold {
    Hold { call, when: 1, said: "records " }
}

/// Runs the helper, which is held up while `meanwhile` happens.
fn held_up(
    user: &User,
    Hold { call, when, said }: Hold,
    arguments: &[&str],
    stdin: &str,
    meanwhile: impl FnOnce(),
) -> Output {
    let trace = user.home().join("held-up.trace");
    let input = user.home().join("held-up.input");
    fs::write(&input, stdin).unwrap();
    let helper = user.command();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:delay_enter=4000000:when={when}")]);
    strace.arg(helper.get_program()).args(arguments).env_clear();
    strace.envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.env("DOCKER_CREDENTIAL_REFRESH_TRACE", &trace);
    strace.stdin(fs::File::open(&input).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = strace.spawn().expect("strace");
    let end = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&trace).is_ok_and(|trace| trace.contains(said)) {
        if child.try_wait().unwrap().is_some() || Instant::now() > end {
            let _ = child.kill();
            panic!("it has not said {said:?}: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(10));
    }
    meanwhile();
    let output = child.wait_with_output().unwrap();
    fs::remove_file(trace).unwrap();
    fs::remove_file(input).unwrap();
    output
}

#[test]
fn a_get_that_read_the_records_before_a_move_finds_the_login_after_it() {
    let user = with_identity(User::new());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let to_file = || {
        user.does(&["migrate", "--to", "file", "h.example"], "").succeeded();
    };
    let output = held_up(&user, at_first("keyctl"), &["get"], "h.example", to_file);
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && answer.contains("token-of-nobody"), "{answer}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "not even that it is gone");
}

#[test]
fn a_get_that_read_the_records_before_a_logout_does_not_see_a_login_that_is_being_stored() {
    let user = User::new();
    user.secret("new-token");
    let payload = json!({"ServerURL": "h.example", "Username": "<token>", "Secret": "new-token"});
    let payload = payload.to_string();
    let store = Run { user: &user, arguments: &["store"], stdin: &payload };
    let of_records = store.calls().into_iter().find(|call| call.name.starts_with("rename"));
    let of_records = of_records.expect("the records are renamed");
    user.store("h.example", "<token>", "old-token").succeeded();
    // It is in the keychain, and not in the records yet.
    let half_way = || {
        user.erase("h.example").succeeded();
        store.killed_at(&of_records);
    };
    let output = held_up(&user, at_first("keyctl"), &["get"], "h.example", half_way);
    let answer = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), answer.as_str()), (Some(1), NOT_FOUND));
    let left = user.does(&["logout", "h.example"], "");
    assert_eq!(left.code, 0, "{left:?}");
}

#[test]
fn a_get_for_a_path_that_is_logged_out_meanwhile_finds_the_login_of_the_host() {
    let user = User::new();
    user.store("h.example", "<token>", "token-of-host").succeeded();
    user.store("h.example/team", "<token>", "token-of-team").succeeded();
    let log_out = || {
        user.erase("h.example/team").succeeded();
    };
    let output = held_up(&user, at_first("keyctl"), &["get"], "h.example/team", log_out);
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && answer.contains("token-of-host"), "{answer}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn an_erase_waits_for_the_very_first_login_to_have_its_record() {
    let user = User::new();
    user.secret("a-token");
    let payload = json!({"ServerURL": "h.example", "Username": "<token>", "Secret": "a-token"});
    let hold = Hold { call: "/^rename", when: 1, said: "keychain kernel: put" };
    let erase = || {
        user.erase("h.example").succeeded();
    };
    let stored = held_up(&user, hold, &["store"], &payload.to_string(), erase);
    assert!(stored.status.success(), "{}", String::from_utf8_lossy(&stored.stderr));
    assert_eq!(user.list(), json!({}));
    user.get("h.example").not_found();
}

#[test]
fn a_token_is_fetched_with_a_login_that_moved_meanwhile() {
    let server = server().start();
    let host = server.registry_host();
    let user = with_identity(logged_in(&server));
    let token = ["token", &host, "--scope", "repository:alice/app:pull"];
    let to_file = || {
        user.does(&["migrate", "--to", "file", &host], "").succeeded();
    };
    let output = held_up(&user, at_first("flock"), &token, "", to_file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_refreshed_token_does_not_take_the_place_of_a_login_in_another_keychain() {
    let server =
        TokenServer::builder().profile(Profile::RotatingWithGrace).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = with_identity(User::trusting(&server));
    let vault = Vault::new();
    vault.install(&user, "vault", "cat");
    prefer(&user, "helper:vault");
    log_in_to(&user, &server, "helper:vault");
    // It keeps what it is told to erase, so that the old token is still there.
    let program = user.home().join("bin/docker-credential-vault");
    let text = fs::read_to_string(program).unwrap().replace("rm \"$file\"", "exit 1");
    user.program("docker-credential-vault", &text);
    prefer(&user, "file");
    let log_in = || {
        user.store(&host, "<token>", "token-of-nobody").succeeded().noted("remains in");
    };
    // The second lock is the one under which a token that has changed is kept.
    let hold = Hold { call: "flock", when: 2, said: "helper:vault: get" };
    let token = ["token", &host, "--scope", "repository:alice/app:pull"];
    let output = held_up(&user, hold, &token, "", log_in);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(user.token(&host), "token-of-nobody");
    assert_eq!(record(&user)["keychain"], "file");
}

/// Sets it when a thread ends, also by a panic: or those that wait for it would never end.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_get_beside_many_moves_finds_the_login() {
    let user = with_identity(User::new());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let mut ways = ["file", "kernel"].map(|to| migrate(&user, to));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = SetAtEnd(&done);
            for _ in 0..20 {
                for way in &mut ways {
                    assert!(way.status().unwrap().success());
                }
            }
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
