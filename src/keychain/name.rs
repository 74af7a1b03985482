//! The names of keychains, as settings, records and messages write them.

use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::external_helper::{BadName, HelperName, HelperProgram};

const HELPER: &str = "helper:";

/// One kind of keychain. A login record remembers it, so names outlive versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeychainName {
    /// `secret-service`: GNOME Keyring, KWallet, KeePassXC, over D-Bus.
    SecretService,
    /// `kernel`: the Linux kernel keyring.
    Kernel,
    /// `macos`: Keychain.
    Macos,
    /// `windows`: Credential Manager.
    Windows,
    /// `file`: age-encrypted files.
    File,
    /// `helper:NAME`: another `docker-credential-NAME`.
    Helper(HelperName),
}

/// The `keychain` setting: where new logins go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// `auto`: decided at each `store`, by [`choose`](super::choose).
    #[default]
    Auto,
    /// This one, or an error.
    Named(KeychainName),
}

/// The text is not the name of a keychain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownKeychain {
    /// None of the known names. The text itself is left out: it may be anything.
    #[error("does not name a keychain; set it to {}", Self::known())]
    Name,
    /// `helper:` with an invalid name.
    #[error("{0}")]
    Helper(BadName),
}

impl UnknownKeychain {
    fn known() -> String {
        let names = KeychainName::of_this_system();
        let names = names.iter().fold("auto".to_owned(), |all, name| format!("{all}, {name}"));
        names + ", helper:NAME"
    }
}

impl KeychainName {
    /// Whether both are one helper: a file may have two names on PATH.
    pub fn is_same_program(&self, other: &Self) -> bool {
        let path = |name: &Self| match name {
            Self::Helper(name) => HelperProgram::find(name).ok()?.path().canonicalize().ok(),
            _ => None,
        };
        path(self).is_some_and(|own| path(other) == Some(own))
    }

    /// The keychains that a login may be in here, in the order in which they are searched.
    pub fn of_this_system() -> Vec<Self> {
        Self::with_fixed_names().filter(Self::is_of_this_system).collect()
    }

    fn is_of_this_system(&self) -> bool {
        match self {
            Self::SecretService | Self::Kernel => cfg!(target_os = "linux"),
            Self::Macos => cfg!(not(any(target_os = "linux", windows))),
            Self::Windows => cfg!(windows),
            Self::File | Self::Helper(_) => true,
        }
    }

    /// All but the helpers. Each names the next: a new variant needs an arm of its own, which the
    /// compiler asks for, and another that names it. Where `auto` stores is in [`choose`](super::choose).
    fn with_fixed_names() -> impl Iterator<Item = Self> {
        iter::successors(Some(Self::SecretService), |name| match name {
            Self::SecretService => Some(Self::Macos),
            Self::Macos => Some(Self::Windows),
            Self::Windows => Some(Self::File),
            Self::File => Some(Self::Kernel),
            Self::Kernel | Self::Helper(_) => None,
        })
    }

    /// The whole name, or what a helper's begins with.
    fn kind(&self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::Kernel => "kernel",
            Self::Macos => "macos",
            Self::Windows => "windows",
            Self::File => "file",
            Self::Helper(_) => HELPER,
        }
    }
}

impl fmt::Display for KeychainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Helper(name) => f.write_str(name.as_str()),
            _ => Ok(()),
        }
    }
}

impl FromStr for KeychainName {
    type Err = UnknownKeychain;

    fn from_str(text: &str) -> Result<Self, UnknownKeychain> {
        if let Some(name) = text.strip_prefix(HELPER) {
            return name.parse().map(Self::Helper).map_err(UnknownKeychain::Helper);
        }
        Self::with_fixed_names().find(|name| name.kind() == text).ok_or(UnknownKeychain::Name)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl FromStr for Choice {
    type Err = UnknownKeychain;

    fn from_str(text: &str) -> Result<Self, UnknownKeychain> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Named) }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
as_text!(KeychainName);
as_text!(Choice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for text in ["secret-service", "kernel", "macos", "windows", "file", "helper:pass", "auto"]
        {
            let choice: Choice = text.parse().unwrap();
            assert_eq!(choice.to_string(), text);
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Choice>(&json).unwrap(), choice);
        }
        assert!("auto".parse::<KeychainName>().is_err());
    }

    #[test]
    fn another_program_cannot_be_named_as_helper() {
        for name in ["", "../x", "-x", ".x", "a/b", "a b", "A", "x\0", "é", "pass\n"] {
            let refused = format!("helper:{name}").parse::<KeychainName>();
            assert_eq!(refused, Err(UnknownKeychain::Helper(BadName::Characters)), "{name:?}");
        }
        let itself = "helper:refresh".parse::<KeychainName>();
        assert_eq!(itself, Err(UnknownKeychain::Helper(BadName::Itself)));
        assert_eq!("Kernel".parse::<KeychainName>(), Err(UnknownKeychain::Name));
    }
}
