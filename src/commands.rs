//! The commands for people and scripts: one file each, over the same [`Logins`] as the verbs.
//!
//! Results go to `out`, everything else to the notes.

use crate::cli::{Cli, Command};
use crate::error::Result;
use crate::files::owner;
use crate::logins::Logins;

mod check;
mod clients;
mod completions;
mod configure;
mod doctor;
mod import;
mod keygen;
mod login;
mod logout;
mod migrate;
mod outcomes;
mod password;
mod revoke;
mod status;
mod streams;
mod token;
mod unconfigure;

pub use completions::complete;
pub use streams::{Streams, wants_colour};

/// Runs one command.
///
/// # Errors
/// The command's; its kind is the exit status.
pub fn run(cli: Cli, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    if cli.command.writes()
        && let Some(warning) = owner::before_writing()?
    {
        logins.note(&warning);
    }
    match cli.command {
        Command::Login(login) => login::run(&login, logins, streams),
        Command::Logout(logout) => logout::run(&logout, logins, streams),
        Command::Token(token) => token::run(&token, logins, streams),
        Command::Revoke(revoke) => revoke::run(&revoke, logins, streams),
        Command::Keygen(keygen) => keygen::run(&keygen, logins, streams),
        Command::Configure(configure) => configure::run(&configure, logins, streams),
        Command::Unconfigure => unconfigure::run(logins, streams),
        Command::Import(import) => import::run(&import, logins, streams),
        Command::Migrate(migrate) => migrate::run(&migrate, logins, streams),
        Command::Status(status) => status::run(&status, logins, streams),
        Command::Check(check) => check::run(&check, logins, streams),
        Command::Doctor(doctor) => doctor::run(&doctor, logins, streams),
        Command::Completions(shell) => completions::run(&shell, streams),
    }
}
