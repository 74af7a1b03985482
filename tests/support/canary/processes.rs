//! Arguments and environments of processes, sampled while a scenario runs.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Forms, Hit};

/// Between two looks at the process table.
const TICK: Duration = Duration::from_millis(2);

/// A process is looked at again after twice the time, up to this: it may yet call exec.
const SLOWEST: Duration = Duration::from_millis(250);

/// A thread that reads `cmdline` and `environ` of every process that runs or starts.
///
/// All of the machine's, not only descendants: a daemon changes its parent between two looks.
pub struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

/// What the watch has read.
#[derive(Default)]
pub(super) struct Seen {
    pub processes: usize,
    pub bytes: u64,
    pub hits: Vec<Hit>,
}

struct Look {
    again: Instant,
    pause: Duration,
}

impl Watch {
    pub(super) fn start(forms: Arc<Forms>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (stopped, shared) = (stop.clone(), seen.clone());
        let thread = thread::spawn(move || {
            let mut known = HashMap::new();
            let lock = || shared.lock().expect("the watch");
            while !stopped.load(Ordering::Relaxed) {
                lock().tick(&forms, &mut known);
                thread::sleep(TICK);
            }
            // Once more over all that still runs, whenever it was last looked at.
            known.clear();
            let mut seen = lock();
            let processes = seen.processes;
            seen.tick(&forms, &mut known);
            seen.processes = processes;
        });
        Self { stop, seen, thread: Some(thread) }
    }

    /// Waits until it has found something, while it goes on.
    #[cfg(test)]
    pub(super) fn wait_for_hit(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.seen.lock().expect("the watch").hits.is_empty() {
            assert!(Instant::now() < end, "nothing was found");
            thread::sleep(TICK);
        }
    }

    pub(super) fn finish(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("finished once").join().expect("the watch");
        std::mem::take(&mut *self.seen.lock().expect("the watch"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn tick(&mut self, forms: &Forms, known: &mut HashMap<u32, Look>) {
        let now = Instant::now();
        let running = running();
        known.retain(|pid, _| running.binary_search(pid).is_ok());
        for pid in running {
            let look = known.entry(pid).or_insert_with(|| {
                self.processes += 1;
                Look { again: now, pause: TICK }
            });
            if look.again <= now {
                look.pause = (look.pause * 2).min(SLOWEST);
                look.again = now + look.pause;
                self.read(forms, pid);
            }
        }
    }

    fn read(&mut self, forms: &Forms, pid: u32) {
        for name in ["cmdline", "environ"] {
            // Gone, or another user's: then it was not started by the scenario.
            let Ok(bytes) = fs::read(format!("/proc/{pid}/{name}")) else { continue };
            self.bytes += bytes.len() as u64;
            forms.find(&bytes, 0, |form| {
                let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                let place = format!("{name} of process {pid} ({})", program.trim());
                let hit = Hit { place, form: form.to_owned() };
                if !self.hits.contains(&hit) {
                    self.hits.push(hit);
                }
            });
        }
    }
}

/// The ids of all processes, in ascending order.
fn running() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids: Vec<u32> = names.collect();
    pids.sort_unstable();
    pids
}
