//! The fallback: another `docker-credential-*` helper, for logins that cannot be exchanged.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result, SERVER_TEXT_CHARS, printable};
use crate::protocol::{self, Credentials, HELPER_NAME, NOT_FOUND};
use crate::secret::Password;
use crate::server_url::ServerUrl;
use crate::trace;

/// Set for the helpers that we start: one that starts us again would go round in circles.
const GUARD: &str = "DOCKER_CREDENTIAL_REFRESH_IS_FALLING_BACK";
/// A helper may ask a person (`pass` and its pinentry).
const PERSON_DEADLINE: Duration = Duration::from_secs(60);
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// What a program's file may end with; clients on Windows start scripts as well.
const SUFFIXES: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
const MAX_OUTPUT_BYTES: u64 = 1024 * 1024;

/// The NAME in `docker-credential-NAME`: `[a-z0-9._-]+`, and not this helper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackName(String);

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

impl FromStr for FallbackName {
    type Err = BadName;

    fn from_str(text: &str) -> std::result::Result<Self, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        if text.is_empty() || text.starts_with(['-', '.']) || !text.bytes().all(plain) {
            return Err(BadName::Characters);
        }
        if text == HELPER_NAME { Err(BadName::Itself) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for FallbackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docker-credential-{}", self.0)
    }
}

/// A fallback that was found on PATH.
#[derive(Debug)]
pub struct Fallback {
    name: FallbackName,
    path: PathBuf,
}

impl Fallback {
    /// Looks for the helper on PATH.
    ///
    /// # Errors
    /// It is not there, it is this helper under another name, or it is what started us.
    pub fn find(name: &FallbackName) -> Result<Self> {
        if std::env::var_os(GUARD).is_some() {
            let message = "this helper was started by its own fallback";
            return Err(Error::new(Kind::Usage, message).hint("set fallback to another helper"));
        }
        let path = find_on_path(&name.to_string()).ok_or_else(|| {
            Error::new(Kind::Usage, format!("the fallback {name} is not on PATH"))
                .hint("install it, or correct the setting fallback")
        })?;
        let same = |other: &Path| other.canonicalize().ok() == path.canonicalize().ok();
        if std::env::current_exe().is_ok_and(|me| same(&me)) {
            let message = format!("the fallback {name} is this helper itself");
            return Err(Error::new(Kind::Usage, message).hint("set fallback to another helper"));
        }
        Ok(Self { name: name.clone(), path })
    }

    /// What it is called.
    pub fn name(&self) -> &FallbackName {
        &self.name
    }

    /// Hands over a login as the client sent it.
    ///
    /// # Errors
    /// The first line of its own error.
    pub fn store(&self, server_url: &str, username: &str, secret: &Password) -> Result<()> {
        let mut payload = Zeroizing::new(Vec::with_capacity(64 * 1024));
        protocol::write_credentials(&mut *payload, server_url, username, secret.expose())
            .map_err(|e| self.failed("store", &e.to_string()))?;
        self.run("store", &payload, PERSON_DEADLINE).map(drop).map_err(|error| {
            // A script's error may quote what it read.
            if !secret.expose().is_empty() && error.message.contains(secret.expose()) {
                return self.failed("store", "its error quotes the password and is not shown");
            }
            error
        })
    }

    /// Asks for a login under exactly this server URL.
    ///
    /// # Errors
    /// [`protocol::not_found`], or the first line of its own error.
    pub fn get(&self, server_url: &str) -> Result<Credentials> {
        let answer = self.run("get", server_url.as_bytes(), PERSON_DEADLINE)?;
        let found = protocol::parse_credentials(&answer)
            .ok_or_else(|| self.failed("get", "its answer cannot be understood"))?;
        // Debian's docker-credential-pass 0.6.4 answers an absent key so.
        if found.username.is_empty() && found.secret.expose().is_empty() {
            return Err(protocol::not_found());
        }
        Ok(found)
    }

    /// Names its logins: server URL to username.
    ///
    /// # Errors
    /// The first line of its own error, or the deadline of 5 s.
    pub fn list(&self) -> Result<BTreeMap<String, String>> {
        let answer = self.run("list", b"", LIST_DEADLINE)?;
        serde_json::from_slice::<Option<_>>(&answer)
            .map(Option::unwrap_or_default)
            .map_err(|_| self.failed("list", "its answer cannot be understood"))
    }

    /// Removes a login in every spelling that means the same key.
    ///
    /// # Errors
    /// The first line of its own error; the other spellings are tried all the same.
    pub fn erase(&self, url: &ServerUrl) -> Result<()> {
        let means_it = |listed: &str| ServerUrl::parse(listed).is_ok_and(|l| l.key() == url.key());
        let listed = self.list().map(|all| all.into_keys().filter(|u| means_it(u)).collect());
        let mut spellings = listed.unwrap_or_else(|_| spellings(url));
        spellings.sort();
        spellings.dedup();
        let mut outcome = Ok(());
        for spelling in spellings {
            match self.run("erase", spelling.as_bytes(), PERSON_DEADLINE) {
                Err(error) if !protocol::is_not_found(&error) => outcome = Err(error),
                _ => {}
            }
        }
        outcome
    }

    fn run(&self, verb: &str, payload: &[u8], limit: Duration) -> Result<Zeroizing<Vec<u8>>> {
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
    ) -> Result<Zeroizing<Vec<u8>>> {
        let deadline = Instant::now() + limit;
        let mut child = Command::new(&self.path)
            .arg(verb)
            .env(GUARD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| self.failed(verb, &e.to_string()))?;
        let answer = self.talk(&mut child, payload, deadline);
        let Some(answer) = answer else {
            let _already_gone = child.kill();
            return Err(self.failed(verb, &format!("no answer within {} s", limit.as_secs())));
        };
        let status = loop {
            match child.try_wait().map_err(|e| self.failed(verb, &e.to_string()))? {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    let _already_gone = child.kill();
                    return Err(self.failed(verb, "it does not end"));
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let answer = answer.map_err(|e| self.failed(verb, &e))?;
        if status.success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer);
        let line = text.trim().lines().next().unwrap_or_default();
        if line == NOT_FOUND {
            return Err(protocol::not_found());
        }
        Err(self.failed(verb, if line.is_empty() { "it failed without a word" } else { line }))
    }

    /// Writes the payload and reads all output; none at the deadline. Both ends in threads, because
    /// a helper may do neither.
    fn talk(&self, child: &mut Child, payload: &[u8], deadline: Instant) -> Option<Output> {
        let (done, outcome) = mpsc::channel();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let payload = Zeroizing::new(payload.to_vec());
        std::thread::spawn(move || {
            // A helper that needs no input may be gone already; its status tells.
            drop(stdin.map(|mut pipe| pipe.write_all(&payload)));
        });
        std::thread::spawn(move || {
            let mut answer = Zeroizing::new(Vec::with_capacity(64 * 1024));
            let read = stdout.map(|pipe| pipe.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut answer));
            let output = match read {
                Some(Err(e)) => Err(e.to_string()),
                _ if answer.len() as u64 > MAX_OUTPUT_BYTES => {
                    Err("its answer is over 1 MiB".into())
                }
                _ => Ok(answer),
            };
            // Nobody waits any more after the deadline.
            let _late = done.send(output);
        });
        outcome.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }

    fn failed(&self, verb: &str, why: &str) -> Error {
        let why = printable(why, SERVER_TEXT_CHARS);
        Error::new(Kind::Other, format!("{} {verb} failed: {why}", self.name))
    }
}

type Output = std::result::Result<Zeroizing<Vec<u8>>, String>;

/// What clients call one key, for helpers that cannot list.
fn spellings(url: &ServerUrl) -> Vec<String> {
    let key = url.key();
    let mut all = vec![url.asked().to_owned()];
    if url.is_docker_hub_oauth() {
        return all;
    }
    if key == crate::server_url::DOCKER_HUB {
        all.extend(["docker.io", "index.docker.io", "registry-1.docker.io", key].map(Into::into));
    } else if key.contains("://") {
        all.push(key.into());
    } else {
        all.extend([key.into(), format!("https://{key}"), format!("http://{key}")]);
        all.extend([format!("https://{key}/v1/"), format!("https://{key}/v2/")]);
    }
    all
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
        (name.parse::<FallbackName>().is_ok() && is_executable(&entry.path()))
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
            assert_eq!(name.parse::<FallbackName>(), Err(BadName::Characters), "{name:?}");
        }
        assert_eq!("refresh".parse::<FallbackName>(), Err(BadName::Itself));
        assert_eq!(
            "ecr-login".parse::<FallbackName>().unwrap().to_string(),
            "docker-credential-ecr-login"
        );
    }

    #[test]
    fn every_spelling_means_the_key() {
        for sent in
            ["docker.io", "h:5000/", "http://h:443", "https://index.docker.io/v1/access-token"]
        {
            let url = ServerUrl::parse(sent).unwrap();
            for spelling in spellings(&url) {
                assert_eq!(ServerUrl::parse(&spelling).unwrap().key(), url.key(), "{spelling}");
            }
        }
    }
}
