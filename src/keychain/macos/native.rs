//! The system's side: the ready-made store, and the two calls that it lacks.

use apple_native_keyring_store::keychain::{Store, decode_error};
use security_framework::base;
use security_framework::os::macos::keychain::{
    KeychainUserInteractionLock, SecKeychain, SecPreferencesDomain,
};
use zeroize::Zeroizing;

use super::item_name::ItemName;
use crate::keychain::keyring::{Failure, Ready, ReadyItem};

#[derive(Clone)]
pub(super) struct Native(Ready);

impl Native {
    /// Fails where the user has no default keychain.
    pub(super) fn open() -> Result<Self, Failure> {
        keychain()?;
        Ok(Self(Ready::new(Store::new()?)))
    }

    fn item(&self, name: &ItemName) -> Result<ReadyItem, Failure> {
        self.0.item((&name.service, &name.user), &[])
    }

    pub(super) fn read(&self, name: &ItemName) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.item(name)?.read()
    }

    /// Replaces the secret in place, or adds an item.
    pub(super) fn write(&self, name: &ItemName, secret: &[u8]) -> Result<(), Failure> {
        self.item(name)?.write(secret)
    }

    pub(super) fn remove(&self, name: &ItemName) -> Result<(), Failure> {
        self.item(name)?.remove()
    }

    /// The user of each item of a service; reads no secret.
    pub(super) fn users(&self, service: &str) -> Result<Vec<String>, Failure> {
        let found = self.0.search(&[("service", service)])?;
        Ok(found.into_iter().map(|(_, user)| user).collect())
    }

    /// Opens the keychain, and unlocks it if it is locked; the system asks for its password.
    pub(super) fn unlock(&self) -> Result<(), Failure> {
        keychain()?.unlock(None).map_err(failure)
    }

    /// Until it is dropped the system shows no window: what would need one fails.
    pub(super) fn silence(&self) -> Result<KeychainUserInteractionLock, Failure> {
        SecKeychain::disable_user_interaction().map_err(failure)
    }

    /// The result code of the system.
    pub(super) fn code(failure: &Failure) -> Option<i32> {
        let (Failure::NoAccess(cause) | Failure::Platform(cause)) = failure else { return None };
        cause.downcast_ref::<base::Error>().map(|error| error.code())
    }
}

/// The one that the store uses too.
fn keychain() -> Result<SecKeychain, Failure> {
    SecKeychain::default_for_domain(SecPreferencesDomain::User).map_err(failure)
}

fn failure(error: base::Error) -> Failure {
    decode_error(error).into()
}
