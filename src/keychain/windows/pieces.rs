//! Logins of any size in credentials of 2,560 bytes.
//!
//! What fits is one credential, replaced by one write. What does not is split ([`item`](super::item)):
//! the pieces of a new generation are written first, then the credential that names them, and only
//! then the old ones go. So a reader finds the old login or the new one, and after a crash between
//! any two writes the one that was there stays; pieces without an index are removed by the next
//! writer. Writers hold a lock. Readers hold none: where pieces are gone, the credential was
//! replaced meanwhile, and is read again.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::item::{Index, Item, MAX_BYTES, MAX_PIECES};
use super::name;
use super::told::{damaged, failed, not_ours};
use crate::files::private::{lock, make_private_directory};
use crate::keychain::error::Error;
use crate::keychain::name::KeychainName;

/// CRED_MAX_USERNAME_LENGTH; a longer account is only in the payload.
const MAX_USERNAME_BYTES: usize = 513;
/// Written and deleted, to see whether that is allowed.
const TRIAL: &str = "docker-credential-refresh trial";

/// The credentials, and what writers lock.
pub(super) struct Pieces {
    credentials: Box<dyn Credentials>,
    lock: PathBuf,
    deadline: Duration,
}

impl Pieces {
    pub(super) fn over(
        credentials: Box<dyn Credentials>,
        lock: PathBuf,
        deadline: Duration,
    ) -> Self {
        Self { credentials, lock, deadline }
    }

    fn lock(&self) -> Result<File, Error> {
        let directory = self.lock.parent().expect("it is in a directory");
        make_private_directory(directory).and_then(|()| lock(&self.lock, self.deadline)).map_err(
            |e| {
                let why = format!("cannot lock {}: {e}", self.lock.display());
                let remedy = "stop the process that holds it, or give this user access to it";
                failed(&why, remedy).because(e)
            },
        )
    }

    /// The names of all credentials of ours.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        self.credentials.names()
    }

    /// The item under a name.
    fn item(&self, name: &str) -> Result<Item, Error> {
        Item::parse(&self.credentials.read(name)?).ok_or_else(not_ours)
    }

    pub(super) fn payload(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut before = None;
        loop {
            match self.item(name)? {
                Item::Whole(payload) => return Ok(payload),
                Item::Split(index) => match self.pieces(name, &index)? {
                    Some(payload) => return Ok(payload),
                    None if before.as_ref() == Some(&index) => {
                        return Err(damaged("a piece of it is missing or was changed"));
                    }
                    // Replaced between the two reads, or the next one finds the same again.
                    None => before = Some(index),
                },
            }
        }
    }

    fn pieces(&self, name: &str, index: &Index) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut payload = Zeroizing::new(Vec::with_capacity(index.pieces * MAX_BYTES));
        for number in 1..=index.pieces {
            match self.credentials.read(&name::of_piece(name, &index.generation, number)) {
                Ok(piece) => payload.extend_from_slice(&piece),
                Err(Error::Absent) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(index.is_of(&payload).then_some(payload))
    }

    pub(super) fn put(
        &self,
        name: &str,
        account: &str,
        payload: &Zeroizing<Vec<u8>>,
    ) -> Result<(), Error> {
        let (size, limit) = (payload.len(), MAX_BYTES * MAX_PIECES);
        if size > limit {
            return Err(Error::TooLarge { keychain: KeychainName::Windows, size, limit });
        }
        let _lock = self.lock()?;
        let item = Item::of(payload);
        let mut written = Ok(());
        if let Item::Split(Index { generation, .. }) = &item {
            written = payload.chunks(MAX_BYTES).zip(1..).try_for_each(|(piece, number)| {
                self.credentials.write(&name::of_piece(name, generation, number), piece)
            });
        }
        let kept = written.and_then(|()| self.credentials.write(name, &item.to_bytes()));
        if kept.is_ok() {
            self.show_account(name, account);
        }
        self.collect();
        kept
    }

    /// Shows people, and `list`, whose login it is. The authoritative copy is in the payload, so
    /// that it changes together with the token.
    fn show_account(&self, name: &str, account: &str) {
        let shown = if account.len() <= MAX_USERNAME_BYTES { account } else { "" };
        if self.shown_account(name).ok().as_deref() != Some(shown) {
            // The login is kept without it.
            let _not_shown = self.credentials.set_user(name, shown);
        }
    }

    pub(super) fn shown_account(&self, name: &str) -> Result<String, Error> {
        self.credentials.user(name)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Error> {
        // First without a lock: most erases find nothing.
        self.credentials.read(name)?;
        let _lock = self.lock()?;
        let removed = self.credentials.remove(name);
        self.collect();
        removed
    }

    /// Removes the pieces without an index; under the lock. What is left is not a login, and
    /// the next writer tries again.
    fn collect(&self) {
        let names = self.names().unwrap_or_default();
        let mut named = HashMap::new();
        for piece in &names {
            let Some((login, generation)) = name::split_piece(piece) else { continue };
            let stays = named.entry(login).or_insert_with(|| match self.item(login) {
                Ok(Item::Split(index)) => Some(index.generation),
                Ok(Item::Whole(_)) | Err(Error::Absent) => Some(String::new()),
                // What it named is unknown.
                Err(_) => None,
            });
            if stays.as_ref().is_some_and(|stays| stays != generation) {
                let _next_time = self.credentials.remove(piece);
            }
        }
    }

    pub(super) fn try_to_write(&self) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.credentials.write(TRIAL, b"trial")?;
        self.credentials.remove(TRIAL)
    }
}
