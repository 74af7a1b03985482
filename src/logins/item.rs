//! Changing one item of a keychain so that a failure leaves the previous one.

use super::Logins;
use crate::error::{Error, Result};
use crate::keychain::{self, Item, Keychain};
use crate::secret::RefreshToken;

/// An item to be put into a keychain.
#[derive(Clone, Copy)]
pub(super) struct NewItem<'a> {
    pub(super) keychain: &'a Keychain,
    pub(super) account: &'a str,
    pub(super) token: &'a RefreshToken,
}

impl Logins<'_> {
    /// Stores a token under its key, then the records; or neither.
    pub(super) fn put(
        &self,
        key: &str,
        item: NewItem<'_>,
        old_item: Option<Item>,
        commit: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let NewItem { keychain, account, token } = item;
        let outcome = keychain.put(key, account, token).map_err(|e| self.keychain_error(e));
        outcome
            .and_then(|()| commit())
            .map_err(|error| put_back(keychain, key, token, old_item.as_ref(), error))
    }
}

/// What would have to be restored; a damaged item cannot be.
pub(super) fn item_to_replace(
    keychain: &Keychain,
    key: &str,
) -> std::result::Result<Option<Item>, keychain::Error> {
    use keychain::Error::{Absent, Damaged, Elsewhere};
    match keychain.get(key) {
        Ok(item) => Ok(Some(item)),
        Err(Absent | Elsewhere { .. } | Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Undoes a failed change: a `put` may have changed the item before it failed.
fn put_back(
    keychain: &Keychain,
    key: &str,
    new: &RefreshToken,
    old: Option<&Item>,
    error: Error,
) -> Error {
    let restored = match (item_to_replace(keychain, key), old) {
        (Ok(Some(now)), Some(old)) if now.token == old.token && now.account == old.account => {
            Ok(())
        }
        (Ok(_), Some(old)) => keychain.put(key, &old.account, &old.token),
        (Ok(Some(now)), None) if now.token == *new => keychain.delete(key),
        (Ok(_), None) => Ok(()),
        // There was no login to restore, so this is the one just put there.
        (Err(_), None) => keychain.delete(key),
        (Err(lost), Some(_)) => Err(lost),
    };
    match restored {
        Ok(()) | Err(keychain::Error::Absent) => error,
        Err(lost) => {
            let and = match old {
                Some(_) => "the previous token could not be restored",
                None => "the new token may still be in the keychain",
            };
            Error { fact: format!("{}, and {and}: {lost}", error.fact), ..error }
        }
    }
}
