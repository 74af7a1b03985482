//! The non-secret facts of each login, their file and its lock.
//!
//! Readers take no lock, because the file is only ever replaced by rename. Writers hold the lock
//! around the keychain and the file together.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Error, Kind, Result};
use crate::keychain::KeychainName;
use crate::private_file::{self, make_private_directory, open_own};
use crate::trace;

const FILE_NAME: &str = "logins.json";
const LOCK_NAME: &str = "logins.lock";
/// One of these is held while a login's token is refreshed; two logins seldom share one.
const REFRESH_LOCKS: u64 = 64;
/// A fixed name, so that what a killed writer left is found without looking through the directory.
const NEW_NAME: &str = "logins.json.new";
const VERSION: u32 = 1;
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Another process holds the lock while it talks to a keychain, and perhaps to a person.
const LOCK_DEADLINE: Duration = Duration::from_secs(90);

/// What is known of one login. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// Which profile it belongs to.
    pub profile: String,
    /// The key that all spellings of the server URL share.
    pub key: String,
    /// The server URL as the client stored it; `list` answers with it.
    pub server_url: String,
    /// The username the password went with; empty where a client brought its own token.
    pub account: String,
    /// Which keychain the token rests in.
    pub keychain: KeychainName,
    /// Whether a refresh grant was seen to work.
    pub proven: bool,
    /// The token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The service that the challenge named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The client id that obtained the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_as: Option<String>,
    /// The client id that proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_as: Option<String>,
    /// When the login was kept.
    pub since: Timestamp,
    /// When the token expires, if the server or the token told; a hint, never decided upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// All logins of all profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    logins: Vec<LoginRecord>,
}

/// What reading the file came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A file of this version.
    Records(Records),
    /// No file.
    Missing,
    /// A file that is empty, truncated, garbage, too large or of another version: why.
    Damaged(String),
}

/// The directory that the records are kept in.
#[derive(Debug, Clone)]
pub struct RecordStore {
    directory: PathBuf,
}

/// The right to change records and keychain, until dropped.
#[derive(Debug)]
pub struct Locked<'a> {
    store: &'a RecordStore,
    _lock: File,
}

/// The right to refresh one login's token, until dropped.
#[derive(Debug)]
pub struct RefreshLock {
    _lock: File,
}

/// New records on disk under another name: all that can fail for want of space has been done.
#[derive(Debug)]
pub struct Prepared<'a> {
    store: &'a RecordStore,
    file: NamedTempFile,
}

impl LoginRecord {
    /// What the keychain alone can tell of a login, kept now.
    pub fn new(profile: &str, key: &str, keychain: KeychainName) -> Self {
        Self {
            profile: profile.to_owned(),
            key: key.to_owned(),
            server_url: key.to_owned(),
            account: String::new(),
            keychain,
            proven: false,
            realm: None,
            service: None,
            obtained_as: None,
            proven_as: None,
            since: Timestamp::now(),
            expires: None,
        }
    }
}

impl Records {
    /// The login under exactly this key.
    pub fn find(&self, profile: &str, key: &str) -> Option<&LoginRecord> {
        self.logins.iter().find(|login| login.profile == profile && login.key == key)
    }

    /// The logins of one profile.
    pub fn of_profile<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a LoginRecord> {
        self.logins.iter().filter(move |login| login.profile == profile)
    }

    /// Puts a record in the place of the one with its profile and key.
    pub fn put(&mut self, record: LoginRecord) {
        self.remove(&record.profile, &record.key);
        self.logins.push(record);
    }

    /// Removes a record, if it is there.
    pub fn remove(&mut self, profile: &str, key: &str) -> Option<LoginRecord> {
        let at = self.logins.iter().position(|l| l.profile == profile && l.key == key)?;
        Some(self.logins.remove(at))
    }
}

impl RecordStore {
    /// Names the directory; nothing is read or made yet.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the file is, for messages.
    pub fn file(&self) -> PathBuf {
        self.directory.join(FILE_NAME)
    }

    /// The directory, for what is kept beside the records.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Sets the modification time of an empty file beside the records; a symlink in its place is
    /// not followed.
    ///
    /// # Errors
    /// Those of opening or changing it, or that it is not ours.
    pub fn touch(&self, name: &str) -> io::Result<()> {
        let path = self.directory.join(name);
        open_own(OpenOptions::new().write(true).create(true).truncate(false), &path)?
            .set_modified(SystemTime::now())
    }

    /// Reads the records without a lock.
    ///
    /// # Errors
    /// A file that could not be read, or that is a symlink, no regular file or another user's:
    /// that is not the same as no login.
    pub fn read(&self) -> Result<Found> {
        let path = self.file();
        let failed = |e: &io::Error| cannot("read", &path, e);
        let file = match open_own(OpenOptions::new().read(true), &path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                trace::step(|| format!("records {}: missing", path.display()));
                return Ok(Found::Missing);
            }
            Err(e) => return Err(failed(&e)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Ok(Found::Damaged("it is larger than 16 MiB".into()));
        }
        let found = parse(&bytes);
        trace::step(|| match &found {
            Ok(records) => format!("records {}: {} logins", path.display(), records.logins.len()),
            Err(why) => format!("records {}: {why}", path.display()),
        });
        Ok(found.map_or_else(Found::Damaged, Found::Records))
    }

    /// Waits for the lock, making the directory if there is none.
    ///
    /// # Errors
    /// A directory that cannot be made or is another user's, or a lock that another process holds
    /// for longer than a prompt may take.
    pub fn lock(&self) -> Result<Locked<'_>> {
        let _lock = self.lock_file(LOCK_NAME)?;
        Ok(Locked { store: self, _lock })
    }

    /// Waits until no other process refreshes this login: a server may make each token single-use.
    ///
    /// # Errors
    /// As [`RecordStore::lock`].
    pub fn lock_refresh(&self, profile: &str, key: &str) -> Result<RefreshLock> {
        // FNV-1a: the same in every version, unlike the standard library's.
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = [profile, key].join("\0").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        let name = format!("refresh-{}.lock", hash % REFRESH_LOCKS);
        Ok(RefreshLock { _lock: self.lock_file(&name)? })
    }

    fn lock_file(&self, name: &str) -> Result<File> {
        make_private_directory(&self.directory)
            .map_err(|e| cannot("use the directory", &self.directory, &e))?;
        let path = self.directory.join(name);
        private_file::lock(&path, LOCK_DEADLINE).map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut => {
                let message = format!("another process holds {} for too long", path.display());
                Error::new(Kind::Other, message)
                    .hint("end the docker-credential-refresh that waits for an answer")
            }
            _ => cannot("lock", &path, &e),
        })
    }
}

impl<'a> Locked<'a> {
    /// Reads the records as nobody else can change them now.
    ///
    /// # Errors
    /// As [`RecordStore::read`].
    pub fn read(&self) -> Result<Found> {
        self.store.read()
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

    /// Writes new records beside the old ones, down to the disk.
    ///
    /// # Errors
    /// Those of writing; the old records are as they were.
    pub fn prepare(&self, records: &Records) -> Result<Prepared<'a>> {
        let path = self.store.directory.join(NEW_NAME);
        let write = || -> io::Result<NamedTempFile> {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut file = tempfile::Builder::new()
                .prefix(NEW_NAME)
                .rand_bytes(0)
                .tempfile_in(&self.store.directory)?;
            let content = Content { version: VERSION, logins: &records.logins };
            let json = serde_json::to_vec_pretty(&content)?;
            file.write_all(&json)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|e| cannot("write", &path, &e))?;
        Ok(Prepared { store: self.store, file })
    }
}

impl Prepared<'_> {
    /// Puts the new records in the place of the old ones.
    ///
    /// # Errors
    /// The rename's; then the old records are as they were.
    pub fn commit(self) -> Result<()> {
        let path = self.store.file();
        self.file.persist(&path).map_err(|e| cannot("replace", &path, &e.error))?;
        trace::step(|| format!("records {}: replaced", path.display()));
        // Everybody sees the new records by now: an error would have the caller put the old token
        // back beside them. All that is in doubt is which of the two a power cut leaves.
        #[cfg(unix)]
        let _unsynced =
            File::open(&self.store.directory).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

#[derive(Serialize)]
struct Content<'a> {
    version: u32,
    logins: &'a [LoginRecord],
}

fn parse(bytes: &[u8]) -> std::result::Result<Records, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    #[derive(Deserialize)]
    struct Logins {
        logins: Vec<LoginRecord>,
    }
    let damaged = |e: serde_json::Error| format!("it is damaged at line {}", e.line());
    let Version { version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(format!("it is of version {version}, this program writes {VERSION}"));
    }
    let Logins { logins } = serde_json::from_slice(bytes).map_err(damaged)?;
    Ok(Records { logins })
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn literal_json_with_extra_fields_is_read() {
        let json = br#"{"version":1,"x":[],"logins":[{"profile":"default","key":"h","server_url":"h",
            "account":"","keychain":"secret-service","proven":false,"since":"2026-01-02T03:04:05Z","new":1}]}"#;
        let records = parse(json).unwrap();
        assert_eq!(records.find("default", "h").unwrap().keychain.to_string(), "secret-service");
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
        // A killed writer leaves the new file behind, and the next one takes it away.
        std::mem::forget(store.lock().unwrap().prepare(&records).unwrap());
        assert_eq!(store.read().unwrap(), Found::Records(Records::default()));
        write(&store, &records);
        assert_eq!(store.read().unwrap(), Found::Records(records));
        let mut left: Vec<_> =
            fs::read_dir(store.directory()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [FILE_NAME, LOCK_NAME]);
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
