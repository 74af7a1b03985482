//! What to do about an error, as a value: put into words here alone, so that nobody has to read a
//! text to know what it advises.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::environment::{PREFIX, PROGRAM};
use crate::text::shell_word;

/// What a person can do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Log in again: what was stored is gone or useless.
    LogInAgain,
    /// Log in with this command.
    LogInWith(String),
    /// The same again, now.
    TryAgain,
    /// The same again, later.
    TryAgainLater,
    /// Only the operator of the registry can mend it.
    TellOperator,
    /// The registry's own pages revoke the token, and nothing here can.
    RevokeThere,
    /// Store new logins in one of these keychains; in any other one, if none is named.
    SetKeychain(Vec<String>),
    /// Change a setting or an environment variable.
    Set(Box<Setting>),
    /// A command to run.
    Run(String),
    /// What is none of these, in words.
    Text(String),
    /// This, for the purpose or under the condition named first.
    For(String, Box<Self>),
    /// Any one of these.
    AnyOf(Vec<Self>),
    /// Each of these.
    Each(Vec<Self>),
}

impl Remedy {
    /// What works at a registry is what `check` tells.
    #[must_use]
    pub fn see_check(registry: &str) -> Self {
        let command = format!("{PROGRAM} check {}", shell_word(registry));
        Self::Run(command).when("to see what works there")
    }

    /// This, or else that.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::AnyOf(mut remedies) => {
                remedies.push(other);
                Self::AnyOf(remedies)
            }
            one => Self::AnyOf(vec![one, other]),
        }
    }

    /// This, and that as well.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::Each(mut remedies) => {
                remedies.push(other);
                Self::Each(remedies)
            }
            one => Self::Each(vec![one, other]),
        }
    }

    /// This, with what it is good for: "to finish later", "if you trust it".
    #[must_use]
    pub fn when(self, purpose: impl Into<String>) -> Self {
        Self::For(purpose.into(), Box::new(self))
    }

    /// Each remedy in it replaced by another one, or left out; none if nothing is left.
    pub fn map(self, change: &impl Fn(Self) -> Option<Self>) -> Option<Self> {
        let all = |remedies: Vec<Self>, join: fn(Self, Self) -> Self| {
            remedies.into_iter().filter_map(|one| one.map(change)).reduce(join)
        };
        match self {
            Self::AnyOf(remedies) => all(remedies, Self::or),
            Self::Each(remedies) => all(remedies, Self::and),
            Self::For(purpose, remedy) => remedy.map(change).map(|remedy| remedy.when(purpose)),
            one => change(one),
        }
    }

    /// What is left without the advice to set another keychain; none if that was all.
    pub fn without_keychains(self) -> Option<Self> {
        self.map(&|one| (!matches!(one, Self::SetKeychain(_))).then_some(one))
    }
}

impl From<&str> for Remedy {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Setting> for Remedy {
    fn from(setting: Setting) -> Self {
        Self::Set(Box::new(setting))
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |remedies: &[Self], separator| {
            let all: Vec<_> = remedies.iter().map(ToString::to_string).collect();
            all.join(separator)
        };
        match self {
            Self::LogInAgain => f.write_str("log in again"),
            Self::LogInWith(command) => write!(f, "log in with: {command}"),
            Self::TryAgain => f.write_str("try again"),
            Self::TryAgainLater => f.write_str("try again later"),
            Self::TellOperator => f.write_str("tell the operator of the registry"),
            Self::RevokeThere => f.write_str("revoke it at the registry"),
            Self::SetKeychain(names) if names.is_empty() => {
                f.write_str("set keychain to another one and log in again")
            }
            Self::SetKeychain(names) => {
                write!(f, "set keychain to {} and log in again", names.join(" or "))
            }
            Self::Set(setting) => setting.fmt(f),
            Self::Run(command) => write!(f, "run: {command}"),
            Self::Text(text) => f.write_str(text),
            Self::For(purpose, remedy) => write!(f, "{purpose}, {remedy}"),
            Self::AnyOf(remedies) => f.write_str(&joined(remedies, ", or ")),
            Self::Each(remedies) => f.write_str(&joined(remedies, "; ")),
        }
    }
}

/// A setting to change, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    line: String,
    registry: Option<String>,
    file: Option<PathBuf>,
    variable: Option<String>,
}

impl Setting {
    /// By its name, alone or as the line of `config.toml`; or a variable that is not ours.
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), registry: None, file: None, variable: None }
    }

    /// For this registry only.
    #[must_use]
    pub fn of_registry(mut self, key: &str) -> Self {
        self.registry = Some(key.to_owned());
        self
    }

    /// In this file.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// Or by the variable of ours that is called so after its prefix.
    #[must_use]
    pub fn or_variable(mut self, assignment: impl Into<String>) -> Self {
        self.variable = Some(assignment.into());
        self
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {}", self.line)?;
        if let Some(key) = &self.registry {
            write!(f, " under [registry.\"{key}\"]")?;
        }
        if let Some(file) = &self.file {
            write!(f, " in {}", file.display())?;
        }
        self.variable.as_ref().map_or(Ok(()), |variable| write!(f, " or {PREFIX}{variable}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_says_where_it_is_set() {
        let setting = Setting::new("insecure = true");
        assert_eq!(setting.to_string(), "set insecure = true");
        let setting = setting.of_registry("h:5000").in_file(Path::new("/c/config.toml"));
        assert_eq!(
            setting.or_variable("INSECURE=h:5000").to_string(),
            "set insecure = true under [registry.\"h:5000\"] in /c/config.toml or \
             DOCKER_CREDENTIAL_REFRESH_INSECURE=h:5000"
        );
    }

    #[test]
    fn remedies_are_joined_and_taken_apart() {
        let other = Remedy::SetKeychain(Vec::new());
        let finish = Remedy::Run("x".to_owned()).when("to finish later");
        let all = Remedy::from("unlock it").or(other.clone()).and(finish);
        assert_eq!(
            all.to_string(),
            "unlock it, or set keychain to another one and log in again; to finish later, run: x"
        );
        let left = all.without_keychains().map(|left| left.to_string());
        assert_eq!(left.as_deref(), Some("unlock it; to finish later, run: x"));
        assert_eq!(other.when("to store it").without_keychains(), None);
    }
}
