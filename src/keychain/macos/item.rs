//! One login in the keychain.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use keyring_core::api::CredentialApi;
use keyring_core::{Credential, Entry, Error as KeyringError, Result};
use zeroize::Zeroizing;

use super::native::Native;
use super::{NAME, Store, service_name, status};
use crate::keychain::{Error, payload};

/// Where it is, and what has been read of it.
pub(super) struct Login {
    store: Store,
    service: String,
    target: String,
    user: String,
    account: String,
    /// The account that came with the secret; empty for one that was searched for.
    read: Mutex<Option<String>>,
}

impl Login {
    pub(super) fn new(store: Store, name: [&str; 3], account: String) -> Self {
        let [service, target, user] = name.map(str::to_owned);
        Self { store, service, target, user, account, read: Mutex::default() }
    }

    /// One that is there.
    pub(super) fn found(store: Store, name: [&str; 3]) -> Self {
        Self { read: Mutex::new(Some(String::new())), ..Self::new(store, name, String::new()) }
    }

    /// An operation on the item of the ready store.
    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Entry, &Native) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Error> {
        let (service, user) = (service_name(&self.service, &self.target), self.user.clone());
        self.store.run(move |native| job(&native.store().build(&service, &user, None)?, native))
    }

    fn put(&self, token: &[u8]) -> std::result::Result<(), Error> {
        let payload: Zeroizing<Vec<u8>> = payload::join(&self.account, token);
        self.run(move |entry, native| {
            // Without a keychain the system would offer to make one.
            native.unlock()?;
            match entry.set_secret(&payload) {
                // The store looks for the item and adds one if that fails, whatever the reason.
                // Another process added it since; or it may not be read, and nobody is asked twice.
                Err(error) if is_duplicate(&error) => {
                    let _silence = native.silence()?;
                    entry.set_secret(&payload)
                }
                done => done,
            }
        })
    }

    fn get(&self) -> std::result::Result<Vec<u8>, Error> {
        let payload = self.run(|entry, _| entry.get_secret().map(Zeroizing::new));
        let payload = payload.map_err(|error| self.made_sure(error))?;
        let (account, token) = payload::split(&payload)
            .map_err(|why| Error::Damaged { keychain: NAME, why: why.to_owned() })?;
        *self.read.lock().expect("no panic while locked") = Some(account.to_owned());
        Ok(token.to_vec())
    }

    fn delete(&self) -> std::result::Result<(), Error> {
        let deleted = self.run(|entry, _| entry.delete_credential());
        deleted.map_err(|error| self.made_sure(error))
    }

    fn made_sure(&self, error: Error) -> Error {
        if matches!(error, Error::Absent) { self.store.absent() } else { error }
    }

    /// Whether it is there; reads no secret.
    fn look(&self) -> std::result::Result<(), Error> {
        let service = service_name(&self.service, &self.target);
        let found = self.store.keys(&service, Some(&self.user))?;
        if found.is_empty() { Err(Error::Absent) } else { Ok(()) }
    }
}

fn is_duplicate(error: &KeyringError) -> bool {
    let KeyringError::PlatformFailure(cause) = error else { return false };
    Native::code(&**cause) == Some(status::DUPLICATE_ITEM)
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.put(secret).map_err(Error::into_keyring)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.get().map_err(Error::into_keyring)
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        let read = self.read.lock().expect("no panic while locked").clone();
        if read.is_none() {
            self.look().map_err(Error::into_keyring)?;
        }
        Ok(HashMap::from([
            ("service".to_owned(), self.service.clone()),
            ("username".to_owned(), self.user.clone()),
            ("target".to_owned(), self.target.clone()),
            ("account".to_owned(), read.unwrap_or_default()),
        ]))
    }

    fn delete_credential(&self) -> Result<()> {
        self.delete().map_err(Error::into_keyring)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.look().map(|()| None).map_err(Error::into_keyring)
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
