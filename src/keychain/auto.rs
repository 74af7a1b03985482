//! `auto`: which keychain a new login goes to, and why.

use super::error::Error;
#[cfg(target_os = "linux")]
use super::error::keep_in;
use super::name::KeychainName;
use super::opened::Keychain;
use super::options::Options;
#[cfg(target_os = "linux")]
use super::secret_service::state::DefaultCollection;
#[cfg(target_os = "linux")]
use crate::error::Remedy;
use crate::external_helper::installed;

/// The helper of the same service as one that was tried.
const TRIED: &str = "secretservice";

/// Chooses the keychain for a new login: the platform's own, or `file` if an age identity is set.
///
/// The text says why, as it is shown in parentheses: "the desktop's keyring is unlocked".
///
/// # Errors
/// [`Error::NothingUsable`] with each one tried, why not, and the setting that would work.
#[cfg(target_os = "linux")]
pub fn choose(profile: &str, options: &Options) -> Result<(Keychain, String), Error> {
    use super::{age_file, kernel, secret_service};

    let state = secret_service::Store::open(options).and_then(|store| {
        let state = store.state()?;
        Ok((store, state))
    });
    let display = secret_service::has_display();
    let desktop = match state {
        Ok((store, state)) => match verdict(state, display && options.may_prompt) {
            Ok(why) => {
                let name = KeychainName::SecretService;
                let keychain = Keychain::with_store(name, profile, Box::new(store));
                return Ok((keychain, why.to_owned()));
            }
            Err(error) => error,
        },
        Err(error) => error,
    };
    let files = age_file::Store::open(options)?;
    let no_identity = match files.identity_set() {
        Ok(source) => {
            let keychain = Keychain::with_store(KeychainName::File, profile, Box::new(files));
            return Ok((keychain, format!("its key is in {source}, and {}", reason(&desktop))));
        }
        Err(_) => {
            let how = Remedy::Run(files.command_for_identity());
            Error::unavailable(&KeychainName::File, "there is no age identity", how)
        }
    };
    match kernel::Store::open() {
        Ok(store) => {
            let keychain = Keychain::with_store(KeychainName::Kernel, profile, Box::new(store));
            Ok((keychain, reason(&desktop)))
        }
        Err(kernel) => Err(nothing_usable(vec![desktop, no_identity, kernel])),
    }
}

/// Takes the system's own keychain; files only where that one cannot be used, and an age identity
/// is set.
///
/// # Errors
/// [`Error::NothingUsable`] with both, why not, and the setting that would work.
#[cfg(not(target_os = "linux"))]
pub fn choose(profile: &str, options: &Options) -> Result<(Keychain, String), Error> {
    let (keychain, error) = match open_own(profile, options) {
        Ok(keychain) => match keychain.check() {
            Err(error) if error.is_out_of_reach() => (Some(keychain), error),
            _ => return Ok((keychain, "it is this system's own".to_owned())),
        },
        Err(error) => (None, error),
    };
    let files = super::age_file::Store::open(options)?;
    match (files.identity_set(), keychain) {
        (Ok(source), _) => {
            let store = Box::new(files);
            let keychain = Keychain::with_store(KeychainName::File, profile, store);
            Ok((keychain, format!("its key is in {source}, and {}", error.fact())))
        }
        // Its own `unlock` asks, or says what to do.
        (Err(_), Some(keychain)) if matches!(error, Error::Locked { .. }) => {
            Ok((keychain, "it is this system's own".to_owned()))
        }
        (Err(no_identity), _) => Err(nothing_usable(vec![error, no_identity])),
    }
}

/// The system's own.
#[cfg(windows)]
fn open_own(profile: &str, options: &Options) -> Result<Keychain, Error> {
    let store = Box::new(super::windows::open(options)?);
    Ok(Keychain::with_store(KeychainName::Windows, profile, store))
}

/// The system's own.
#[cfg(target_os = "macos")]
fn open_own(profile: &str, options: &Options) -> Result<Keychain, Error> {
    let store = Box::new(super::macos::Store::open(options)?);
    Ok(Keychain::with_store(KeychainName::Macos, profile, store))
}

fn nothing_usable(tried: Vec<Error>) -> Error {
    let mut helpers = installed();
    helpers.retain(|name| name != TRIED);
    Error::NothingUsable { tried, helpers }
}

#[cfg(target_os = "linux")]
fn verdict(state: DefaultCollection, can_ask: bool) -> Result<&'static str, Error> {
    let keychain = KeychainName::SecretService;
    match state {
        DefaultCollection::Unlocked => Ok("the desktop's keyring is unlocked"),
        DefaultCollection::Locked if can_ask => Ok("the desktop can ask to unlock its keyring"),
        DefaultCollection::Missing if can_ask => Ok("the desktop can ask to create its keyring"),
        DefaultCollection::Locked => {
            let remedy = Remedy::from("unlock it").or(keep_in(&[KeychainName::Kernel]));
            Err(Error::Locked { keychain, remedy })
        }
        DefaultCollection::Missing => {
            let why = "it has no default collection, and there is no display to create one on";
            Err(Error::unavailable(&keychain, why, keep_in(&[KeychainName::Kernel])))
        }
    }
}

/// Why the desktop's keyring was not chosen, in one phrase.
#[cfg(target_os = "linux")]
fn reason(desktop: &Error) -> String {
    match desktop {
        Error::Locked { .. } | Error::Dismissed { .. } => {
            "the desktop's keyring is locked and nobody can be asked".to_owned()
        }
        Error::Unavailable { why, .. } | Error::Failed { why, .. } => {
            format!("the desktop's keyring cannot be used: {why}")
        }
        other => other.to_string(),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_locked_keyring_is_chosen_only_where_somebody_can_be_asked() {
        use DefaultCollection::{Locked, Missing, Unlocked};
        for (state, can_ask, chosen) in [
            (Unlocked, true, true),
            (Unlocked, false, true),
            (Locked, true, true),
            (Locked, false, false),
            (Missing, true, true),
            (Missing, false, false),
        ] {
            assert_eq!(verdict(state, can_ask).is_ok(), chosen, "{state:?} {can_ask}");
        }
    }
}
