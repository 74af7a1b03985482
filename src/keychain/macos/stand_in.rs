//! In the place of the system where there is none: a keychain in memory that answers as macOS and
//! the ready store are written to, by their sources (`security-framework` 3.7,
//! `apple-native-keyring-store` 1.0; Apple's libsecurity_keychain and securityd).

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialStore, Entry, Error, Result};

use super::status::{
    AUTH_FAILED, DUPLICATE_ITEM, INTERACTION_NOT_ALLOWED, ITEM_NOT_FOUND, NO_SUCH_KEYCHAIN,
    USER_CANCELED,
};

/// What a person does with a window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Answer {
    #[default]
    Allows,
    Cancels,
    Denies,
    Waits,
}

#[derive(Default)]
pub(super) struct State {
    /// By service and account, as the system compares them.
    pub(super) items: BTreeMap<(String, String), Vec<u8>>,
    pub(super) missing: bool,
    pub(super) locked: bool,
    /// Another build of the program made the items: the system asks before each is read.
    pub(super) untrusted: bool,
    pub(super) over_ssh: bool,
    pub(super) answer: Answer,
    /// An item that another process adds when this one has looked for it.
    pub(super) added_meanwhile: bool,
    pub(super) windows: u32,
    silent: bool,
}

impl State {
    fn ask(&mut self) -> std::result::Result<(), i32> {
        match self.answer {
            // The credentials for "no window" are none: securityd denies (database.cpp).
            _ if self.silent => return Err(AUTH_FAILED),
            _ if self.over_ssh => return Err(INTERACTION_NOT_ALLOWED),
            _ => self.windows += 1,
        }
        match self.answer {
            Answer::Allows => Ok(()),
            Answer::Cancels => Err(USER_CANCELED),
            Answer::Denies => Err(AUTH_FAILED),
            Answer::Waits => {
                thread::sleep(Duration::from_secs(1));
                Err(USER_CANCELED)
            }
        }
    }

    /// SecKeychainUnlock.
    fn unlock(&mut self) -> std::result::Result<(), i32> {
        if self.missing {
            return Err(NO_SUCH_KEYCHAIN);
        }
        if self.locked {
            self.ask()?;
            self.locked = false;
        }
        Ok(())
    }

    /// SecKeychainFindGenericPassword: nothing is found in a keychain that cannot be opened.
    fn find(&mut self, name: &(String, String)) -> std::result::Result<Vec<u8>, i32> {
        let found = self.items.get(name).filter(|_| !self.missing).cloned();
        let found = found.ok_or(ITEM_NOT_FOUND)?;
        self.unlock()?;
        if self.untrusted {
            self.ask()?;
        }
        Ok(found)
    }

    /// SecKeychainAddGenericPassword: offers to make a keychain where there is none.
    fn add(&mut self, name: &(String, String), secret: &[u8]) -> std::result::Result<(), i32> {
        if self.missing {
            return self.ask();
        }
        self.unlock()?;
        if self.items.contains_key(name) {
            return Err(DUPLICATE_ITEM);
        }
        self.items.insert(name.clone(), secret.to_vec());
        Ok(())
    }

    fn set(&mut self, name: &(String, String), secret: &[u8]) -> std::result::Result<(), i32> {
        let found = self.find(name);
        if std::mem::take(&mut self.added_meanwhile) {
            self.items.insert(name.clone(), b"bob\nother".to_vec());
        }
        match found {
            Ok(_) => {
                self.items.insert(name.clone(), secret.to_vec());
                Ok(())
            }
            Err(_) => self.add(name, secret),
        }
    }

    fn delete(&mut self, name: &(String, String)) -> std::result::Result<(), i32> {
        let found = !self.missing && self.items.remove(name).is_some();
        if found { Ok(()) } else { Err(ITEM_NOT_FOUND) }
    }
}

#[derive(Debug)]
struct Code(i32);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The words of the system.")
    }
}

impl error::Error for Code {}

fn decode_error(code: i32) -> Error {
    match code {
        ITEM_NOT_FOUND => Error::NoEntry,
        NO_SUCH_KEYCHAIN => Error::NoStorageAccess(Box::new(Code(code))),
        _ => Error::PlatformFailure(Box::new(Code(code))),
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[derive(Clone)]
pub(super) struct Native {
    shared: Shared,
    store: Arc<CredentialStore>,
}

impl Native {
    pub(super) fn new() -> Self {
        let shared = Shared::default();
        Self { store: Arc::new(shared.clone()), shared }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    pub(super) fn store(&self) -> &CredentialStore {
        &*self.store
    }

    pub(super) fn unlock(&self) -> Result<()> {
        self.state().unlock().map_err(decode_error)
    }

    pub(super) fn silence(&self) -> Result<Silence> {
        self.state().silent = true;
        Ok(Silence(self.clone()))
    }

    pub(super) fn code(cause: &(dyn error::Error + Send + Sync + 'static)) -> Option<i32> {
        cause.downcast_ref::<Code>().map(|code| code.0)
    }
}

pub(super) struct Silence(Native);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.state().silent = false;
    }
}

struct Cred {
    shared: Shared,
    name: (String, String),
}

impl CredentialApi for Cred {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.shared.state().set(&self.name, secret).map_err(decode_error)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.shared.state().find(&self.name).map_err(decode_error)
    }

    fn delete_credential(&self) -> Result<()> {
        self.shared.state().delete(&self.name).map_err(decode_error)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_secret().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some(self.name.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cred")
    }
}

impl CredentialStoreApi for Shared {
    fn vendor(&self) -> String {
        "in memory".to_owned()
    }

    fn id(&self) -> String {
        "in memory".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        mods: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        parse_attributes(&["keychain"], mods)?;
        if service.is_empty() || user.is_empty() {
            return Err(Error::Invalid("name".to_owned(), "cannot be empty".to_owned()));
        }
        let (shared, name) = (self.clone(), (service.to_owned(), user.to_owned()));
        Ok(Entry::new_with_credential(Arc::new(Cred { shared, name })))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let spec = parse_attributes(&["service", "user"], Some(spec))?;
        let state = self.state();
        let matches = |part: &str, value: &String| spec.get(part).is_none_or(|want| want == value);
        let found = state.items.keys().filter(|(service, user)| {
            !state.missing && matches("service", service) && matches("user", user)
        });
        found.map(|(service, user)| self.build(service, user, None)).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
