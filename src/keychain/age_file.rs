//! The `file` keychain: one age-encrypted file for each login, in the data directory. For CI jobs
//! and services, which have no desktop and often no kernel keyring.
//!
//! [`identity`] says where the key comes from, [`sealed`] what a file is, [`folder`] how files are
//! named and replaced. Nothing is cached: each operation reads what it needs. A login can be
//! deleted without the identity, and one that an identity cannot open is replaced by logging in.
//!
//! Whoever reads the files without the identity learns how many logins there are, how many of them a
//! profile has, when they were written, and how long a token is, to 4 KiB. Whoever can write them can
//! remove them or restore older ones; a login in another one's place, or changed in any byte, is
//! detected.

use directories::ProjectDirs;
use zeroize::Zeroizing;

use self::fault::{damaged, unavailable};
use self::folder::{Folder, Names};
use self::identity::{Identity, Sources};
use self::sealed::{Attributes, MAX_FILE_BYTES, open, seal};
use super::error::Error;
use super::name::KeychainName;
use super::options::Options;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey, SERVICE};
use crate::error::Setting;
use crate::secret::{AgeIdentity, RefreshToken};

mod fault;
mod folder;
mod identity;
mod other_key;
mod sealed;

/// In the data directory.
const FOLDER_NAME: &str = "logins";
/// How many other operations a writer waits for: fifty at once on a busy disk take turns.
const WRITERS: u32 = 6;

/// A new identity, and the public key that belongs to it.
pub fn new_identity() -> (AgeIdentity, String) {
    use age::secrecy::ExposeSecret;
    let key = age::x25519::Identity::generate();
    let text = key.to_string().expose_secret().to_owned();
    (AgeIdentity::new(text), key.to_public().to_string())
}

/// Where this keychain looks for an identity that nothing else names.
pub fn identity_file(configuration: &std::path::Path) -> std::path::PathBuf {
    identity::file_in(configuration)
}

/// Creates an identity where this keychain looks for it, and returns the path.
///
/// # Errors
/// There is one already, which is never overwritten; or the file cannot be written.
pub fn install_identity() -> crate::error::Result<std::path::PathBuf> {
    use crate::error::{Error, Kind};
    let directories = crate::environment::directories().ok_or_else(Error::homeless)?;
    let path = identity::file_in(directories.config_dir());
    let (identity, _) = new_identity();
    match identity::install(&path, &identity) {
        Ok(()) => Ok(path),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists already, and was left as it is", path.display());
            Err(Error::new(Kind::Other, message).hint(
                "the logins of the file keychain are encrypted to it; to create another one, move it \
                 away first",
            ))
        }
        Err(e) => Err(crate::files::cannot("write", &path, &e)),
    }
}

/// Where the files are, and where the identity is.
pub(super) struct Store {
    folder: Folder,
    sources: Sources,
}

impl Store {
    /// Reads nothing yet: what is missing is reported by the operation that needs it.
    pub(super) fn open(options: &Options) -> Result<Self, Error> {
        let directories = ProjectDirs::from("", "", SERVICE)
            .ok_or_else(|| unavailable("no home directory is known", Setting::new("HOME")))?;
        Ok(Self {
            folder: Folder::new(
                directories.data_dir().join(FOLDER_NAME),
                options.deadline * WRITERS,
            ),
            sources: Sources::of_environment(directories.config_dir()),
        })
    }

    /// Where the identity is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if none is set. One that is set but unusable is reported by the
    /// operation: it is not skipped for another keychain.
    pub(super) fn identity_set(&self) -> Result<String, Error> {
        self.sources.set().ok_or_else(|| self.sources.missing())
    }

    /// What to type for an identity where the next login finds it.
    #[cfg(target_os = "linux")]
    pub(super) fn command_for_identity(&self) -> String {
        self.sources.command()
    }

    fn identity(&self) -> Result<Identity, Error> {
        let has_logins = || self.folder.files("").is_ok_and(|files| !files.is_empty());
        self.sources.load(&has_logins)
    }

    /// The file, then the identity: without a file, none is needed.
    fn read(&self, login: &LoginKey) -> Result<(Attributes, Zeroizing<Vec<u8>>), Error> {
        let names = self.folder.names()?.ok_or(Error::Absent)?;
        let bytes = self.folder.read(&name(&names, login))?.ok_or(Error::Absent)?;
        let identity = self.identity()?;
        let read = open(&identity, &bytes).map_err(|why| why.into_error(&identity))?;
        if read.0.is_of(SERVICE, login) { Ok(read) } else { Err(misplaced()) }
    }

    /// What one file adds to a list.
    fn attributes(
        &self,
        names: &Names,
        identity: &Identity,
        file: &str,
    ) -> Result<Attributes, Error> {
        let bytes = self.folder.read(file).map_err(|error| match error {
            // Only this file is; the others may be readable.
            Error::Failed { keychain, why, .. } => Error::Damaged { keychain, why },
            error => error,
        })?;
        let bytes = bytes.ok_or(Error::Absent)?;
        let (found, _) = open(identity, &bytes).map_err(|why| why.into_error(identity))?;
        let expected = names.name(&found.service, &found.profile, &found.key);
        if expected == file { Ok(found) } else { Err(misplaced()) }
    }
}

fn name(names: &Names, login: &LoginKey) -> String {
    names.name(SERVICE, &login.profile, &login.key)
}

fn misplaced() -> Error {
    damaged("its file is that of another login")
}

impl store::Store for Store {
    fn unlock(&self) -> Result<(), Error> {
        self.identity()?;
        self.folder.try_to_write()
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let (found, token) = self.read(login)?;
        Item::from_bytes(&KeychainName::File, found.account, token.to_vec())
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let identity = self.identity()?;
        let attributes = Attributes::new(SERVICE, &login.profile, &login.key, account);
        let file = seal(&identity, attributes, token.expose().as_bytes()).map_err(|size| {
            let keychain = KeychainName::File;
            Error::TooLarge { keychain, size, limit: MAX_FILE_BYTES }
        })?;
        self.folder.write(|names| name(names, login), &file)
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        let there = self.folder.remove(|names| name(names, login))?;
        if there { Ok(()) } else { Err(Error::Absent) }
    }

    /// The identity is needed only if there is a login.
    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let Some(names) = self.folder.names()? else { return Ok(listing) };
        let files = self.folder.files(&names.prefix(SERVICE, profile))?;
        if files.is_empty() {
            return Ok(listing);
        }
        let identity = self.identity()?;
        for file in files {
            match self.attributes(&names, &identity, &file) {
                Ok(Attributes { key, account, .. }) => {
                    listing.logins.push(Listed { key, account });
                }
                // Deleted since.
                Err(Error::Absent) => {}
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    /// Listing them checks them.
    fn check(&self, profile: &str) -> Result<(), Error> {
        self.list(profile)?.complete().map(drop)
    }

    fn check_login(&self, login: &LoginKey) -> Result<(), Error> {
        self.read(login).map(drop)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilDeleted
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}
