//! What the helper promises, a file for each behaviour.

mod attacks;
mod commands;
mod exchange;
mod fallback;
mod faults;
mod keychain;
mod layout;
mod minting;
mod mock_token_server;
#[path = "mock_token_server/tests.rs"]
mod mock_token_server_tests;
mod personal_tokens;
mod properties;
mod public_suffixes;
mod readme;
mod records;
mod renew;
mod settings;
mod support;
mod verbs;
mod where_kept;
