//! The keyrings that a process reaches, and what the kernel answers when it does not.

use linux_keyutils::{Key, KeyError, KeyRing, KeyRingIdentifier};

use super::fault::{failure, unavailable};
use super::proc;
use crate::error::Remedy;
use crate::keychain::error::{Error, keep_in};
use crate::keychain::name::KeychainName;

/// Makes this thread a possessor of everything in `@u`.
pub(super) fn user_keyring() -> Result<KeyRing, Error> {
    KeyRing::from_special_id(KeyRingIdentifier::Process, true)
        .and_then(|process| process.link_keyring_id(KeyRingIdentifier::User))
        .and_then(|()| KeyRing::from_special_id(KeyRingIdentifier::User, false))
        // Where even `@u` is ENOKEY: that is not "no such login".
        .map_err(|error| match error {
            KeyError::KeyDoesNotExist => {
                unavailable("the user keyring does not exist here, or was revoked")
            }
            error => failure(error),
        })
}

/// Where logins are: before Linux 5.3 the persistent keyring may be all that is left of a user.
pub(super) fn reached() -> Result<Vec<KeyRing>, Error> {
    Ok([Some(user_keyring()?), persistent_keyring()].into_iter().flatten().collect())
}

/// The persistent keyring, where there is one; asking resets its expiry.
pub(super) fn persistent_keyring() -> Option<KeyRing> {
    KeyRing::get_persistent(KeyRingIdentifier::Process).ok()
}

/// `None` where the key is in none of them, or dead: revoked and expired tokens are gone.
pub(super) fn find(rings: &[KeyRing], description: &str) -> Result<Option<Key>, Error> {
    for ring in rings {
        match ring.search(description) {
            Ok(key) => return Ok(Some(key)),
            Err(
                KeyError::KeyDoesNotExist
                | KeyError::KeyExpired
                | KeyError::KeyRevoked
                | KeyError::KeyRejected,
            ) => {}
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(None)
}

/// The error that there is no such login, as far as this process can tell. A user namespace (of
/// `unshare`, of rootless podman) has user keyrings of its own: what was kept outside is out of
/// reach in it, but not gone.
pub(super) fn absent() -> Error {
    if !proc::in_user_namespace() {
        return Error::Absent;
    }
    let why = "this user namespace has a kernel keyring of its own, without this login".to_owned();
    let remedy = Remedy::from("log in again from inside it").or(keep_in(&[KeychainName::File]));
    Error::Elsewhere { keychain: KeychainName::Kernel, why, remedy }
}
