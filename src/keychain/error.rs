//! What can go wrong with a keychain. "Absent" and "could not look" never mix.

use std::time::Duration;

use super::name::KeychainName;

/// Each kind says what the caller does with it; each message is one line without secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keychain was read, and has no such login. `get` says "not found", `erase` is done.
    /// It is the only kind that may become the fixed text of the protocol.
    #[error("no such login in the keychain")]
    Absent,

    /// It is there but locked, and nobody could be asked. An error; exit status 6. Under `auto`,
    /// when the records are missing, it counts as absent.
    #[error("keychain {keychain} is locked; {hint}")]
    Locked {
        /// Which one.
        keychain: KeychainName,
        /// How to unlock it.
        hint: String,
    },

    /// A person was asked to unlock it and did not. An error, and no second prompt for 60 s.
    #[error("keychain {keychain} {}", dismissed(.keychain, .unanswered_for))]
    Dismissed {
        /// Which one.
        keychain: KeychainName,
        /// How long nobody answered; `None` if somebody said no.
        unanswered_for: Option<Duration>,
    },

    /// It cannot be reached here and now. An error; exit status 6. `auto` takes the next one.
    #[error("keychain {keychain} cannot be used: {why}; {hint}")]
    Unavailable {
        /// Which one.
        keychain: KeychainName,
        /// What was seen.
        why: String,
        /// What to start, install or set.
        hint: String,
    },

    /// It has no such login, and another one of its kind, which is out of reach here, may. Of a
    /// recorded login that is an error, exit status 6; without a record it counts as absent.
    #[error("keychain {keychain} cannot be looked into: {why}; {hint}")]
    Elsewhere {
        /// Which one.
        keychain: KeychainName,
        /// Where this process is.
        why: String,
        /// How to have the login here as well.
        hint: String,
    },

    /// `auto` found none. An error; exit status 6.
    #[error("no keychain can be used: {}", each(.tried, .helpers))]
    NothingUsable {
        /// Why not, for each one tried, and what to do about it.
        tried: Vec<Error>,
        /// Helpers on PATH, which `auto` never takes by itself.
        helpers: Vec<String>,
    },

    /// The token does not fit. Nothing was stored or changed: the token is revoked, the user told.
    #[error(
        "keychain {keychain} takes at most {limit} bytes and this login has {size}; \
         set keychain to another one"
    )]
    TooLarge {
        /// Which one.
        keychain: KeychainName,
        /// Bytes that were to be kept.
        size: usize,
        /// Bytes that it keeps.
        limit: usize,
    },

    /// An item is there, and cannot be read as a login. An error, never "absent": logging in again
    /// replaces it.
    #[error("the login in keychain {keychain} cannot be read: {why}; log in again to replace it")]
    Damaged {
        /// Which one.
        keychain: KeychainName,
        /// What is wrong with it, without its content.
        why: String,
    },

    /// It was reached and refused. An error; what it kept before is unchanged.
    #[error("keychain {keychain} failed: {why}; {hint}")]
    Failed {
        /// Which one.
        keychain: KeychainName,
        /// What it answered.
        why: String,
        /// What may help.
        hint: String,
    },
}

fn dismissed(keychain: &KeychainName, unanswered_for: &Option<Duration>) -> String {
    let prompt = match (keychain, unanswered_for) {
        (KeychainName::Helper(name), Some(time)) => {
            let seconds = time.as_secs();
            return format!(
                "cannot be used: no answer within {seconds} s, of {name} or of a person whom it \
                 asked; see that {name} works here"
            );
        }
        (_, None) => "dismissed".to_owned(),
        (_, Some(time)) => format!("not answered within {} s", time.as_secs()),
    };
    format!("stays locked: its prompt was {prompt}; unlock it and try again")
}

/// Every keychain, as short as it can be told.
fn each(tried: &[Error], helpers: &[String]) -> String {
    let mut all = String::new();
    for error in tried {
        let (keychain, why, hint) = match error {
            Error::Locked { keychain, hint } => (keychain, "it is locked", hint),
            Error::Unavailable { keychain, why, hint } | Error::Failed { keychain, why, hint } => {
                (keychain, why.as_str(), hint)
            }
            other => {
                all.push_str(&format!("{other}; "));
                continue;
            }
        };
        // Those that a hint would have one turn to are all on this list.
        let hint = match hint.split("set keychain to ").next().unwrap_or_default() {
            elsewhere if elsewhere.len() < hint.len() => elsewhere.trim_end_matches(", or "),
            hint => hint,
        };
        let comma = if hint.is_empty() { "" } else { ", " };
        all.push_str(&format!("{keychain}: {why}{comma}{hint}; "));
    }
    match helpers {
        [] => all + "helper:NAME: no other docker-credential helper is on PATH",
        names => all + "helper:NAME: set keychain to helper:" + &names.join(" or helper:"),
    }
}

impl Error {
    /// Whether the keychain could not be looked into, as opposed to what was found there.
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

    pub(super) fn failed(keychain: &KeychainName, why: &str, hint: &str) -> Self {
        let (why, hint) = (one_line(why), hint.to_owned());
        Self::Failed { keychain: keychain.clone(), why, hint }
    }

    pub(super) fn damaged(keychain: &KeychainName, why: &str) -> Self {
        Self::Damaged { keychain: keychain.clone(), why: why.to_owned() }
    }

    pub(super) fn unavailable(keychain: &KeychainName, why: &str, hint: &str) -> Self {
        let (why, hint) = (one_line(why), hint.to_owned());
        Self::Unavailable { keychain: keychain.clone(), why, hint }
    }
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
        assert_eq!(error.to_string(), "keychain kernel failed: a b  c   [31m; try again");
    }
}
