//! What can go wrong with a keychain. "Absent" and "could not look" never mix.

use std::fmt;
use std::time::Duration;

use super::name::KeychainName;
use crate::error::{Kind, Remedy};

/// The system's or a library's own error; it holds no secret.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Each kind's doc says what the caller does with it; each message is one line without secrets.
#[derive(Debug)]
pub enum Error {
    /// The keychain was read, and has no such login. `get` says "not found", `erase` is done.
    /// It is the only kind that may become the fixed text of the protocol.
    Absent,

    /// It is there but locked, and nobody could be asked. An error; exit status 6. Under `auto`,
    /// when the records are missing, it counts as absent.
    Locked {
        /// Which one.
        keychain: KeychainName,
        /// How to unlock it.
        remedy: Remedy,
    },

    /// A person was asked to unlock it and did not. An error, and no second prompt for 60 s.
    Dismissed {
        /// Which one.
        keychain: KeychainName,
        /// How long nobody answered; `None` if somebody refused.
        unanswered_for: Option<Duration>,
    },

    /// It cannot be reached here and now. An error; exit status 6. `auto` takes the next one.
    Unavailable {
        /// Which one.
        keychain: KeychainName,
        /// What was seen.
        why: String,
        /// What to start, install or set.
        remedy: Remedy,
        /// Where it was seen.
        source: Option<Cause>,
    },

    /// It has no such login, but another keychain of this kind, which is out of reach here, may
    /// have it. For a recorded login that is an error, exit status 6; without a record it counts as
    /// absent.
    Elsewhere {
        /// Which one.
        keychain: KeychainName,
        /// Where this process is.
        why: String,
        /// How to get the login here as well.
        remedy: Remedy,
    },

    /// `auto` found none. An error; exit status 6.
    NothingUsable {
        /// Why not, for each one tried, and what to do about it.
        tried: Vec<Self>,
        /// Helpers on PATH, which `auto` never takes by itself.
        helpers: Vec<String>,
    },

    /// The token does not fit. Nothing was stored or changed: the token is revoked, the user told.
    TooLarge {
        /// Which one.
        keychain: KeychainName,
        /// Bytes to be kept.
        size: usize,
        /// Bytes that it can keep.
        limit: usize,
    },

    /// An item is there, and cannot be read as a login. An error, never "absent": logging in again
    /// replaces it.
    Damaged {
        /// Which one.
        keychain: KeychainName,
        /// What is wrong with it, without its content.
        why: String,
    },

    /// It was reached and refused. An error; what it kept before is unchanged.
    Failed {
        /// Which one.
        keychain: KeychainName,
        /// What it answered.
        why: String,
        /// What may help.
        remedy: Remedy,
        /// Its own error.
        source: Option<Cause>,
    },
}

impl Error {
    /// What happened.
    pub fn fact(&self) -> String {
        match self {
            Self::Absent => "no such login in the keychain".to_owned(),
            Self::Locked { keychain, .. } => format!("the {keychain} keychain is locked"),
            Self::Dismissed {
                keychain: KeychainName::Helper(name),
                unanswered_for: Some(time),
            } => {
                let seconds = time.as_secs();
                format!(
                    "the helper:{} keychain cannot be used: no answer within {seconds} s from {name}, or \
                     from the person it asked",
                    name.as_str()
                )
            }
            Self::Dismissed { keychain, unanswered_for } => {
                let prompt = match unanswered_for {
                    None => "dismissed".to_owned(),
                    Some(time) => format!("not answered within {} s", time.as_secs()),
                };
                format!("the {keychain} keychain stays locked: its prompt was {prompt}")
            }
            Self::Unavailable { keychain, why, .. } => {
                format!("the {keychain} keychain cannot be used: {why}")
            }
            Self::Elsewhere { keychain, why, .. } => {
                format!("the {keychain} keychain cannot be searched: {why}")
            }
            Self::NothingUsable { tried, helpers } => {
                let mut each: Vec<_> = tried.iter().map(Self::in_brief).collect();
                if helpers.is_empty() {
                    let none = "helper:NAME: no other docker-credential helper is on PATH";
                    each.push(none.to_owned());
                }
                format!("no keychain can be used: {}", each.join("; "))
            }
            Self::TooLarge { keychain, size, limit } => {
                format!(
                    "the {keychain} keychain takes at most {limit} bytes and this login has {size}"
                )
            }
            Self::Damaged { keychain, why } => {
                format!("the login in the {keychain} keychain cannot be read: {why}")
            }
            Self::Failed { keychain, why, .. } => format!("the {keychain} keychain failed: {why}"),
        }
    }

    /// What to do next.
    pub fn remedy(&self) -> Option<Remedy> {
        Some(match self {
            Self::Absent => return None,
            Self::NothingUsable { helpers, .. } if helpers.is_empty() => return None,
            Self::NothingUsable { helpers, .. } => {
                Remedy::SetKeychain(helpers.iter().map(|name| format!("helper:{name}")).collect())
            }
            Self::Locked { remedy, .. }
            | Self::Unavailable { remedy, .. }
            | Self::Elsewhere { remedy, .. }
            | Self::Failed { remedy, .. } => remedy.clone(),
            Self::Dismissed { keychain: KeychainName::Helper(name), unanswered_for: Some(_) } => {
                format!("check that {name} works here").into()
            }
            Self::Dismissed { .. } => Remedy::from("unlock it"),
            Self::TooLarge { .. } => keep_elsewhere(),
            Self::Damaged { .. } => Remedy::LogInAgain.when("to replace it"),
        })
    }

    /// For a list of all that were tried, which already names the other keychains of a remedy.
    fn in_brief(&self) -> String {
        let (keychain, why) = match self {
            Self::Locked { keychain, .. } => (keychain, "it is locked"),
            Self::Unavailable { keychain, why, .. } | Self::Failed { keychain, why, .. } => {
                (keychain, why.as_str())
            }
            other => return other.to_string(),
        };
        match self.remedy().and_then(Remedy::without_keychains) {
            Some(remedy) => format!("{keychain}: {why}, {remedy}"),
            None => format!("{keychain}: {why}"),
        }
    }

    /// As the user is told it.
    pub fn told(&self) -> crate::error::Error {
        let told = crate::error::Error::new(Kind::Keychain, self.fact());
        match self.remedy() {
            Some(remedy) => told.remedy(remedy),
            None => told,
        }
    }

    /// Whether the keychain could not be searched, as opposed to what was found there.
    pub fn is_out_of_reach(&self) -> bool {
        matches!(
            self,
            Self::Locked { .. }
                | Self::Dismissed { .. }
                | Self::Unavailable { .. }
                | Self::Elsewhere { .. }
                | Self::NothingUsable { .. }
        )
    }

    /// [`Error::Failed`].
    pub fn failed(keychain: &KeychainName, why: &str, remedy: impl Into<Remedy>) -> Self {
        let (why, remedy) = (one_line(why), remedy.into());
        Self::Failed { keychain: keychain.clone(), why, remedy, source: None }
    }

    /// [`Error::Unavailable`].
    pub fn unavailable(keychain: &KeychainName, why: &str, remedy: impl Into<Remedy>) -> Self {
        let (why, remedy) = (one_line(why), remedy.into());
        Self::Unavailable { keychain: keychain.clone(), why, remedy, source: None }
    }

    /// [`Error::Damaged`].
    pub fn damaged(keychain: &KeychainName, why: &str) -> Self {
        Self::Damaged { keychain: keychain.clone(), why: why.to_owned() }
    }

    /// Names the cause, where there is a place for one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        if let Self::Failed { source, .. } | Self::Unavailable { source, .. } = &mut self {
            *source = Some(cause.into());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fact())?;
        self.remedy().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Failed { source, .. } => {
                source.as_ref().map(|source| &**source as _)
            }
            _ => None,
        }
    }
}

/// New logins could be kept in one of these.
pub(super) fn keep_in(keychains: &[KeychainName]) -> Remedy {
    Remedy::SetKeychain(keychains.iter().map(ToString::to_string).collect())
}

/// New logins could be kept in any other one.
pub(super) fn keep_elsewhere() -> Remedy {
    keep_in(&[])
}

/// What a service said, fit to be shown: one line, no backticks, at most 200 characters.
fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() || c == '`' { ' ' } else { c };
    text.trim().trim_end_matches('.').chars().map(shown).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_one_line_without_backticks() {
        let error = Error::failed(&KeychainName::Kernel, "a\nb `c` \u{1b}[31m.", "try again");
        assert_eq!(error.to_string(), "the kernel keychain failed: a b  c   [31m; try again");
    }

    #[test]
    fn where_all_were_tried_none_of_them_is_a_remedy() {
        let remedy = Remedy::from("start it").or(keep_in(&[KeychainName::Kernel]));
        let desktop = Error::unavailable(&KeychainName::SecretService, "no bus", remedy);
        assert_eq!(
            desktop.to_string(),
            "the secret-service keychain cannot be used: no bus; start it, or set keychain to kernel \
             and log in again"
        );
        let kernel = Error::failed(&KeychainName::Kernel, "full", keep_elsewhere());
        let error = Error::NothingUsable { tried: vec![desktop, kernel], helpers: Vec::new() };
        assert_eq!(
            error.to_string(),
            "no keychain can be used: secret-service: no bus, start it; kernel: full; \
             helper:NAME: no other docker-credential helper is on PATH"
        );
    }

    #[test]
    fn a_cause_can_be_looked_at() {
        use std::error::Error as _;
        let full = std::io::Error::other("disk full");
        let error = Error::failed(&KeychainName::File, "cannot write", "make room").because(full);
        assert_eq!(error.source().unwrap().to_string(), "disk full");
    }
}
