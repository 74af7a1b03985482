//! What the kernel answers when it does not do what was asked.

use linux_keyutils::KeyError;

use super::quota;
use crate::error::Remedy;
use crate::keychain::error::{Error, keep_in};
use crate::keychain::name::KeychainName;

pub(super) fn failed(why: &str) -> Error {
    Error::failed(&KeychainName::Kernel, why, other())
}

pub(super) fn unavailable(why: &str) -> Error {
    Error::unavailable(&KeychainName::Kernel, why, other())
}

pub(super) fn failure(error: KeyError) -> Error {
    let kernel = &KeychainName::Kernel;
    let why = match error {
        KeyError::QuotaExceeded => {
            let hint =
                "remove a login, or have kernel.keys.maxkeys and kernel.keys.maxbytes raised";
            return Error::failed(kernel, &quota::of_this_user(), hint);
        }
        KeyError::AccessDenied => "access to the user keyring, or to this key, is denied (EACCES)",
        KeyError::PermissionDenied => "keyctl is forbidden here, as in most containers (EPERM)",
        // ENOSYS: no name in linux-keyutils.
        KeyError::Unknown(38) => "this kernel or container has no keyrings (ENOSYS)",
        KeyError::OperationNotSupported => "this kernel has no such keyring (EOPNOTSUPP)",
        error => return Error::failed(kernel, &format!("the kernel answered {error}"), other()),
    };
    unavailable(why)
}

fn other() -> Remedy {
    keep_in(&[KeychainName::File, KeychainName::SecretService])
}
