//! Leaves nothing behind: a process of its own that outlives the demo, however the demo ends.
//!
//! It waits for the end of its stdin, which the demo holds open; an error, a panic, Ctrl-C and even
//! SIGKILL all end it. Then it takes the demo's items out of the keychains and removes the private
//! folder. In a process group of its own, so that Ctrl-C does not reach it.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName, Options};

/// The first argument of the process that takes care; the profile is the second.
pub const ROLE: &str = "--take-care-of-profile";

/// The demo's side of it.
pub struct Caretaker {
    process: Child,
    folder: PathBuf,
}

impl Caretaker {
    /// Starts it, from this program's own file, and waits for the private folder that it makes.
    pub fn start(me: &Path, profile: &str) -> Result<Self, String> {
        let failed = |e: io::Error| format!("cannot start the process that cleans up: {e}");
        let mut command = Command::new(me);
        command.args([ROLE, profile]).stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
        }
        let folder = PathBuf::from(line.trim_end_matches('\n'));
        if !folder.is_absolute() {
            return Err("there is no private folder to work in".into());
        }
        Ok(Self { process, folder })
    }

    /// A private folder, gone when the demo is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets it clean up, and waits.
    pub fn finish(mut self) -> Result<(), String> {
        drop(self.process.stdin.take());
        match self.process.wait() {
            Ok(status) if status.success() && !self.folder.exists() => Ok(()),
            Ok(_) => {
                Err(format!("not all was cleaned up; see above, and {}", self.folder.display()))
            }
            Err(e) => Err(format!("cannot wait for the process that cleans up: {e}")),
        }
    }
}

/// The other process.
pub fn take_care(profile: &str) -> Result<(), String> {
    // Private to this user by tempfile's own default.
    let folder = tempfile::Builder::new().prefix("docker-credential-refresh-demo-").tempdir();
    let folder = folder.map_err(|e| format!("cannot make a private folder: {e}"))?;
    let mut stdout = io::stdout().lock();
    let told = writeln!(stdout, "{}", folder.path().display()).and_then(|()| stdout.flush());
    // Until the demo is gone; however reading ends, that was it.
    let _end = told.and_then(|()| io::copy(&mut io::stdin().lock(), &mut io::sink()));
    let mut left = Vec::new();
    for name in KeychainName::of_this_system() {
        if let Err(error) = empty(&name, profile) {
            left.push(format!("profile {profile} may remain in the {name} keychain: {error}"));
        }
    }
    if let Err(error) = folder.close() {
        left.push(error.to_string());
    }
    if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
}

/// Deletes every item of the profile.
fn empty(name: &KeychainName, profile: &str) -> Result<(), Error> {
    let options = Options { may_prompt: false, ..Options::default() };
    let listed = Keychain::open(name, profile, &options)
        .and_then(|keychain| keychain.list().map(|listing| (keychain, listing.logins)));
    let (keychain, logins) = match listed {
        // What cannot be opened now could not be written to either.
        Err(Error::Unavailable { .. } | Error::Locked { .. }) => return Ok(()),
        other => other?,
    };
    for login in logins {
        match keychain.delete(&login.key) {
            Ok(()) | Err(Error::Absent) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
