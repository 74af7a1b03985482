//! A hundred helpers at once on one state directory: no login is lost, every answer is one that some
//! order of them explains, and nothing fails but what is absent.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use docker_credential_refresh::keychain::new_identity;
use serde_json::{Value, json};

use crate::support::user::{NOT_FOUND, User};

const CROWD: usize = 100;
/// Logins that all of them change.
const SHARED: usize = 3;

/// How to start the helper, from any thread.
pub struct Helper {
    program: OsString,
    environment: Vec<(OsString, OsString)>,
}

impl Helper {
    pub fn of(user: &User) -> Self {
        let command = user.command();
        let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let environment = variables.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        Self { program: command.get_program().into(), environment }
    }

    /// What it answers, and whether it succeeded.
    fn run(&self, verb: &str, stdin: &str) -> (String, bool) {
        let mut child = Command::new(&self.program)
            .arg(verb)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // `list` does not wait for it.
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let done = output.status.success();
        assert!(done || stdout == NOT_FOUND, "{verb} {stdin}: {stdout}{stderr}");
        (stdout, done)
    }

    pub fn store(&self, key: &str, token: &str) {
        let login = json!({"ServerURL": key, "Username": "<token>", "Secret": token});
        self.run("store", &login.to_string());
    }

    pub fn erase(&self, key: &str) {
        assert!(self.run("erase", key).1, "{key} was not erased");
    }

    pub fn token(&self, key: &str) -> Option<String> {
        let (answer, done) = self.run("get", key);
        let secret = |answer: Value| answer["Secret"].as_str().unwrap().to_owned();
        done.then(|| secret(serde_json::from_str(&answer).unwrap()))
    }
}

fn own(number: usize) -> String {
    format!("own-{number}.example.com")
}

/// What one of them does: a login of its own, and one that others change meanwhile.
fn one(helper: &Helper, number: usize) {
    let (own, shared) = (own(number), format!("shared-{}.example.com", number % SHARED));
    helper.store(&own, &format!("token-of-{number}"));
    helper.store(&shared, &format!("shared-{number}-{}", number % SHARED));
    if let Some(token) = helper.token(&shared) {
        let writer = token.strip_prefix("shared-").and_then(|rest| rest.split_once('-'));
        let (writer, of) = writer.unwrap_or_else(|| panic!("{token}"));
        assert_eq!((writer.parse::<usize>().unwrap() % SHARED).to_string(), of, "{token}");
    }
    let listed: Value = serde_json::from_str(&helper.run("list", "").0).unwrap();
    assert_eq!(listed[&own], "<token>", "{number}");
    helper.erase(&shared);
    assert_eq!(helper.token(&own).unwrap(), format!("token-of-{number}"));
    if number.is_multiple_of(5) {
        helper.erase(&own);
        assert_eq!(helper.token(&own), None);
    }
}

fn crowd(user: &User) {
    let (helper, all_there) = (Helper::of(user), Barrier::new(CROWD));
    thread::scope(|scope| {
        for number in 0..CROWD {
            let (helper, all_there) = (&helper, &all_there);
            scope.spawn(move || {
                all_there.wait();
                one(helper, number);
            });
        }
    });
    let left: Vec<usize> = (0..CROWD).filter(|number| !number.is_multiple_of(5)).collect();
    let mut expected: Vec<_> = left.iter().map(|number| own(*number)).collect();
    expected.sort();
    let listed = user.list();
    let listed: Vec<_> = listed.as_object().unwrap().keys().cloned().collect();
    assert_eq!(listed, expected);
    assert_eq!(user.records().len(), expected.len());
    for number in left {
        assert_eq!(user.token(&own(number)), format!("token-of-{number}"));
    }
}

#[test]
fn on_the_kernel_keyring() {
    let user = User::new();
    crowd(&user);
    assert_eq!(user.keychain().list().unwrap().logins.len(), user.records().len());
}

#[test]
fn on_files() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    crowd(&user);
    let logins = user.home().join(".local/share/docker-credential-refresh/logins");
    // And the names and the lock.
    assert_eq!(std::fs::read_dir(logins).unwrap().count(), user.records().len() + 2);
}
