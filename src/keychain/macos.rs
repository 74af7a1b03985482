//! The `macos` keychain: generic passwords in the user's default keychain.
//!
//! An item is found by two attributes, compared byte by byte, and there is never a second one with
//! both: the service is `docker-credential-refresh`, with the profile in brackets unless it is
//! `default`, and is the name that Keychain Access shows; the account is the key. The user's name
//! comes with the secret.
//!
//! The ready store does the work; it replaces a secret in place. Here is what it has no word for:
//! operations end in time, nobody is asked who is not to be, and "not found" is made sure of.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::attributes::parse_attributes;
use keyring_core::{CredentialPersistence, Entry, Error as KeyringError, Result};

use self::item::Login;
use self::native::Native;
use super::{DEFAULT_PROFILE, Error, KeychainName, Options, SERVICE};

mod item;
#[cfg_attr(not(target_os = "macos"), path = "macos/stand_in.rs")]
mod native;
mod status;
#[cfg(all(test, not(target_os = "macos")))]
mod tests;

const NAME: KeychainName = KeychainName::Macos;

/// The keychain, and whether a person may be asked.
#[derive(Clone)]
pub(super) struct Store {
    native: Native,
    may_ask: bool,
    limit: Duration,
}

impl Store {
    /// Checks that the user has a default keychain; does not open it yet.
    #[cfg(target_os = "macos")]
    pub(super) fn open(options: &Options) -> std::result::Result<Self, Error> {
        Native::open()
            .map(|native| Self::over(native, options))
            .map_err(|error| explain(error, options.may_prompt))
    }

    fn over(native: Native, options: &Options) -> Self {
        let may_ask = options.may_prompt;
        let limit = if may_ask { options.prompt_deadline } else { options.deadline };
        Self { native, may_ask, limit }
    }

    /// Runs an operation on a thread of its own: the system waits for a person without end. A
    /// thread that hangs is left behind; the process ends without it.
    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Native) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Error> {
        let (sender, receiver) = channel();
        let (native, may_ask) = (self.native.clone(), self.may_ask);
        let work = move || {
            let silence = if may_ask { Ok(None) } else { native.silence().map(Some) };
            let result = silence.and_then(|_silence| job(&native));
            // A receiver that has gone away gave up: nobody is left to be told.
            let _ = sender.send(result.map_err(|error| explain(error, may_ask)));
        };
        let failed = |why: &str| Error::failed(&NAME, why, "try again");
        let started = thread::Builder::new().name("keychain".to_owned()).spawn(work);
        started.map_err(|error| failed(&error.to_string()))?;
        match receiver.recv_timeout(self.limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) if may_ask => {
                Err(Error::Dismissed { keychain: NAME, unanswered_for: Some(self.limit) })
            }
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("it did not answer within {} s", self.limit.as_secs());
                Err(Error::unavailable(&NAME, &why, "try again"))
            }
            Err(RecvTimeoutError::Disconnected) => Err(failed("its thread ended early")),
        }
    }

    fn unlock(&self) -> std::result::Result<(), Error> {
        self.run(Native::unlock)
    }

    /// What was not found is absent only from a keychain that can be opened: the system's search
    /// passes over one that cannot (Apple's libsecurity_keychain, KCCursor.cpp).
    fn absent(&self) -> Error {
        // Without a window: nobody is asked for what is not there.
        let quiet = Self { may_ask: false, ..self.clone() };
        match quiet.unlock() {
            // Locked, it tells what is in it all the same.
            Ok(()) | Err(Error::Locked { .. } | Error::Dismissed { .. }) => Error::Absent,
            Err(error) => error,
        }
    }

    /// The keys of a profile, or the one key if it is there; reads no secret.
    fn keys(&self, service: &str, key: Option<&str>) -> std::result::Result<Vec<String>, Error> {
        let (wanted, key) = (service.to_owned(), key.map(str::to_owned));
        let found = self.run(move |native| {
            let mut spec = HashMap::from([("service", wanted.as_str())]);
            spec.extend(key.as_deref().map(|key| ("user", key)));
            native.store().search(&spec)
        })?;
        let names = found.iter().filter_map(|entry| entry.get_specifiers());
        let keys: Vec<_> = names.map(|(_, key)| key).collect();
        match keys.is_empty().then(|| self.absent()) {
            None | Some(Error::Absent) => Ok(keys),
            Some(error) => Err(error),
        }
    }

    /// Whether the logins of a profile can be read. Where a person may be asked, that they are
    /// there is enough: nothing tells whether the keychain is locked but to unlock it.
    fn check(&self, service: &str) -> std::result::Result<(), Error> {
        if self.keys(service, None)?.is_empty() || self.may_ask { Ok(()) } else { self.unlock() }
    }
}

/// What a store answered, told by its code.
fn explain(error: KeyringError, asked: bool) -> Error {
    let (KeyringError::PlatformFailure(cause) | KeyringError::NoStorageAccess(cause)) = &error
    else {
        return Error::from_keyring(error, &NAME);
    };
    match Native::code(&**cause) {
        Some(code) => status::error(code, &cause.to_string(), asked),
        None => Error::from_keyring(error, &NAME),
    }
}

/// The `service` attribute of a profile's items.
fn service_name(service: &str, profile: &str) -> String {
    match profile {
        DEFAULT_PROFILE => service.to_owned(),
        _ => format!("{service} ({profile})"),
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        NAME.to_string()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        let mut part = |name| modifiers.remove(name).unwrap_or_default();
        let (target, account) = (part("target"), part("account"));
        let login = Login::new(self.clone(), [service, &target, user], account);
        Ok(Entry::new_with_credential(Arc::new(login)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let part = |name| spec.get(name).copied().unwrap_or_default();
        let (service, target) = (part("service"), part("target"));
        let name = service_name(service, target);
        let keys = if part("unlock") == "true" {
            self.unlock().map(|()| Vec::new())
        } else if part("check") == "true" {
            self.check(&name).map(|()| Vec::new())
        } else {
            self.keys(&name, None)
        };
        let login = |key: String| {
            Entry::new_with_credential(Arc::new(Login::found(
                self.clone(),
                [service, target, &key],
            )))
        };
        Ok(keys.map_err(Error::into_keyring)?.into_iter().map(login).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::UntilDelete
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(macos)")
    }
}
