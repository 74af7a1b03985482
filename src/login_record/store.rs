//! The records' file, and reading it.
//!
//! Readers take no lock, because the file is only ever replaced by rename.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use super::format::{look_up, parse};
use super::{Found, LoginRecord, Lookup, Records, Summary};
use crate::error::{Error, Result};
use crate::files::cannot;
use crate::files::private::{make_private_directory, open_own};
use crate::trace;

pub(super) const FILE_NAME: &str = "logins.json";
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Which file the records are in: whoever changes them puts another one in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    #[cfg(unix)]
    inode: u64,
    modified: SystemTime,
    bytes: u64,
}

/// The directory that the records are kept in.
#[derive(Debug, Clone)]
pub struct RecordStore {
    pub(super) directory: PathBuf,
}

impl RecordStore {
    /// Names the directory; nothing is read or created yet.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the file is, for messages.
    pub fn file(&self) -> PathBuf {
        self.directory.join(FILE_NAME)
    }

    /// The directory, for what is kept next to the records.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Sets the modification time of an empty file next to the records, whose directory is made if there is
    /// none; a symlink in its place is not followed.
    ///
    /// # Errors
    /// Those of opening or changing it, or that it is not ours.
    pub fn touch(&self, name: &str) -> io::Result<()> {
        make_private_directory(&self.directory)?;
        let path = self.directory.join(name);
        open_own(OpenOptions::new().write(true).create(true).truncate(false), &path)?
            .set_modified(SystemTime::now())
    }

    /// Which file the records are in now, to see later whether they were changed; none where there is none,
    /// or where that cannot be found out.
    pub fn stamp(&self) -> Option<Stamp> {
        let found = self.file().symlink_metadata().ok()?;
        Some(Stamp {
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&found),
            modified: found.modified().ok()?,
            bytes: found.len(),
        })
    }

    /// Reads the records without a lock.
    ///
    /// # Errors
    /// A file that could not be read, or that is a symlink, not a regular file or another user's:
    /// that is not the same as no login.
    pub fn read(&self) -> Result<Found> {
        self.read_as(&mut Vec::new())
    }

    /// The same for what a `list` needs, which borrows from the bytes of the file.
    ///
    /// # Errors
    /// As [`RecordStore::read`].
    pub fn read_summaries<'b>(&self, bytes: &'b mut Vec<u8>) -> Result<Found<Summary<'b>>> {
        self.read_as(bytes)
    }

    fn read_as<'b, L: Deserialize<'b>>(&self, bytes: &'b mut Vec<u8>) -> Result<Found<L>> {
        let Some(file) = self.open()? else { return Ok(Found::Missing) };
        self.parse(file, bytes).map_err(|e| self.cannot_read(&e))
    }

    /// Looks for a profile's login without a lock, under the first of these keys that has one.
    ///
    /// # Errors
    /// As [`RecordStore::read`].
    pub fn look_up<'k>(
        &self,
        profile: &str,
        keys: impl Iterator<Item = &'k str> + Clone,
    ) -> Result<Lookup> {
        let Some(mut file) = self.open()? else { return Ok(Lookup::Unknown) };
        let is_huge = file.metadata().is_ok_and(|found| found.len() > MAX_FILE_BYTES);
        let looked = if is_huge { Ok(None) } else { look_up(&file, profile, keys.clone()) };
        if let Some(found) = looked.map_err(|e| self.cannot_read(&e))? {
            trace::step(|| {
                let what = if let Lookup::Found(_) = found { "has" } else { "does not have" };
                format!("records {}: {what} the login", self.file().display())
            });
            return Ok(found);
        }
        let mut bytes = Vec::new();
        let found = file.rewind().and_then(|()| self.parse::<LoginRecord>(file, &mut bytes));
        Ok(match found.map_err(|e| self.cannot_read(&e))? {
            Found::Records(records) => records.look_up(profile, keys),
            Found::Missing => Lookup::Unknown,
            Found::Damaged(why) => Lookup::Damaged(why),
        })
    }

    fn open(&self) -> Result<Option<File>> {
        let path = self.file();
        match open_own(OpenOptions::new().read(true), &path) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                trace::step(|| format!("records {}: missing", path.display()));
                Ok(None)
            }
            Err(e) => Err(self.cannot_read(&e)),
        }
    }

    fn parse<'b, L: Deserialize<'b>>(
        &self,
        file: File,
        bytes: &'b mut Vec<u8>,
    ) -> io::Result<Found<L>> {
        // Read at once, not in ever larger pieces.
        let size = file.metadata().map_or(0, |found| found.len()).min(MAX_FILE_BYTES);
        bytes.reserve(usize::try_from(size).unwrap_or_default() + 1);
        file.take(MAX_FILE_BYTES + 1).read_to_end(bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Ok(Found::Damaged("it is larger than 16 MiB".into()));
        }
        let found = parse(bytes);
        trace::step(|| match &found {
            Ok(Records { logins, .. }) => {
                format!("records {}: {} logins", self.file().display(), logins.len())
            }
            Err(why) => format!("records {}: {why}", self.file().display()),
        });
        Ok(found.map_or_else(Found::Damaged, Found::Records))
    }

    fn cannot_read(&self, error: &io::Error) -> Error {
        cannot("read", &self.file(), error)
    }

    pub(super) fn cannot_change(&self, what: &str, path: &Path, error: &io::Error) -> Error {
        let told = cannot(what, path, error);
        let directory = self.directory.display();
        let hint = || format!("let this user write to {directory}").into();
        Error { remedy: told.remedy.or_else(|| Some(hint())), ..told }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::keychain::KeychainName;
    use crate::login_record::format::to_json;

    #[test]
    fn records_of_more_than_16_mib_are_damaged_whatever_is_in_them() {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().to_owned());
        let login = LoginRecord::new("default", "h", KeychainName::Kernel);
        let mut records = Records::default();
        records.put(login.clone());
        let mut text = to_json(&records).unwrap();
        // White space behind it is still JSON.
        text.resize(16 * 1024 * 1024, b' ');
        fs::write(store.file(), &text).unwrap();
        assert!(
            matches!(store.read().unwrap(), Found::Records(found) if found.find("default", "h").is_some())
        );
        let found = store.look_up("default", ["h"].into_iter()).unwrap();
        assert_eq!(found, Lookup::Found(Box::new(login)));
        text.push(b' ');
        fs::write(store.file(), &text).unwrap();
        let why = "it is larger than 16 MiB";
        assert_eq!(store.read().unwrap(), Found::Damaged(why.into()));
        let looked = store.look_up("default", ["h"].into_iter()).unwrap();
        assert_eq!(looked, Lookup::Damaged(why.into()));
    }

    #[test]
    fn a_stamp_is_another_one_once_the_records_were_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().to_owned());
        assert_eq!(store.stamp(), None);
        fs::write(store.file(), "1").unwrap();
        let first = store.stamp();
        assert!(first.is_some());
        assert_eq!(store.stamp(), first);
        // Of the same size and time.
        let (new, old) = (directory.path().join("new"), File::open(store.file()).unwrap());
        fs::write(&new, "2").unwrap();
        let modified = old.metadata().unwrap().modified().unwrap();
        File::options().write(true).open(&new).unwrap().set_modified(modified).unwrap();
        fs::rename(&new, store.file()).unwrap();
        assert_ne!(store.stamp(), first);
    }

    #[test]
    fn a_mark_next_to_the_records_has_the_time_of_the_last_touch() {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().join("not yet there"));
        let mark = store.directory().join("mark");
        for _ in 0..2 {
            store.touch("mark").unwrap();
            let found = fs::metadata(&mark).unwrap();
            assert!(found.len() == 0 && found.modified().unwrap() > SystemTime::UNIX_EPOCH);
            File::options()
                .write(true)
                .open(&mark)
                .unwrap()
                .set_modified(SystemTime::UNIX_EPOCH)
                .unwrap();
        }
    }
}
