//! `migrate`: a login moves to another keychain, and is read back there before the old item goes.
//!
//! Killed between any two steps, `get` answers, and the same again finishes: until the record is
//! replaced the old item counts, and from then on the record names the place that is to be cleared.

use super::Helper;
use super::keep::{Destination, Placed};
use super::logins::not_logged_in;
use super::refresh::url_of;
use crate::error::{Error, Kind, Result};
use crate::keychain::{self, Item, Keychain};
use crate::login_record::LoginRecord;

/// What moving one login came to.
#[derive(Debug)]
pub enum Migrated {
    /// It is there, and nowhere else.
    Moved,
    /// It was there before.
    AlreadyThere,
    /// It is there and works, and is still in the old place too: why, and the next step.
    Copied(Error),
}

impl Helper<'_> {
    /// Moves one login. Nobody refreshes, erases or replaces it meanwhile.
    ///
    /// # Errors
    /// [`Kind::NotLoggedIn`] if it is gone, and those of both keychains and of the records; then
    /// it is where it was.
    pub fn migrate(&mut self, record: &LoginRecord, to: &Destination) -> Result<Migrated> {
        let keychain = &to.keychain;
        let _one_at_a_time = self.records.lock_refresh(&record.profile, &record.key)?;
        let store = self.records.clone();
        let locked = store.lock()?;
        let mut records = self.records_or_rebuilt(&locked)?;
        let former = match records.find(&record.profile, &record.key) {
            Some(former) => former.clone(),
            None => return Err(not_logged_in(&url_of(record)?)),
        };
        let item = self.item_unless_dismissed(&former).map_err(|e| stays(&former, e))?;
        // A helper as keychain keeps no account.
        let account = if item.account.is_empty() { &former.account } else { &item.account };
        let placed = Placed { keychain, account, token: &item.token };
        let mut record = former.clone();
        if former.keychain != *keychain.name() {
            record.keychain = keychain.name().clone();
            record = record.after(&former);
            records.put(record.clone());
            let prepared = locked.prepare(&records)?;
            self.put(&record.key, placed, || {
                read_back(keychain, &record.key, &item).map_err(|e| self.keychain_error(e))?;
                prepared.commit()
            })
            .map_err(|e| stays(&former, e))?;
        }
        if let Err(left) = self.delete_left(&locked, &mut records, &mut record, placed) {
            return Ok(Migrated::Copied(left));
        }
        Ok(if former.keychain == record.keychain {
            Migrated::AlreadyThere
        } else {
            Migrated::Moved
        })
    }
}

fn stays(former: &LoginRecord, error: Error) -> Error {
    if error.kind == Kind::NotLoggedIn {
        return error;
    }
    let (server, keychain) = (&former.server_url, &former.keychain);
    let message = format!("the login for {server} stays in {keychain}: {}", error.message);
    Error { message, ..error }
}

/// The account is left out: not every keychain keeps it.
fn read_back(
    keychain: &Keychain,
    key: &str,
    item: &Item,
) -> std::result::Result<(), keychain::Error> {
    if keychain.get(key)?.token == item.token {
        return Ok(());
    }
    // Nobody's token.
    keychain.delete(key)?;
    Err(keychain::Error::Failed {
        keychain: keychain.name().clone(),
        why: "it gives back something else than it was given".to_owned(),
        hint: "move it to another one".to_owned(),
    })
}
