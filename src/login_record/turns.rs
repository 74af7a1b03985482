//! The lock of the settings file.
//!
//! It is next to the records: the settings' own directory may be read-only or full of symlinks, while a
//! command that changes settings writes here as well.

use std::fs::File;
use std::time::Duration;

use super::store::RecordStore;
use crate::error::Result;

/// Held while the settings file is read, edited and replaced.
const SETTINGS_LOCK_NAME: &str = "settings.lock";
/// Nobody asks a person or uses the network meanwhile.
const SETTINGS_DEADLINE: Duration = Duration::from_secs(30);

/// The right to change the settings file, until dropped.
#[derive(Debug)]
pub struct SettingsLock {
    _file: File,
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
}
