//! A Docker credential helper that trades the password for a refresh token the moment a client
//! hands it over, keeps only that token in the operating system's keychain, and gives it to every
//! client as an identity token.
//!
//! The data flows one way, and so do the modules:
//!
//! stdin → [`protocol`] → [`server_url`] → [`registry`] ([`challenge`], [`realm`]) → [`token`] →
//! [`keychain`] and [`login_record`] → stdout
//!
//! [`logins`] is that flow for each verb; [`fallback`] takes the logins that cannot be exchanged, and
//! [`external_helper`] starts the other helper that it is, as it does for a keychain;
//! [`docker_config`] reads and edits the clients' own settings; [`settings`], [`error`] and
//! [`trace`] go everywhere. [`http`] alone imports the HTTP client, [`keychain`]
//! alone the keyring crates, and [`run`] alone touches the process's own stdin and stdout.
#![forbid(unsafe_code)]

mod candidates;
pub mod challenge;
pub mod cli;
pub mod commands;
pub mod docker_config;
pub mod environment;
pub mod error;
pub mod external_helper;
pub mod fallback;
mod files;
pub mod hardening;
mod help;
pub mod http {
    //! HTTP as far as the exchange needs it. The only folder that imports the HTTP client.

    pub mod client;
    mod coding;
    pub mod failure;
    pub mod proxy;
    pub mod trust;
    mod verifier;

    pub use client::{Body, Http, NETWORK_DEADLINE, Response};
    pub use failure::Failure;
}
pub mod keychain;
pub mod login_record;
pub mod logins;
mod nearest;
pub mod origin;
mod progress;
pub mod protocol;
pub mod realm;
pub mod registry;
pub mod revocation;
pub mod run;
pub mod scope;
pub mod secret;
pub mod server_url;
pub mod settings;
pub mod text;
pub mod token;
pub mod trace;
