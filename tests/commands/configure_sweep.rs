//! Faults at every call by which `configure` and `unconfigure` change files: nothing is mixed, exit 0 leaves
//! no password, and the same command again ends what was begun.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::server;
use crate::mock_token_server::TokenServer;
use crate::support::injection::{Run, faults_at, print_row};
use crate::support::user::User;

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
/// What changes files.
const WRITING: [&str; 6] = ["fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat"];
const FILES: [&str; 2] = [".docker/config.json", "run/containers/auth.json"];
const CONFIGURE: [&str; 4] = ["configure", "--podman", "--fallback", "none"];

/// Docker's file and podman's have a password each.
fn user(servers: &[TokenServer; 2]) -> User {
    let user = User::new();
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = crate::support::tested_program();
    symlink(program, bin.join("docker-credential-refresh")).unwrap();
    user.set("PATH", bin.to_str().unwrap());
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    for (server, file) in servers.iter().zip(FILES) {
        let host = server.registry_host();
        user.trust(&host, server);
        let path = user.home().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}")).unwrap();
    }
    user
}

/// How many passwords are in the files, and beside them; each file is whole.
fn passwords(user: &User, at: &str) -> usize {
    let mut count = 0;
    for file in FILES.map(|file| user.home().join(file)) {
        serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).expect(at);
        for entry in fs::read_dir(file.parent().unwrap()).unwrap() {
            count += fs::read_to_string(entry.unwrap().path()).unwrap().matches(GOOD).count();
        }
    }
    count
}

/// Configured, and with nothing left to undo.
fn check_done(user: &User, servers: &[TokenServer; 2], at: &str) {
    assert_eq!(passwords(user, at), 0, "{at}");
    for server in servers {
        assert!(!user.token(&server.registry_host()).is_empty(), "{at}");
    }
}

fn check_undone(user: &User, at: &str) {
    let config = fs::read_to_string(user.home().join(FILES[0])).unwrap();
    assert_eq!(config, "{\"auths\":{}}", "{at}");
}

/// A fault in a run of `arguments`, after `before`; `check` is told whether the run says that it is done.
fn sweep(
    servers: &[TokenServer; 2],
    before: &[&[&str]],
    arguments: &[&str],
    check: impl Fn(&User, bool, &str),
) {
    let start = || {
        let user = user(servers);
        before.iter().for_each(|arguments| drop(user.does(arguments, "").succeeded()));
        user
    };
    let first = start();
    let calls = Run { user: &first, arguments, stdin: "" }.calls_for_size(&WRITING);
    let (mut failed, mut faults) = (0, 0);
    for (index, call) in calls.iter().enumerate() {
        let (fails, is_killed) = faults_at(index);
        for error in call.errors().iter().filter(|_| fails) {
            let user = start();
            let outcome = Run { user: &user, arguments, stdin: "" }.with_error(call, error);
            check(&user, outcome.code == 0, &format!("{error} at {call:?}: {outcome:?}"));
            (failed, faults) = (failed + usize::from(outcome.code != 0), faults + 1);
        }
        if !is_killed {
            continue;
        }
        let user = start();
        Run { user: &user, arguments, stdin: "" }.killed_at(call);
        check(&user, false, &format!("killed at {call:?}"));
        faults += 1;
    }
    print_row(arguments[0], "kernel", calls.len(), faults, failed);
    assert!(calls.len() > 3 && failed > 2, "{failed}: {calls:?}");
}

#[test]
fn a_fault_in_configure_leaves_no_password_after_exit_0_and_repeating_finishes() {
    let servers = [server().start(), server().start()];
    sweep(&servers, &[], &CONFIGURE, |user, done, at| {
        let left = passwords(user, at);
        assert!(!done || left == 0, "{at}: exit 0 left {left}");
        user.does(&CONFIGURE, "").succeeded();
        check_done(user, &servers, at);
        user.does(&["unconfigure"], "").succeeded();
        check_undone(user, at);
    });
}

#[test]
fn a_fault_in_unconfigure_mixes_nothing_and_repeating_finishes() {
    let servers = [server().start(), server().start()];
    sweep(&servers, &[&CONFIGURE], &["unconfigure"], |user, done, at| {
        check_done(user, &servers, at);
        if done {
            check_undone(user, at);
        }
        user.does(&["unconfigure"], "").succeeded();
        check_undone(user, at);
    });
}
