//! The commands for people and scripts: one file each, over the same helper as the verbs.
//!
//! Results go to `out`, everything else to the helper's notes.

use std::io::{BufRead, Write};

use zeroize::Zeroizing;

use crate::cli::{Cli, Command};
use crate::error::{Error, Kind, Result};
use crate::helper::Helper;
use crate::secret::Password;

mod completions;
mod configure;
mod doctor;
mod import;
mod keygen;
mod login;
mod logout;
mod revoke;
mod status;
mod token;
mod unconfigure;

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Whether a person can be asked there.
    pub interactive: bool,
    /// Standard output.
    pub out: &'a mut dyn Write,
}

/// Runs one command.
///
/// # Errors
/// The command's; its kind is the exit status.
pub fn run(cli: Cli, helper: &mut Helper<'_>, streams: &mut Streams<'_>) -> Result<()> {
    match cli.command {
        Command::Login(login) => login::run(&login, helper, streams),
        Command::Logout(logout) => logout::run(&logout, helper, streams),
        Command::Token(token) => token::run(&token, helper, streams),
        Command::Revoke(revoke) => revoke::run(&revoke, helper, streams),
        Command::Keygen => keygen::run(helper, streams),
        Command::Configure(configure) => configure::run(&configure, helper, streams),
        Command::Unconfigure => unconfigure::run(helper, streams),
        Command::Import(import) => import::run(&import, helper, streams),
        Command::Status(status) => status::run(&status, helper, streams),
        Command::Doctor(doctor) => doctor::run(&doctor, helper, streams),
        Command::Completions(shell) => completions::run(&shell, streams),
    }
}

impl Streams<'_> {
    /// Prints a result.
    fn print(&mut self, line: &str) -> Result<()> {
        let written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        written
            .map_err(|e| Error::new(Kind::Other, format!("cannot write the result: {}", e.kind())))
    }

    /// Reads a secret that a script pipes in: all of standard input, without one trailing line end.
    fn piped_secret(&mut self) -> Result<Password> {
        let mut text = Zeroizing::new(crate::protocol::read_text(self.input)?);
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(Password::new(std::mem::take(&mut *text)))
    }
}
