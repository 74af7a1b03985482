//! Changing the records, all of them at once.
//!
//! Writers hold the lock around the keychain and the file together.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::format::to_json;
use super::store::{FILE_NAME, RecordStore};
use super::{Found, Records};
use crate::error::{Error, Kind, Result};
use crate::files::atomic::{create_in, put_in_place, start, sync_directory};
use crate::files::cannot;
use crate::files::private::{self, make_private_directory};
use crate::trace;

const LOCK_NAME: &str = "logins.lock";
/// One of these is held while a login's token is refreshed; two logins seldom share one.
const REFRESH_LOCKS: u64 = 64;
/// A fixed name, so that what a killed writer left is found without listing the directory.
const NEW_NAME: &str = "logins.json.new";
/// Held while a token is made for a login, until the previous one is deleted.
const MINT_LOCK_NAME: &str = "mint.lock";
/// Whoever holds a lock may have two prompts open, one after the other, of a minute each, and run a
/// command or use the network in between, for half a minute each.
pub(super) const LOCK_DEADLINE: Duration = Duration::from_secs(180);

/// The right to change records and keychain, until dropped.
#[derive(Debug)]
pub struct Locked<'a> {
    store: &'a RecordStore,
    is_first: bool,
    _lock: File,
}

/// The right to refresh one login's token, until dropped.
#[derive(Debug)]
pub struct RefreshLock {
    file: File,
    /// Which login, since another one may share the file.
    login: [u8; 8],
}

/// The right to have tokens made and to delete previous ones, until dropped.
#[derive(Debug)]
pub struct MintLock {
    _file: File,
}

impl RefreshLock {
    /// Tells those who wait for it, for the same login, that it was in vain.
    pub fn note_failure(&self) {
        let note = || {
            let mut file = &self.file;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&self.login)?;
            file.set_modified(SystemTime::now())
        };
        // They try themselves, then.
        let _unnoted: io::Result<()> = note();
    }

    /// Whether somebody noted that since.
    pub fn has_failed_since(&self, time: SystemTime) -> bool {
        let noted = || {
            let mut file = &self.file;
            let of_file = file.metadata()?;
            // Any other length is no note: one that was just created is empty.
            if of_file.len() != self.login.len() as u64 {
                return Ok(false);
            }
            file.rewind()?;
            let mut login = Vec::new();
            file.read_to_end(&mut login)?;
            Ok(login == self.login && of_file.modified()? > time)
        };
        let noted: io::Result<bool> = noted();
        noted.unwrap_or(false)
    }
}

/// New records on disk under another name: everything that can fail for lack of space is done.
#[derive(Debug)]
pub struct Prepared<'a> {
    store: &'a RecordStore,
    file: NamedTempFile,
}

impl RecordStore {
    /// Waits for the lock, creating the directory if there is none.
    ///
    /// # Errors
    /// A directory that cannot be made or is another user's, or a lock that another process holds
    /// for longer than a prompt may take.
    pub fn lock(&self) -> Result<Locked<'_>> {
        let is_first = fs::symlink_metadata(self.directory.join(LOCK_NAME)).is_err();
        let _lock = self.lock_file(LOCK_NAME, LOCK_DEADLINE, "another process")?;
        Ok(Locked { store: self, is_first, _lock })
    }

    /// Checks that records can be written here, as far as that can be known before there is anything
    /// to write; nothing is changed, and the lock is not kept.
    ///
    /// # Errors
    /// As [`RecordStore::lock`] and [`Locked::prepare`].
    pub fn check_writable(&self) -> Result<()> {
        // Creating the lock would mean that there were records once.
        if fs::symlink_metadata(self.directory.join(LOCK_NAME)).is_err() {
            let tried = make_private_directory(&self.directory).and_then(|()| {
                let mut file = create_in(&self.directory, &mut tempfile::Builder::new())?;
                file.write_all(NEW_NAME.as_bytes())?;
                file.as_file().sync_all()
            });
            return tried.map_err(|e| self.cannot_change("write in", &self.directory, &e));
        }
        let locked = self.lock()?;
        let records = match locked.read()? {
            Found::Records(records) => records,
            Found::Missing | Found::Damaged(_) => Records::default(),
        };
        locked.prepare(&records).map(drop)
    }

    /// Waits until no other process refreshes this login: a server may make each token single-use.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_refresh(&self, profile: &str, key: &str) -> Result<RefreshLock> {
        self.lock_login("refresh", profile, key)
    }

    /// The same for a renewal by a command, which takes longer.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_renewal(&self, profile: &str, key: &str) -> Result<RefreshLock> {
        self.lock_login("renew", profile, key)
    }

    /// Waits until no other process has a token made, or deletes a previous one.
    ///
    /// It comes before [`RecordStore::lock`], which may be taken while it is held, never the other way
    /// round; nobody who holds it waits for a login's own lock.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_minting(&self) -> Result<MintLock> {
        self.lock_minting_within(LOCK_DEADLINE)
    }

    fn lock_minting_within(&self, deadline: Duration) -> Result<MintLock> {
        let who = "another login that is making a token";
        Ok(MintLock { _file: self.lock_file(MINT_LOCK_NAME, deadline, who)? })
    }

    fn lock_login(&self, what: &str, profile: &str, key: &str) -> Result<RefreshLock> {
        // FNV-1a: the same in every version, unlike the standard library's.
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = [profile, key].join("\0").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        let name = format!("{what}-{}.lock", hash % REFRESH_LOCKS);
        let file = self.lock_file(&name, LOCK_DEADLINE, "another process")?;
        Ok(RefreshLock { file, login: hash.to_le_bytes() })
    }

    pub(super) fn lock_file(&self, name: &str, deadline: Duration, who: &str) -> Result<File> {
        make_private_directory(&self.directory)
            .map_err(|e| self.cannot_change("use the directory", &self.directory, &e))?;
        let path = self.directory.join(name);
        private::lock(&path, deadline).map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut => {
                let message = format!("{who} has held the lock on {} for too long", path.display());
                Error::new(Kind::Other, message)
                    .hint("end the docker-credential-refresh process that holds it, and try again")
            }
            _ => self.cannot_change("lock", &path, &e),
        })
    }
}

impl<'a> Locked<'a> {
    /// Reads the records while nobody else can change them.
    ///
    /// # Errors
    /// As [`RecordStore::read`].
    pub fn read(&self) -> Result<Found> {
        self.store.read()
    }

    /// Whether nobody held it before, so no records can have been lost from here.
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// Moves a damaged file away under another name, which is returned.
    ///
    /// # Errors
    /// The rename's.
    pub fn set_aside(&self) -> Result<PathBuf> {
        let (from, now) = (self.store.file(), Timestamp::now().as_nanosecond());
        let to = self.store.directory.join(format!("{FILE_NAME}.damaged-{now}"));
        fs::rename(&from, &to).map_err(|e| cannot("set aside", &from, &e))?;
        Ok(to)
    }

    /// Writes new records next to the old ones, and syncs them to disk.
    ///
    /// # Errors
    /// Those of writing; the old records are as they were.
    pub fn prepare(&self, records: &Records) -> Result<Prepared<'a>> {
        let path = self.store.directory.join(NEW_NAME);
        let write = || -> io::Result<NamedTempFile> {
            let mut file = start(&self.store.directory, NEW_NAME)?;
            file.write_all(&to_json(records)?)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|e| match e.kind() {
            io::ErrorKind::PermissionDenied => self.store.cannot_change("write", &path, &e),
            _ => cannot("write", &path, &e),
        })?;
        Ok(Prepared { store: self.store, file })
    }
}

impl Prepared<'_> {
    /// Replaces the old records with the new ones.
    ///
    /// # Errors
    /// The rename's; then the old records are as they were.
    pub fn commit(self) -> Result<()> {
        let path = self.store.file();
        put_in_place(self.file, &path).map_err(|e| cannot("replace", &path, &e))?;
        trace::step(|| format!("records {}: replaced", path.display()));
        // Everybody can see the new records by now: on an error the caller would put the old
        // token back next to them. The only question is which of the two a power cut leaves.
        sync_directory(&self.store.directory);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::keychain::KeychainName;
    use crate::login_record::LoginRecord;

    fn record(key: &str) -> LoginRecord {
        LoginRecord::new("default", key, KeychainName::Kernel)
    }

    fn store() -> (tempfile::TempDir, RecordStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().join("state"));
        (directory, store)
    }

    fn write(store: &RecordStore, records: &Records) {
        store.lock().unwrap().prepare(records).unwrap().commit().unwrap();
    }

    #[test]
    fn what_is_written_is_read_and_replaced_by_profile_and_key() {
        let (_directory, store) = store();
        assert_eq!(store.read().unwrap(), Found::Missing);
        let mut records = Records::default();
        records.put(record("h"));
        records.put(record("h"));
        records.put(LoginRecord { profile: "other".into(), ..record("h") });
        write(&store, &records);
        assert_eq!(store.read().unwrap(), Found::Records(records.clone()));
        assert_eq!(records.of_profile("default").count(), 1);
        assert!(records.remove("default", "h").is_some());
        assert!(records.find("default", "h").is_none() && records.find("other", "h").is_some());
    }

    #[test]
    fn damaged_files_are_told_apart_from_missing_ones_and_set_aside() {
        let (_directory, store) = store();
        write(&store, &Records::default());
        for content in
            ["", "{", "[]", "garbage", r#"{"version":2,"logins":[]}"#, r#"{"version":1}"#]
        {
            fs::write(store.file(), content).unwrap();
            assert!(matches!(store.read().unwrap(), Found::Damaged(_)), "{content}");
        }
        let aside = store.lock().unwrap().set_aside().unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), r#"{"version":1}"#);
        assert_eq!(store.read().unwrap(), Found::Missing);
    }

    #[test]
    fn an_uncommitted_change_changes_nothing() {
        let (_directory, store) = store();
        let mut records = Records::default();
        write(&store, &records);
        records.put(record("h"));
        // A killed writer leaves the new file behind, and the next one removes it.
        std::mem::forget(store.lock().unwrap().prepare(&records).unwrap());
        assert_eq!(store.read().unwrap(), Found::Records(Records::default()));
        write(&store, &records);
        assert_eq!(store.read().unwrap(), Found::Records(records));
        let mut left: Vec<_> =
            fs::read_dir(store.directory()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [FILE_NAME, LOCK_NAME]);
    }

    /// Where two logins share a file, the failure of one is not that of the other.
    #[test]
    fn a_failure_is_noted_for_one_login_alone() {
        let (_directory, store) = store();
        let before = SystemTime::now() - Duration::from_secs(1);
        let failed =
            |key: &str| store.lock_renewal("default", key).unwrap().has_failed_since(before);
        let all: Vec<String> = (0..200).map(|n| format!("h{n}")).collect();
        assert!(!all.iter().any(|key| failed(key)));
        store.lock_renewal("default", "h7").unwrap().note_failure();
        assert!(fs::read_dir(store.directory()).unwrap().count() < all.len(), "some share a file");
        assert_eq!(all.iter().filter(|key| failed(key)).collect::<Vec<_>>(), ["h7"]);
        let lock = store.lock_renewal("default", "h7").unwrap();
        assert!(!lock.has_failed_since(SystemTime::now()));
    }

    #[test]
    fn whether_records_can_be_written_is_found_out_without_leaving_any() {
        let (directory, store) = store();
        store.check_writable().unwrap();
        assert_eq!(fs::read_dir(store.directory()).unwrap().count(), 0);
        assert!(store.lock().unwrap().is_first());
        store.check_writable().unwrap();
        assert!(!store.lock().unwrap().is_first());
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        RecordStore::new(file.join("state")).check_writable().unwrap_err();
    }

    #[test]
    fn a_login_that_waits_in_vain_says_for_what() {
        let (_directory, store) = store();
        let held = store.lock_minting().unwrap();
        // The records can be changed meanwhile.
        write(&store, &Records::default());
        let error = store.lock_minting_within(Duration::from_millis(50)).unwrap_err().to_string();
        let fact = "another login that is making a token has held ";
        assert!(
            error.starts_with(fact) && error.contains("mint.lock for too long; end"),
            "{error}"
        );
        drop(held);
        store.lock_minting_within(Duration::from_millis(50)).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_once() {
        let (_directory, store) = store();
        write(&store, &Records::default());
        let locked = store.lock().unwrap();
        fs::remove_dir_all(store.directory()).unwrap();
        let error = locked.prepare(&Records::default()).unwrap_err().to_string();
        assert_eq!(error.matches(NEW_NAME).count(), 1, "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn cve_2025_4953_files_and_directory_are_private_and_links_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (_directory, store) = store();
        write(&store, &Records::default());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&store.file()), mode(store.directory())), (0o600, 0o700));
        let elsewhere = store.directory().join("elsewhere");
        fs::rename(store.file(), &elsewhere).unwrap();
        symlink(&elsewhere, store.file()).unwrap();
        assert!(store.read().is_err());
        fs::remove_file(store.file()).unwrap();
        fs::create_dir(store.file()).unwrap();
        assert!(store.read().is_err());
    }
}
