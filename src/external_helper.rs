//! Other `docker-credential-*` helpers: found on PATH by name, started for one verb, and ended at a
//! deadline. As fallback ([`crate::fallback`]) and as keychain (`helper:NAME`).

mod client;
mod name;
mod path;
mod quoting;
mod talk;
mod token_command;

pub use client::{Failure, HelperProgram, NOT_ERASED, NoHelper};
pub use name::{BadName, HelperName};
pub(crate) use path::find_on_path;
pub use path::installed;
pub use token_command::TokenCommand;
