//! Faults at every call by which `configure` and `unconfigure` change files: nothing is mixed, exit 0 leaves
//! no password, and the same command again ends what was begun.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::server;
use crate::mock_token_server::TokenServer;
use crate::support::strace::{has_strace, strace};
use crate::support::user::User;

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
/// The calls that change files.
const CALLS: [&str; 3] = ["fsync", "/^rename", "/^unlink"];
const FILES: [&str; 2] = [".docker/config.json", "run/containers/auth.json"];
const CONFIGURE: [&str; 4] = ["configure", "--podman", "--fallback", "none"];

/// Docker's file and podman's have a password each.
fn user(servers: &[TokenServer; 2]) -> User {
    let user = User::new();
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = env!("CARGO_BIN_EXE_docker-credential-refresh");
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

#[test]
fn exit_0_leaves_no_password_and_repeating_finishes() {
    if !has_strace("exit_0_leaves_no_password_and_repeating_finishes") {
        return;
    }
    let servers = [server().start(), server().start()];
    let mut faults = 0;
    for call in CALLS {
        for what in ["error=EIO", "signal=SIGKILL"] {
            for number in 1.. {
                let at = format!("{call} {what} {number}");
                let user = user(&servers);
                let inject = format!("{what}:when={number}");
                let status = strace(&user, call, &inject, &CONFIGURE).status().unwrap();
                let left = passwords(&user, &at);
                assert!(status.code() != Some(0) || left == 0, "{at}: exit 0 left {left}");
                user.does(&CONFIGURE, "").succeeded();
                assert_eq!(passwords(&user, &at), 0, "{at}: again");
                for server in &servers {
                    assert!(!user.token(&server.registry_host()).is_empty(), "{at}");
                }
                let undone = strace(&user, call, &inject, &["unconfigure"]).status().unwrap();
                user.does(&["unconfigure"], "").succeeded();
                let config = fs::read_to_string(user.home().join(FILES[0])).unwrap();
                assert_eq!(config, "{\"auths\":{}}", "{at}: undone");
                faults += 1;
                if status.code() == Some(0) && undone.code() == Some(0) {
                    break;
                }
            }
        }
    }
    println!("{faults} faults, none mixed, none left behind");
    assert!(faults > 20, "only {faults} faults");
}
