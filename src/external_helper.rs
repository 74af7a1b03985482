//! Other `docker-credential-*` helpers: found on PATH by name, started for one verb, and ended at a
//! deadline. As fallback ([`crate::fallback`]) and as keychain (`helper:NAME`).
//!
//! A helper has our environment, because its pinentry needs `GPG_TTY` or `DISPLAY`, and our stderr.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::error::{SERVER_TEXT_CHARS, printable};
use crate::protocol::{self, Credentials, HELPER_NAME, NOT_FOUND};
use crate::settings::ENVIRONMENT_PREFIX;
use crate::trace;

mod talk;

/// Set for the helpers that we start: one that starts us again would go round in circles.
const GUARD: &str = "DOCKER_CREDENTIAL_REFRESH_CALLS_A_HELPER";
/// What a program's file may end with; clients on Windows start scripts as well.
const SUFFIXES: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
/// After an `erase` that reported success.
pub const NOT_ERASED: &str = "it did not delete it; is it locked?";
/// What Debian's `-pass` 0.6.4 says to a list where a store has failed; a server URL follows.
pub(crate) const HALF_STORED: &str = "no usernames for ";
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// An error that has so much of a secret in a row quotes it, perhaps cut or escaped.
const QUOTED_BYTES: usize = 8;

/// The NAME in `docker-credential-NAME`: `[a-z0-9._-]+`, and not this helper.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HelperName(String);

/// Why a name is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// A path, an option, or other characters.
    #[error("is no helper name (lower-case letters, digits, dots, dashes and underscores)")]
    Characters,
    /// `refresh`.
    #[error("names this helper itself; name another one, or none")]
    Itself,
}

impl HelperName {
    /// The NAME alone, as settings write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HelperName {
    type Err = BadName;

    /// RUSTSEC-2024-0433: a name that could be a path or an option would run another program.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        if text.is_empty() || text.starts_with(['-', '.']) || !text.bytes().all(plain) {
            return Err(BadName::Characters);
        }
        if text == HELPER_NAME { Err(BadName::Itself) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for HelperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docker-credential-{}", self.0)
    }
}

/// Why a helper of this name cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHelper {
    /// We were started by such a helper ourselves.
    StartedByOne,
    /// There is no such program.
    NotOnPath,
    /// It is this program under another name.
    Itself,
}

/// What a helper that was started failed with; one printable line.
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
        if std::env::var_os(GUARD).is_some() {
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
        // Debian's docker-credential-pass 0.6.4 answers an absent key so.
        if username.is_empty() && secret.is_empty() {
            return Err(Failure::Absent);
        }
        Ok(Credentials { server_url, username, secret: std::mem::take(&mut *secret).into() })
    }

    /// Its logins: server URL to username.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn list(&self, limit: Duration) -> Result<BTreeMap<String, String>, Failure> {
        let end = Instant::now() + limit / 2;
        let answer = loop {
            match self.run("list", b"", limit) {
                // None at all.
                Err(Failure::Absent) => return Ok(BTreeMap::new()),
                // Or another process is just storing it.
                Err(Failure::Failed(why))
                    if why.starts_with(HALF_STORED) && Instant::now() < end =>
                {
                    std::thread::sleep(LOOK_AGAIN);
                }
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
            .env(GUARD, "1")
            // Opens the `file` keychain.
            .env_remove(format!("{ENVIRONMENT_PREFIX}AGE_IDENTITY"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::Unavailable(e.to_string()))?;
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
        Err(Failure::Failed(said(line, payload)))
    }
}

fn not_understood() -> Failure {
    Failure::Failed("its answer cannot be understood".to_owned())
}

/// What a helper said, as it can be shown; `payload` is what it was sent.
fn said(line: &str, payload: &[u8]) -> String {
    let shown: String = line.chars().take(SERVER_TEXT_CHARS).collect();
    let quotes = |part: &[u8]| shown.as_bytes().windows(part.len()).any(|window| window == part);
    let sent = secret_in(payload).unwrap_or_default();
    let secret = protocol::parse_credentials::<Zeroizing<String>>(payload).map(|sent| sent.secret);
    let plain = secret.as_ref().map(|secret| secret.as_bytes()).unwrap_or_default();
    let parts = |text: &[u8]| text.windows(text.len().clamp(1, QUOTED_BYTES)).any(quotes);
    if parts(plain) || parts(sent) {
        return "its error quotes the secret and is not shown".to_owned();
    }
    // The answer to a `get`, whose secret is not known here.
    if shown.trim_start().starts_with('{') || shown.to_ascii_lowercase().contains("\"secret\"") {
        return "its error looks like a login and is not shown".to_owned();
    }
    match shown.as_str() {
        "" => "it failed without a word on stdout".to_owned(),
        shown => printable(shown, SERVER_TEXT_CHARS),
    }
}

/// The secret of a payload of ours, escaped as it is there.
fn secret_in(payload: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"\"Secret\":\"";
    let at = payload.windows(BEFORE.len()).position(|window| window == BEFORE)?;
    payload[at + BEFORE.len()..].strip_suffix(b"\"}\n")
}

/// The helpers on PATH that logins can be handed to, sorted; not this one.
pub fn installed() -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries = std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| std::fs::read_dir(directory).into_iter().flatten().flatten());
    let name = |entry: std::fs::DirEntry| {
        let mut file = entry.file_name().into_string().ok()?;
        if cfg!(windows) {
            file.make_ascii_lowercase();
        }
        let file = SUFFIXES.iter().find_map(|suffix| file.strip_suffix(suffix))?;
        let name = file.strip_prefix("docker-credential-")?;
        (name.parse::<HelperName>().is_ok() && is_executable(&entry.path()))
            .then(|| name.to_owned())
    };
    let names: std::collections::BTreeSet<_> = entries.filter_map(name).collect();
    names.into_iter().collect()
}

/// Absolute PATH entries only: an empty one or `.` would be wherever the client was started.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| {
            SUFFIXES.iter().map(move |suffix| directory.join(format!("{program}{suffix}")))
        })
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    return path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    return path.is_file();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustsec_2024_0433_a_helper_named_by_path_is_refused() {
        for name in ["", "../x", "-x", "a/b", "x\0", "X", "a b", ".", "..", ".x", "\\x", "é"] {
            assert_eq!(name.parse::<HelperName>(), Err(BadName::Characters), "{name:?}");
        }
        assert_eq!("refresh".parse::<HelperName>(), Err(BadName::Itself));
        let name: HelperName = "ecr-login".parse().unwrap();
        assert_eq!(
            (name.to_string().as_str(), name.as_str()),
            ("docker-credential-ecr-login", "ecr-login")
        );
    }

    #[test]
    fn what_a_helper_says_is_shown_unless_it_quotes_the_secret() {
        let payload = |secret: &str| {
            let mut payload = Vec::new();
            protocol::write_credentials(&mut payload, "h.example", "\"Secret\":\"", secret)
                .unwrap();
            payload
        };
        let sent = payload("hunter2\"correct<horse");
        let hidden = "its error quotes the secret and is not shown";
        assert_eq!(
            said("the `vault`\u{1b} of h.example is sealed", &sent),
            "the 'vault'? of h.example is sealed"
        );
        assert_eq!(said("", &sent), "it failed without a word on stdout");
        for line in
            ["got hunter2\"correct<horse", "got hunter2\"cor", &String::from_utf8_lossy(&sent)]
        {
            assert_eq!(said(line, &sent), hidden, "{line}");
        }
        let long = format!("{} hunter2\"corr", "x".repeat(190));
        assert_eq!(said(&long, &sent), hidden, "cut in the middle of the secret");
        let escaped = payload("a\"b\"c\"d\"e\"f\"g");
        assert_eq!(said(&String::from_utf8_lossy(&escaped), &escaped), hidden);
        assert_eq!(said("bad: pw", &payload("pw")), hidden);
        for line in ["{\"Username\":\"a\"", "got \"Secret\": \"of-somebody\""] {
            assert_eq!(said(line, b"h.example"), "its error looks like a login and is not shown");
        }
        assert_eq!(said("nothing was sent", &payload("")), "nothing was sent");
        assert_eq!(said("nothing was sent", b"h.example"), "nothing was sent");
    }
}
