//! Where the session bus is.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::fault::NAME;
use crate::environment::variable;
use crate::error::Remedy;
use crate::keychain::error::{Error, keep_in};
use crate::keychain::name::KeychainName;

/// The address of the bus as libdbus would find it, except that nothing is launched: without an
/// address libdbus would start `dbus-launch`, and with it a bus that nobody else is on.
pub(super) fn session_bus() -> Result<String, Error> {
    let unavailable = |why| {
        let remedy = Remedy::from("run it in a desktop session");
        Error::unavailable(&NAME, why, remedy.or(keep_in(&[KeychainName::Kernel])))
    };
    let none = || unavailable("there is no D-Bus session bus");
    let address = env::var_os("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default();
    if address.to_string_lossy().starts_with("autolaunch:") {
        return Err(unavailable("DBUS_SESSION_BUS_ADDRESS names no bus"));
    }
    if !address.is_empty() {
        return address.into_string().map_err(|_| none());
    }
    let socket = PathBuf::from(variable("XDG_RUNTIME_DIR").ok_or_else(none)?).join("bus");
    let own = rustix::process::getuid().as_raw();
    match fs::symlink_metadata(&socket) {
        Ok(found) if found.file_type().is_socket() && found.uid() == own => {
            Ok(address_of(socket.as_os_str().as_bytes()))
        }
        _ => Err(none()),
    }
}

/// All but what may be unescaped (D-Bus specification, "Server Addresses").
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'/')
    .remove(b'.')
    .remove(b'\\')
    .remove(b'*');

fn address_of(path: &[u8]) -> String {
    format!("unix:path={}", percent_encode(path, ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped_in_an_address() {
        assert_eq!(address_of(b"/run/user/1000/bus"), "unix:path=/run/user/1000/bus");
        assert_eq!(address_of(b"/a b,c;%/bus"), "unix:path=/a%20b%2Cc%3B%25/bus");
    }
}
