//! What the token server said of a login when it was last asked.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A check, by a refresh of the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    /// When it was asked.
    pub at: Timestamp,
    /// What it said.
    pub result: Verdict,
}

/// What a token server said, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It gave an access token.
    Valid,
    /// It refused the refresh token.
    Rejected,
    /// It could not be asked.
    Unreachable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Valid => "valid",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_padded_to_the_width_of_its_column() {
        assert_eq!(
            format!("{:<9}|{}", Verdict::Valid, Verdict::Unreachable),
            "valid    |unreachable"
        );
        assert_eq!(Verdict::Rejected.to_string(), "rejected");
    }
}
