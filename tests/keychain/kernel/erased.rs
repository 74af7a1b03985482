//! Keys that others delete between the search for one and its use.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName, Options};
use docker_credential_refresh::secret::RefreshToken;

use super::{Profile, keyctl};
use crate::support::user::{NOT_FOUND, User};

const LONG: Duration = Duration::from_secs(3);

/// Without the lock of the login records, which a `get` does not take: the kernel says EACCES of a key
/// that is in no keyring any more, and that is "gone", not "could not look".
#[test]
fn a_key_that_goes_meanwhile_is_absent_and_not_out_of_reach() {
    let profile = Profile::new("erased");
    let open =
        || Keychain::open(&KeychainName::Kernel, &profile.name, &Options::default()).unwrap();
    let done = AtomicBool::new(false);
    let until_done = |work: &dyn Fn(&Keychain)| {
        let keychain = open();
        while !done.load(Ordering::Relaxed) {
            work(&keychain);
        }
    };
    let absent_or = |outcome: Result<(), Error>| match outcome {
        Ok(()) | Err(Error::Absent) => {}
        Err(error) => {
            done.store(true, Ordering::Relaxed);
            panic!("{error}");
        }
    };
    thread::scope(|scope| {
        for writer in 0..2 {
            scope.spawn(move || {
                until_done(&|keychain| {
                    let token = RefreshToken::new(format!("token{writer}"));
                    absent_or(keychain.put("k", "alice", &token));
                    absent_or(keychain.delete("k"));
                });
            });
        }
        for _ in 0..3 {
            scope.spawn(|| {
                until_done(&|keychain| {
                    absent_or(keychain.get("k").map(drop));
                    absent_or(keychain.check_login("k"));
                    absent_or(keychain.list().map(drop));
                });
            });
        }
        let end = Instant::now() + LONG;
        while Instant::now() < end && !done.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A helper that is slow to use the key that it has found. Another process takes the key out of the
/// keyrings meanwhile and a third still holds it: so it lives, and nobody here may read it.
#[test]
fn access_that_is_denied_because_the_key_went_is_told_as_gone() {
    let user = User::new();
    let trace = user.home().join("trace");
    // The number of the call that reads the key, or overwrites it.
    for (verb, number) in [("get", 9), ("erase", 10)] {
        user.store("h.example", "<token>", "token-of-nobody").succeeded();
        let description = format!("docker-credential-refresh:{}:h.example", user.profile());
        let key = keyctl(&["search", "@u", "user", &description]);
        let script = format!(
            "keyctl link @u @s && keyctl link {key} @s && read -r now && keyctl unlink {key} $(keyctl get_persistent @s) && \
             keyctl unlink {key} @u && echo gone && exec sleep 60"
        );
        let mut holder = Command::new("keyctl");
        holder.args(["session", "-", "sh", "-c", &script]).stderr(Stdio::null());
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let inject = format!("inject=keyctl:delay_enter=3000000:when={number}");
        let file = trace.to_str().unwrap();
        let wrapper = ["strace", "-f", "-qq", "-o", file, "-e", "trace=keyctl", "-e", &inject];
        let mut slow = user.command_under(&wrapper);
        slow.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut slow = slow.spawn().unwrap();
        slow.stdin.take().unwrap().write_all(b"h.example").unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(&trace).unwrap_or_default().lines().count() < number - 1 {
            assert!(Instant::now() < end, "it never found the key");
            thread::sleep(Duration::from_millis(10));
        }
        holder.stdin.take().unwrap().write_all(b"now\n").unwrap();
        let mut answers = BufReader::new(holder.stdout.take().unwrap());
        let mut line = String::new();
        while line != "gone\n" {
            line.clear();
            assert_ne!(answers.read_line(&mut line).unwrap(), 0, "it could not be taken out");
        }
        let outcome = slow.wait_with_output().unwrap();
        holder.kill().unwrap();
        holder.wait().unwrap();
        let calls = fs::read_to_string(&trace).unwrap();
        fs::remove_file(&trace).unwrap();
        assert!(calls.contains("EACCES"), "{verb}: {calls}");
        let [stdout, stderr] =
            [outcome.stdout, outcome.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        if verb == "get" {
            assert_eq!(stdout, NOT_FOUND, "{stderr}");
            assert!(stderr.contains("is gone from kernel"), "{stderr}");
        } else {
            assert_eq!((outcome.status.code(), stdout.as_str()), (Some(0), ""), "{stderr}");
        }
    }
}
