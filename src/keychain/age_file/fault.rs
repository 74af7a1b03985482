//! What can be wrong with the files and the identity.

use crate::error::Remedy;
use crate::keychain::error::Error;
use crate::keychain::name::KeychainName;

pub(super) fn unavailable(why: &str, remedy: impl Into<Remedy>) -> Error {
    Error::unavailable(&KeychainName::File, why, remedy)
}

pub(super) fn failed(why: &str, remedy: impl Into<Remedy>) -> Error {
    Error::failed(&KeychainName::File, why, remedy)
}

pub(super) fn damaged(why: &str) -> Error {
    Error::damaged(&KeychainName::File, why)
}
