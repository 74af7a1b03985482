//! A Docker credential helper that trades the password for a refresh token.
#![forbid(unsafe_code)]

pub mod challenge;
pub mod error;
pub mod fallback;
pub mod http;
pub mod keychain;
pub mod login_record;
pub mod protocol;
pub mod realm;
pub mod secret;
pub mod server_url;
pub mod settings;
