//! What the kernel answers when it does not do what was asked.

use linux_keyutils::KeyError;

use super::quota;
use crate::keychain::error::Error;
use crate::keychain::name::KeychainName;

pub(super) const OTHER: &str = "set keychain to another one, such as file or secret-service";

pub(super) fn unavailable(why: &str) -> Error {
    Error::unavailable(&KeychainName::Kernel, why, OTHER)
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
        error => return Error::failed(kernel, &format!("the kernel answered {error}"), OTHER),
    };
    unavailable(why)
}
