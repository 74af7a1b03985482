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

    /// What it answers, if it succeeded; an error if it fails for another reason than absence.
    fn run(&self, verb: &str, stdin: &str) -> Result<Option<String>, String> {
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
        match output.status.success() {
            true => Ok(Some(stdout)),
            false if stdout == NOT_FOUND && verb == "get" => Ok(None),
            false => Err(format!("{verb}, {}: {stdout}{stderr}", output.status)),
        }
    }

    pub fn store(&self, key: &str, token: &str) -> Result<(), String> {
        let login = json!({"ServerURL": key, "Username": "<token>", "Secret": token});
        self.run("store", &login.to_string()).map(drop)
    }

    pub fn erase(&self, key: &str) -> Result<(), String> {
        self.run("erase", key).map(drop)
    }

    pub fn token(&self, key: &str) -> Result<Option<String>, String> {
        let answer = self.run("get", key)?;
        let secret = |answer: Value| answer["Secret"].as_str().unwrap().to_owned();
        Ok(answer.map(|answer| secret(serde_json::from_str(&answer).unwrap())))
    }
}

fn own(number: usize) -> String {
    format!("own-{number}.example.com")
}

/// What one of them does: a login of its own, and one that others change meanwhile.
fn one(helper: &Helper, number: usize) {
    let (own, shared) = (own(number), format!("shared-{}.example.com", number % SHARED));
    helper.store(&own, &format!("token-of-{number}")).unwrap();
    helper.store(&shared, &format!("shared-{number}-{}", number % SHARED)).unwrap();
    if let Some(token) = helper.token(&shared).unwrap() {
        let writer = token.strip_prefix("shared-").and_then(|rest| rest.split_once('-'));
        let (writer, of) = writer.unwrap_or_else(|| panic!("{token}"));
        assert_eq!((writer.parse::<usize>().unwrap() % SHARED).to_string(), of, "{token}");
    }
    let listed = helper.run("list", "").unwrap().unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[&own], "<token>", "{number}");
    helper.erase(&shared).unwrap();
    assert_eq!(helper.token(&own).unwrap().unwrap(), format!("token-of-{number}"));
    if number.is_multiple_of(5) {
        helper.erase(&own).unwrap();
        assert_eq!(helper.token(&own).unwrap(), None);
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
