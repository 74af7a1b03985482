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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::error::Kind;
    use crate::keychain::{KeychainName, Lifetime, Listing, LoginKey, Store};

    /// Keeps one login, as account and token.
    #[derive(Default)]
    struct One {
        kept: Option<(&'static str, &'static str)>,
        is_out_of_reach: bool,
        writes: usize,
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<One>>);

    const TOKENS: [&str; 3] = ["old", "new", "another"];

    impl Store for Shared {
        fn unlock(&self) -> Result<(), keychain::Error> {
            Ok(())
        }

        fn get(&self, _: &LoginKey) -> Result<Item, keychain::Error> {
            let one = self.0.lock().unwrap();
            if one.is_out_of_reach {
                return Err(keychain::Error::unavailable(&KeychainName::File, "away", "look"));
            }
            one.kept.map(item).ok_or(keychain::Error::Absent)
        }

        fn put(
            &self,
            _: &LoginKey,
            account: &str,
            token: &RefreshToken,
        ) -> Result<(), keychain::Error> {
            let mut one = self.0.lock().unwrap();
            let known =
                |all: &[&'static str], name: &str| all.iter().find(|n| **n == name).copied();
            one.kept = known(&["alice", "bob"], account).zip(known(&TOKENS, token.expose()));
            one.writes += 1;
            Ok(())
        }

        fn delete(&self, _: &LoginKey) -> Result<(), keychain::Error> {
            let mut one = self.0.lock().unwrap();
            one.writes += 1;
            one.kept.take().map(drop).ok_or(keychain::Error::Absent)
        }

        fn list(&self, _: &str) -> Result<Listing, keychain::Error> {
            Ok(Listing::default())
        }

        fn check(&self, _: &str) -> Result<(), keychain::Error> {
            Ok(())
        }

        fn check_login(&self, _: &LoginKey) -> Result<(), keychain::Error> {
            Ok(())
        }

        fn lifetime(&self) -> Lifetime {
            Lifetime::UntilExit
        }

        fn make_way(&self, _: &LoginKey) -> Result<(), keychain::Error> {
            Ok(())
        }
    }

    fn item((account, token): (&str, &str)) -> Item {
        Item { account: account.to_owned(), token: RefreshToken::new(token.to_owned()) }
    }

    /// What the keychain holds after a change to `new` failed and left this, the number of writes, and the error.
    fn after(
        store: &Shared,
        old: Option<(&str, &str)>,
    ) -> (Option<(&'static str, &'static str)>, usize, String) {
        let keychain = Keychain::with_store(KeychainName::File, "default", Box::new(store.clone()));
        let failed = Error::new(Kind::Other, "no disk");
        let new = RefreshToken::new("new".to_owned());
        let error = put_back(&keychain, "h", &new, old.map(item).as_ref(), failed);
        let one = store.0.lock().unwrap();
        (one.kept, one.writes, error.to_string())
    }

    #[test]
    fn whatever_a_failed_change_left_the_previous_login_is_there_again() {
        let old = Some(("alice", "old"));
        for (left, writes) in [
            (old, 0),
            (Some(("alice", "new")), 1),
            (Some(("bob", "old")), 1),
            (Some(("bob", "new")), 1),
            (None, 1),
        ] {
            let store = Shared::default();
            store.0.lock().unwrap().kept = left;
            assert_eq!(after(&store, old), (old, writes, "no disk".into()), "{left:?}");
        }
    }

    #[test]
    fn where_there_was_no_login_only_the_new_one_goes() {
        let others = Some(("bob", "another"));
        for (left, then, writes) in
            [(Some(("alice", "new")), None, 1), (others, others, 0), (None, None, 0)]
        {
            let store = Shared::default();
            store.0.lock().unwrap().kept = left;
            assert_eq!(after(&store, None), (then, writes, "no disk".into()), "{left:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_any_more_is_said_to_be_lost() {
        let store = Shared::default();
        *store.0.lock().unwrap() =
            One { kept: Some(("alice", "new")), is_out_of_reach: true, writes: 0 };
        let (kept, _, said) = after(&store, Some(("alice", "old")));
        assert_eq!(kept, Some(("alice", "new")));
        assert!(
            said.starts_with("no disk, and the previous token could not be restored: "),
            "{said}"
        );
        assert_eq!(after(&store, None).0, None);
    }
}
