//! One credential helper, run as a client runs it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::keychains::gnome_keyring::GnomeKeyring;

/// GNU time, which reads the peak of the one process it started.
const TIME: &str = "/usr/bin/time";

/// A program and the environment that it runs in.
pub struct Helper {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Helper {
    /// A program, or its name on PATH, with these variables alone.
    pub fn new(
        program: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
        let program = places.find(|file| file.is_file());
        let program = program.expect("the helper is installed");
        Self { program, environment: environment.into_iter().collect() }
    }

    /// One that keeps its logins in this keyring, and knows them by its files in `home`.
    pub fn on(program: &Path, home: &Path, keyring: &GnomeKeyring) -> Self {
        let of_bus = keyring.environment().into_iter().filter(|(name, _)| *name != "HOME");
        let mut environment: Vec<(OsString, OsString)> =
            of_bus.map(|(name, value)| (name.into(), value.into())).collect();
        let path = std::env::var_os("PATH").unwrap_or_default();
        environment.extend([("HOME".into(), home.into()), ("PATH".into(), path)]);
        // Without records yet, a list asks the kernel keyring too, which has other homes' logins.
        environment.push(("DOCKER_CREDENTIAL_REFRESH_PROFILE".into(), "bench".into()));
        Self::new(program, environment)
    }

    /// The same with one more variable.
    pub fn with(&self, name: &str, value: &OsStr) -> Self {
        let more = [(name.into(), value.into())];
        let environment = self.environment.iter().cloned().chain(more).collect();
        Self { program: self.program.clone(), environment }
    }

    /// The file that it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The variables that it runs with.
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// Keeps login number `number`: an identity token, so that no network is needed.
    pub fn store(&self, number: usize) {
        // A keyring with many items may be too slow on a busy machine.
        let mut stored = self.try_store(number);
        for _ in 0..3 {
            stored = stored.or_else(|_| self.try_store(number));
        }
        stored.unwrap_or_else(|said| panic!("{}: {said}", self.name()));
    }

    /// The same, or what it said instead.
    pub fn try_store(&self, number: usize) -> Result<(), String> {
        self.answer("store", &payload(number)).map(drop)
    }

    /// Gets login `number`, which must be what was stored.
    pub fn try_get(&self, number: usize) -> Result<(), String> {
        let answer = self.answer("get", &url(number))?;
        if answer.contains(&secret(number)) { Ok(()) } else { Err(format!("it gave {answer}")) }
    }

    /// Lists the logins.
    pub fn try_list(&self) -> Result<(), String> {
        self.answer("list", "").map(drop)
    }

    /// Erases login `number`.
    pub fn try_erase(&self, number: usize) -> Result<(), String> {
        self.answer("erase", &url(number)).map(drop)
    }

    /// The milliseconds that a `store` of this took.
    pub fn store_payload(&self, payload: &str) -> f64 {
        self.timed("store", payload).0
    }

    /// The milliseconds that a `get` took.
    pub fn get(&self, number: usize) -> f64 {
        let (took, answer) = self.timed("get", &url(number));
        assert!(answer.contains(&secret(number)), "{} gave {answer}", self.name());
        took
    }

    /// The milliseconds that a `list` of so many logins took.
    pub fn list(&self, logins: usize) -> f64 {
        let (took, answer) = self.timed("list", "");
        let listed = answer.matches("registry-").count();
        assert_eq!(listed, logins, "{} lists {listed}", self.name());
        took
    }

    /// The most bytes of memory that a `get` had.
    pub fn memory_of_get(&self, number: usize) -> u64 {
        let mut command = Command::new(TIME);
        command.args(["--quiet", "--format=%M"]).arg(&self.program).arg("get");
        let output = self.run(&mut command, &url(number)).expect("a measured get");
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default().parse::<u64>();
        last.expect("kibibytes from time") * 1024
    }

    /// The instructions that a verb about login `number` took, in this process alone.
    pub fn instructions(&self, verb: &str, number: usize) -> u64 {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--vgdb=no"]);
        let input = match verb {
            "store" => payload(number),
            "get" | "erase" => url(number),
            _ => String::new(),
        };
        let output = self.run(command.arg(&self.program).arg(verb), &input);
        let said = output.expect("a counted run").stderr;
        let said = String::from_utf8_lossy(&said);
        let counted = said.lines().find_map(|line| line.split_once("Collected : "));
        counted.and_then(|(_, count)| count.trim().parse().ok()).expect("a count from callgrind")
    }

    /// The bytes of the program.
    pub fn size(&self) -> u64 {
        fs::metadata(&self.program).expect("the helper").len()
    }

    fn name(&self) -> String {
        self.program.display().to_string()
    }

    fn timed(&self, verb: &str, input: &str) -> (f64, String) {
        let start = Instant::now();
        let answer = self.answer(verb, input).unwrap_or_else(|s| panic!("{}: {s}", self.name()));
        (start.elapsed().as_secs_f64() * 1000.0, answer)
    }

    fn answer(&self, verb: &str, input: &str) -> Result<String, String> {
        let output = self.run(Command::new(&self.program).arg(verb), input)?;
        Ok(String::from_utf8(output.stdout).expect("UTF-8"))
    }

    fn run(&self, command: &mut Command, input: &str) -> Result<Output, String> {
        command.env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the helper");
        // `list` may end without having read it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("wait for the helper");
        if output.status.success() { Ok(output) } else { Err(format!("{output:?}")) }
    }
}

/// The milliseconds until so many `get`s that began at the same time have ended.
pub fn at_once(helper: &Helper, count: usize) -> f64 {
    let start = Instant::now();
    let begin = |number| {
        let mut command = Command::new(&helper.program);
        command.arg("get").env_clear().envs(helper.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the helper");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(url(number).as_bytes()).expect("a helper that reads");
        child
    };
    let children: Vec<_> = (0..count).map(begin).collect();
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().expect("wait for the helper");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.contains(&secret(number)), "{}: {output:?}", helper.name());
    }
    start.elapsed().as_secs_f64() * 1000.0
}

fn url(number: usize) -> String {
    format!("registry-{number}.example.com")
}

fn secret(number: usize) -> String {
    format!("{number:0>43}")
}

fn payload(number: usize) -> String {
    let (url, secret) = (url(number), secret(number));
    format!(r#"{{"ServerURL":"{url}","Username":"<token>","Secret":"{secret}"}}"#)
}
