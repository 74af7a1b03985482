//! A sign of life on a terminal while something is waited for: one line on stderr, which is removed
//! afterwards.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What takes less needs no sign of life.
const PATIENCE: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Commands for people switch it on; what clients call has no terminal of its own.
static ON: AtomicBool = AtomicBool::new(false);
/// There is one line: of several that wait, the first one is shown.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// From now on, shows what is waited for, if stderr is a terminal that can.
pub fn switch_on() {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    ON.store(io::stderr().is_terminal() && !dumb, Ordering::Relaxed);
}

/// What is waited for, until this is dropped.
pub struct Waiting(Option<(Sender<()>, JoinHandle<()>)>);

/// Says what is waited for, if that takes long.
pub fn waiting(what: impl FnOnce() -> String) -> Waiting {
    shown(what, None)
}

/// The same, with the time that is left.
pub fn waiting_until(what: impl FnOnce() -> String, end: Instant) -> Waiting {
    shown(what, Some(end))
}

fn shown(what: impl FnOnce() -> String, end: Option<Instant>) -> Waiting {
    if !ON.load(Ordering::Relaxed) || SHOWN.swap(true, Ordering::Relaxed) {
        return Waiting(None);
    }
    let what = crate::text::printable(&what(), 60);
    let (done, is_done) = channel();
    let shows = thread::Builder::new().spawn(move || {
        let start = Instant::now();
        let mut shown = 0;
        let mut pause = PATIENCE;
        for frame in FRAMES.into_iter().cycle() {
            if is_done.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            let time = match end.map(|end| end.saturating_duration_since(Instant::now()).as_secs())
            {
                None => format!("{} s", start.elapsed().as_secs()),
                Some(left) => format!("{}:{:02} left", left / 60, left % 60),
            };
            let line = format!("{frame} waiting for {what} ({time})");
            // A shorter line covers the one before.
            show(&format!("{line:shown$}"));
            shown = line.len();
            pause = FRAME;
        }
        if shown > 0 {
            // Without an escape sequence: any terminal can go back and write spaces.
            show(&format!("{:shown$}", ""));
            show("");
        }
    });
    // Without a thread nothing is shown, and nothing is lost.
    Waiting(shows.ok().map(|shows| (done, shows)))
}

fn show(line: &str) {
    let mut terminal = io::stderr().lock();
    let _unseen = write!(terminal, "\r{line}").and_then(|()| terminal.flush());
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((done, shows)) = self.0.take() {
            drop(done);
            let _ended = shows.join();
            SHOWN.store(false, Ordering::Relaxed);
        }
    }
}
