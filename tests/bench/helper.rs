//! One credential helper, run as a client runs it.

use std::ffi::OsString;
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
    /// Finds the program on PATH unless it is a path already.
    pub fn new(program: &Path, home: &Path, keyring: &GnomeKeyring) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
        let program = places.find(|file| file.is_file());
        let program = program.expect("both helpers are installed");
        let of_bus = keyring.environment().into_iter().filter(|(name, _)| *name != "HOME");
        let mut environment: Vec<_> = of_bus.map(|(n, v)| (n.into(), v.into())).collect();
        environment.extend([("HOME".into(), home.into()), ("PATH".into(), path)]);
        Self { program, environment }
    }

    /// Keeps login number `number`: an identity token, so that no network is needed.
    pub fn store(&self, number: usize) {
        let secret = format!("{number:0>43}");
        let payload = format!(
            r#"{{"ServerURL":"{}","Username":"<token>","Secret":"{secret}"}}"#,
            url(number)
        );
        self.answer("store", &payload);
    }

    /// The milliseconds that a `get` took.
    pub fn get(&self, number: usize) -> f64 {
        let (took, answer) = self.timed("get", &url(number));
        assert!(answer.contains(&format!("{number:0>43}")), "{} gave {answer}", self.name());
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
        let output = self.run(&mut command, &url(number));
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default().parse::<u64>();
        last.expect("kibibytes from time") * 1024
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
        let answer = self.answer(verb, input);
        (start.elapsed().as_secs_f64() * 1000.0, answer)
    }

    fn answer(&self, verb: &str, input: &str) -> String {
        let output = self.run(Command::new(&self.program).arg(verb), input);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn run(&self, command: &mut Command, input: &str) -> Output {
        command.env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the helper");
        // `list` may end without having read it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("wait for the helper");
        assert!(output.status.success(), "{}: {output:?}", self.name());
        output
    }
}

fn url(number: usize) -> String {
    format!("registry-{number}.example.com")
}
