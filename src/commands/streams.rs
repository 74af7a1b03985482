//! Where a command reads and writes.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::environment::variable;
use crate::error::{Error, Kind, Result};
use crate::protocol;
use crate::text::reason;

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Whether a person can be asked there.
    pub interactive: bool,
    /// Whether colours are wanted on standard output.
    pub colour: bool,
    /// Standard output.
    pub out: &'a mut dyn Write,
}

impl Streams<'_> {
    /// Prints a result.
    pub(super) fn print(&mut self, line: &str) -> Result<()> {
        write(Zeroizing::new(format!("{line}\n")).as_bytes(), self.out)
    }

    /// Prints a result for a script, on one line.
    pub(super) fn print_json(&mut self, result: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(result)
            .map(Zeroizing::new)
            .map_err(|e| Error::new(Kind::Other, "cannot write JSON").because(e))?;
        self.print(&json)
    }

    /// Asks a question on `notes`; the default answer is yes.
    pub(super) fn agrees(&mut self, question: &str, notes: &mut dyn Write) -> Result<bool> {
        let cannot =
            |e: std::io::Error| Error::new(Kind::Other, format!("cannot prompt: {}", reason(&e)));
        write!(notes, "{question}").and_then(|()| notes.flush()).map_err(cannot)?;
        let mut line = String::new();
        let read = self.input.read_line(&mut line).map_err(cannot)?;
        let answer = line.trim().to_ascii_lowercase();
        Ok(read > 0 && matches!(answer.as_str(), "" | "y" | "yes"))
    }

    /// Reads a secret that a script pipes in: all of standard input, without one trailing line end. A
    /// person at a terminal is asked for it, under this name, and what they type is not shown.
    pub(super) fn piped_secret<S: From<String>>(&mut self, name: &str) -> Result<S> {
        if self.interactive {
            let (first, rest) = name.split_at(1);
            let prompt = format!("{}{rest}: ", first.to_ascii_uppercase());
            return typed(&prompt).map(S::from).map_err(|e| cannot_ask(name, &e));
        }
        let mut text = Zeroizing::new(protocol::read_text(self.input)?);
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(std::mem::take(&mut *text).into())
    }
}

/// Asks on the terminal, which shows nothing of what is typed.
pub(super) fn typed(prompt: &str) -> io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// Why nothing was typed.
pub(super) fn cannot_ask(what: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::new(Kind::Other, format!("no {what} was given; nothing was changed"))
        }
        _ => Error::new(Kind::Other, format!("cannot prompt for the {what}: {}", reason(error))),
    }
}

/// Writes a result.
pub(super) fn write(bytes: &[u8], out: &mut dyn Write) -> Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // A reader such as head has seen all it wanted.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|e| {
            Error::new(Kind::Other, format!("cannot write the result: {}", reason(&e)))
        }),
    }
}

/// On a terminal that has colours, unless the user wants none (no-color.org).
pub fn wants_colour() -> bool {
    let terminal = variable("TERM").is_some_and(|name| name != "dumb");
    terminal && variable("NO_COLOR").is_none() && io::stdout().is_terminal()
}
