//! A login that comes while the previous one is revoked is not erased with it.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::{logged_in, server};
use crate::support::strace::has_strace;

/// The records are seen to be writable, then the server is asked; the connection is what takes long.
#[test]
fn a_login_that_comes_while_the_previous_one_is_revoked_stays() {
    if !has_strace("a_login_that_comes_while_the_previous_one_is_revoked_stays") {
        return;
    }
    for (arguments, endpoint) in [
        (&["revoke"][..], true),
        (&["logout", "--revoke"], true),
        (&["revoke", "--token-stdin"], true),
        (&["revoke"], false),
    ] {
        let server = if endpoint { server() } else { server().no_metadata() }.start();
        let host = server.registry_host();
        let user = logged_in(&server);
        let previous = user.token(&host);
        let trace = user.home().join("trace");
        let file = trace.to_str().unwrap();
        let wrapper = [
            "strace",
            "-f",
            "-qq",
            "-o",
            file,
            "-e",
            "trace=openat,connect",
            "-e",
            "inject=connect:delay_enter=4000000:when=1",
        ];
        let mut command = user.command_under(&wrapper);
        command.args(arguments).arg(&host).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut revoke = command.stderr(Stdio::piped()).spawn().unwrap();
        revoke.stdin.take().unwrap().write_all(previous.as_bytes()).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while !fs::read_to_string(&trace).unwrap_or_default().contains("logins.json") {
            assert!(Instant::now() < end, "it never read the records");
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(700));
        user.store(&host, "<token>", "token-of-the-new-login").succeeded();
        let outcome = revoke.wait_with_output().unwrap();
        fs::remove_file(&trace).unwrap();
        let [told, noted] =
            [outcome.stdout, outcome.stderr].map(|text| String::from_utf8(text).unwrap());
        let code = if endpoint { 0 } else { 9 };
        assert_eq!(outcome.status.code(), Some(code), "{arguments:?}: {told}{noted}");
        if endpoint {
            assert!(told.starts_with("Revoked the "), "{arguments:?}: {told}");
        } else {
            let kept = "stays valid at the server; the new login, made in the meantime, was kept";
            assert!(noted.contains(kept), "{noted}");
        }
        assert_eq!(user.token(&host), "token-of-the-new-login", "{arguments:?}");
        assert_eq!(server.live_refresh_tokens().is_empty(), endpoint, "{arguments:?}");
    }
}
