//! What a result code of the Security framework (`OSStatus`) means.

use crate::error::Remedy;
use crate::keychain::error::{Error, keep_in};
use crate::keychain::keyring::Failure;
use crate::keychain::name::KeychainName;

pub(super) const NAME: KeychainName = KeychainName::Macos;

/// Codes of Security/SecBase.h, by their names there.
pub(super) const USER_CANCELED: i32 = -128;
pub(super) const NOT_AVAILABLE: i32 = -25291;
pub(super) const AUTH_FAILED: i32 = -25293;
pub(super) const NO_SUCH_KEYCHAIN: i32 = -25294;
pub(super) const INVALID_KEYCHAIN: i32 = -25295;
pub(super) const DUPLICATE_ITEM: i32 = -25299;
pub(super) const ITEM_NOT_FOUND: i32 = -25300;
pub(super) const NO_DEFAULT_KEYCHAIN: i32 = -25307;
pub(super) const INTERACTION_NOT_ALLOWED: i32 = -25308;
pub(super) const INTERACTION_REQUIRED: i32 = -25315;
pub(super) const IN_DARK_WAKE: i32 = -25320;

/// What a store answered, told by its code where it has one.
pub(super) fn explain(
    failure: Failure,
    code: impl FnOnce(&Failure) -> Option<i32>,
    asked: bool,
) -> Error {
    match (code(&failure), &failure) {
        (Some(code), Failure::NoAccess(cause) | Failure::Platform(cause)) => {
            error(code, &cause.to_string(), asked)
        }
        _ => failure.into_error(&NAME),
    }
}

/// The error for a code; `text` is the system's own for it, and `asked` whether it could show a
/// window.
fn error(code: i32, text: &str, asked: bool) -> Error {
    let why = format!("{} (OSStatus {code})", text.trim().trim_end_matches('.'));
    match code {
        ITEM_NOT_FOUND => Error::Absent,
        USER_CANCELED => dismissed(),
        // A wrong password three times, or "Deny"; where no window may be shown, a locked keychain.
        AUTH_FAILED if asked => dismissed(),
        // A window is needed, and there is no desktop to show it on: over SSH, in a daemon.
        AUTH_FAILED | INTERACTION_NOT_ALLOWED | INTERACTION_REQUIRED | IN_DARK_WAKE => {
            let remedy = or_file(Remedy::Run("security unlock-keychain".to_owned()));
            Error::Locked { keychain: NAME, remedy }
        }
        NOT_AVAILABLE | NO_SUCH_KEYCHAIN | INVALID_KEYCHAIN | NO_DEFAULT_KEYCHAIN => {
            Error::unavailable(&NAME, &why, keep_in(&[KeychainName::File]))
        }
        // It was not found because it may not be read; see `put` in macos.rs.
        DUPLICATE_ITEM => {
            let why = "macOS does not let this program change the item that is there";
            let hint = "allow it when macOS asks, or delete the item in Keychain Access";
            Error::failed(&NAME, why, hint)
        }
        _ => Error::failed(&NAME, &why, or_file(Remedy::TryAgain)),
    }
}

fn or_file(first: Remedy) -> Remedy {
    first.or(keep_in(&[KeychainName::File]))
}

fn dismissed() -> Error {
    Error::Dismissed { keychain: NAME, unanswered_for: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_item_that_was_not_found_is_absent() {
        assert!(matches!(error(ITEM_NOT_FOUND, "", true), Error::Absent));
        for code in (-35_000..=200).filter(|&code| code != ITEM_NOT_FOUND) {
            for asked in [true, false] {
                assert!(!matches!(error(code, "x", asked), Error::Absent), "{code}");
            }
        }
    }

    #[test]
    fn a_keychain_that_cannot_ask_over_ssh_names_the_command_that_unlocks_it() {
        for (code, asked) in [
            (INTERACTION_NOT_ALLOWED, true),
            (INTERACTION_NOT_ALLOWED, false),
            (INTERACTION_REQUIRED, true),
            (IN_DARK_WAKE, true),
            (AUTH_FAILED, false),
        ] {
            let error = error(code, "User interaction is not allowed.", asked);
            assert!(matches!(error, Error::Locked { .. }), "{code}: {error}");
            assert_eq!(
                error.to_string(),
                "the macos keychain is locked; run: security unlock-keychain, \
                 or set keychain to file and log in again"
            );
        }
    }

    #[test]
    fn who_says_no_is_not_asked_again_at_once() {
        for code in [USER_CANCELED, AUTH_FAILED] {
            let error = error(code, "x", true);
            assert!(matches!(error, Error::Dismissed { unanswered_for: None, .. }), "{code}");
        }
    }

    #[test]
    fn a_keychain_that_is_not_there_is_out_of_reach() {
        for code in [NOT_AVAILABLE, NO_SUCH_KEYCHAIN, INVALID_KEYCHAIN, NO_DEFAULT_KEYCHAIN] {
            let error = error(code, "A default keychain could not be found.", true);
            assert_eq!(
                error.to_string(),
                format!(
                    "the macos keychain cannot be used: A default keychain could not be found \
                     (OSStatus {code}); set keychain to file and log in again"
                )
            );
        }
    }

    #[test]
    fn any_other_code_is_a_failure_that_names_it() {
        let error = error(-25292, "This keychain cannot be modified.", true);
        assert!(matches!(error, Error::Failed { .. }));
        assert!(error.to_string().contains("cannot be modified (OSStatus -25292)"), "{error}");
    }
}
