//! What can be wrong with the files and the identity.

use crate::keychain::error::Error;
use crate::keychain::name::KeychainName;

pub(super) fn unavailable(why: &str, hint: &str) -> Error {
    Error::unavailable(&KeychainName::File, why, hint)
}

pub(super) fn failed(why: &str, hint: &str) -> Error {
    Error::failed(&KeychainName::File, why, hint)
}

pub(super) fn damaged(why: &str) -> Error {
    Error::damaged(&KeychainName::File, why)
}
