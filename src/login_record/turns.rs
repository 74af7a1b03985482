//! The locks of what else is ours and has no lock of its own: the settings file, and what `configure` did.
//!
//! They are next to the records: the settings' own directory may be read-only or full of symlinks, while a
//! command that changes settings writes here as well.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::locked::LOCK_DEADLINE;
use super::store::RecordStore;
use crate::error::Result;
use crate::progress;

/// Held while the settings file is read, edited and replaced.
const SETTINGS_LOCK_NAME: &str = "settings.lock";
/// Nobody asks a person or uses the network meanwhile.
const SETTINGS_DEADLINE: Duration = Duration::from_secs(30);
/// Held by a command for as long as it runs.
const CONFIGURE_LOCK_NAME: &str = "configure.lock";

/// The right to change the settings file, until dropped.
#[derive(Debug)]
pub struct SettingsLock {
    _file: File,
}

/// The right to change what `configure` remembers, until dropped.
#[derive(Debug)]
pub struct ConfigureLock {
    directory: PathBuf,
    _file: File,
}

impl ConfigureLock {
    /// The directory in which it is remembered.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl RecordStore {
    /// Waits until no other process changes the settings file. Whoever holds this waits for no other lock.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_settings(&self) -> Result<SettingsLock> {
        let who = "another process that changes settings";
        Ok(SettingsLock { _file: self.lock_file(SETTINGS_LOCK_NAME, SETTINGS_DEADLINE, who)? })
    }

    /// Waits until no other process runs `configure`, `unconfigure` or `import`.
    ///
    /// These ask registries for tokens, and may ask a person, while they hold it: so it comes before every
    /// other lock, and nobody who holds one of those waits for it.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_configure(&self) -> Result<ConfigureLock> {
        self.lock_configure_within(LOCK_DEADLINE)
    }

    fn lock_configure_within(&self, deadline: Duration) -> Result<ConfigureLock> {
        let who = "another configure, unconfigure or import";
        let _shown = progress::waiting_until(|| who.to_owned(), Instant::now() + deadline);
        let _file = self.lock_file(CONFIGURE_LOCK_NAME, deadline, who)?;
        Ok(ConfigureLock { directory: self.directory.clone(), _file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configure_that_waits_in_vain_says_for_what() {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().join("state"));
        let held = store.lock_configure().unwrap();
        // Who holds it takes the others.
        let (_records, _settings) = (store.lock().unwrap(), store.lock_settings().unwrap());
        let brief = Duration::from_millis(50);
        let error = store.lock_configure_within(brief).unwrap_err().to_string();
        let fact = "another configure, unconfigure or import has held the lock on ";
        assert!(
            error.starts_with(fact) && error.contains("configure.lock for too long; end"),
            "{error}"
        );
        drop(held);
        store.lock_configure_within(brief).unwrap();
    }
}
