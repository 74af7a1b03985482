//! What another process of the same user can see of a helper that has read a password (core(5),
//! ptrace(2)).

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::support::tested_program;

/// An ordinary user: what the kernel keeps from one, it does not keep from root.
const NOBODY: u32 = 65_534;

fn as_ordinary_user(command: &mut Command) -> &mut Command {
    if geteuid().is_root() { command.uid(NOBODY).gid(NOBODY) } else { command }
}

/// The helper as an ordinary user, in a folder of its own, without a limit for cores, with half of
/// a payload read and the rest never to come.
struct Waiting {
    folder: tempfile::TempDir,
    child: Child,
}

impl Waiting {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let helper = folder.path().join("helper");
        // By another process: a test that starts a program at this moment would hold our copy open
        // for writing, and then it cannot be run (ETXTBSY).
        let copied = Command::new("cp").arg(tested_program()).arg(&helper).status();
        assert!(copied.unwrap().success());
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c unlimited 2>/dev/null; exec ./helper store"]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
        command.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = as_ordinary_user(&mut command).spawn().unwrap();
        let payload = b"{\"Secret\":\"correct horse battery\",";
        child.stdin.as_mut().unwrap().write_all(payload).unwrap();
        let waiting = Self { folder, child };
        let give_up = Instant::now() + Duration::from_secs(60);
        // In read(2), as its own binary, and longer than it takes to load that.
        let mut reads = 0;
        while reads < 5 {
            let is_reading = waiting.has("comm", "helper") && waiting.has("syscall", "0 0x");
            reads = if is_reading { reads + 1 } else { 0 };
            assert!(Instant::now() < give_up, "the helper does not read");
            std::thread::sleep(Duration::from_millis(5));
        }
        waiting
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    fn has(&self, file: &str, start: &str) -> bool {
        // Only root may read it of a process that is not dumpable; others need not wait for it.
        match fs::read_to_string(self.proc(file)) {
            Ok(text) => text.starts_with(start),
            Err(_) => file == "syscall",
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn reads(path: &str) -> bool {
    let mut command = Command::new("head");
    command.args(["-c", "1", path]).stdout(Stdio::null()).stderr(Stdio::null());
    as_ordinary_user(&mut command).status().unwrap().success()
}

#[test]
fn a_process_of_the_same_user_cannot_look_inside() {
    // Any program of the user attaches to the helper, or reads its memory, while a password is in it.
    let waiting = Waiting::start();
    let mut control = Command::new("sleep");
    let mut sleep = as_ordinary_user(control.arg("60")).spawn().unwrap();
    let (own, root) = (fs::metadata(format!("/proc/{}/environ", sleep.id())).unwrap().uid(), 0);
    assert_ne!(own, root);
    // proc(5): the files of a process that is not dumpable belong to root.
    assert_eq!(fs::metadata(waiting.proc("environ")).unwrap().uid(), root);
    for file in ["environ", "maps", "auxv", "mem"] {
        assert!(!reads(&waiting.proc(file)), "{file} can be read");
        // The same file of another process can be, but for a first page that is not mapped.
        assert!(file == "mem" || reads(&format!("/proc/{}/{file}", sleep.id())), "{file}");
    }
    let mut strace = Command::new("strace");
    strace.args(["-p", &waiting.child.id().to_string()]).stderr(Stdio::piped());
    let output = as_ordinary_user(&mut strace).output().expect("strace");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("Operation not permitted"), "{said}");
    sleep.kill().unwrap();
    sleep.wait().unwrap();
}

#[test]
fn no_core_is_left_behind() {
    // A crash writes memory, and the password in it, to a file that is kept and sent around.
    for signal in [Signal::ILL, Signal::ABORT, Signal::QUIT] {
        let mut waiting = Waiting::start();
        let limits = fs::read_to_string(waiting.proc("limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(values, ["0", "0"], "{core}");
        let pid = Pid::from_child(&waiting.child);
        kill_process(pid, signal).unwrap();
        let status = waiting.child.wait().unwrap();
        assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
        assert_eq!(names(waiting.folder.path()), ["helper"]);
    }
}

#[test]
fn the_password_is_in_no_argument_and_no_environment() {
    // ps(1) shows every user's arguments, and a child inherits the whole environment.
    let waiting = Waiting::start();
    for file in ["cmdline", "environ"] {
        // Of a process that is not dumpable, root alone can read these; nobody else needs to be told.
        let bytes = fs::read(waiting.proc(file)).unwrap_or_default();
        assert!(!bytes.windows(7).any(|w| w == b"correct"), "{file}");
    }
    assert_eq!(fs::read(waiting.proc("cmdline")).unwrap(), b"./helper\0store\0");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
