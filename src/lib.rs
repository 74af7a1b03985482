//! A Docker credential helper that trades the password for a refresh token.
#![forbid(unsafe_code)]

pub mod challenge;
pub mod error;
pub mod secret;
pub mod server_url;
