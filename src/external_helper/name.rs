//! The NAME in `docker-credential-NAME`.

use std::fmt;
use std::str::FromStr;

use crate::protocol::HELPER_NAME;

/// The NAME in `docker-credential-NAME`: `[a-z0-9._-]+`, and not this helper.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HelperName(String);

/// Why a name is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// A path, an option, or other characters.
    #[error("is not a helper name (lower-case letters, digits, dots, dashes and underscores)")]
    Characters,
    /// `refresh`.
    #[error("names this helper itself; name another one, or none")]
    Itself,
    /// Clients put `docker-credential-` before the name.
    #[error("is the name of a program; leave out docker-credential-")]
    Program,
}

impl HelperName {
    /// The NAME alone, as settings write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HelperName {
    type Err = BadName;

    /// RUSTSEC-2024-0433: a name that could be a path or an option would run another program.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        if text.is_empty() || text.starts_with(['-', '.']) || !text.bytes().all(plain) {
            return Err(BadName::Characters);
        }
        match text {
            HELPER_NAME => Err(BadName::Itself),
            _ if text.starts_with("docker-credential-") => Err(BadName::Program),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for HelperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docker-credential-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustsec_2024_0433_a_helper_named_by_path_is_refused() {
        for name in ["", "../x", "-x", "a/b", "x\0", "X", "a b", ".", "..", ".x", "\\x", "é"] {
            assert_eq!(name.parse::<HelperName>(), Err(BadName::Characters), "{name:?}");
        }
        assert_eq!("refresh".parse::<HelperName>(), Err(BadName::Itself));
        assert_eq!("docker-credential-pass".parse::<HelperName>(), Err(BadName::Program));
        let name: HelperName = "ecr-login".parse().unwrap();
        assert_eq!(
            (name.to_string().as_str(), name.as_str()),
            ("docker-credential-ecr-login", "ecr-login")
        );
    }
}
