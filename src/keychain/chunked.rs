//! Logins of any size in a keyring-core store that takes 2,560 bytes an item: Windows' Credential
//! Manager, by [`windows`](super::windows).
//!
//! What fits is one credential, replaced by one write. What does not is split ([`item`]): the
//! pieces of a new generation are written first, then the credential that names them, and only
//! then the old ones go. So a reader finds the old login or the new one, and after a crash between
//! any two writes the one that was there stays; pieces that nothing names are removed by the next
//! writer. Writers hold a lock. Readers hold none: where pieces are gone, the credential was
//! replaced meanwhile, and is read again.

use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialPersistence, CredentialStore, Entry, Result};
use zeroize::Zeroizing;

use self::item::{Index, Item, MAX_BYTES, MAX_PIECES};
use self::name::Key;
use super::{Error, KeychainName, SERVICE};
use crate::files::private::{lock, make_private_directory};

mod item;
mod name;
#[cfg(test)]
mod tests;

type Outcome<T> = std::result::Result<T, Error>;

/// CRED_MAX_USERNAME_LENGTH; a longer account is only in the payload.
const MAX_USERNAME_BYTES: usize = 513;
/// Written and deleted, to see whether that is allowed.
const TRIAL: &str = "docker-credential-refresh trial";

/// The store below, and what writers lock.
#[derive(Clone)]
pub(super) struct Store {
    below: Arc<CredentialStore>,
    /// What an error of the store below means.
    explain: fn(keyring_core::Error) -> Error,
    lock: PathBuf,
    deadline: Duration,
}

impl Store {
    pub(super) fn over(
        below: Arc<CredentialStore>,
        explain: fn(keyring_core::Error) -> Error,
        lock: PathBuf,
        deadline: Duration,
    ) -> Self {
        Self { below, explain, lock, deadline }
    }

    fn lock(&self) -> Outcome<std::fs::File> {
        let directory = self.lock.parent().expect("it is in a directory");
        make_private_directory(directory).and_then(|()| lock(&self.lock, self.deadline)).map_err(
            |e| {
                let why = format!("cannot lock {}: {e}", self.lock.display());
                failed(&why, "end the process that holds it, or give this user the right to it")
            },
        )
    }

    fn entry(&self, name: &str) -> Outcome<Entry> {
        let modifiers = HashMap::from([("target", name), ("persistence", "Local")]);
        self.below.build(SERVICE, "", Some(&modifiers)).map_err(self.explain)
    }

    fn read(&self, name: &str) -> Outcome<Zeroizing<Vec<u8>>> {
        self.entry(name)?.get_secret().map(Zeroizing::new).map_err(self.explain)
    }

    fn write(&self, name: &str, content: &[u8]) -> Outcome<()> {
        self.entry(name)?.set_secret(content).map_err(self.explain)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.entry(name)?.delete_credential().map_err(self.explain)
    }

    /// The names of all credentials of ours. Windows has no call that leaves the secrets out; the
    /// store below wipes them.
    fn names(&self) -> Outcome<Vec<String>> {
        let pattern = format!("^{}", name::PREFIX);
        let found = self.below.search(&HashMap::from([("pattern", pattern.as_str())]));
        let specifiers = |entry: Entry| entry.get_specifiers();
        // As the store below is set to take them apart.
        let name = |(service, user): (String, String)| format!("{}{user}:{service}", name::PREFIX);
        Ok(found.map_err(self.explain)?.into_iter().filter_map(specifiers).map(name).collect())
    }

    /// The item under a name.
    fn item(&self, name: &str) -> Outcome<Item> {
        Item::parse(&self.read(name)?).ok_or_else(|| damaged("this program did not write it"))
    }

    fn payload(&self, name: &str) -> Outcome<Zeroizing<Vec<u8>>> {
        let mut before = None;
        loop {
            match self.item(name)? {
                Item::Whole(payload) => return Ok(payload),
                Item::Split(index) => match self.pieces(name, &index)? {
                    Some(payload) => return Ok(payload),
                    None if before.as_ref() == Some(&index) => {
                        return Err(damaged("a piece of it is missing or was changed"));
                    }
                    // Replaced between the two reads, or the next one finds the same again.
                    None => before = Some(index),
                },
            }
        }
    }

    fn pieces(&self, name: &str, index: &Index) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
        let mut payload = Zeroizing::new(Vec::with_capacity(index.pieces * MAX_BYTES));
        for number in 1..=index.pieces {
            match self.read(&name::of_piece(name, &index.generation, number)) {
                Ok(piece) => payload.extend_from_slice(&piece),
                Err(Error::Absent) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(index.is_of(&payload).then_some(payload))
    }

    fn put(&self, name: &str, account: &str, payload: &Zeroizing<Vec<u8>>) -> Outcome<()> {
        let (size, limit) = (payload.len(), MAX_BYTES * MAX_PIECES);
        if size > limit {
            return Err(Error::TooLarge { keychain: KeychainName::Windows, size, limit });
        }
        let _lock = self.lock()?;
        let item = Item::of(payload);
        let mut written = Ok(());
        if let Item::Split(Index { generation, .. }) = &item {
            written = payload.chunks(MAX_BYTES).zip(1..).try_for_each(|(piece, number)| {
                self.write(&name::of_piece(name, generation, number), piece)
            });
        }
        let kept = written.and_then(|()| self.write(name, &item.to_bytes()));
        if kept.is_ok() {
            self.show_account(name, account);
        }
        self.collect();
        kept
    }

    /// Shows people, and `list`, whose login it is. What counts is in the payload, so that it
    /// changes together with the token.
    fn show_account(&self, name: &str, account: &str) {
        let shown = if account.len() <= MAX_USERNAME_BYTES { account } else { "" };
        if self.shown_account(name).ok().as_deref() != Some(shown) {
            let attributes = HashMap::from([("username", shown)]);
            let entry = self.entry(name);
            // The login is kept without it.
            let _not_shown = entry.map(|entry| entry.update_attributes(&attributes));
        }
    }

    fn shown_account(&self, name: &str) -> Outcome<String> {
        let mut attributes = self.entry(name)?.get_attributes().map_err(self.explain)?;
        Ok(attributes.remove("username").unwrap_or_default())
    }

    fn delete(&self, name: &str) -> Outcome<()> {
        // First without a lock: most erases are of nothing.
        self.read(name)?;
        let _lock = self.lock()?;
        let removed = self.remove(name);
        self.collect();
        removed
    }

    /// Removes the pieces that nothing names; under the lock. What is left is no login, and the
    /// next writer tries again.
    fn collect(&self) {
        let names = self.names().unwrap_or_default();
        let mut named = HashMap::new();
        for piece in &names {
            let Some((login, generation)) = name::split_piece(piece) else { continue };
            let stays = named.entry(login).or_insert_with(|| match self.item(login) {
                Ok(Item::Split(index)) => Some(index.generation),
                Ok(Item::Whole(_)) | Err(Error::Absent) => Some(String::new()),
                // Nobody knows what it named.
                Err(_) => None,
            });
            if stays.as_ref().is_some_and(|stays| stays != generation) {
                let _next_time = self.remove(piece);
            }
        }
    }

    /// The keys of a profile's logins.
    fn keys(&self, profile: &str) -> Outcome<Vec<String>> {
        let mut keys = Vec::new();
        for name in self.names()? {
            match name::key_of(&name, profile) {
                Some(Key::Told(key)) => keys.push(key),
                Some(Key::Cut) => match self.payload(&name) {
                    Ok(payload) => {
                        let login = item::Login::parse(&payload);
                        keys.extend(login.map(|login| login.key.to_owned()));
                    }
                    // Deleted since it was found, or nobody can say of what it is.
                    Err(Error::Absent | Error::Damaged { .. }) => {}
                    Err(error) => return Err(error),
                },
                None => {}
            }
        }
        Ok(keys)
    }

    fn try_to_write(&self) -> Outcome<()> {
        let _lock = self.lock()?;
        self.write(TRIAL, b"trial")?;
        self.remove(TRIAL)
    }

    fn login(&self, profile: &str, key: &str, account: &str) -> Login {
        Login {
            store: self.clone(),
            name: name::of_login(profile, key),
            profile: profile.to_owned(),
            key: key.to_owned(),
            account: account.to_owned(),
            read: Mutex::default(),
        }
    }
}

/// One login.
struct Login {
    store: Store,
    name: String,
    profile: String,
    key: String,
    account: String,
    /// The account that came with the secret.
    read: Mutex<Option<String>>,
}

impl Login {
    fn put(&self, token: &[u8]) -> Outcome<()> {
        let (profile, key, account) = (&self.profile, &self.key, &self.account);
        let payload = item::Login { profile, key, account, token }.to_payload();
        self.store.put(&self.name, account, &payload)
    }

    fn get(&self) -> Outcome<Vec<u8>> {
        let payload = self.store.payload(&self.name)?;
        let login =
            item::Login::parse(&payload).ok_or_else(|| damaged("this program did not write it"))?;
        if (login.profile, login.key) != (&self.profile, &self.key) {
            return Err(damaged("it is that of another login"));
        }
        *self.read.lock().expect("no panic while locked") = Some(login.account.to_owned());
        Ok(login.token.to_vec())
    }

    fn account(&self) -> Outcome<String> {
        let read = self.read.lock().expect("no panic while locked").clone();
        read.map_or_else(|| self.store.shown_account(&self.name), Ok)
    }
}

fn failed(why: &str, hint: &str) -> Error {
    Error::failed(&KeychainName::Windows, why, hint)
}

fn damaged(why: &str) -> Error {
    Error::Damaged { keychain: KeychainName::Windows, why: why.to_owned() }
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.put(secret).map_err(Error::into_keyring)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.get().map_err(Error::into_keyring)
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        Ok(HashMap::from([
            ("service".to_owned(), SERVICE.to_owned()),
            ("username".to_owned(), self.key.clone()),
            ("target".to_owned(), self.profile.clone()),
            ("account".to_owned(), self.account().map_err(Error::into_keyring)?),
        ]))
    }

    fn delete_credential(&self) -> Result<()> {
        self.store.delete(&self.name).map_err(Error::into_keyring)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.store.item(&self.name).map(|_| None).map_err(Error::into_keyring)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((SERVICE.to_owned(), self.key.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.name)
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        "windows".to_owned()
    }

    fn build(&self, _: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        let mut take = |name| modifiers.remove(name).unwrap_or_default();
        let login = self.login(&take("target"), user, &take("account"));
        Ok(Entry::new_with_credential(Arc::new(login)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let part = |name| spec.get(name).copied().unwrap_or_default();
        if part("unlock") == "true" {
            return self.try_to_write().map(|()| Vec::new()).map_err(Error::into_keyring);
        }
        let profile = part("target");
        if let (true, Some(key)) = (part("check") == "true", spec.get("username")) {
            let read = self.login(profile, key, "").get();
            return read.map(|_| Vec::new()).map_err(Error::into_keyring);
        }
        let keys = self.keys(profile).map_err(Error::into_keyring)?;
        let mut logins = keys.iter().map(|key| self.login(profile, key, ""));
        if part("check") == "true" {
            let mut checked = logins.map(|login| match login.get() {
                // Deleted since it was found.
                Ok(_) | Err(Error::Absent) => Ok(()),
                Err(error) => Err(error.into_keyring()),
            });
            return checked.try_for_each(|login| login).map(|()| Vec::new());
        }
        Ok(logins.by_ref().map(|login| Entry::new_with_credential(Arc::new(login))).collect())
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
