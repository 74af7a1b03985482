//! The system's side: the ready store, and the two calls that it has no word for.

use std::error::Error;
use std::sync::Arc;

use apple_native_keyring_store::keychain::{Store, decode_error};
use keyring_core::{CredentialStore, Result};
use security_framework::base;
use security_framework::os::macos::keychain::{
    KeychainUserInteractionLock, SecKeychain, SecPreferencesDomain,
};

#[derive(Clone)]
pub(super) struct Native(Arc<CredentialStore>);

impl Native {
    /// Fails where the user has no default keychain.
    pub(super) fn open() -> Result<Self> {
        keychain()?;
        Ok(Self(Store::new()?))
    }

    pub(super) fn store(&self) -> &CredentialStore {
        &*self.0
    }

    /// Opens the keychain, and unlocks it if it is locked; the system asks for its password.
    pub(super) fn unlock(&self) -> Result<()> {
        keychain()?.unlock(None).map_err(decode_error)
    }

    /// Until it is dropped the system shows no window: what would need one fails.
    pub(super) fn silence(&self) -> Result<KeychainUserInteractionLock> {
        SecKeychain::disable_user_interaction().map_err(decode_error)
    }

    /// The result code in the box of an error.
    pub(super) fn code(cause: &(dyn Error + Send + Sync + 'static)) -> Option<i32> {
        cause.downcast_ref::<base::Error>().map(|error| error.code())
    }
}

/// The one that the store uses too.
fn keychain() -> Result<SecKeychain> {
    SecKeychain::default_for_domain(SecPreferencesDomain::User).map_err(decode_error)
}
