//! `migrate`: a login moves to another keychain, and is read back there before the old item goes.
//!
//! Killed between any two steps, `get` answers, and the same again finishes: until the record is
//! replaced the old item counts, and from then on the record names the place that is to be cleared.

use super::Logins;
use super::find::not_logged_in;
use super::item::{NewItem, item_to_replace};
use super::ready::Destination;
use super::refresh::url_of;
use crate::error::{Error, Kind, Remedy, Result};
use crate::keychain::{self, Choice, Item, Keychain};
use crate::login_record::{Locked, LoginRecord, Prepared, Records};
use crate::settings::to_type;
use crate::text::shell_word;

/// The outcome of moving one login.
#[derive(Debug)]
pub enum Migrated {
    /// It is there, and nowhere else.
    Moved,
    /// It was there before.
    AlreadyThere,
    /// It is there and works, and is still in the old place too: why, and the next step.
    Copied(Error),
}

impl Logins<'_> {
    /// Checks that there is something to move to, and that records can be changed: otherwise all logins
    /// would fail alike.
    ///
    /// # Errors
    /// [`Kind::Keychain`], and those of the lock.
    pub fn ready_to_migrate(
        &mut self,
        records: &[LoginRecord],
        to: &Choice,
    ) -> Result<Destination> {
        if !records.is_empty() {
            self.records.check_writable()?;
        }
        self.open_to_write(to).map_err(by_option)
    }

    /// Moves one login. Nobody refreshes, erases or replaces it meanwhile.
    ///
    /// # Errors
    /// [`Kind::NotLoggedIn`] if it is gone, and those of both keychains and of the records; then
    /// it is where it was.
    pub fn migrate(&mut self, record: &LoginRecord, to: &Destination) -> Result<Migrated> {
        let store = self.records.clone();
        let refresh = store.lock_refresh(&record.profile, &record.key);
        let _one_at_a_time = refresh.map_err(|e| stays(record, e))?;
        let locked = store.lock().map_err(|e| stays(record, e))?;
        let mut records = self.records_or_rebuilt(&locked).map_err(|e| stays(record, e))?;
        let previous = match records.find(&record.profile, &record.key) {
            Some(previous) => previous.clone(),
            None => return Err(not_logged_in(&url_of(record)?, &record.profile)),
        };
        self.move_locked(&previous, to, &locked, &mut records).map_err(|e| stays(&previous, e))
    }

    fn move_locked(
        &self,
        previous: &LoginRecord,
        to: &Destination,
        locked: &Locked<'_>,
        records: &mut Records,
    ) -> Result<Migrated> {
        let keychain = &to.keychain;
        let item = self.item_unless_dismissed(previous)?;
        // A helper as keychain keeps no account.
        let account = if item.account.is_empty() { &previous.account } else { &item.account };
        let new_item = NewItem { keychain, account, token: &item.token };
        let mut record = previous.clone();
        if previous.keychain != *keychain.name() {
            let old_item = item_to_replace(keychain, &record.key)
                .map_err(|e| by_option(self.keychain_error(e)))?;
            // If this is killed from here on, or the target dies, any later change clears it there.
            let mut marked = previous.clone();
            marked.left_in.retain(|name| name != keychain.name());
            marked.left_in.push(keychain.name().clone());
            records.put(marked);
            locked.prepare(records)?.commit()?;
            record.keychain = keychain.name().clone();
            record = record.after(previous);
            records.put(record.clone());
            let moved = locked.prepare(records).and_then(|prepared| {
                self.put(&record.key, new_item, old_item, || {
                    read_back(keychain, &record.key, &item).map_err(|e| self.keychain_error(e))?;
                    prepared.commit()
                })
            });
            if let Err(error) = moved {
                let error = by_option(error);
                return Err(self.unmark(previous, keychain, locked, records, &item, error));
            }
        }
        if let Some(left) = self.delete_left(locked, records, &mut record, new_item)? {
            return Ok(Migrated::Copied(left));
        }
        Ok(if previous.keychain == record.keychain {
            Migrated::AlreadyThere
        } else {
            Migrated::Moved
        })
    }

    /// The record as it was, unless the token may be left in the target: then it stays marked.
    fn unmark(
        &self,
        previous: &LoginRecord,
        target: &Keychain,
        locked: &Locked<'_>,
        records: &mut Records,
        item: &Item,
        error: Error,
    ) -> Error {
        match target.get(&previous.key) {
            Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. }) => {}
            Ok(there) if there.token != item.token => {}
            _ => {
                let (keychain, server) = (&previous.keychain, shell_word(&previous.server_url));
                let step = format!("migrate --to {keychain} {server}");
                let step = to_type(&previous.profile, &step);
                return error.also(Remedy::Run(step).when("to remove the copy there later"));
            }
        }
        records.put(previous.clone());
        // A mark on an empty place does no harm.
        let _unwritten = locked.prepare(records).and_then(Prepared::commit);
        error
    }
}

/// Adds to an error what it is about, and that the login works as before.
pub fn stays(previous: &LoginRecord, error: Error) -> Error {
    if error.kind == Kind::NotLoggedIn {
        return error;
    }
    let (server, keychain) = (&previous.server_url, &previous.keychain);
    let message = format!("the login for {server} stays in {keychain}: {}", error.fact);
    Error { fact: message, ..error }
}

/// The remedy of a keychain is to set another one; here an option says where to move to.
fn by_option(error: Error) -> Error {
    let fit = |remedy| match remedy {
        Remedy::SetKeychain(names) if names.is_empty() => "use --to with another one".into(),
        Remedy::SetKeychain(names) => format!("use --to {}", names.join(" or ")).into(),
        other => other,
    };
    let remedy = error.remedy.and_then(|remedy| remedy.map(&|one| Some(fit(one))));
    Error { remedy, ..error }
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
    // A token of nobody's.
    keychain.delete(key)?;
    let why = "it returns something other than what was stored";
    Err(keychain::Error::failed(keychain.name(), why, "move it to another one"))
}
