//! A command of the user's that prints a token, such as `az acr login --expose-token`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::client::cannot_start;
use super::path::find_on_path;
use super::quoting::said;
use super::talk;
use crate::environment;
use crate::trace;

/// What of its stderr is looked at.
const MAX_STDERR_BYTES: usize = 64 * 1024;

/// A program and its arguments, which no shell reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCommand {
    program: String,
    arguments: Vec<String>,
}

impl TokenCommand {
    /// A program by name or absolute path, then its arguments; none if there is no such program.
    pub fn new(words: Vec<String>) -> Option<Self> {
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty())?;
        // One that depends on the folder that a client was started in could be anybody's.
        let is_name = !program.starts_with('-') && !program.contains(['/', '\\']);
        let arguments: Vec<String> = words.collect();
        let has_nul = |word: &String| word.contains('\0');
        let is_good = is_name || Path::new(&program).is_absolute();
        (is_good && !has_nul(&program) && !arguments.iter().any(has_nul))
            .then_some(Self { program, arguments })
    }

    /// As the settings name it.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Where it is.
    pub fn find(&self) -> Option<PathBuf> {
        let path = Path::new(&self.program);
        if path.is_absolute() {
            return Some(path.to_owned());
        }
        find_on_path(&self.program)
    }

    /// Runs it, without stdin, and gives what it printed.
    ///
    /// # Errors
    /// Why there is nothing, in one printable line without what may be a secret.
    pub fn run(&self, limit: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
        // Its arguments may say more than a trace should.
        trace::timed(
            || self.program.clone(),
            || self.run_untraced(limit),
            |outcome| if outcome.is_ok() { "answered" } else { "failed" }.to_owned(),
        )
        .map_err(|why| format!("{}: {why}", self.program))
    }

    fn run_untraced(&self, limit: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
        if std::env::var_os(environment::CALLS_A_HELPER).is_some() {
            return Err("it would start itself".to_owned());
        }
        let path = self.find().ok_or("it is not on PATH")?;
        let mut child = Command::new(&path)
            .args(&self.arguments)
            .env(environment::CALLS_A_HELPER, "1")
            .env_remove(environment::AGE_IDENTITY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_start(&path, &error))?;
        let told = Arc::new(Mutex::new(Zeroizing::new(Vec::new())));
        let (done, all_told) = mpsc::channel::<()>();
        if let Some(stderr) = child.stderr.take() {
            let told = Arc::clone(&told);
            thread::spawn(move || {
                collect(stderr, &told);
                drop(done);
            });
        }
        let outcome = talk::talk(&mut child, b"", Instant::now() + limit);
        let (answer, status) = outcome.map_err(|trouble| {
            talk::stop(&mut child);
            match trouble {
                talk::Trouble::Silent => format!("it did not end within {} s", limit.as_secs()),
                talk::Trouble::Odd(why) => why,
            }
        })?;
        if status.success() {
            return Ok(answer);
        }
        // The pipe may still be open, or what is in it not yet be read; nothing is sent on the channel.
        let _all_or_late = all_told.recv_timeout(talk::LEFT_OPEN);
        let told = told.lock().expect("no panic while locked");
        let told = String::from_utf8_lossy(&told);
        let line = told.lines().map(str::trim).rfind(|line| !line.is_empty());
        // The token may be at hand for it: only plain words are shown, as of a helper's `get`.
        Err(match line {
            Some(line) => said("get", line, b""),
            None => format!("it failed with {status}"),
        })
    }
}

/// Reads all, so that it need not wait, and keeps the beginning.
fn collect(mut from: ChildStderr, to: &Mutex<Zeroizing<Vec<u8>>>) {
    let mut part = Zeroizing::new([0; 4096]);
    while let Ok(size @ 1..) = from.read(&mut *part) {
        let mut to = to.lock().expect("no panic while locked");
        let room = MAX_STDERR_BYTES.saturating_sub(to.len());
        to.extend_from_slice(&part[..size.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::TokenCommand;

    #[test]
    fn a_program_is_named_or_has_an_absolute_path() {
        let is_one = |words: &[&str]| {
            TokenCommand::new(words.iter().map(ToString::to_string).collect()).is_some()
        };
        assert!(is_one(&["az", "acr", "login"]));
        if cfg!(unix) {
            assert!(is_one(&["/usr/bin/az"]));
        }
        for words in [&[][..], &[""], &["./az"], &["bin/az"], &["..\\az"], &["-x"], &["az", "a\0"]]
        {
            assert!(!is_one(words), "{words:?}");
        }
    }
}
