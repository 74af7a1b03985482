//! Faults by `strace`: each system call of a run that is about the user's files or keys fails once,
//! or is once the last thing that the program did.

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use super::full_size;
use super::user::{Outcome, User};

/// Those of files, and those of keys. A machine has not all of them.
const FILE_CALLS: &str = "?open,?openat,?read,?write,?fsync,?rename,?renameat,?renameat2,?unlink,\
    ?unlinkat,?mkdir,?mkdirat,?rmdir,?chmod,?fchmod,?fchmodat,?fchown,?ftruncate,?link,?linkat,?utimensat,\
    ?flock,?stat,?fstat,?statx,?newfstatat";
const KEY_CALLS: &str = "?keyctl,?add_key";

/// Those that only read, but for one that makes a file.
const READING: [&str; 7] = ["open", "openat", "read", "stat", "fstat", "statx", "newfstatat"];

/// Those by which a login changes, and those on keys.
pub const CHANGING: [&str; 8] =
    ["write", "fsync", "rename", "renameat", "renameat2", "unlink", "keyctl", "add_key"];

/// One system call: its name, and its number among those of that name in its thread, as strace counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub number: usize,
    /// Whether it does more than read.
    pub changes: bool,
}

/// A run of the program: arguments, and what it reads from stdin.
pub struct Run<'a> {
    pub user: &'a User,
    pub arguments: &'a [&'a str],
    pub stdin: &'a str,
}

impl Run<'_> {
    /// Runs it once without a fault. It must succeed.
    pub fn calls(&self) -> Vec<Call> {
        let trace = self.user.home().join("trace");
        let (file, filter) = (trace.to_str().unwrap(), format!("trace={FILE_CALLS},{KEY_CALLS}"));
        let wrapper = ["/usr/bin/strace", "-f", "-qq", "-y", "-o", file, "-e", &filter];
        self.user.does_under(&wrapper, self.arguments, self.stdin.as_bytes()).succeeded();
        let text = fs::read_to_string(&trace).unwrap();
        fs::remove_file(trace).unwrap();
        let home = self.user.home().to_str().unwrap();
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        let mut calls = Vec::new();
        for line in text.lines() {
            let Some((thread, (name, _))) = line
                .split_once(' ')
                .and_then(|(thread, call)| Some((thread, call.trim().split_once('(')?)))
            else {
                continue;
            };
            let count = counts.entry((thread, name)).or_default();
            *count += 1;
            if line.contains(home) || KEY_CALLS.contains(name) {
                let changes = !READING.contains(&name) || line.contains("O_CREAT");
                calls.push(Call { name: name.to_owned(), number: *count, changes });
            }
        }
        calls
    }

    /// The calls at which a long command is made to fail: all of them at full size, else those of these names.
    pub fn calls_for_size(&self, small: &[&str]) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| full_size() || small.contains(&call.name.as_str()));
        calls
    }

    /// All of them at full size, else those that do more than read, and every fifth of the others.
    pub fn some_calls(&self) -> Vec<Call> {
        let (mut calls, mut others) = (self.calls(), 0);
        calls.retain(|call| {
            others += usize::from(!call.changes);
            full_size() || call.changes || others % 5 == 1
        });
        calls
    }

    /// Runs it while that call fails.
    pub fn with_error(&self, call: &Call, error: &str) -> Outcome {
        let wrapper = call.injecting(&format!("error={error}"));
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        self.user.does_under(&wrapper, self.arguments, self.stdin.as_bytes())
    }

    /// Runs it until that call, which kills it.
    pub fn killed_at(&self, call: &Call) {
        let status = self.with_a_kill_at(call);
        let what = format!("{:?} killed at {call:?}", self.arguments);
        assert!(status.signal() == Some(9) || status.code() == Some(137), "{what}: {status:?}");
    }

    /// Runs it while that call kills who makes it: this program, or one that it runs.
    pub fn with_a_kill_at(&self, call: &Call) -> ExitStatus {
        let wrapper = call.injecting("signal=SIGKILL");
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let input = self.user.home().join("input");
        fs::write(&input, self.stdin).unwrap();
        let status = self
            .user
            .command_under(&wrapper)
            .args(self.arguments)
            .stdin(fs::File::open(&input).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        fs::remove_file(input).unwrap();
        status
    }
}

/// Whether the call of that number in a long sweep is to fail, and whether it is to kill: in a short run one of
/// both, by turns.
pub fn faults_at(index: usize) -> (bool, bool) {
    let fails = index.is_multiple_of(2);
    (full_size() || fails, full_size() || !fails)
}

impl Call {
    /// What it may fail with; in a short run one of these, by turns.
    pub fn errors(&self) -> &'static [&'static str] {
        let all: &[_] = match self.name.as_str() {
            _ if self.is_of_keys() => &["EDQUOT", "EACCES"],
            "write" | "fsync" => &["EIO", "ENOSPC"],
            _ => &["EIO"],
        };
        let turn = self.number % all.len();
        if full_size() { all } else { &all[turn..=turn] }
    }

    fn is_of_keys(&self) -> bool {
        KEY_CALLS.contains(self.name.as_str())
    }

    fn injecting(&self, what: &str) -> Vec<String> {
        let Self { name, number, .. } = self;
        let (trace, inject) =
            (format!("trace={name}"), format!("inject={name}:{what}:when={number}"));
        ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]
            .map(str::to_owned)
            .to_vec()
    }
}

/// A line of the table in docs/development.md.
pub fn print_row(command: &str, keychain: &str, calls: usize, faults: usize, failed: usize) {
    println!("| `{command}` | {keychain} | {calls} | {faults} | {failed} |");
}
