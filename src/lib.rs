//! A Docker credential helper that trades the password for a refresh token.
#![forbid(unsafe_code)]

pub mod keychain;
pub mod secret;
