//! What every item of ours has, and what is searched for.

use std::collections::HashMap;

use zeroize::Zeroizing;

use crate::keychain::store::{LoginKey, SERVICE};

/// What others expect of a password; KeePassXC keeps anything else as an attachment.
pub(super) const CONTENT_TYPE: &str = "text/plain";

/// Looks like a slash.
const DIVISION_SLASH: &str = "\u{2215}";

/// What an item tells without its secret.
pub(super) type Attributes = HashMap<String, String>;

/// A token, and what else its item tells.
pub(super) type Secret = (Zeroizing<Vec<u8>>, Attributes);

/// The items of one login, or of all of a profile.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    profile: String,
    key: Option<String>,
}

impl Identity {
    pub(super) fn of(login: &LoginKey) -> Self {
        Self { profile: login.profile.clone(), key: Some(login.key.clone()) }
    }

    pub(super) fn of_profile(profile: &str) -> Self {
        Self { profile: profile.to_owned(), key: None }
    }

    pub(super) fn is_of_profile(&self) -> bool {
        self.key.is_none()
    }

    pub(super) fn attributes(&self) -> HashMap<&str, &str> {
        let mut attributes =
            HashMap::from([("service", SERVICE), ("target", self.profile.as_str())]);
        attributes.extend(self.key.as_deref().map(|key| ("username", key)));
        attributes
    }

    /// Equality, of all: services match by prefix, or ignore what they do not know. What a
    /// service adds is ignored.
    pub(super) fn is_of(&self, found: &Attributes) -> bool {
        let wanted = self.attributes();
        wanted.iter().all(|(name, value)| found.get(*name).is_some_and(|found| found == value))
            && found.contains_key("username")
    }

    /// What the desktop's own tool shows. KWallet makes a folder of what stands before a slash, and
    /// takes a number between underscores at the end for its own, which tells namesakes apart.
    pub(super) fn label(&self, account: &str) -> String {
        let key = self.key.as_deref().unwrap_or_default();
        let account = if account.is_empty() { String::new() } else { format!(" ({account})") };
        let label = format!("{SERVICE}: {key}{account}").replace('/', DIVISION_SLASH);
        if label.ends_with('_') { label + "." } else { label }
    }
}
