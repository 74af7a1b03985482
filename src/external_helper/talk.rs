//! One exchange with a started helper: what it reads, what it answers, how it ends.

use std::io::{Read, Write};
use std::process::{Child, ChildStdout, ExitStatus};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// How long the pipe may stay open after the helper has ended: an agent that it left behind may
/// hold it open, and all the helper's output is in it by then.
pub(super) const LEFT_OPEN: Duration = Duration::from_secs(1);
/// How often to look whether a helper that says nothing has ended.
const TICK: Duration = Duration::from_millis(20);

/// Why there is no answer; the helper may still run.
pub(super) enum Trouble {
    /// The deadline passed.
    Silent,
    /// What came cannot be an answer.
    Odd(String),
}

type Answer = Zeroizing<Vec<u8>>;

/// Sends the payload, and waits for all output and the end. Both pipes in threads of their own,
/// because a helper may neither read nor write.
pub(super) fn talk(
    child: &mut Child,
    payload: &[u8],
    deadline: Instant,
) -> Result<(Answer, ExitStatus), Trouble> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let payload = Zeroizing::new(payload.to_vec());
    // A helper that needs no input may be gone already; its status tells.
    thread::spawn(move || drop(stdin.map(|mut pipe| pipe.write_all(&payload))));
    let answer = Arc::new(Mutex::new(Answer::default()));
    let (done, all_read) = mpsc::channel();
    let shared = Arc::clone(&answer);
    thread::spawn(move || {
        let read = stdout.map_or(Ok(()), |pipe| read_all(pipe, &shared));
        // Nobody is waiting after the deadline.
        let _late = done.send(read);
    });
    let mut status = None;
    let mut deadline = deadline;
    loop {
        match all_read.recv_timeout(TICK) {
            Ok(read) => break read.map_err(Trouble::Odd)?,
            Err(_) if Instant::now() > deadline && status.is_some() => break,
            Err(_) if Instant::now() > deadline => return Err(Trouble::Silent),
            Err(_) if status.is_none() => {
                status = ended(child)?;
                if status.is_some() {
                    deadline = deadline.min(Instant::now() + LEFT_OPEN);
                }
            }
            Err(_) => {}
        }
    }
    let status = loop {
        match status.map_or_else(|| ended(child), |status| Ok(Some(status)))? {
            Some(status) => break status,
            None if Instant::now() > deadline => return Err(Trouble::Silent),
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    let answer = std::mem::take(&mut *answer.lock().expect("no panic while locked"));
    Ok((answer, status))
}

fn ended(child: &mut Child) -> Result<Option<ExitStatus>, Trouble> {
    child.try_wait().map_err(|e| Trouble::Odd(e.to_string()))
}

fn read_all(mut pipe: ChildStdout, answer: &Mutex<Answer>) -> Result<(), String> {
    let mut part = Zeroizing::new([0; 4096]);
    loop {
        let size = match pipe.read(&mut *part) {
            Ok(0) => return Ok(()),
            Ok(size) => size,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e.to_string()),
        };
        let mut answer = answer.lock().expect("no panic while locked");
        if answer.len() + size > MAX_OUTPUT_BYTES {
            return Err("its answer is over 1 MiB".to_owned());
        }
        answer.extend_from_slice(&part[..size]);
    }
}

/// Ends a helper with all that it started: if it is a shell script, the program that hangs is a child.
///
/// Not by a process group of its own: Ctrl-C at a terminal would no longer reach it, and it could
/// not read a passphrase there.
pub(super) fn stop(child: &mut Child) {
    // Once it was waited for, its number may belong to another process.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    #[cfg(target_os = "linux")]
    stop_children(rustix::process::Pid::from_child(child));
    let _already_gone = child.kill();
}

/// The parent is halted first: so it starts no other, and no number is reused in the meantime.
#[cfg(target_os = "linux")]
fn stop_children(parent: rustix::process::Pid) {
    use rustix::process::{Pid, Signal, kill_process};
    let _already_gone = kill_process(parent, Signal::STOP);
    // Each thread has children of its own.
    let threads = std::fs::read_dir(format!("/proc/{}/task", parent.as_raw_pid()));
    for thread in threads.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            stop_children(pid);
            let _already_gone = kill_process(pid, Signal::KILL);
        }
    }
}
