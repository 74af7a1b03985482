//! Where refresh tokens rest: a name and a keyring-core store.
//!
//! A store is asked through keyring-core's traits alone, with the attributes
//! `service=docker-credential-refresh`, `username=KEY`, `target=PROFILE` and `account`. Two things
//! the traits have no word for go by convention, and our own stores follow it:
//! - `get_attributes` after `get_secret` on one entry answers what was read with the secret;
//! - a search for `unlock=true` opens and unlocks the store, and finds nothing;
//! - one with `all=true` finds every item of each key, not the newest alone;
//! - one fails if it would pass over a login that cannot be read, unless it is for `readable=true`;
//! - one with `check=true` beside `service` and `target` fails if what is there cannot be read, as
//!   [`Error::Damaged`] if others may be readable, as [`Error::Elsewhere`] if what is not there may
//!   be out of reach; with `username` it is about that login;
//! - one for `make_way=KEY` beside them lets another program keep a login of that server URL.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::{CredentialPersistence, CredentialStore, Entry};

use crate::secret::{MAX_TOKEN_BYTES, RefreshToken, TokenShape, check_token};
use crate::trace;

mod age_file;
mod auto;
#[cfg(any(windows, test))]
mod chunked;
mod error;
mod helper;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(any(target_os = "macos", test))]
mod macos;
mod name;
#[cfg(any(target_os = "linux", target_os = "macos", test))]
mod payload;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(any(windows, test))]
mod windows;

pub use age_file::new_identity;
pub use auto::choose;
pub use error::Error;
pub(crate) use helper::entry as helper_entry;
pub use name::{Choice, KeychainName, UnknownKeychain};

/// The `service` attribute of every item of ours.
pub const SERVICE: &str = crate::environment::PROGRAM;
/// The profile of who sets none.
pub const DEFAULT_PROFILE: &str = "default";

/// How a keychain is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// Secret Service: encrypt secrets on the bus as well (`secret_service_session = "encrypted"`).
    pub encrypted_session: bool,
    /// For one operation in which nobody is asked.
    pub deadline: Duration,
    /// For a person to answer a prompt.
    pub prompt_deadline: Duration,
    /// Whether a person may be asked; false within 60 s of a dismissed prompt.
    pub may_prompt: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encrypted_session: false,
            deadline: Duration::from_secs(5),
            prompt_deadline: Duration::from_secs(60),
            may_prompt: true,
        }
    }
}

/// One login as it was kept.
#[derive(Debug)]
pub struct Item {
    /// The username it was stored with; empty if there was none.
    pub account: String,
    /// The secret.
    pub token: RefreshToken,
}

/// One login as its attributes tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The key it was put under.
    pub key: String,
    /// The username, or empty where the keychain tells it only with the secret (`kernel`,
    /// `macos`).
    pub account: String,
}

/// A place for refresh tokens, for one profile.
pub struct Keychain {
    name: KeychainName,
    profile: String,
    store: Arc<CredentialStore>,
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keychain({}, {})", self.name, self.profile)
    }
}

impl Keychain {
    /// Opens a keychain without a prompt; cheap enough for every `get`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not there or not part of this version.
    pub fn open(name: &KeychainName, profile: &str, options: &Options) -> Result<Self, Error> {
        let store: Arc<CredentialStore> = match name {
            #[cfg(target_os = "linux")]
            KeychainName::SecretService => Arc::new(secret_service::Store::open(options)?),
            #[cfg(target_os = "linux")]
            KeychainName::Kernel => Arc::new(kernel::Store::open()?),
            #[cfg(windows)]
            KeychainName::Windows => Arc::new(windows::open(options)?),
            #[cfg(target_os = "macos")]
            KeychainName::Macos => Arc::new(macos::Store::open(options)?),
            KeychainName::File => Arc::new(age_file::Store::open(options)?),
            KeychainName::Helper(name) => Arc::new(helper::Store::open(name, options)?),
            other => {
                let why = "it is not for this system";
                return Err(Error::unavailable(other, why, "set keychain to auto"));
            }
        };
        Ok(Self::with_store(name.clone(), profile, store))
    }

    /// Any keyring-core store under a name; for tests.
    pub fn with_store(name: KeychainName, profile: &str, store: Arc<CredentialStore>) -> Self {
        Self { name, profile: profile.to_owned(), store }
    }

    /// What the login record and messages call it.
    pub fn name(&self) -> &KeychainName {
        &self.name
    }

    /// Makes sure that it can be written to, before a password is sent. May ask a person.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Dismissed`], [`Error::Unavailable`], [`Error::Failed`].
    pub fn unlock(&self) -> Result<(), Error> {
        let spec = HashMap::from([("unlock", "true")]);
        self.traced("unlock", "", || self.store.search(&spec).map(drop).map_err(|e| self.error(e)))
    }

    /// Keeps a token under `key`, in the place of the one that was there.
    ///
    /// # Errors
    /// [`Error::TooLarge`] with both sizes, or as [`Keychain::unlock`]; the former item stays.
    pub fn put(&self, key: &str, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let size = token.expose().len();
        check_token(token.expose()).map_err(|shape| match shape {
            TokenShape::TooLong => self.too_large(size, MAX_TOKEN_BYTES),
            shape => Error::failed(&self.name, &format!("the token {shape}"), "log in again"),
        })?;
        let entry = self.entry(key, Some(account))?;
        self.traced("put", key, || {
            entry.set_secret(token.expose().as_bytes()).map_err(|error| match error {
                keyring_core::Error::TooLong(_, limit) => self.too_large(size, limit as usize),
                error => self.error(error),
            })
        })
    }

    /// The login under exactly this key.
    ///
    /// # Errors
    /// [`Error::Absent`] only if the keychain was looked into.
    pub fn get(&self, key: &str) -> Result<Item, Error> {
        let entry = self.entry(key, None)?;
        let secret = self.traced("get", key, || entry.get_secret().map_err(|e| self.error(e)))?;
        let token = RefreshToken::from_bytes(secret).map_err(|shape| Error::Damaged {
            keychain: self.name.clone(),
            why: format!("its token {shape}"),
        })?;
        let mut attributes = entry.get_attributes().map_err(|e| self.error(e))?;
        Ok(Item { account: attributes.remove("account").unwrap_or_default(), token })
    }

    /// Removes the login under exactly this key, with all its duplicates.
    ///
    /// # Errors
    /// [`Error::Absent`] if there was none; otherwise as [`Keychain::unlock`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        let entry = self.entry(key, None)?;
        self.traced("delete", key, || entry.delete_credential().map_err(|e| self.error(e)))
    }

    /// Lets the fallback keep a login of the server URL that is this key: it may be the helper that
    /// is this keychain.
    ///
    /// # Errors
    /// As [`Keychain::unlock`]; the login is as it was.
    pub fn make_way(&self, key: &str) -> Result<(), Error> {
        self.ask("make way", key, &[("make_way", key)])
    }

    /// Whether what it keeps for this profile can be read now; unlocks nothing, asks nobody.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unavailable`], [`Error::Failed`]; [`Error::Damaged`] if one login
    /// cannot be read, or [`Error::Elsewhere`] if one may be, which says nothing of the others.
    pub fn check(&self) -> Result<(), Error> {
        self.ask("check", "", &[("check", "true")])
    }

    /// The same of one login, after [`Keychain::check`] said that of one alone.
    ///
    /// # Errors
    /// As [`Keychain::check`], or [`Error::Absent`].
    pub fn check_login(&self, key: &str) -> Result<(), Error> {
        self.ask("check", key, &[("check", "true"), ("username", key)])
    }

    fn ask(&self, what: &str, key: &str, more: &[(&str, &str)]) -> Result<(), Error> {
        let mut spec = HashMap::from([("service", SERVICE), ("target", self.profile.as_str())]);
        spec.extend(more.iter().copied());
        self.traced(what, key, || self.store.search(&spec).map(drop).map_err(|e| self.error(e)))
    }

    /// The logins of this profile, sorted, each key once; reads no secret and unlocks nothing.
    ///
    /// # Errors
    /// [`Error::Locked`] if the attributes cannot be read, [`Error::Damaged`] if those of one cannot,
    /// and as [`Keychain::unlock`].
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        self.listed(&[])
    }

    /// As [`Keychain::list`], without those that are damaged.
    ///
    /// # Errors
    /// As [`Keychain::list`], but [`Error::Damaged`].
    pub fn list_readable(&self) -> Result<Vec<Listed>, Error> {
        self.listed(&[("readable", "true")])
    }

    fn listed(&self, more: &[(&str, &str)]) -> Result<Vec<Listed>, Error> {
        let mut logins = self.search(more)?;
        logins.dedup_by(|a, b| a.key == b.key);
        Ok(logins)
    }

    /// As [`Keychain::list`], with every item that has the key: there should be one.
    ///
    /// # Errors
    /// As [`Keychain::list`].
    pub fn items(&self) -> Result<Vec<Listed>, Error> {
        // The others have one item for a key, and need not know the word.
        let is_service = self.name == KeychainName::SecretService;
        self.search(if is_service { &[("all", "true")] } else { &[] })
    }

    fn search(&self, more: &[(&str, &str)]) -> Result<Vec<Listed>, Error> {
        let mut spec = HashMap::from([("service", SERVICE), ("target", self.profile.as_str())]);
        spec.extend(more.iter().copied());
        let mut logins = Vec::new();
        let found =
            self.traced("list", "", || self.store.search(&spec).map_err(|e| self.error(e)))?;
        for entry in found {
            let mut attributes = match entry.get_attributes() {
                Ok(attributes) => attributes,
                // Deleted since it was found.
                Err(keyring_core::Error::NoEntry) => continue,
                Err(error) => return Err(self.error(error)),
            };
            let account = attributes.remove("account").unwrap_or_default();
            if let Some(key) = attributes.remove("username") {
                logins.push(Listed { key, account });
            }
        }
        logins.sort();
        Ok(logins)
    }

    /// How long it keeps a login, to end the sentence "kept in the keychain NAME …".
    pub fn lifetime(&self) -> &'static str {
        match self.kept_until() {
            "reboot" => "until the machine reboots",
            "unused" => {
                "until the machine reboots or it was not used for the time in \
                 /proc/sys/kernel/keys/persistent_keyring_expiry (3 days by default)"
            }
            "namespace" => "until this user namespace ends",
            "exit" => "until this process ends",
            _ => "until it is deleted",
        }
    }

    /// The same in a word.
    pub fn kept_until(&self) -> &'static str {
        match self.store.persistence() {
            CredentialPersistence::UntilReboot => "reboot",
            // Kernels before 5.3; see keychain/kernel.rs.
            CredentialPersistence::UntilLogout => "unused",
            // A user namespace has keyrings of its own; see keychain/kernel/rings.rs.
            CredentialPersistence::Unspecified => "namespace",
            CredentialPersistence::ProcessOnly | CredentialPersistence::EntryOnly => "exit",
            _ => "deleted",
        }
    }

    fn entry(&self, key: &str, account: Option<&str>) -> Result<Entry, Error> {
        let mut modifiers = HashMap::from([("target", self.profile.as_str())]);
        modifiers.extend(account.map(|account| ("account", account)));
        self.store.build(SERVICE, key, Some(&modifiers)).map_err(|e| self.error(e))
    }

    /// An operation with its line in the trace; the errors hold no secret.
    fn traced<T>(
        &self,
        what: &str,
        key: &str,
        operation: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        trace::timed(
            || format!("keychain {}: {what} {key}", self.name),
            operation,
            |outcome| outcome.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned()),
        )
    }

    fn error(&self, error: keyring_core::Error) -> Error {
        Error::from_keyring(error, &self.name)
    }

    fn too_large(&self, size: usize, limit: usize) -> Error {
        Error::TooLarge { keychain: self.name.clone(), size, limit }
    }
}
