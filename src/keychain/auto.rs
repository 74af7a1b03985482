//! `auto`: which keychain a new login goes to, and why.

use super::{Error, Keychain, KeychainName, Options};

/// Takes the platform's own keychain, or files if an age identity is set; decided now, for a
/// `store`.
///
/// The text is the reason, to end a sentence such as "using secret-service because …".
///
/// # Errors
/// [`Error::NothingUsable`] with each one tried, why not, and the setting that would work.
#[cfg(target_os = "linux")]
pub fn choose(profile: &str, options: &Options) -> Result<(Keychain, String), Error> {
    use super::{age_file, kernel, secret_service};
    use std::sync::Arc;

    let state = secret_service::Store::open(options).and_then(|store| {
        let state = store.state()?;
        Ok((store, state))
    });
    let display = secret_service::has_display();
    let desktop = match state {
        Ok((store, state)) => match verdict(state, display && options.may_prompt) {
            Ok(why) => {
                let name = KeychainName::SecretService;
                let keychain = Keychain::with_store(name, profile, Arc::new(store));
                return Ok((keychain, why.to_owned()));
            }
            Err(error) => error,
        },
        Err(error) => error,
    };
    let files = age_file::Store::open(options)?;
    let no_identity = match files.identity_set() {
        Ok(source) => {
            let keychain = Keychain::with_store(KeychainName::File, profile, Arc::new(files));
            return Ok((keychain, format!("{source} is set, and {}", reason(&desktop))));
        }
        Err(error) => error,
    };
    match kernel::Store::open() {
        Ok(store) => {
            let keychain = Keychain::with_store(KeychainName::Kernel, profile, Arc::new(store));
            Ok((keychain, reason(&desktop)))
        }
        Err(kernel) => Err(Error::NothingUsable { tried: vec![desktop, no_identity, kernel] }),
    }
}

/// Takes files if an age identity is set; the platform's own keychain joins in a later version.
///
/// # Errors
/// [`Error::NothingUsable`] without an age identity.
#[cfg(not(target_os = "linux"))]
pub fn choose(profile: &str, options: &Options) -> Result<(Keychain, String), Error> {
    let files = super::age_file::Store::open(options)?;
    if let Ok(source) = files.identity_set() {
        let store = std::sync::Arc::new(files);
        let keychain = Keychain::with_store(KeychainName::File, profile, store);
        return Ok((keychain, format!("{source} is set")));
    }
    let own = if cfg!(windows) { KeychainName::Windows } else { KeychainName::Macos };
    Keychain::open(&own, profile, options)
        .map(|keychain| (keychain, "it is this system's own".to_owned()))
        .map_err(|error| Error::NothingUsable { tried: vec![error] })
}

/// What stands behind the alias `default`, where new items go.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultCollection {
    /// Items can be created at once.
    Unlocked,
    /// A person, or the service on its own, may unlock it.
    Locked,
    /// GNOME Keyring has none until somebody logs in at the desktop, or chooses a password.
    Missing,
}

#[cfg(target_os = "linux")]
fn verdict(state: DefaultCollection, can_ask: bool) -> Result<&'static str, Error> {
    let keychain = KeychainName::SecretService;
    match state {
        DefaultCollection::Unlocked => Ok("the desktop's keyring is unlocked"),
        DefaultCollection::Locked if can_ask => Ok("the desktop can ask to unlock its keyring"),
        DefaultCollection::Missing if can_ask => Ok("the desktop can ask to create its keyring"),
        DefaultCollection::Locked => {
            let hint = "unlock it, or set keychain to kernel and log in again".to_owned();
            Err(Error::Locked { keychain, hint })
        }
        DefaultCollection::Missing => {
            let why = "it has no default collection, and there is no display to create one on";
            Err(Error::unavailable(&keychain, why, "set keychain to kernel"))
        }
    }
}

/// Why not the desktop's keyring, in one phrase.
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
