//! Reading the arguments: the options of several commands mean the same before the command as after it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use super::shared::{KeychainOption, ProfileOption};
use super::{Cli, Command};
use crate::keychain::Choice;

impl Cli {
    /// Reads the arguments; `commands` is [`Cli::command`], of which making one more would take as long
    /// as to read them.
    ///
    /// # Errors
    /// They are not understood, or an option before the command means nothing to it.
    pub fn read(
        commands: clap::Command,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let mut matches = commands.try_get_matches_from(arguments).map_err(or_no_password)?;
        let mut cli = Self::from_arg_matches_mut(&mut matches)
            .map_err(|error| error.format(&mut Self::command()))?;
        let (profile, keychain) = cli.command.shared();
        let refused = [
            refuses(profile, |o| &mut o.profile, &mut cli.profile).then_some("--profile"),
            refuses(keychain, |o| &mut o.keychain, &mut cli.keychain).then_some("--keychain"),
        ];
        match refused.into_iter().flatten().next() {
            None => Ok(cli),
            Some(option) => {
                let message = format!("this command does not take the option {option}");
                Err(Self::command().error(ErrorKind::UnknownArgument, message))
            }
        }
    }
}

/// What docker takes as `-p` is seen by other users, and told as that; its value is not repeated.
fn or_no_password(error: clap::Error) -> clap::Error {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name))
            if error.kind() == ErrorKind::UnknownArgument
                && ["-p", "--password"].contains(&name.as_str()) =>
        {
            let message = "a password is not taken as an argument, which other users can see: pipe \
                           it in with --password-stdin";
            Cli::command().error(ErrorKind::UnknownArgument, message)
        }
        _ => error,
    }
}

/// Hands an option from before the command to it, unless it has one of its own; whether it is given and the
/// command takes none.
fn refuses<O, V>(
    own: Option<&mut O>,
    value: impl Fn(&mut O) -> &mut Option<V>,
    before: &mut O,
) -> bool {
    let Some(given) = value(before).take() else { return false };
    match own {
        Some(own) => {
            value(own).get_or_insert(given);
            false
        }
        None => true,
    }
}

impl Command {
    /// The profile that was asked for.
    pub fn profile(&mut self) -> Option<String> {
        self.shared().0.and_then(|option| option.profile.take())
    }

    /// The keychain that was asked for.
    pub fn keychain(&mut self) -> Option<Choice> {
        self.shared().1.and_then(|option| option.keychain.take())
    }

    /// Whether it writes files for clients or for later logins in the home directory.
    pub fn writes(&self) -> bool {
        match self {
            Self::Configure(_) | Self::Unconfigure | Self::Login(_) | Self::Migrate(_) => true,
            Self::Import(import) => import.yes,
            Self::Keygen(keygen) => keygen.install,
            _ => false,
        }
    }

    /// `configure` and `import` keep logins where clients find them, which is the profile of the
    /// settings.
    fn shared(&mut self) -> (Option<&mut ProfileOption>, Option<&mut KeychainOption>) {
        match self {
            Self::Login(own) => (Some(&mut own.profile), Some(&mut own.keychain)),
            Self::Logout(own) => (Some(&mut own.profile), Some(&mut own.keychain)),
            Self::Status(own) => {
                ((!own.all_profiles).then_some(&mut own.profile), Some(&mut own.keychain))
            }
            Self::Doctor(own) => (Some(&mut own.profile), Some(&mut own.keychain)),
            Self::Token(own) => (Some(&mut own.profile), None),
            Self::Revoke(own) => (Some(&mut own.profile), None),
            Self::Migrate(own) => (Some(&mut own.profile), None),
            Self::Configure(own) => (None, Some(&mut own.keychain)),
            Self::Import(own) => (None, Some(&mut own.keychain)),
            Self::Unconfigure | Self::Keygen(_) | Self::Check(_) | Self::Completions(_) => {
                (None, None)
            }
        }
    }
}
