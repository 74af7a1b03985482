//! The clients' own settings: docker's `config.json`, podman's `auth.json` and its drop-ins.
//!
//! They are read as the clients read them, and changed in place by single splices: key order,
//! unknown keys, indentation, mode, owner and symlinks stay.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::environment;
use crate::error::{Error, Kind, Remedy, Result};
use crate::files::cannot;
use crate::text::reason;

mod check;
mod document;
mod edit;
mod entry;
mod logins;
pub mod names;
pub mod podman;
pub mod preflight;
mod read;
mod replace;
mod swap;
pub mod undo;

pub use document::{Document, Previous, Setting};
pub use edit::Splice;
pub use entry::{Entry, EntryKind};
pub use swap::Replaced;

/// How often a change is retried on what another program wrote in the meantime.
const ATTEMPTS: usize = 5;

/// One of a client's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    path: PathBuf,
    legacy: bool,
}

impl ConfigFile {
    /// Docker's `config.json`: in `DOCKER_CONFIG`, or in `.docker` of the home directory.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn of_docker() -> Result<Self> {
        let directory = match variable("DOCKER_CONFIG") {
            Some(directory) => directory,
            None => home()?.join(".docker"),
        };
        Ok(Self::at(directory.join("config.json")))
    }

    /// A file of that format.
    pub fn at(path: PathBuf) -> Self {
        Self { path, legacy: false }
    }

    /// `.dockercfg`, what Docker wrote before 2015: podman, skopeo and buildah read it to this day.
    pub fn legacy_at(path: PathBuf) -> Self {
        Self { path, legacy: true }
    }

    /// Whether it is a `.dockercfg`.
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it exists, as far as can be seen; reading says more about one that cannot be looked at.
    pub fn exists(&self) -> bool {
        self.path.try_exists().unwrap_or(true)
    }

    /// Reads it; a missing one is empty.
    ///
    /// # Errors
    /// It cannot be read, or is not what the clients read.
    pub fn read(&self) -> Result<Document> {
        self.parse(self.text()?.unwrap_or_default())
    }

    fn parse(&self, text: Zeroizing<String>) -> Result<Document> {
        Document::parse(text, &self.path.display().to_string(), self.legacy)
    }

    /// Finds out whether it can be changed, before anything depends on it; deletes what a killed run
    /// left next to it.
    ///
    /// # Errors
    /// Why it cannot be changed.
    pub fn check_writable(&self) -> Result<preflight::Place> {
        check_writable(&self.path)
    }

    /// Deletes what a killed run left next to it.
    ///
    /// # Errors
    /// It is still there, or it cannot be looked for, and may hold passwords.
    pub fn tidy(&self) -> Result<()> {
        replace::tidy(&self.path)
            .map_err(|e| self.cannot("delete what a killed run may have left next to", &e))
    }

    /// Changes it, starting from what it holds at that moment. `change` returns false to leave it
    /// as it is. With `delete_empty`, an empty document deletes the file.
    ///
    /// # Errors
    /// That of `change`; or the file cannot be read or replaced, and is as it was.
    pub fn change(
        &self,
        delete_empty: bool,
        mut change: impl FnMut(&mut Document) -> Result<bool>,
    ) -> Result<bool> {
        for _ in 0..ATTEMPTS {
            let previous = self.text()?;
            let mut document = self.parse(previous.clone().unwrap_or_default())?;
            if !change(&mut document)? {
                return Ok(false);
            }
            let previous = previous.as_ref().map(|text| text.as_str());
            let new = (!delete_empty || !document.text().is_empty()).then(|| document.text());
            let replaced = replace::replace(&self.path, previous, new);
            match replaced.map_err(|e| self.cannot("write", &e))? {
                Replaced::Yes => return Ok(true),
                Replaced::ChangedMeanwhile => {}
            }
        }
        let message = format!("{} keeps changing; it was left as it is", self.path.display());
        Err(Error::new(Kind::Other, message).hint("stop the other program, and try again"))
    }

    fn text(&self) -> Result<Option<Zeroizing<String>>> {
        read::read(&self.path).map_err(|e| self.cannot("read", &e))
    }

    fn cannot(&self, what: &str, error: &std::io::Error) -> Error {
        cannot(what, &self.path, error)
    }
}

/// Finds out whether a file can be replaced.
///
/// # Errors
/// Why not, and that nothing was changed.
pub fn check_writable(path: &Path) -> Result<preflight::Place> {
    replace::tidy(path).and_then(|()| preflight::check(path)).map_err(|e| {
        let message = format!("{} cannot be changed: {}", path.display(), reason(&e));
        Error::new(Kind::Other, message)
            .hint("nothing was changed; make it and its directory writable, and run this again")
    })
}

/// That a file was not replaced, since another program changed it after it was read.
fn changed_meanwhile(path: &Path) -> Error {
    let message = format!("another program changed {} in the meantime", path.display());
    Error::new(Kind::Other, message).remedy(Remedy::TryAgain)
}

fn home() -> Result<PathBuf> {
    environment::home().ok_or_else(Error::homeless)
}

fn variable(name: &str) -> Option<PathBuf> {
    environment::variable(name).map(PathBuf::from)
}
