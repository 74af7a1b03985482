//! Programs on the Windows that `tests/windows/run` has set up.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// What Wine said, for a failure's message.
    pub wine: String,
    /// The same of the program's trace.
    pub trace: String,
}

impl Outcome {
    /// Whether it did not come to its end: then the trace says how it ended, and before that it said why it
    /// failed.
    fn was_ended(&self) -> bool {
        let is_silent = self.stdout.is_empty() && self.stderr.is_empty();
        let last = self.trace.lines().last().unwrap_or_default();
        self.code == 1 && is_silent && !last.contains("failed: ")
    }

    #[track_caller]
    pub fn is(self, code: i32, stdout: &str, stderr: &str) -> Self {
        assert!(self.code == code && self.stdout.contains(stdout), "no {stdout:?}: {self:?}");
        assert!(self.stderr.contains(stderr), "no {stderr:?}: {self:?}");
        self
    }
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run tests/windows/run"))
}

/// A program of those that were built for Windows.
pub fn program(name: &str) -> PathBuf {
    programs().join(name)
}

pub fn programs() -> PathBuf {
    variable("WINDOWS_PROGRAMS").into()
}

/// A path as Windows writes it.
pub fn path(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}

/// A user of the program, with logins and a folder of their own.
pub struct Person {
    profile: String,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Person {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let profile = format!("test-{}-{number}", std::process::id());
        let mut person =
            Self { profile, folder: tempfile::tempdir().unwrap(), environment: Vec::new() };
        person.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &person.profile.clone());
        person.set("DOCKER_CONFIG", &path(person.folder()));
        person
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn profile(&self) -> &str {
        &self.profile
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Any program there.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(variable("WINE"));
        command.arg(program.into()).env_clear();
        for name in ["HOME", "TMPDIR", "XDG_RUNTIME_DIR", "PATH", "WINEPREFIX"] {
            command.env(name, variable(name));
        }
        // A crash ends the program, and waits for no debugger.
        command.env("WINEDLLOVERRIDES", "winedbg.exe=d");
        command.env("WINEDEBUG", "fixme-all").envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program under test, as clients and people start it. It is started again where Wine ended it, as it
    /// was seen to do once.
    pub fn does(&self, arguments: &[&str], stdin: &str) -> Outcome {
        let file = tempfile::NamedTempFile::new().unwrap();
        let attempt = || {
            let mut command = self.command(program("docker-credential-refresh.exe"));
            command.env("DOCKER_CREDENTIAL_REFRESH_TRACE", path(file.path())).args(arguments);
            let outcome = run(&mut command, stdin);
            Outcome { trace: fs::read_to_string(file.path()).unwrap(), ..outcome }
        };
        let mut outcome = attempt();
        for _ in 0..2 {
            if !outcome.was_ended() {
                break;
            }
            println!("Wine ended {arguments:?}, and said {:?}: {}", outcome.wine, outcome.trace);
            fs::write(file.path(), "").unwrap();
            outcome = attempt();
        }
        outcome
    }

    pub fn store(&self, server_url: &str, username: &str, secret: &str) -> Outcome {
        let payload = serde_json::json!(
            {"ServerURL": server_url, "Username": username, "Secret": secret}
        );
        self.does(&["store"], &payload.to_string())
    }

    /// The token that `get` answers with.
    pub fn token(&self, server_url: &str) -> String {
        let outcome = self.does(&["get"], server_url).is(0, "{", "");
        let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(answer["Username"], "<token>");
        answer["Secret"].as_str().unwrap().to_owned()
    }

    /// The names of this person's credentials, as Wine keeps them: it has no `cmdkey`.
    pub fn credentials(&self) -> Vec<String> {
        let mut command = self.command("reg");
        command.args(["query", r"HKEY_CURRENT_USER\Software\Wine\Credential Manager"]);
        let outcome = run(&mut command, "").is(0, "", "");
        let names = outcome.stdout.lines().filter_map(|line| line.trim().split_once("Generic: "));
        let mine = |name: &String| name.contains(&format!(":{}:", self.profile));
        names.map(|(_, name)| name.to_owned()).filter(mine).collect()
    }
}

pub fn run(command: &mut Command, stdin: &str) -> Outcome {
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_owned();
    // A program may end before it has read all.
    let writer = std::thread::spawn(move || drop(pipe.write_all(stdin.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("it ends by itself");
    let is_wines = |line: &&str| line.get(4..9) == Some(":err:") || line.starts_with("wine: ");
    let stderr = text(output.stderr);
    let (wine, stderr): (Vec<_>, Vec<_>) = stderr.split_inclusive('\n').partition(is_wines);
    let (wine, stderr) = (wine.concat(), stderr.concat());
    Outcome { code, stdout: text(output.stdout), stderr, wine, trace: String::new() }
}
