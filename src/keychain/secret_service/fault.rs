//! What a Secret Service answers when it does not do what was asked.

use std::time::Duration;

use dbus_secret_service::Error as ServiceError;

use crate::error::Remedy;
use crate::keychain::error::{Error, keep_in};
use crate::keychain::name::KeychainName;

pub(super) const NAME: KeychainName = KeychainName::SecretService;

/// Where a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// At the bus, or when the service opened its session.
    Connect,
}

/// A failure, as far as the steps of one operation need to tell them apart.
#[derive(Debug)]
pub(super) enum Fault {
    /// Searched, and nothing of ours is there.
    Absent,
    /// Nothing of ours is there, and it may be in a database that KeePassXC has not open.
    Elsewhere,
    /// Locked, and it cannot be unlocked.
    Locked,
    /// Somebody said no, or nobody answered for so long.
    Dismissed(Option<Duration>),
    /// The object went away between two calls: look again.
    Vanished,
    /// The connection or the service went away, or was silent: try once more.
    Gone(String),
    /// No program offers the service.
    NoService(String),
    /// No alias `default`, and no way to create one.
    NoDefault,
    /// Not within this time.
    Silent(Duration),
    /// An answer that makes no sense.
    Odd(&'static str),
    /// Anything else, in the words of the service.
    Failed(String),
}

impl From<ServiceError> for Fault {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Locked => Self::Locked,
            ServiceError::NoResult => Self::NoDefault,
            ServiceError::Prompt => Self::Locked,
            ServiceError::Unavailable => Self::NoService("no program provides it".to_owned()),
            ServiceError::Dbus(error) => {
                let text = error.message().unwrap_or_default().to_owned();
                Self::of_name(error.name().unwrap_or_default(), text)
            }
            // In one exchange of some hundred KWallet derives another key than we do.
            ServiceError::Crypto(_) => Self::Gone("its encrypted session fails".to_owned()),
            ServiceError::Parse | ServiceError::UnsupportedSecretFormat => {
                Self::Odd("its answer cannot be read")
            }
            // `Path` alone is left; the type is non-exhaustive.
            _ => Self::Odd("its answer has a bad path"),
        }
    }
}

impl Fault {
    fn of_name(name: &str, text: String) -> Self {
        let (space, kind) = name.rsplit_once('.').unwrap_or_default();
        match (space, kind) {
            ("org.freedesktop.Secret.Error", "IsLocked") => Self::Locked,
            ("org.freedesktop.Secret.Error", "NoSuchObject")
            | ("org.freedesktop.DBus.Error", "UnknownObject" | "UnknownMethod")
            | ("org.qtproject.QtDBus.Error", "InvalidObjectPath") => Self::Vanished,
            ("org.freedesktop.Secret.Error", "NoSession")
            // KWallet about our public key, if that begins with a zero byte.
            | ("org.freedesktop.DBus.Error", "InvalidArgs")
            | (
                "org.freedesktop.DBus.Error",
                "NoReply" | "Timeout" | "TimedOut" | "Disconnected" | "NameHasNoOwner",
            ) => Self::Gone(text),
            ("org.freedesktop.DBus.Error", "ServiceUnknown") => Self::NoService(text),
            (space, _) if space.starts_with("org.freedesktop.DBus.Error.Spawn") => {
                Self::NoService(text)
            }
            _ if text.is_empty() => Self::Failed(name.to_owned()),
            _ => Self::Failed(text),
        }
    }

    /// An error of the bus itself, while connecting, is never more than "cannot be reached".
    pub(super) fn at(self, step: Step) -> Self {
        match (step, self) {
            (Step::Connect, Self::Failed(text)) => Self::NoService(text),
            (Step::Connect, Self::Vanished) => {
                Self::NoService("it is not a Secret Service".to_owned())
            }
            (_, fault) => fault,
        }
    }

    /// A prompt that ended without an unlocked keyring. The library does not tell a "no" from no
    /// answer, but it waits in steps of a second: time tells.
    pub(super) fn of_prompt(waited: Duration, limit: Option<Duration>, display: bool) -> Self {
        match limit {
            // GNOME Keyring says "dismissed" at once where it finds no display.
            Some(limit) if display => {
                let unanswered = waited + Duration::from_secs(2) > limit;
                Self::Dismissed(unanswered.then_some(limit))
            }
            _ => Self::Locked,
        }
    }

    /// Whether a second attempt, on a new connection, may succeed.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Vanished)
    }

    /// What the caller is told.
    pub(super) fn into_error(self, display: bool) -> Error {
        let or_kernel = |first: Remedy| first.or(keep_in(&[KeychainName::Kernel]));
        let start = || or_kernel("start the desktop's keyring".into());
        match self {
            Self::Absent => Error::Absent,
            Self::Elsewhere => Error::Elsewhere {
                keychain: NAME,
                why: "no open KeePassXC database has the login".to_owned(),
                remedy: Remedy::from("open the one that has it").or(Remedy::LogInAgain),
            },
            Self::Locked => {
                let remedy = if display {
                    "unlock the desktop's keyring and try again".into()
                } else {
                    or_kernel("there is no display to ask on: unlock the desktop's keyring".into())
                };
                Error::Locked { keychain: NAME, remedy }
            }
            Self::Dismissed(unanswered_for) => Error::Dismissed { keychain: NAME, unanswered_for },
            Self::Vanished => {
                let hint = Remedy::TryAgain.when("another program is changing it at the same time");
                Error::failed(&NAME, "the item disappeared", hint)
            }
            Self::Gone(text) => {
                let why = format!("the service does not answer ({text})");
                Error::unavailable(&NAME, &why, start())
            }
            Self::NoService(text) => Error::unavailable(&NAME, &text, start()),
            Self::NoDefault => {
                let remedy = or_kernel("create one with the desktop's keyring tool".into());
                Error::unavailable(&NAME, "it has no default collection", remedy)
            }
            Self::Silent(time) => {
                let why = format!("the service did not answer within {} s", time.as_secs());
                Error::unavailable(&NAME, &why, start())
            }
            Self::Odd(why) => {
                Error::failed(&NAME, why, or_kernel("restart the desktop's keyring".into()))
            }
            Self::Failed(why) => Error::failed(&NAME, &why, or_kernel(Remedy::TryAgain)),
        }
    }
}
