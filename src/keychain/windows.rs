//! The `windows` keychain: generic credentials in Windows' Credential Manager, for this user on
//! this machine. Its own tools (`cmdkey /list`, the control panel) show them as
//! `docker-credential-refresh:PROFILE:KEY`, with the account as user name.
//!
//! One credential holds 2,560 bytes: [`chunked`](super::chunked) splits longer logins.

use super::{Error, KeychainName};

/// Opens it; nothing is read yet.
#[cfg(windows)]
pub(super) fn open(options: &super::Options) -> Result<super::chunked::Store, Error> {
    use std::collections::HashMap;

    use directories::ProjectDirs;
    use windows_native_keyring_store::Store;

    const LOCK_NAME: &str = "credential-manager.lock";
    /// How many operations of others a writer waits for.
    const WRITERS: u32 = 6;

    let directories = ProjectDirs::from("", "", super::SERVICE).ok_or_else(|| {
        let hint = "set USERPROFILE to one";
        Error::unavailable(&KeychainName::Windows, "there is no home directory", hint)
    })?;
    // As `chunked` puts the names together again that a search finds.
    let names = HashMap::from([("prefix", "docker-credential-refresh:"), ("divider", ":")]);
    let store = Store::new_with_configuration(&names).map_err(explain)?;
    let lock = directories.data_local_dir().join(LOCK_NAME);
    Ok(super::chunked::Store::over(store, explain, lock, options.deadline * WRITERS))
}

/// What Windows answered. The store tells only two codes by kind, and the others by its text.
fn explain(error: keyring_core::Error) -> Error {
    let unavailable = |why, hint| Error::unavailable(&KeychainName::Windows, why, hint);
    let file = "set keychain to file, or log in at the machine's own desktop";
    let code = |text: &str| text.strip_prefix("Windows error code ")?.parse::<u32>().ok();
    match &error {
        keyring_core::Error::NoStorageAccess(_) => unavailable(
            "this session has no credentials, as over SSH or the network and in some services, or \
             a policy forbids to keep them (ERROR_NO_SUCH_LOGON_SESSION)",
            file,
        ),
        keyring_core::Error::PlatformFailure(cause) => match code(&cause.to_string()) {
            Some(5) => unavailable("access to it is denied (ERROR_ACCESS_DENIED)", file),
            Some(1722 | 1723 | 1726 | 1727) => {
                unavailable("it does not answer (RPC_S_SERVER_UNAVAILABLE)", file)
            }
            _ => Error::from_keyring(error, &KeychainName::Windows),
        },
        _ => Error::from_keyring(error, &KeychainName::Windows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::Error as Told;

    #[test]
    fn only_what_was_not_found_is_absent() {
        let failure = |text: &str| Told::PlatformFailure(text.into());
        let session = Told::NoStorageAccess("Windows ERROR_NO_SUCH_LOGON_SESSION".into());
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
        assert!(matches!(explain(Told::NoEntry), Error::Absent));
    }
}
