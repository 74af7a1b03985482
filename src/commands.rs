//! The commands for people and scripts: one file each, over the same helper as the verbs.
//!
//! Results go to `out`, everything else to the helper's notes.

use std::io::{BufRead, Write};

use zeroize::Zeroizing;

use crate::cli::{Cli, Command};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::secret::Password;
use crate::text::printable;

mod clients;
mod completions;
mod configure;
mod doctor;
mod import;
mod keygen;
mod login;
mod logout;
mod migrate;
mod revoke;
mod status;
mod token;
mod unconfigure;

pub use completions::complete;

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
pub fn run(cli: Cli, helper: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    match cli.command {
        Command::Login(login) => login::run(&login, helper, streams),
        Command::Logout(logout) => logout::run(&logout, helper, streams),
        Command::Token(token) => token::run(&token, helper, streams),
        Command::Revoke(revoke) => revoke::run(&revoke, helper, streams),
        Command::Keygen => keygen::run(helper, streams),
        Command::Configure(configure) => configure::run(&configure, helper, streams),
        Command::Unconfigure => unconfigure::run(helper, streams),
        Command::Import(import) => import::run(&import, helper, streams),
        Command::Migrate(migrate) => migrate::run(&migrate, helper, streams),
        Command::Status(status) => status::run(&status, helper, streams),
        Command::Doctor(doctor) => doctor::run(&doctor, helper, streams),
        Command::Completions(shell) => completions::run(&shell, streams),
    }
}

/// All were tried; the exit status is that of the worst, by this order, and the others are noted.
fn worst(mut errors: Vec<Error>, order: &[Kind], helper: &mut Logins<'_>) -> Result<()> {
    let rank = |error: &Error| order.iter().position(|kind| *kind == error.kind);
    errors.sort_by_key(|error| rank(error).unwrap_or(order.len()));
    let mut errors = errors.into_iter();
    let Some(worst) = errors.next() else { return Ok(()) };
    for other in errors {
        helper.note(&other.to_string());
    }
    Err(worst)
}

/// What became of each login, in columns under a heading.
fn outcome_table<'a>(rows: impl Iterator<Item = [&'a str; 3]>) -> String {
    let shown = |cell: &str| if cell.is_empty() { "-".into() } else { printable(cell, usize::MAX) };
    let rows = std::iter::once(["SERVER", "ACCOUNT", "OUTCOME"]).chain(rows);
    let lines: Vec<[String; 3]> = rows.map(|row| row.map(shown)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let (server, account) = (width(0), width(1));
    let line = |[a, b, c]: &[String; 3]| format!("{a:server$}  {b:account$}  {c}");
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes a result.
fn write(bytes: &[u8], out: &mut dyn Write) -> Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // A reader such as head has seen all that it wanted.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written
            .map_err(|e| Error::new(Kind::Other, format!("cannot write the result: {}", e.kind()))),
    }
}

impl Streams<'_> {
    /// Prints a result.
    fn print(&mut self, line: &str) -> Result<()> {
        write(format!("{line}\n").as_bytes(), self.out)
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
