//! A Docker credential helper that trades the password for a refresh token the moment a client
//! hands it over, keeps only that token in the operating system's keychain, and gives it to every
//! client as an identity token.
//!
//! The library is for the program of the same name, and has no stability promise: any release may
//! change or remove any of it. What is stable is the program: its verbs, commands, exit statuses and
//! files.
//!
//! The data flows one way, and so do the modules:
//!
//! stdin → [`protocol`] → [`server_url`] → [`registry`] ([`challenge`], [`realm`]) → [`token`] →
//! [`keychain`] and [`login_record`] → stdout
//!
//! [`logins`] is that flow for each verb, and [`commands`] is what people call. [`fallback`] takes the
//! logins that cannot be exchanged, and [`external_helper`] runs the other helper that it is, as it
//! does for a keychain; [`docker_config`] reads and edits the clients' own files; [`settings`],
//! [`environment`], [`error`], [`text`] and [`trace`] go everywhere.
//!
//! [`http`] alone imports the HTTP client, `keychain::keyring` alone keyring-core, and [`run`]
//! alone owns the process's stdin, stdout and stderr. What else reaches them: [`hardening`] says so
//! on stdout where there is a panic, the Secret Service keychain redirects stdout while a library
//! may print there, and [`trace`] and `progress` write to stderr. `docs/architecture.md` has a
//! picture.
#![forbid(unsafe_code)]
// What is printed goes through `run`, and a panic would be a message without a next step.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used))]

mod browser;
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
pub mod http;
pub mod keychain;
pub mod login_record;
pub mod logins;
pub mod mint;
mod nearest;
pub mod origin;
pub mod personal_token;
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
pub mod token_api;
pub mod trace;
