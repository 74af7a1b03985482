//! What keeps secrets in this process: no core dump, no debugger of the same user, and a panic
//! that says one line. And what in its environment could break a promise: a umask, a signal.

use std::io::Write;

/// Not dumpable from the first byte on (core(5), prctl(2) `PR_SET_DUMPABLE`).
pub fn no_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        // Nothing can be done where it is refused, and the wiping allocator still helps.
        let _refused = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    let _refused =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// A panic becomes exit 1 with one line, on stdout, where clients look for a verb's error. The
/// payload is left out: it could hold anything.
pub fn one_line_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line()));
        let line = format!("internal error{}; please report it\n", at.unwrap_or_default());
        let _closed = std::io::stdout().write_all(line.as_bytes());
        std::process::exit(1);
    }));
}

/// Whatever the umask says, the owner of a file can read and write it: a login that was kept and
/// cannot be read is lost. What it takes from others stays so.
pub fn readable_files() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        use rustix::process::umask;
        let of_others = Mode::RWXG | Mode::RWXO;
        // It can only be read by setting it.
        umask(umask(of_others) & of_others);
    }
}

/// Writing past a file size limit (`ulimit -f`) is an error, which is reported, and does not kill the
/// process. The standard library does the same for closed pipes.
pub fn errors_for_signals() {
    #[cfg(unix)]
    {
        let unread = std::sync::Arc::default();
        // Nothing can be done where it is refused.
        let _refused = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread);
    }
}
