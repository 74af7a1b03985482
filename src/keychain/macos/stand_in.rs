//! Stands in for the system where there is none: a keychain in memory that answers as macOS and
//! the ready store are written to, by their sources (`security-framework` 3.7,
//! `apple-native-keyring-store` 1.0; Apple's libsecurity_keychain and securityd).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::item_name::ItemName;
use super::status::{
    AUTH_FAILED, DUPLICATE_ITEM, INTERACTION_NOT_ALLOWED, ITEM_NOT_FOUND, NO_SUCH_KEYCHAIN,
    USER_CANCELED,
};
use crate::keychain::keyring::Failure;

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
    pub(super) items: BTreeMap<ItemName, Vec<u8>>,
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
    fn ask(&mut self) -> Result<(), i32> {
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
    fn unlock(&mut self) -> Result<(), i32> {
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
    fn find(&mut self, name: &ItemName) -> Result<Vec<u8>, i32> {
        let found = self.items.get(name).filter(|_| !self.missing).cloned();
        let found = found.ok_or(ITEM_NOT_FOUND)?;
        self.unlock()?;
        if self.untrusted {
            self.ask()?;
        }
        Ok(found)
    }

    /// SecKeychainAddGenericPassword: offers to make a keychain where there is none.
    fn add(&mut self, name: &ItemName, secret: &[u8]) -> Result<(), i32> {
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

    fn set(&mut self, name: &ItemName, secret: &[u8]) -> Result<(), i32> {
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

    fn delete(&mut self, name: &ItemName) -> Result<(), i32> {
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

impl std::error::Error for Code {}

fn failure(code: i32) -> Failure {
    match code {
        ITEM_NOT_FOUND => Failure::Absent,
        NO_SUCH_KEYCHAIN => Failure::NoAccess(Box::new(Code(code))),
        _ => Failure::Platform(Box::new(Code(code))),
    }
}

#[derive(Clone, Default)]
pub(super) struct Native(Arc<Mutex<State>>);

impl Native {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn read(&self, name: &ItemName) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.state().find(name).map(Zeroizing::new).map_err(failure)
    }

    pub(super) fn write(&self, name: &ItemName, secret: &[u8]) -> Result<(), Failure> {
        self.state().set(name, secret).map_err(failure)
    }

    pub(super) fn remove(&self, name: &ItemName) -> Result<(), Failure> {
        self.state().delete(name).map_err(failure)
    }

    pub(super) fn users(&self, service: &str) -> Result<Vec<String>, Failure> {
        let state = self.state();
        let of_service = |name: &&ItemName| !state.missing && name.service == service;
        Ok(state.items.keys().filter(of_service).map(|name| name.user.clone()).collect())
    }

    pub(super) fn unlock(&self) -> Result<(), Failure> {
        self.state().unlock().map_err(failure)
    }

    pub(super) fn silence(&self) -> Result<Silence, Failure> {
        self.state().silent = true;
        Ok(Silence(self.clone()))
    }

    pub(super) fn code(failure: &Failure) -> Option<i32> {
        let (Failure::NoAccess(cause) | Failure::Platform(cause)) = failure else { return None };
        cause.downcast_ref::<Code>().map(|code| code.0)
    }
}

pub(super) struct Silence(Native);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.state().silent = false;
    }
}
