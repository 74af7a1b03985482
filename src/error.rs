//! What went wrong, what to do next, and the exit status that says so to scripts.

use std::fmt;
use std::sync::Arc;

use crate::text::printable;

mod remedy;

pub use remedy::{Remedy, Setting};

/// The exit statuses of the commands (docs/commands.md). A protocol
/// verb knows only 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Anything without a status of its own.
    Other = 1,
    /// Arguments, settings or input that are not of the expected form.
    Usage = 2,
    /// There is no such login. The verbs answer it with the fixed text.
    NotLoggedIn = 3,
    /// The token server refused the username or password, or the refresh token.
    Rejected = 4,
    /// The credentials may be right, but they yield no lasting refresh token.
    NoRefreshToken = 5,
    /// The keychain is locked, absent or failing: not the same as "not logged in".
    Keychain = 6,
    /// Network or TLS; worth another try later.
    Network = 7,
    /// A trust rule refused; a setting can allow it.
    Trust = 8,
    /// The server did not confirm that the token is dead.
    RevocationUnconfirmed = 9,
}

/// A fact and, if there are any, its cause and a remedy; each names the thing. Never holds a secret.
#[derive(Debug, Clone)]
pub struct Error {
    /// What a script learns of it.
    pub kind: Kind,
    /// What happened and why, without a trailing period.
    pub fact: String,
    /// What to do next.
    pub remedy: Option<Remedy>,
    /// The cause, where that is an error of its own.
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What this crate's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Neither the environment nor the system says where the user's files are.
    pub fn homeless() -> Self {
        Self::new(Kind::Usage, "no home directory is known").remedy(Setting::new("HOME"))
    }

    /// An error without a remedy.
    pub fn new(kind: Kind, fact: impl Into<String>) -> Self {
        Self { kind, fact: fact.into(), remedy: None, source: None }
    }

    /// Says in words what to do next.
    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Self {
        self.remedy(Remedy::Text(text.into()))
    }

    /// Adds to what is already said about what to do.
    #[must_use]
    pub fn also(mut self, remedy: impl Into<Remedy>) -> Self {
        let remedy = remedy.into();
        self.remedy = Some(match self.remedy.take() {
            Some(first) => first.and(remedy),
            None => remedy,
        });
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says to log in again.
    #[must_use]
    pub fn log_in_again(self) -> Self {
        self.remedy(Remedy::LogInAgain)
    }

    /// Says to try again later.
    #[must_use]
    pub fn try_again_later(self) -> Self {
        self.remedy(Remedy::TryAgainLater)
    }

    /// Names the cause, which must not hold a secret.
    #[must_use]
    pub fn because(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.fact = format!("{}: {cause}", self.fact);
        self.source = Some(Arc::new(cause));
        self
    }
}

impl fmt::Display for Error {
    /// One line with the remedy, without backticks (clients wrap it in backticks of
    /// their own).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.fact.clone();
        if let Some(remedy) = &self.remedy {
            text.push_str(&format!("; {remedy}"));
        }
        f.write_str(&printable(&text, usize::MAX))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_its_remedy() {
        let error = Error::new(Kind::Other, "cannot read a\nb").hint("look at `b`");
        assert_eq!(error.to_string(), "cannot read a?b; look at 'b'");
    }

    #[test]
    fn a_cause_is_told_and_can_be_looked_at() {
        let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = Error::new(Kind::Other, "cannot write a")
            .because(cause)
            .remedy(Remedy::AnyOf(vec!["free some space".into(), Remedy::SetKeychain(Vec::new())]));
        assert_eq!(
            error.to_string(),
            "cannot write a: no storage space; free some space, or set keychain to another one and log in again"
        );
        let source = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
        assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::StorageFull));
    }
}
