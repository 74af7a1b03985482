//! A helper that was found, started for one verb and ended at a deadline.
//!
//! A helper has our environment, because its pinentry needs `GPG_TTY` or `DISPLAY`, and our stderr.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::path::find_on_path;
use super::quoting::said;
use super::{HelperName, talk};
use crate::environment;
use crate::protocol::{self, Credentials, NOT_FOUND};
use crate::trace;

/// After an `erase` that reported success.
pub const NOT_ERASED: &str = "the entry is still there after deleting; is the helper locked?";
/// Between two looks at a list that fails.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// For so long may a list fail that another process disturbs: encrypting an entry takes less.
const DISTURBED: Duration = Duration::from_secs(1);

/// Why a helper of this name cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHelper {
    /// This program was started by such a helper.
    StartedByOne,
    /// There is no such program.
    NotOnPath,
    /// It is this program under another name.
    Itself,
}

/// Why a helper failed after it was started; one printable line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It has no such login.
    Absent,
    /// It could not be asked.
    Unavailable(String),
    /// It did not answer in this time.
    Silent(Duration),
    /// Its own words, or that they cannot be understood.
    Failed(String),
}

/// A helper that was found.
#[derive(Debug, Clone)]
pub struct HelperProgram {
    name: HelperName,
    path: PathBuf,
}

impl HelperProgram {
    /// Looks for the helper on PATH.
    ///
    /// # Errors
    /// [`NoHelper`].
    pub fn find(name: &HelperName) -> Result<Self, NoHelper> {
        if std::env::var_os(environment::CALLS_A_HELPER).is_some() {
            return Err(NoHelper::StartedByOne);
        }
        let path = find_on_path(&name.to_string()).ok_or(NoHelper::NotOnPath)?;
        let same = |other: &Path| other.canonicalize().ok() == path.canonicalize().ok();
        if std::env::current_exe().is_ok_and(|me| same(&me)) {
            return Err(NoHelper::Itself);
        }
        Ok(Self { name: name.clone(), path })
    }

    /// What it is called.
    pub fn name(&self) -> &HelperName {
        &self.name
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has it keep a login. An error that quotes the secret is not passed on.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn store(
        &self,
        server_url: &str,
        username: &str,
        secret: &str,
        limit: Duration,
    ) -> Result<(), Failure> {
        let mut payload = Zeroizing::new(Vec::with_capacity(64 * 1024));
        protocol::write_credentials(&mut *payload, server_url, username, secret)
            .map_err(|e| Failure::Failed(e.to_string()))?;
        self.run("store", &payload, limit).map(drop)
    }

    /// Asks for the login under exactly this server URL.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn get<S: From<String>>(
        &self,
        server_url: &str,
        limit: Duration,
    ) -> Result<Credentials<S>, Failure> {
        let answer = self.run("get", server_url.as_bytes(), limit)?;
        let Credentials { server_url, username, mut secret } =
            protocol::parse_credentials::<Zeroizing<String>>(&answer).ok_or_else(not_understood)?;
        // Debian's docker-credential-pass 0.6.4 answers an absent key this way.
        if username.is_empty() && secret.is_empty() {
            return Err(Failure::Absent);
        }
        Ok(Credentials { server_url, username, secret: std::mem::take(&mut *secret).into() })
    }

    /// Its logins: server URL to username. The list of Debian's `-pass` 0.6.4 fails while another
    /// process stores, which only its words tell from other failures, and those may change: so a list
    /// that fails for any reason is asked for again, for a second.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn list(&self, limit: Duration) -> Result<BTreeMap<String, String>, Failure> {
        let end = Instant::now() + DISTURBED.min(limit / 2);
        let answer = loop {
            match self.run("list", b"", limit) {
                // None at all.
                Err(Failure::Absent) => return Ok(BTreeMap::new()),
                Err(Failure::Failed(_)) if Instant::now() < end => std::thread::sleep(LOOK_AGAIN),
                answer => break answer?,
            }
        };
        let listed = serde_json::from_slice::<Option<_>>(&answer);
        listed.map(Option::unwrap_or_default).map_err(|_| not_understood())
    }

    /// Removes the login under exactly this server URL.
    ///
    /// # Errors
    /// [`Failure`]; for one that is absent Debian's `-pass` 0.6.4 has other words than the fixed ones.
    pub fn erase(&self, server_url: &str, limit: Duration) -> Result<(), Failure> {
        self.run("erase", server_url.as_bytes(), limit).map(drop)
    }

    fn run(
        &self,
        verb: &str,
        payload: &[u8],
        limit: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        // Its own words are left out of the trace: they could repeat what it was sent.
        trace::timed(
            || format!("{} {verb}", self.name),
            || self.run_untraced(verb, payload, limit),
            |outcome| if outcome.is_ok() { "answered" } else { "failed" }.to_owned(),
        )
    }

    fn run_untraced(
        &self,
        verb: &str,
        payload: &[u8],
        limit: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut child = Command::new(&self.path)
            .arg(verb)
            .env(environment::CALLS_A_HELPER, "1")
            // The key of the `file` keychain.
            .env_remove(environment::AGE_IDENTITY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::Unavailable(cannot_start(&self.path, &e)))?;
        let deadline = Instant::now() + limit;
        let (answer, status) = talk::talk(&mut child, payload, deadline).map_err(|trouble| {
            talk::stop(&mut child);
            match trouble {
                talk::Trouble::Silent => Failure::Silent(limit),
                talk::Trouble::Odd(why) => Failure::Failed(why),
            }
        })?;
        if status.success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer);
        let line = text.trim().lines().next().unwrap_or_default();
        if line == NOT_FOUND {
            return Err(Failure::Absent);
        }
        Err(Failure::Failed(said(verb, line, payload)))
    }
}

fn not_understood() -> Failure {
    Failure::Failed("its answer cannot be understood".to_owned())
}

/// Why a program that is there cannot be started. The system reports a missing file where it means the
/// interpreter in a script's first line.
pub(super) fn cannot_start(path: &Path, error: &io::Error) -> String {
    let windows = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("exe"));
    match error.kind() {
        _ if cfg!(unix) && windows => format!(
            "it cannot be started: {error}; a Windows program runs only in WSL with interop on"
        ),
        io::ErrorKind::NotFound => {
            format!("it cannot be started: its interpreter is not there ({error})")
        }
        _ => format!("it cannot be started: {error}"),
    }
}
