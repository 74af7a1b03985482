//! Credential Manager, as far as it is used here: a secret and a username under a name.

use zeroize::Zeroizing;

use super::name::PREFIX;
use super::told::explain;
use crate::keychain::error::Error;
use crate::keychain::keyring::{Failure, Ready, ReadyItem};
use crate::keychain::store::SERVICE;

/// What shows a credential's username.
const USER: &str = "username";

/// A trait for the tests: the real one needs Windows.
pub(super) trait Credentials: Send + Sync {
    fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error>;
    fn write(&self, name: &str, secret: &[u8]) -> Result<(), Error>;
    fn remove(&self, name: &str) -> Result<(), Error>;
    fn user(&self, name: &str) -> Result<String, Error>;
    fn set_user(&self, name: &str, user: &str) -> Result<(), Error>;
    /// The names of all credentials of ours. Windows has no call that leaves the secrets out; the
    /// store below wipes them.
    fn names(&self) -> Result<Vec<String>, Error>;
}

/// The ready-made store of this system.
#[cfg(windows)]
pub(super) fn open() -> Result<impl Credentials, Error> {
    use std::collections::HashMap;

    // As `names` puts the names together again that a search finds.
    let names = HashMap::from([("prefix", PREFIX), ("divider", ":")]);
    let store = windows_native_keyring_store::Store::new_with_configuration(&names);
    Ok(Manager(Ready::new(store.map_err(|error| explain(Failure::from(error)))?)))
}

struct Manager(Ready);

impl Manager {
    fn on<T>(
        &self,
        name: &str,
        operation: impl FnOnce(&ReadyItem) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let item = self.0.item((SERVICE, ""), &[("target", name), ("persistence", "Local")]);
        item.and_then(|item| operation(&item)).map_err(explain)
    }
}

impl Credentials for Manager {
    fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.on(name, ReadyItem::read)
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), Error> {
        self.on(name, |item| item.write(secret))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.on(name, ReadyItem::remove)
    }

    fn user(&self, name: &str) -> Result<String, Error> {
        self.on(name, |item| item.attribute(USER))
    }

    fn set_user(&self, name: &str, user: &str) -> Result<(), Error> {
        self.on(name, |item| item.set_attribute(USER, user))
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let pattern = format!("^{PREFIX}");
        let found = self.0.search(&[("pattern", &pattern)]).map_err(explain)?;
        // As the store is set to take them apart.
        Ok(found.iter().map(|(service, user)| format!("{PREFIX}{user}:{service}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_refuses_what_it_is_asked_is_never_absent() {
        // keyring-core's mock has no targets and no attributes.
        let manager = Manager(Ready::mock());
        for error in [
            manager.read("h").map(drop).unwrap_err(),
            manager.write("h", b"secret").unwrap_err(),
            manager.remove("h").unwrap_err(),
            manager.user("h").map(drop).unwrap_err(),
            manager.set_user("h", "alice").unwrap_err(),
        ] {
            assert!(matches!(error, Error::Failed { .. }), "{error}");
        }
        assert_eq!(manager.names().unwrap(), [""; 0]);
    }
}
