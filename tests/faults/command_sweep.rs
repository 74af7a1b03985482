//! The same for the commands that change a login: each system call on files and keys fails once, and
//! is once the last thing that happens. Exit status 0 means done, anything else that the login is as
//! it was or that the same command finishes what it began.

use std::path::Path;

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName, Options, new_identity};

use crate::mock_token_server::{Builder, DeviceFlow, Profile, TokenServer, hash};
use crate::support::injection::{CHANGING, Run, faults_at, print_row};
use crate::support::user::User;
use crate::support::{full_size, tested_program};

const PASSWORD: &str = "correct horse battery";

struct Sweep {
    server: TokenServer,
    user: User,
    host: String,
}

/// What this machine has of the login.
#[derive(Debug, PartialEq)]
struct Kept {
    token: Option<String>,
    recorded: bool,
}

impl Sweep {
    fn new(keychain: &str, server: Builder) -> Self {
        let server = server.user("alice", PASSWORD).start();
        let user = User::trusting(&server);
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
        user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
        user.secret(PASSWORD);
        Self { host: server.registry_host(), server, user }
    }

    fn run<'a>(&'a self, arguments: &'a [&'a str]) -> Run<'a> {
        let stdin = if arguments.contains(&"--password-stdin") { PASSWORD } else { "" };
        Run { user: &self.user, arguments, stdin }
    }

    /// Whatever went before, the next login succeeds and leaves nothing half done behind.
    fn log_in(&self, what: &str) -> String {
        let login = ["login", "-u", "alice", "--password-stdin", &self.host];
        let outcome = self.user.does(&login, PASSWORD);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Login Succeeded\n"), "{what}");
        let mut left: Vec<_> = std::fs::read_dir(self.user.state())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("refresh-"))
            .collect();
        left.sort();
        assert_eq!(left, ["logins.json", "logins.lock"], "{what}");
        self.user.token(&self.host)
    }

    fn kept(&self, what: &str) -> Kept {
        let records = self.user.records();
        assert!(records.len() <= 1, "{what}: {records:?}");
        let got = self.user.get(&self.host);
        let token = match got.code {
            0 => {
                let answer: serde_json::Value = serde_json::from_str(&got.stdout).unwrap();
                Some(answer["Secret"].as_str().unwrap().to_owned())
            }
            // "Could not look" would be an error of another text.
            _ => {
                got.not_found();
                None
            }
        };
        Kept { token, recorded: !records.is_empty() }
    }

    fn is_alive(&self, token: &str) -> bool {
        self.server.live_refresh_tokens().iter().any(|live| live.hash == hash(token))
    }

    /// After a run that failed or was killed, and after the next one, which must finish.
    fn check_failed(&self, arguments: &[&str], before: &str, what: &str) {
        let now = self.kept(what);
        match (arguments[0], &now.token) {
            // The previous login, or a new one that works; never one that the server does not know.
            ("login", Some(token)) => assert!(self.is_alive(token) && now.recorded, "{what}"),
            ("login", None) => panic!("{what}: no login is left"),
            (_, token) => assert!(token.as_deref().is_none_or(|kept| kept == before), "{what}"),
        }
        let again = self.run(arguments).user.does(arguments, self.run(arguments).stdin);
        let is_gone_already = arguments[0] == "revoke" && now.token.is_none() && again.code == 3;
        assert!(again.code == 0 || is_gone_already, "{what}, and again: {again:?}");
        self.check_done(arguments, before, what);
    }

    fn check_done(&self, arguments: &[&str], before: &str, what: &str) {
        self.check_done_but(arguments, before, what, false);
    }

    /// The token goes first, as was asked; a record that stays is named, and takes nothing with it.
    fn check_done_but(&self, arguments: &[&str], before: &str, what: &str, recorded: bool) {
        let now = self.kept(what);
        if arguments[0] == "login" {
            let token = now.token.unwrap_or_else(|| panic!("{what}: no login"));
            assert!(now.recorded && token != before && self.is_alive(&token), "{what}");
            return;
        }
        assert_eq!(now, Kept { token: None, recorded }, "{what}");
        assert_eq!(self.is_alive(before), arguments[0] == "logout", "{what}");
    }
}

/// Those of a login that takes long, in a short run.
const FEW: [&str; 5] = ["fsync", "rename", "renameat", "renameat2", "add_key"];

/// How the table calls a command.
fn shown(arguments: &[&str]) -> String {
    let option = arguments[1..].iter().find(|word| ["--check", "--web"].contains(word));
    option.map_or(arguments[0].to_owned(), |option| format!("{} {option}", arguments[0]))
}

fn sweep(keychain: &str, arguments: &[&str]) {
    let flow = DeviceFlow { interval: Some(1), approver: Some("alice"), ..DeviceFlow::default() };
    let server = TokenServer::builder().profile(Profile::Specification).device_flow(flow);
    let sweep = Sweep::new(keychain, server);
    let host = [sweep.host.as_str()];
    let arguments = &[arguments, &host].concat()[..];
    let run = sweep.run(arguments);
    let mut before = sweep.log_in("at first");
    // Each of these waits a second for its approval.
    let waits = arguments.contains(&"--web");
    let calls = if waits { run.calls_for_size(&FEW) } else { run.some_calls() };
    let (mut failed, mut errors, mut kills) = (0, 0, 0);
    for (index, call) in calls.iter().enumerate() {
        let (fails, is_killed) = if waits { (true, true) } else { faults_at(index) };
        for error in call.errors().iter().filter(|_| fails) {
            before = sweep.log_in("before");
            let outcome = run.with_error(call, error);
            let what = format!("{arguments:?}: {error} at {call:?}: {outcome:?}");
            errors += 1;
            if outcome.code == 0 {
                let stays =
                    outcome.stderr.contains("was removed, but its record stays: cannot replace");
                sweep.check_done_but(arguments, &before, &what, stays);
            } else {
                failed += 1;
                sweep.check_failed(arguments, &before, &what);
            }
        }
        if !is_killed {
            continue;
        }
        kills += 1;
        before = sweep.log_in("before");
        run.killed_at(call);
        sweep.check_failed(arguments, &before, &format!("{arguments:?}: killed at {call:?}"));
    }
    sweep.log_in("after all");
    assert_ne!(before, "");
    print_row(&shown(arguments), keychain, calls.len(), errors + kills, failed);
    // Otherwise nothing was injected.
    let fewest = if waits && !full_size() { 2 } else { 11 };
    assert!(calls.len() >= fewest && failed > errors / 3, "{failed} of {errors}: {calls:?}");
}

/// The same for what only uses a login, whose server gives a new token each time: the previous one works for
/// a while longer, so that no fault ends the login.
fn sweep_use(keychain: &str, arguments: &[&str]) {
    let server = TokenServer::builder().profile(Profile::RotatingWithGrace);
    let sweep = Sweep::new(keychain, server);
    let host = [sweep.host.as_str()];
    let arguments = &[arguments, &host].concat()[..];
    let run = sweep.run(arguments);
    sweep.log_in("at first");
    let calls = run.calls_for_size(&CHANGING);
    let works = |what: &str| {
        let now = sweep.kept(what);
        assert!(now.recorded && now.token.is_some_and(|token| sweep.is_alive(&token)), "{what}");
    };
    let again = |what: &str| {
        let again = sweep.user.does(arguments, "");
        assert_eq!(again.code, 0, "{what}, and again: {again:?}");
    };
    let (mut failed, mut errors, mut kills) = (0, 0, 0);
    for (index, call) in calls.iter().enumerate() {
        let (fails, is_killed) = faults_at(index);
        for error in call.errors().iter().filter(|_| fails) {
            sweep.log_in("before");
            let outcome = run.with_error(call, error);
            let what = format!("{arguments:?}: {error} at {call:?}: {outcome:?}");
            errors += 1;
            if outcome.code != 0 {
                failed += 1;
                works(&what);
                again(&what);
            }
            sweep.server.end_grace();
            works(&what);
        }
        if !is_killed {
            continue;
        }
        kills += 1;
        sweep.log_in("before");
        run.killed_at(call);
        let what = format!("{arguments:?}: killed at {call:?}");
        works(&what);
        again(&what);
        sweep.server.end_grace();
        works(&what);
    }
    print_row(&shown(arguments), keychain, calls.len(), errors + kills, failed);
    assert!(calls.len() > 5 && failed > errors / 3, "{failed} of {errors}: {calls:?}");
}

/// The doctor tries each keychain with a dummy: the login stays as it is, and so does what it finds the next
/// time.
fn sweep_doctor(keychain: &str) {
    let server = TokenServer::builder().profile(Profile::Specification);
    let sweep = Sweep::new(keychain, server);
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", tested_program().display());
    sweep.user.program("docker-credential-refresh", &script);
    let token = sweep.log_in("at first");
    sweep.user.does(&["configure", "--fallback", "none"], "").succeeded();
    // The first one makes directories, which no later one does.
    sweep.user.does(&["doctor"], "").succeeded();
    let run = sweep.run(&["doctor"]);
    let calls = run.calls_for_size(&CHANGING);
    let (mut failed, mut errors) = (0, 0);
    let unchanged = |what: &str| {
        let now = sweep.kept(what);
        assert_eq!(now, Kept { token: Some(token.clone()), recorded: true }, "{what}");
        let list = sweep.user.list();
        assert_eq!(list, serde_json::json!({&sweep.host: "<token>"}), "{what}");
    };
    for call in &calls {
        for error in call.errors() {
            let outcome = run.with_error(call, error);
            let what = format!("doctor: {error} at {call:?}: {outcome:?}");
            errors += 1;
            failed += usize::from(outcome.code != 0);
            let is_told =
                outcome.stdout.contains("FAIL") || outcome.stderr.contains("cannot write");
            assert!(outcome.code == 0 || is_told, "{what}");
            unchanged(&what);
        }
        run.killed_at(call);
        let what = format!("doctor: killed at {call:?}");
        unchanged(&what);
        let again = sweep.user.does(&["doctor"], "");
        assert_eq!(again.code, 0, "{what}: {again:?}");
    }
    forget_dummies();
    print_row("doctor", keychain, calls.len(), errors + calls.len(), failed);
    assert!(calls.len() > 5 && failed > 0, "{failed} of {errors}: {calls:?}");
}

/// Removes the dummies of killed doctors from the kernel's keyring: a doctor does so after an hour.
fn forget_dummies() {
    let kernel = Keychain::open(&KeychainName::Kernel, "doctor", &Options::default()).unwrap();
    for dummy in kernel.list().unwrap().logins {
        let process = dummy.key.strip_suffix(".invalid").and_then(|key| key.split('.').nth(1));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // The other test may be faster.
            assert!(matches!(kernel.delete(&dummy.key), Ok(()) | Err(Error::Absent)));
        }
    }
}

const LOGIN: &[&str] = &["login", "-u", "alice", "--password-stdin"];

#[test]
fn login_in_a_file() {
    sweep("file", LOGIN);
}

#[test]
fn login_in_the_kernel_keyring() {
    sweep("kernel", LOGIN);
}

const WEB: &[&str] = &["login", "--web"];

#[test]
fn login_in_a_browser_in_a_file() {
    sweep("file", WEB);
}

#[test]
fn login_in_a_browser_in_the_kernel_keyring() {
    sweep("kernel", WEB);
}

#[test]
fn doctor_in_a_file() {
    sweep_doctor("file");
}

#[test]
fn doctor_in_the_kernel_keyring() {
    sweep_doctor("kernel");
}

#[test]
fn logout_in_a_file() {
    sweep("file", &["logout"]);
}

#[test]
fn logout_in_the_kernel_keyring() {
    sweep("kernel", &["logout"]);
}

#[test]
fn revoke_in_a_file() {
    sweep("file", &["revoke"]);
}

#[test]
fn revoke_in_the_kernel_keyring() {
    sweep("kernel", &["revoke"]);
}

const TOKEN: &[&str] = &["token", "--pull", "alice/app"];

#[test]
fn token_in_a_file() {
    sweep_use("file", TOKEN);
}

#[test]
fn token_in_the_kernel_keyring() {
    sweep_use("kernel", TOKEN);
}

#[test]
fn check_in_the_kernel_keyring() {
    sweep_use("kernel", &["status", "--check"]);
}
