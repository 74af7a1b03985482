//! Where refresh tokens are kept: [`Store`] is what each keychain can do, [`Keychain`] how the rest of
//! the program uses one, [`choose`] which one a new login goes to.

mod age_file;
mod auto;
mod error;
mod external;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(any(target_os = "macos", windows, test))]
mod keyring;
#[cfg(any(target_os = "macos", test))]
mod macos;
mod name;
mod opened;
mod options;
#[cfg(any(target_os = "linux", target_os = "macos", test))]
mod payload;
#[cfg(target_os = "linux")]
mod secret_service;
mod store;
#[cfg(any(windows, test))]
mod windows;

pub use age_file::{identity_file, install_identity, new_identity};
pub use auto::choose;
pub use error::Error;
pub(crate) use external::entry as external_entry;
pub use name::{Choice, KeychainName, UnknownKeychain};
pub use opened::Keychain;
pub use options::Options;
#[cfg(all(target_os = "linux", fuzzing))]
pub use secret_service::fuzzing as secret_service_answers;
pub use store::{DEFAULT_PROFILE, Item, Lifetime, Listed, Listing, LoginKey, SERVICE, Store};

use crate::error::Remedy;

impl Keychain {
    /// Opens a keychain without a prompt; cheap enough for every `get`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not there or not available on this system.
    pub fn open(name: &KeychainName, profile: &str, options: &Options) -> Result<Self, Error> {
        let store: Box<dyn Store> = match name {
            #[cfg(target_os = "linux")]
            KeychainName::SecretService => Box::new(secret_service::Store::open(options)?),
            #[cfg(target_os = "linux")]
            KeychainName::Kernel => Box::new(kernel::Store::open()?),
            #[cfg(windows)]
            KeychainName::Windows => Box::new(windows::open(options)?),
            #[cfg(target_os = "macos")]
            KeychainName::Macos => Box::new(macos::Store::open(options)?),
            KeychainName::File => Box::new(age_file::Store::open(options)?),
            KeychainName::Helper(name) => Box::new(external::Store::open(name, options)?),
            #[cfg(not(target_os = "linux"))]
            KeychainName::SecretService | KeychainName::Kernel => return Err(not_here(name)),
            #[cfg(not(windows))]
            KeychainName::Windows => return Err(not_here(name)),
            #[cfg(not(target_os = "macos"))]
            KeychainName::Macos => return Err(not_here(name)),
        };
        Ok(Self::with_store(name.clone(), profile, store))
    }
}

fn not_here(name: &KeychainName) -> Error {
    let auto = Remedy::SetKeychain(vec![Choice::Auto.to_string()]);
    Error::unavailable(name, "it is not available on this system", auto)
}
