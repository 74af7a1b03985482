//! The `macos` keychain: generic passwords in the user's default keychain.
//!
//! An item is found by two attributes, compared byte by byte, and there is never a second one with
//! both: the service is `docker-credential-refresh`, with the profile in brackets unless it is
//! `default`, and is the name that Keychain Access shows; the account is the key. The user's name
//! comes with the secret.
//!
//! The ready store does the work; it replaces a secret in place. This adds what it does not do:
//! operations end in time, a person is asked only where allowed, and "not found" is verified.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use self::item_name::ItemName;
use self::native::Native;
use self::status::{DUPLICATE_ITEM, NAME, explain};
use super::error::Error;
use super::keyring::Failure;
use super::options::Options;
use super::payload;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey};
use crate::error::Remedy;
use crate::secret::RefreshToken;

mod item_name;
#[cfg_attr(not(target_os = "macos"), path = "macos/stand_in.rs")]
mod native;
mod status;
#[cfg(all(test, not(target_os = "macos")))]
mod tests;

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
    pub(super) fn open(options: &Options) -> Result<Self, Error> {
        Native::open()
            .map(|native| Self::over(native, options))
            .map_err(|failure| explain(failure, Native::code, options.may_prompt))
    }

    fn over(native: Native, options: &Options) -> Self {
        let may_ask = options.may_prompt;
        let limit = if may_ask { options.prompt_deadline } else { options.deadline };
        Self { native, may_ask, limit }
    }

    /// Runs an operation on a thread of its own: the system waits for a person without a limit. A
    /// thread that hangs is left behind; the process ends without it.
    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Native) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = channel();
        let (native, may_ask) = (self.native.clone(), self.may_ask);
        let work = move || {
            let silence = if may_ask { Ok(None) } else { native.silence().map(Some) };
            let result = silence.and_then(|_silence| job(&native));
            // A receiver that has gone away gave up: nobody is left to be told.
            let _ = sender.send(result.map_err(|failure| explain(failure, Native::code, may_ask)));
        };
        let failed = |why: &str| Error::failed(&NAME, why, Remedy::TryAgain);
        let started = thread::Builder::new().name("keychain".to_owned()).spawn(work);
        started.map_err(|error| failed(&error.to_string()).because(error))?;
        match receiver.recv_timeout(self.limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) if may_ask => {
                Err(Error::Dismissed { keychain: NAME, unanswered_for: Some(self.limit) })
            }
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("it did not answer within {} s", self.limit.as_secs());
                Err(Error::unavailable(&NAME, &why, Remedy::TryAgain))
            }
            Err(RecvTimeoutError::Disconnected) => Err(failed("its thread ended early")),
        }
    }

    fn unlock_in_time(&self) -> Result<(), Error> {
        self.run(Native::unlock)
    }

    /// What was not found is absent only from a keychain that can be opened: the system's search
    /// skips one that cannot (Apple's libsecurity_keychain, KCCursor.cpp).
    fn absent(&self) -> Error {
        // Without a window: nobody is asked about an item that is not there.
        let quiet = Self { may_ask: false, ..self.clone() };
        match quiet.unlock_in_time() {
            // Even when locked, it tells what is in it.
            Ok(()) | Err(Error::Locked { .. } | Error::Dismissed { .. }) => Error::Absent,
            Err(error) => error,
        }
    }

    fn made_sure(&self, error: Error) -> Error {
        if matches!(error, Error::Absent) { self.absent() } else { error }
    }

    /// The keys of a profile; reads no secret.
    fn keys(&self, profile: &str) -> Result<Vec<String>, Error> {
        let service = item_name::service(profile);
        let keys = self.run(move |native| native.users(&service))?;
        match keys.is_empty().then(|| self.absent()) {
            None | Some(Error::Absent) => Ok(keys),
            Some(error) => Err(error),
        }
    }
}

impl store::Store for Store {
    fn unlock(&self) -> Result<(), Error> {
        self.unlock_in_time()
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let name = ItemName::of(login);
        let payload = self.run(move |native| native.read(&name));
        let payload = payload.map_err(|error| self.made_sure(error))?;
        let (account, token) =
            payload::split(&payload).map_err(|why| Error::damaged(&NAME, why))?;
        Item::from_bytes(&NAME, account.to_owned(), token.to_vec())
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let name = ItemName::of(login);
        let payload: Zeroizing<Vec<u8>> = payload::join(account, token.expose().as_bytes());
        self.run(move |native| {
            // Without a keychain the system would offer to create one.
            native.unlock()?;
            match native.write(&name, &payload) {
                // The store looks for the item and adds one if that fails, whatever the reason.
                // Either another process has added it since, or it must not be read, and nobody is
                // asked twice.
                Err(failure) if Native::code(&failure) == Some(DUPLICATE_ITEM) => {
                    let _silence = native.silence()?;
                    native.write(&name, &payload)
                }
                done => done,
            }
        })
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        let name = ItemName::of(login);
        let deleted = self.run(move |native| native.remove(&name));
        deleted.map_err(|error| self.made_sure(error))
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let login = |key| Listed { key, account: String::new() };
        let logins = self.keys(profile)?.into_iter().map(login).collect();
        Ok(Listing { logins, ..Listing::default() })
    }

    /// Where a person may be asked, it is enough that they can be: the only way
    /// to tell whether the keychain is locked is to unlock it.
    fn check(&self, profile: &str) -> Result<(), Error> {
        let is_idle = self.keys(profile)?.is_empty();
        if is_idle || self.may_ask { Ok(()) } else { self.unlock_in_time() }
    }

    fn check_login(&self, login: &LoginKey) -> Result<(), Error> {
        self.check(&login.profile)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilDeleted
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}
