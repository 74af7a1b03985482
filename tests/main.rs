//! What the helper promises, a file for each behaviour.

mod keychain;
mod support;
