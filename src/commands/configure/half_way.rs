//! What a person is told when `configure` stops half-way: how far it came, and how it is finished.

use crate::error::Error;
use crate::logins::Logins;

/// How far it came.
#[derive(Default)]
pub struct Progress {
    /// The logins that have another place.
    pub taken: Vec<String>,
    /// How many there were to take over.
    pub of: usize,
    /// Whether it had begun to change settings.
    pub settings: bool,
}

impl Progress {
    /// Whether nothing was done.
    pub fn is_none(&self) -> bool {
        self.taken.is_empty() && !self.settings
    }

    /// Tells what went wrong; the error that is left is the last line.
    pub fn stopped(&self, error: Error, logins: &mut Logins<'_>) -> Error {
        if self.is_none() {
            return Error { fact: format!("{}; nothing was changed", error.fact), ..error };
        }
        logins.note(&error.to_string());
        let (taken, of, names) = (self.taken.len(), self.of, self.taken.join(", "));
        let logins = match taken {
            0 => String::new(),
            1 => format!("1 of {of} logins was taken over ({names}), "),
            taken => format!("{taken} of {of} logins were taken over ({names}), "),
        };
        let settings = match self.settings {
            true => "the settings may be changed in part",
            false => "no setting was changed",
        };
        let fact = format!("stopped half-way: {logins}{settings}, and no password was removed");
        Error::new(error.kind, fact).hint("run the same command again to finish it")
    }
}
