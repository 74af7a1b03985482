//! A user with a home of their own, who runs the built helper as clients do.
//!
//! Every run is held to what security.md of any credential helper would say: exit 0 or 1, and a
//! failure is exactly one line on stdout, without backticks, control characters or secrets.

use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName, Options};
use serde_json::{Value, json};

use crate::mock_token_server::{Authority, TokenServer};
use crate::support::{kernel_keys, script, tested_program};

pub const NOT_FOUND: &str = "credentials not found in native keychain\n";

/// A home in a temporary directory, logins in the kernel keyring under a profile of their own.
pub struct User {
    home: tempfile::TempDir,
    profile: String,
    environment: RefCell<Vec<(String, String)>>,
    secrets: RefCell<Vec<String>>,
}

/// A CA that signed nothing. To read all those of the system takes a test build longer than anything else.
static OTHER_CA: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("other-ca.crt");
    if !file.exists() {
        // Another run may be at it.
        let mut new = tempfile::NamedTempFile::new_in(folder).unwrap();
        new.write_all(Authority::new().pem().as_bytes()).unwrap();
        new.as_file().set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
        new.persist(&file).unwrap();
    }
    file
});

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl User {
    /// Whose `SSL_CERT_FILE` has a CA that signed nothing; `unset` it for those of the system.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let user = Self {
            home: tempfile::tempdir().unwrap(),
            profile: format!("test-{}-{number}", std::process::id()),
            environment: RefCell::default(),
            secrets: RefCell::default(),
        };
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
        user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &user.profile);
        user.set("SSL_CERT_FILE", OTHER_CA.to_str().unwrap());
        user
    }

    /// One who trusts the CA of a server, by Docker's own folder for that.
    pub fn trusting(server: &TokenServer) -> Self {
        let user = Self::new();
        user.trust(&server.registry_host(), server);
        user
    }

    pub fn trust(&self, host: &str, server: &TokenServer) {
        if let Some(pem) = server.ca_pem() {
            let folder = self.certs_d(host);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("ca.crt"), pem).unwrap();
        }
    }

    pub fn certs_d(&self, host: &str) -> PathBuf {
        self.home().join(".config/docker/certs.d").join(host)
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Sets a variable for all later runs.
    pub fn set(&self, name: &str, value: &str) {
        self.environment.borrow_mut().push((name.into(), value.into()));
    }

    pub fn unset(&self, name: &str) {
        self.environment.borrow_mut().retain(|(set, _)| set != name);
    }

    /// Puts the user on a bus: `auto`, and no other keychain named.
    pub fn on_bus(&self, environment: Vec<(&'static str, String)>) {
        self.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
        for (name, value) in environment.into_iter().filter(|(name, _)| *name != "HOME") {
            self.set(name, &value);
        }
    }

    /// Writes the settings file.
    pub fn settings(&self, toml: &str) {
        let file = self.settings_file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, toml).unwrap();
    }

    pub fn settings_file(&self) -> PathBuf {
        self.home().join(".config/docker-credential-refresh/config.toml")
    }

    pub fn state(&self) -> PathBuf {
        self.home().join(".local/state/docker-credential-refresh")
    }

    pub fn records_file(&self) -> PathBuf {
        self.state().join("logins.json")
    }

    /// The login records of this user's profile.
    pub fn records(&self) -> Vec<Value> {
        let json = match fs::read(self.records_file()) {
            Ok(json) => json,
            Err(error) if error.kind() == NotFound => return Vec::new(),
            Err(error) => panic!("the records cannot be read: {error}"),
        };
        let file: Value = serde_json::from_slice(&json).unwrap();
        file["logins"].as_array().unwrap().clone()
    }

    /// The keychain as a program beside the helper sees it.
    pub fn keychain(&self) -> Keychain {
        Keychain::open(&KeychainName::Kernel, &self.profile, &Options::default()).unwrap()
    }

    /// The token that the keychain keeps under a key.
    pub fn kept(&self, key: &str) -> Option<String> {
        match self.keychain().get(key) {
            Ok(item) => Some(item.token.expose().to_owned()),
            Err(Error::Absent) => None,
            Err(error) => panic!("{key} cannot be read: {error}"),
        }
    }

    /// Puts a script on the user's PATH.
    pub fn program(&self, name: &str, text: &str) {
        let folder = self.home().join("bin");
        fs::create_dir_all(&folder).unwrap();
        script::make(&folder.join(name), text);
    }

    /// Names a secret that no run may show, and no file keep.
    pub fn secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }

    pub fn store(&self, server_url: &str, username: &str, secret: &str) -> Outcome {
        self.secret(secret);
        let payload = json!({"ServerURL": server_url, "Username": username, "Secret": secret});
        self.run("store", payload.to_string().as_bytes())
    }

    pub fn get(&self, server_url: &str) -> Outcome {
        self.run("get", server_url.as_bytes())
    }

    /// The secret that `get` answers with.
    pub fn token(&self, server_url: &str) -> String {
        let answer: Value = serde_json::from_str(&self.get(server_url).succeeded().stdout).unwrap();
        assert_eq!(answer["Username"], "<token>");
        answer["Secret"].as_str().unwrap().to_owned()
    }

    pub fn erase(&self, server_url: &str) -> Outcome {
        self.run("erase", server_url.as_bytes())
    }

    pub fn list(&self) -> Value {
        serde_json::from_str(&self.run("list", b"").succeeded().stdout).unwrap()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(tested_program());
        let path = format!("{}:/usr/bin:/bin", self.home().join("bin").display());
        command.env_clear().env("HOME", self.home()).env("PATH", path);
        command.envs(self.environment.borrow().iter().cloned());
        command
    }

    pub fn run(&self, verb: &str, stdin: &[u8]) -> Outcome {
        self.run_under(&[], verb, stdin)
    }

    /// Runs a verb under a program such as `unshare --user`.
    pub fn run_under(&self, wrapper: &[&str], verb: &str, stdin: &[u8]) -> Outcome {
        let outcome = start(self.command_under(wrapper), &[verb], stdin);
        self.check(verb, &outcome);
        outcome
    }

    /// The program to be run under another one.
    pub fn command_under(&self, wrapper: &[&str]) -> Command {
        let helper = self.command();
        match wrapper {
            [] => helper,
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                let variables = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
                command.args(arguments).arg(helper.get_program()).env_clear().envs(variables);
                command
            }
        }
    }

    /// Runs a command of people and scripts, whose exit status is its own.
    pub fn does(&self, arguments: &[&str], stdin: &str) -> Outcome {
        self.does_under(&[], arguments, stdin.as_bytes())
    }

    /// The same under a program such as `strace`; of a verb as well.
    pub fn does_under(&self, wrapper: &[&str], arguments: &[&str], stdin: &[u8]) -> Outcome {
        let outcome = start(self.command_under(wrapper), arguments, stdin);
        if let [verb @ ("store" | "get" | "erase" | "list")] = arguments {
            self.check(verb, &outcome);
            return outcome;
        }
        for secret in self.secrets.borrow().iter().filter(|secret| secret.len() > 3) {
            assert!(!outcome.stderr.contains(secret.as_str()), "a secret on stderr: {outcome:?}");
        }
        if outcome.code != 0 {
            let last = outcome.stderr.trim_end().lines().last().unwrap_or_default();
            assert!(!last.is_empty(), "failed without a word: {outcome:?}");
        }
        outcome
    }

    fn check(&self, verb: &str, outcome: &Outcome) {
        assert!(matches!(outcome.code, 0 | 1), "{outcome:?}");
        let odd = |c: char| c == '`' || (c.is_control() && c != '\n');
        assert!(!outcome.stderr.contains(odd), "{outcome:?}");
        if outcome.code == 1 {
            assert!(!outcome.stdout.contains(odd), "{outcome:?}");
            assert_eq!(outcome.stdout.matches('\n').count(), 1, "{outcome:?}");
            assert!(outcome.stdout.len() > 2 && outcome.stdout.ends_with('\n'), "{outcome:?}");
        }
        for secret in self.secrets.borrow().iter().filter(|secret| secret.len() > 3) {
            assert!(!outcome.stderr.contains(secret.as_str()), "a secret on stderr: {outcome:?}");
            let answers = verb == "get" && outcome.code == 0;
            assert!(answers || !outcome.stdout.contains(secret.as_str()), "{outcome:?}");
        }
    }

    /// No file of the home holds a secret.
    fn check_files(&self) {
        let mut folders = vec![self.home().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let content = fs::read(entry.path()).unwrap();
                    for secret in self.secrets.borrow().iter().filter(|secret| secret.len() > 3) {
                        let found = content.windows(secret.len()).any(|w| w == secret.as_bytes());
                        assert!(!found, "{} holds a secret", entry.path().display());
                    }
                }
            }
        }
    }
}

fn start(mut command: Command, arguments: &[&str], stdin: &[u8]) -> Outcome {
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // The helper may end before it has read all.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Outcome {
        code: output.status.code().unwrap_or_else(|| panic!("ended by {}", output.status)),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Drop for User {
    fn drop(&mut self) {
        kernel_keys::remove_own(&self.profile);
        if !std::thread::panicking() {
            self.check_files();
        }
    }
}

impl Outcome {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Failed with a line that contains all of these.
    #[track_caller]
    pub fn failed_with(self, parts: &[&str]) -> Self {
        assert_eq!(self.code, 1, "{self:?}");
        for part in parts {
            assert!(self.stdout.contains(part), "no {part:?} in {self:?}");
        }
        self
    }

    /// Exit status, stdout, and a part of stderr.
    #[track_caller]
    pub fn is(self, code: i32, stdout: &str, stderr: &str) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (code, stdout), "{self:?}");
        assert!(self.stderr.contains(stderr), "no {stderr:?} in {self:?}");
        self
    }

    #[track_caller]
    pub fn code_is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub fn not_found(self) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (1, NOT_FOUND), "{self:?}");
        self
    }

    #[track_caller]
    pub fn noted(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no {part:?} in {self:?}");
        self
    }
}
