//! Programs that a test starts: they end with it, by their id, also when it panics.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a program may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that runs until this is dropped; what it prints goes to a log file.
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it without stdin, with stdout and stderr appended to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = OpenOptions::new().create(true).append(true).open(log).expect("open the log");
        let errors: File = file.try_clone().expect("share the log");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self { name, child, log: log.to_owned() }
    }

    /// Waits for `ready`; panics with the log when the program ends or `limit` passes first.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + limit;
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended with {status}:\n{}", self.name, self.log_text());
            }
            assert!(Instant::now() < deadline, "{} is not ready:\n{}", self.name, self.log_text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has printed so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        end(Pid::from_child(&self.child), || matches!(self.child.try_wait(), Ok(Some(_))));
        let _ = self.child.wait();
    }
}

/// SIGTERM, and SIGKILL if `gone` does not come true in time.
pub fn end(pid: Pid, mut gone: impl FnMut() -> bool) {
    let _ = kill_process(pid, Signal::TERM);
    let deadline = Instant::now() + PATIENCE;
    while !gone() {
        if Instant::now() > deadline {
            let _ = kill_process(pid, Signal::KILL);
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a program that ran to its end had to say.
pub struct Finished {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
}

impl Finished {
    /// Panics with everything it said unless it exited with 0.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Panics with everything it said if it exited with 0.
    #[track_caller]
    pub fn failure(self) -> Self {
        assert!(!self.status.success(), "{self}");
        self
    }

    /// Both streams, for looking for a text that may be in either.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr } = self;
        write!(f, "`{command}`: {status}\nstdout: {stdout}\nstderr: {stderr}")
    }
}

/// Runs a program to its end with `input` on stdin; ends it and its children after `limit`.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Finished {
    let line = describe(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run `{line}`: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut stderr = child.stderr.take().expect("a pipe");
    let (out, err, timely, status) = thread::scope(|scope| {
        // A program may end without reading its stdin: a broken pipe is no failure here.
        scope.spawn(move || stdin.write_all(input));
        let out = scope.spawn(move || read_all(&mut stdout));
        let err = scope.spawn(move || read_all(&mut stderr));
        let timely = wait_at_most(&mut child, limit);
        if !timely {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        }
        let status = child.wait().expect("wait for the program");
        (out.join().expect("stdout"), err.join().expect("stderr"), timely, status)
    });
    let finished = Finished { command: line, status, stdout: out, stderr: err };
    assert!(timely, "still running after {limit:?}: {finished}");
    finished
}

fn wait_at_most(child: &mut Child, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

fn read_all(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("read the program's output");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
