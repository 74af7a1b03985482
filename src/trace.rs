//! A trace for finding out what happened: one line for each step, on stderr or in a file.
//!
//! `DOCKER_CREDENTIAL_REFRESH_TRACE=1` writes to stderr, an absolute path to that file. What may be
//! shown is on a list in [`redaction`]; everything else is hidden. When it is off, a step costs
//! one read of a static, and its text is never built.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use jiff::Timestamp;

use crate::environment::TRACE;
use crate::error::{Error, Kind, Result};
use crate::files::private::open_own;
use crate::text::printable;

pub mod redaction;

/// The longest line: longer texts are cut, so that a line is one write.
const MAX_LINE_CHARS: usize = 2000;

enum Sink {
    Stderr,
    File(File),
}

/// Set once, by [`start`], before anything else happens.
static SINK: OnceLock<Sink> = OnceLock::new();

/// Switches it on as the variable says; unset, empty or `0` leaves it off.
///
/// # Errors
/// A value that is neither `1` nor an absolute path, and a file that is a symlink, not a regular file,
/// another user's or open to others: then it stays off.
pub fn start(value: Option<&OsStr>) -> Result<()> {
    let sink = match value {
        None => return Ok(()),
        Some(value) if value.is_empty() || value == "0" => return Ok(()),
        Some(value) if value == "1" => Sink::Stderr,
        // A client starts us in its own directory: a relative path could be anywhere.
        Some(value) if Path::new(value).is_absolute() => Sink::File(open(Path::new(value))?),
        Some(_) => {
            let message = format!("{TRACE} is neither 1 nor an absolute path");
            return Err(Error::new(Kind::Usage, message));
        }
    };
    // A second start changes nothing.
    let _already = SINK.set(sink);
    Ok(())
}

fn open(path: &Path) -> Result<File> {
    let cannot = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Other, format!("cannot write the trace to {}: {why}", path.display()))
            .hint(format!("name another file in {TRACE}"))
    };
    let file =
        open_own(OpenOptions::new().append(true).create(true), path).map_err(|e| cannot(&e))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|e| cannot(&e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(cannot(&format!("other users can access it (mode {:o})", mode & 0o777)));
        }
    }
    Ok(file)
}

/// Whether the trace is on.
pub fn is_on() -> bool {
    SINK.get().is_some()
}

/// Writes a line, whose text is built only if the trace is on. It must hold no secret.
pub fn step(text: impl FnOnce() -> String) {
    let Some(sink) = SINK.get() else { return };
    let (now, process) = (Timestamp::now(), std::process::id());
    let text = printable(&text(), MAX_LINE_CHARS);
    let line = format!("docker-credential-refresh[{process}] {now:.3} {text}\n");
    // One write, so that lines of several processes do not mix. Having nobody to tell is not a failure.
    let _unheard = match sink {
        Sink::Stderr => io::stderr().write_all(line.as_bytes()),
        Sink::File(file) => (&*file).write_all(line.as_bytes()),
    };
}

/// Does something and writes a line with its outcome and how long it took.
pub fn timed<T>(
    what: impl FnOnce() -> String,
    operation: impl FnOnce() -> T,
    outcome: impl FnOnce(&T) -> String,
) -> T {
    if !is_on() {
        return operation();
    }
    let start = Instant::now();
    let done = operation();
    let took = start.elapsed().as_secs_f64() * 1000.0;
    step(|| format!("{}: {} in {took:.1} ms", what(), outcome(&done)));
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_nowhere_but_to_stderr_or_an_absolute_path() {
        for value in ["yes", "true", "trace.log", "./trace.log", "2"] {
            let error = start(Some(OsStr::new(value))).unwrap_err();
            assert!(error.fact.contains("_TRACE is neither"), "{error}");
        }
        for value in [None, Some(OsStr::new("")), Some(OsStr::new("0"))] {
            start(value).unwrap();
        }
        assert!(!is_on());
        step(|| unreachable!("the text is made only where somebody reads it"));
    }

    #[cfg(unix)]
    #[test]
    fn a_trace_file_is_private_and_our_own() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trace");
        open(&file).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        open(&file).unwrap();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        assert!(open(&link).is_err());
        assert!(open(folder.path()).is_err());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(open(&file).unwrap_err().fact.contains("mode 640"));
    }
}
