//! Keeps what a library prints away from stdout, which belongs to the protocol.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard};

/// One at a time, or the second would take the first one's stderr for the real stdout.
static ONE: Mutex<()> = Mutex::new(());

/// While it lives, stdout is stderr: dbus-secret-service prints odd answers to prompts.
pub(super) struct Quiet {
    real: Option<OwnedFd>,
    _one: MutexGuard<'static, ()>,
}

impl Quiet {
    pub(super) fn new() -> Self {
        let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Above 2, and closed in other programs that are started meanwhile.
        let real = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3).ok();
        // A closed stdout or stderr stays as it is: nothing can be printed then.
        let real = real.filter(|_| rustix::stdio::dup2_stdout(rustix::stdio::stderr()).is_ok());
        Self { real, _one }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(real) = &self.real {
            // It was open, so this fails only with the process.
            let _ = rustix::stdio::dup2_stdout(real);
        }
    }
}
