//! What went wrong, what to do next, and the exit status that says so to scripts.

use std::fmt;

/// The exit statuses of the commands (design, "The commands for people and scripts"). A protocol
/// verb knows only 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Anything that has no status of its own.
    Other = 1,
    /// Arguments, settings or input that are not of the form asked for.
    Usage = 2,
    /// There is no such login. The verbs answer it with the fixed text.
    NotLoggedIn = 3,
    /// The token server refused the username or password, or the refresh token.
    Rejected = 4,
    /// The credentials may be right, but no lasting refresh token is to be had for them.
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

/// A fact and, where there is one, a remedy; each names the thing. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What it is to a script.
    pub kind: Kind,
    /// What happened, without a trailing period.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// What this crate's fallible functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without a remedy.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    /// One line, without backticks (clients wrap it in backticks of their own).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        };
        f.write_str(&printable(&text, usize::MAX))
    }
}

impl std::error::Error for Error {}

/// Text from elsewhere, made safe for a terminal: control sequences, bidi overrides and anything
/// else that is not printable ASCII become `?`, and at most `limit` characters are shown.
pub fn printable(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .map(|c| match c {
            '`' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

/// A word as a hint may show it in a command to copy: quoted where a shell would read more in it.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/[]@".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// How much of a text that a server wrote is shown.
pub const SERVER_TEXT_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_sequences_and_bidi_overrides_are_not_shown() {
        let shown = printable("\x1b[2Jevil\u{202e}\u{0}\nx`y", 200);
        assert_eq!(shown, "?[2Jevil???x'y");
        assert_eq!(printable(&"a".repeat(999), SERVER_TEXT_CHARS).len(), 200);
    }

    #[test]
    fn a_command_to_copy_runs_nothing_of_a_servers_name() {
        assert_eq!(shell_word("h:5000/a"), "h:5000/a");
        assert_eq!(shell_word("h/$(id);x"), "'h/$(id);x'");
        assert_eq!(shell_word("h/a'b"), r"'h/a'\''b'");
    }

    #[test]
    fn an_error_is_one_line_with_its_remedy() {
        let error = Error::new(Kind::Other, "cannot read a\nb").hint("look at `b`");
        assert_eq!(error.to_string(), "cannot read a?b; look at 'b'");
    }
}
