//! What an error of Windows means.

use crate::keychain::error::{Error, keep_in};
use crate::keychain::keyring::Failure;
use crate::keychain::name::KeychainName;

/// The ready-made store tells only two codes by kind, and the others by its text.
pub(super) fn explain(failure: Failure) -> Error {
    let unavailable = |why| {
        let file = keep_in(&[KeychainName::File]);
        let remedy = file.or("log in at the machine's own desktop".into());
        Error::unavailable(&KeychainName::Windows, why, remedy)
    };
    let code = |text: &str| text.strip_prefix("Windows error code ")?.parse::<u32>().ok();
    match &failure {
        Failure::NoAccess(_) => unavailable(
            "this session has no credentials, as over SSH or the network and in some services, or \
             a policy forbids keeping them (ERROR_NO_SUCH_LOGON_SESSION)",
        ),
        Failure::Platform(cause) => match code(&cause.to_string()) {
            Some(5) => unavailable("access to it is denied (ERROR_ACCESS_DENIED)"),
            Some(1722 | 1723 | 1726 | 1727) => {
                unavailable("it does not answer (RPC_S_SERVER_UNAVAILABLE)")
            }
            _ => failure.into_error(&KeychainName::Windows),
        },
        _ => failure.into_error(&KeychainName::Windows),
    }
}

pub(super) fn failed(why: &str, hint: &str) -> Error {
    Error::failed(&KeychainName::Windows, why, hint)
}

pub(super) fn damaged(why: &str) -> Error {
    Error::damaged(&KeychainName::Windows, why)
}

pub(super) fn not_ours() -> Error {
    damaged("this program did not write it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_found_is_absent() {
        let failure = |text: &str| Failure::Platform(text.into());
        let session = Failure::NoAccess("Windows ERROR_NO_SUCH_LOGON_SESSION".into());
        for (told, out_of_reach, text) in [
            (session, true, "this session has no credentials, as over SSH"),
            (failure("Windows error code 5"), true, "access to it is denied"),
            (failure("Windows error code 1722"), true, "does not answer"),
            (failure("Windows error code 8"), false, "Windows error code 8; try again"),
            (failure("Windows ERROR_INVALID_PARAMETER"), false, "ERROR_INVALID_PARAMETER"),
        ] {
            let error = explain(told);
            assert_eq!(error.is_out_of_reach(), out_of_reach, "{error}");
            assert!(!matches!(error, Error::Absent) && error.to_string().contains(text), "{error}");
        }
        assert!(matches!(explain(Failure::Absent), Error::Absent));
    }
}
