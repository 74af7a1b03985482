//! The directory of login files: private, changed under a lock, one file replaced at a time.
//!
//! | file | what |
//! |---|---|
//! | `names` | 32 random bytes that go into every name, made with the first login |
//! | `PROFILE-LOGIN.age` | a login; both parts are hashes |
//! | `lock` | held by writers; readers need none, since files are replaced by rename |
//! | `new` | what a writer is about to put in place; the next writer removes that of a killed one |
//!
//! The names are hashed with `names`, because otherwise anybody could guess the registry of a
//! name. They are not keyed by the identity: with another one a login would not be found,
//! and that must be distinguishable from a login that is not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use age::x25519;
use sha2::{Digest, Sha256};

use super::fault::failed;
use super::sealed::MAX_FILE_BYTES;
use crate::error::Remedy;
use crate::files::atomic::{put_in_place, start, sync_directory};
use crate::files::owner;
use crate::files::private::{lock, make_private_directory, open_own};
use crate::keychain::error::{Error, keep_elsewhere};
use crate::text::{hex, reason};

const LOCK_NAME: &str = "lock";
const NAMES_NAME: &str = "names";
const NEW_NAME: &str = "new";
const SUFFIX: &str = ".age";

/// Where the files are, and how long to wait for another writer.
#[derive(Clone)]
pub(super) struct Folder {
    path: PathBuf,
    deadline: Duration,
}

/// What file names are made of.
pub(super) struct Names(String);

impl Names {
    /// The beginning of the names of all logins of a profile.
    pub(super) fn prefix(&self, service: &str, profile: &str) -> String {
        self.hash(&[service, profile], 8) + "-"
    }

    /// The name of one login's file.
    pub(super) fn name(&self, service: &str, profile: &str, key: &str) -> String {
        let login = self.hash(&[service, profile, key], 16);
        format!("{}{login}{SUFFIX}", self.prefix(service, profile))
    }

    fn hash(&self, parts: &[&str], bytes: usize) -> String {
        let text = [&[self.0.as_str()], parts].concat().join("\0");
        let hash = Sha256::digest(text.as_bytes());
        hex(&hash[..bytes])
    }
}

impl Folder {
    pub(super) fn new(path: PathBuf, deadline: Duration) -> Self {
        Self { path, deadline }
    }

    /// How names are made here; `None` if no login was ever kept.
    pub(super) fn names(&self) -> Result<Option<Names>, Error> {
        let path = self.path.join(NAMES_NAME);
        let mut text = String::new();
        let read = open_own(OpenOptions::new().read(true), &path)
            .and_then(|file| file.take(1024).read_to_string(&mut text));
        let again = format!(
            "put it back, or remove the directory {} and log in again",
            self.path.display()
        );
        match read {
            // Its checksum reveals damage.
            Ok(_) if text.trim_end().parse::<x25519::Recipient>().is_ok() => {
                Ok(Some(Names(text.trim_end().to_owned())))
            }
            Ok(_) => Err(failed(&format!("{} is damaged", path.display()), again)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => match self.files("")?.is_empty() {
                true => Ok(None),
                false => Err(failed(&format!("{} is missing", path.display()), again)),
            },
            Err(e) => Err(cannot("read", &path, e)),
        }
    }

    /// The content of a file, cut at more than a login can have; `None` if there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path.join(name);
        let read = open_own(OpenOptions::new().read(true), &path).and_then(|file| {
            let most = MAX_FILE_BYTES as u64 + 1;
            // Read at once, and no more memory than that has to be wiped.
            let size = file.metadata()?.len().min(most);
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
            file.take(most).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(cannot("read", &path, e)),
        }
    }

    /// The names of all logins that begin with this.
    pub(super) fn files(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let failed = |e| cannot("read", &self.path, e);
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            if let Some(name) = name.to_str()
                && name.starts_with(prefix)
                && name.ends_with(SUFFIX)
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Makes sure that a login of any size can be kept.
    pub(super) fn try_to_write(&self) -> Result<(), Error> {
        let lock = self.lock()?;
        self.names_or_new(&lock)?;
        self.prepare(&[0; MAX_FILE_BYTES]).map(drop)
    }

    /// Replaces a login.
    pub(super) fn write(
        &self,
        name: impl Fn(&Names) -> String,
        content: &[u8],
    ) -> Result<(), Error> {
        let lock = self.lock()?;
        let names = self.names_or_new(&lock)?;
        self.replace(&name(&names), content)
    }

    /// Removes a login; false if there was none.
    pub(super) fn remove(&self, name: impl Fn(&Names) -> String) -> Result<bool, Error> {
        // First without a lock: most erases find nothing, and need not create a directory.
        let Some(names) = self.names()? else { return Ok(false) };
        let path = self.path.join(name(&names));
        let _lock = self.lock()?;
        match fs::remove_file(&path) {
            Ok(()) => {
                sync_directory(&self.path);
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(cannot("remove", &path, e)),
        }
    }

    fn lock(&self) -> Result<File, Error> {
        make_private_directory(&self.path).map_err(|e| cannot("use", &self.path, e))?;
        let path = self.path.join(LOCK_NAME);
        lock(&path, self.deadline).map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut => {
                let why =
                    format!("another process has held the lock on {} for too long", path.display());
                failed(&why, "stop that process, or try again")
            }
            _ => cannot("lock", &path, e),
        })
    }

    fn names_or_new(&self, _lock: &File) -> Result<Names, Error> {
        if let Some(names) = self.names()? {
            return Ok(names);
        }
        // A fresh public key, used for nothing else: random, printable, and with a checksum.
        let random = x25519::Identity::generate().to_public().to_string();
        self.replace(NAMES_NAME, format!("{random}\n").as_bytes())?;
        Ok(Names(random))
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        let new = self.prepare(content)?;
        let written = new.as_file().sync_all().and_then(|()| put_in_place(new, &path));
        written.map_err(|e| cannot("write", &path, e))?;
        sync_directory(&self.path);
        Ok(())
    }

    /// The content in a file next to the others, removed if it is dropped.
    fn prepare(&self, content: &[u8]) -> Result<tempfile::NamedTempFile, Error> {
        let path = self.path.join(NEW_NAME);
        let write = || -> io::Result<_> {
            let mut file = start(&self.path, NEW_NAME)?;
            file.write_all(content)?;
            Ok(file)
        };
        write().map_err(|e| cannot("write", &path, e))
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    let remedy = owner::remedy(path, &error).unwrap_or_else(|| {
        Remedy::from("free some space, or give this user access to it").or(keep_elsewhere())
    });
    failed(&format!("cannot {what} {}: {}", path.display(), reason(&error)), remedy).because(error)
}
