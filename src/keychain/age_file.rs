//! The `file` keychain: one age-encrypted file for each login, in the data directory. For CI jobs
//! and services, which have no desktop and often no kernel keyring.
//!
//! [`identity`] says where the key comes from, [`sealed`] what a file is, [`folder`] how files are
//! named and replaced. Nothing is cached: each operation reads what it needs. A login can be
//! deleted without the identity, and one that an identity cannot open is replaced by logging in.
//!
//! Who reads the files without the identity learns how many logins there are, how many of them a
//! profile has, and when they were written. Who may write them can remove them or put back older
//! ones; a login in another one's place, or changed in any byte, is noticed.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use directories::ProjectDirs;
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialPersistence, Entry, Result};

use self::folder::{Folder, Names};
use self::identity::{Identity, Sources};
use self::sealed::{Attributes, MAX_FILE_BYTES, Opened, Unreadable, open, seal};
use super::{Error, KeychainName, Options, SERVICE};

mod folder;
mod identity;
mod sealed;

/// In the data directory.
const FOLDER_NAME: &str = "logins";
/// How many operations of others a writer waits for: fifty at once on a busy disk take turns.
const WRITERS: u32 = 6;

/// A new identity, and the public key that belongs to it.
pub fn new_identity() -> (crate::secret::AgeIdentity, String) {
    use age::secrecy::ExposeSecret;
    let key = age::x25519::Identity::generate();
    let text = key.to_string().expose_secret().to_owned();
    (crate::secret::AgeIdentity::new(text), key.to_public().to_string())
}

/// Where the files are, and where the identity is.
#[derive(Clone)]
pub(super) struct Store {
    folder: Folder,
    sources: Sources,
}

impl Store {
    /// Reads nothing yet: what is missing is told by the operation that needs it.
    pub(super) fn open(options: &Options) -> std::result::Result<Self, Error> {
        let directories = ProjectDirs::from("", "", SERVICE)
            .ok_or_else(|| unavailable("there is no home directory", "set HOME to one"))?;
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
    /// [`Error::Unavailable`] if none is set. One that is set and no good is told by the operation:
    /// it is not passed over for another keychain.
    pub(super) fn identity_set(&self) -> std::result::Result<String, Error> {
        self.sources.set().ok_or_else(|| self.sources.missing())
    }

    /// What to type for an identity where the next login finds it.
    #[cfg(target_os = "linux")]
    pub(super) fn command_for_identity(&self) -> String {
        self.sources.command()
    }

    /// The logins of a profile. The identity is needed only if there is one.
    fn listed(
        &self,
        service: &str,
        profile: &str,
        readable: bool,
    ) -> std::result::Result<Vec<Attributes>, Error> {
        let Some(names) = self.folder.names()? else { return Ok(Vec::new()) };
        let files = self.folder.files(&names.prefix(service, profile))?;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let identity = self.sources.load()?;
        let mut listed = Vec::new();
        for name in files {
            match self.attributes(&names, &identity, &name) {
                Ok(found) => listed.push(found),
                // Deleted since.
                Err(Error::Absent) => {}
                Err(_) if readable => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    fn attributes(
        &self,
        names: &Names,
        identity: &Identity,
        name: &str,
    ) -> std::result::Result<Attributes, Error> {
        let bytes = self.folder.read(name).map_err(|error| match error {
            // Of this file, that is; the others may be read.
            Error::Failed { keychain, why, .. } => Error::Damaged { keychain, why },
            error => error,
        })?;
        let bytes = bytes.ok_or(Error::Absent)?;
        let opened = open(identity, &bytes).and_then(|mut opened| opened.attributes());
        let found = opened.map_err(|why| damaged(why, identity))?;
        let expected = names.name(&found.service, &found.profile, &found.key);
        if expected == name { Ok(found) } else { Err(misplaced()) }
    }
}

/// One login.
struct Login {
    store: Store,
    service: String,
    user: String,
    target: String,
    account: String,
    /// The account that came with the secret, or with the list.
    read: Mutex<Option<String>>,
}

impl Login {
    fn name(&self, names: &Names) -> String {
        names.name(&self.service, &self.target, &self.user)
    }

    fn put(&self, token: &[u8]) -> std::result::Result<(), Error> {
        let identity = self.store.sources.load()?;
        let attributes = Attributes::new(&self.service, &self.target, &self.user, &self.account);
        let file = seal(&identity, attributes, token).map_err(|size| {
            let keychain = KeychainName::File;
            Error::TooLarge { keychain, size, limit: MAX_FILE_BYTES }
        })?;
        self.store.folder.write(|names| self.name(names), &file)
    }

    /// The file, then the identity: where there is no file, none is needed to say so.
    fn read_with<T>(
        &self,
        read: impl FnOnce(Opened<'_>) -> std::result::Result<(Attributes, T), Unreadable>,
    ) -> std::result::Result<T, Error> {
        let names = self.store.folder.names()?.ok_or(Error::Absent)?;
        let bytes = self.store.folder.read(&self.name(&names))?.ok_or(Error::Absent)?;
        let identity = self.store.sources.load()?;
        let read = open(&identity, &bytes).and_then(read);
        let (found, content) = read.map_err(|why| damaged(why, &identity))?;
        if (&found.service, &found.profile, &found.key) != (&self.service, &self.target, &self.user)
        {
            return Err(misplaced());
        }
        *self.read.lock().expect("no panic while locked") = Some(found.account);
        Ok(content)
    }

    fn delete(&self) -> std::result::Result<(), Error> {
        match self.store.folder.remove(|names| self.name(names))? {
            true => Ok(()),
            false => Err(Error::Absent),
        }
    }
}

fn unavailable(why: &str, hint: &str) -> Error {
    Error::unavailable(&KeychainName::File, why, hint)
}

fn failed(why: &str, hint: &str) -> Error {
    Error::failed(&KeychainName::File, why, hint)
}

fn damaged(why: Unreadable, identity: &Identity) -> Error {
    let why = match why {
        Unreadable::OtherIdentity => {
            let source = &identity.source;
            format!("it was kept under another age identity than that of {source}")
        }
        Unreadable::Truncated => "its file was cut short".to_owned(),
        Unreadable::Changed => "its file was changed".to_owned(),
        Unreadable::NotAge => "its file is no age file".to_owned(),
        Unreadable::Newer => "a later version of this program wrote it".to_owned(),
    };
    Error::Damaged { keychain: KeychainName::File, why }
}

fn misplaced() -> Error {
    let why = "its file is that of another login".to_owned();
    Error::Damaged { keychain: KeychainName::File, why }
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.put(secret).map_err(Error::into_keyring)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let token = self.read_with(|opened| opened.login()).map_err(Error::into_keyring)?;
        Ok(token.to_vec())
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        let read = || self.read.lock().expect("no panic while locked").clone();
        if read().is_none() {
            let attributes = |mut opened: Opened<'_>| Ok((opened.attributes()?, ()));
            self.read_with(attributes).map_err(Error::into_keyring)?;
        }
        Ok(HashMap::from([
            ("service".to_owned(), self.service.clone()),
            ("username".to_owned(), self.user.clone()),
            ("target".to_owned(), self.target.clone()),
            ("account".to_owned(), read().unwrap_or_default()),
        ]))
    }

    fn delete_credential(&self) -> Result<()> {
        self.delete().map_err(Error::into_keyring)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_attributes().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        "file".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        Ok(Entry::new_with_credential(Arc::new(Login {
            store: self.clone(),
            service: service.to_owned(),
            user: user.to_owned(),
            target: modifiers.remove("target").unwrap_or_default(),
            account: modifiers.remove("account").unwrap_or_default(),
            read: Mutex::default(),
        })))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let part = |name| spec.get(name).copied().unwrap_or_default();
        if part("unlock") == "true" {
            let able = self.sources.load().and_then(|_| self.folder.try_to_write());
            return able.map(|()| Vec::new()).map_err(Error::into_keyring);
        }
        if let (true, Some(key)) = (part("check") == "true", spec.get("username")) {
            let modifiers = HashMap::from([("target", part("target"))]);
            let login = self.build(part("service"), key, Some(&modifiers))?;
            return login.get_attributes().map(|_| Vec::new());
        }
        // To list them is to check them.
        let readable = part("readable") == "true";
        let listed = self.listed(part("service"), part("target"), readable);
        let listed = listed.map_err(Error::into_keyring)?;
        let entry = |found: Attributes| {
            Entry::new_with_credential(Arc::new(Login {
                store: self.clone(),
                service: found.service,
                user: found.key,
                target: found.profile,
                account: String::new(),
                read: Mutex::new(Some(found.account)),
            }))
        };
        Ok(listed.into_iter().map(entry).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::UntilDelete
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
