//! A ready-made store of the keyring ecosystem, in this program's terms: the only importer of
//! keyring-core. The keychains of macOS and Windows are made of one.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry};
use zeroize::{Zeroize, Zeroizing};

use super::error::{Cause, Error, keep_elsewhere};
use super::name::KeychainName;
use crate::error::Remedy;

/// What a ready-made store answered, without what its errors carry: two kinds of them hold the
/// secret and show it by `{:?}`, and one prints every item that it found.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was searched, and has no such item.
    Absent,
    /// The item is not what the store itself writes.
    Unreadable,
    /// The system denies this process access.
    NoAccess(Cause),
    /// The system failed.
    Platform(Cause),
    /// Anything else, in the words of the store.
    Other(String),
}

impl From<keyring_core::Error> for Failure {
    fn from(error: keyring_core::Error) -> Self {
        use keyring_core::Error as E;
        match error {
            E::NoEntry => Self::Absent,
            E::BadEncoding(mut secret) | E::BadDataFormat(mut secret, _) => {
                secret.zeroize();
                Self::Unreadable
            }
            E::NoStorageAccess(cause) => Self::NoAccess(cause),
            E::PlatformFailure(cause) => Self::Platform(cause),
            E::Ambiguous(items) => Self::Other(format!("{} items have this name", items.len())),
            other => Self::Other(other.to_string()),
        }
    }
}

impl Failure {
    /// What that means, where the system's own error says no more.
    pub(super) fn into_error(self, keychain: &KeychainName) -> Error {
        let remedy = Remedy::TryAgain.or(keep_elsewhere());
        match self {
            Self::Absent => Error::Absent,
            Self::Unreadable => Error::damaged(keychain, "it is not text"),
            Self::NoAccess(cause) => {
                Error::unavailable(keychain, &cause.to_string(), remedy).because(cause)
            }
            Self::Platform(cause) => {
                Error::failed(keychain, &cause.to_string(), remedy).because(cause)
            }
            Self::Other(why) => Error::failed(keychain, &why, remedy),
        }
    }
}

/// A ready-made store.
#[derive(Clone)]
pub(super) struct Ready(Arc<CredentialStore>);

impl Ready {
    pub(super) fn new(store: Arc<CredentialStore>) -> Self {
        Self(store)
    }

    /// keyring-core's own mock.
    #[cfg(test)]
    pub(super) fn mock() -> Self {
        Self::new(keyring_core::mock::Store::new().expect("it never fails"))
    }

    /// The item of this name, whether it exists or not.
    pub(super) fn item(
        &self,
        (service, user): (&str, &str),
        modifiers: &[(&str, &str)],
    ) -> Result<ReadyItem, Failure> {
        let modifiers = HashMap::from_iter(modifiers.iter().copied());
        // Not every store accepts an empty map.
        let modifiers = (!modifiers.is_empty()).then_some(&modifiers);
        Ok(ReadyItem(self.0.build(service, user, modifiers)?))
    }

    /// The service and user of each item that matches.
    pub(super) fn search(&self, spec: &[(&str, &str)]) -> Result<Vec<(String, String)>, Failure> {
        let found = self.0.search(&HashMap::from_iter(spec.iter().copied()))?;
        Ok(found.iter().filter_map(Entry::get_specifiers).collect())
    }
}

/// One item of a ready-made store.
pub(super) struct ReadyItem(Entry);

impl ReadyItem {
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        Ok(self.0.get_secret().map(Zeroizing::new)?)
    }

    pub(super) fn write(&self, secret: &[u8]) -> Result<(), Failure> {
        Ok(self.0.set_secret(secret)?)
    }

    pub(super) fn remove(&self) -> Result<(), Failure> {
        Ok(self.0.delete_credential()?)
    }

    /// An attribute of an existing one; empty if it has none of this name.
    #[cfg(any(windows, test))]
    pub(super) fn attribute(&self, name: &str) -> Result<String, Failure> {
        Ok(self.0.get_attributes()?.remove(name).unwrap_or_default())
    }

    #[cfg(any(windows, test))]
    pub(super) fn set_attribute(&self, name: &str, value: &str) -> Result<(), Failure> {
        Ok(self.0.update_attributes(&HashMap::from([(name, value)]))?)
    }
}

#[cfg(test)]
mod tests {
    use keyring_core::Error as Told;
    use keyring_core::mock;

    use super::*;

    const HOST: (&str, &str) = ("docker-credential-refresh", "h.example");

    /// A store with one item, which fails next with this error.
    fn failing(error: Told) -> ReadyItem {
        let item = Ready::mock().item(HOST, &[]).unwrap();
        item.write(b"secret").unwrap();
        item.0.as_any().downcast_ref::<mock::Cred>().unwrap().set_error(error);
        item
    }

    #[test]
    fn an_item_is_written_read_found_and_removed() {
        let ready = Ready::mock();
        let item = ready.item(HOST, &[]).unwrap();
        assert!(matches!(item.read(), Err(Failure::Absent)));
        item.write(b"first").unwrap();
        ready.item(HOST, &[]).unwrap().write(b"second").unwrap();
        assert_eq!(&**item.read().unwrap(), b"second");
        let found = ready.search(&[("service", HOST.0)]).unwrap();
        assert_eq!(found, [(HOST.0.to_owned(), HOST.1.to_owned())]);
        assert_eq!(ready.search(&[("service", "another")]).unwrap(), []);
        item.remove().unwrap();
        assert!(matches!(item.remove(), Err(Failure::Absent)));
    }

    #[test]
    fn only_what_was_not_found_is_absent() {
        let absent = failing(Told::NoEntry).read().unwrap_err();
        assert!(matches!(absent.into_error(&KeychainName::Macos), Error::Absent));
        for (told, out_of_reach) in [
            (Told::NoStorageAccess("closed".into()), true),
            (Told::PlatformFailure("broken".into()), false),
            (Told::BadStoreFormat("odd".to_owned()), false),
            (Told::Ambiguous(Vec::new()), false),
        ] {
            let error = failing(told).read().unwrap_err().into_error(&KeychainName::Macos);
            assert!(!matches!(error, Error::Absent), "{error}");
            assert_eq!(error.is_out_of_reach(), out_of_reach, "{error}");
        }
    }

    #[test]
    fn a_secret_in_an_error_is_not_shown() {
        let secret = b"hunter2".to_vec();
        for told in
            [Told::BadEncoding(secret.clone()), Told::BadDataFormat(secret, "hunter2".into())]
        {
            let failure = failing(told).read().unwrap_err();
            let shown = format!("{failure:?}");
            let error = failure.into_error(&KeychainName::Macos);
            let shown = format!("{shown} {error} {error:?}");
            assert!(matches!(error, Error::Damaged { .. }));
            assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
        }
    }
}
