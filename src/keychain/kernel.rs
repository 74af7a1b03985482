//! The `kernel` keychain: one key of type `user` for each login, in the user keyring (`@u`).
//!
//! A process that was started without a session keyring (cron, CI, `keyctl session -`) does not
//! *possess* `@u`, and possession is what grants reading. So `@u` is linked into the process
//! keyring first, and the keys keep the kernel's own permissions: everything for a possessor,
//! `view` for the user, nothing for anybody else.
//!
//! Since Linux 5.3 `@u` stays until the machine reboots. Before, it went with the last process of
//! the user: so each key is linked into the persistent keyring as well (persistent-keyring(7)).
//!
//! A key has no attributes. The account is in the payload, before the token: no token has a line
//! feed. So `list`, which reads no secret, does not tell accounts.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use linux_keyutils::{Key, KeyError};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use zeroize::Zeroizing;

use super::error::Error;
use super::name::KeychainName;
use super::payload;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey, SERVICE};
use crate::secret::RefreshToken;

use self::fault::{failed, failure};
use self::rings::{absent, find, persistent_keyring, reached, user_keyring};

mod fault;
mod proc;
mod quota;
mod rings;

/// user_preparse in security/keys/user_defined.c.
const MAX_PAYLOAD_BYTES: usize = 32_767;
/// KEY_MAX_DESC_SIZE in security/keys/keyctl.c, without the NUL.
const MAX_DESCRIPTION_BYTES: usize = 4_095;

/// How often a key that cannot be used is looked for again, as long as it is the same one.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);
/// For a key that others delete and make anew all the time.
const DEADLINE: Duration = Duration::from_secs(5);

/// The payload of a key that is about to be removed: no account and no token.
const DELETED: [u8; 1] = *b"\n";

/// The store has no state: what a thread may reach is looked up by each operation, since a process
/// keyring made by one thread is not seen by those that already run.
#[derive(Debug)]
pub(super) struct Store;

impl Store {
    /// Checks that the user keyring can be reached.
    pub(super) fn open() -> Result<Self, Error> {
        user_keyring().map(|_| Self)
    }
}

impl store::Store for Store {
    fn unlock(&self) -> Result<(), Error> {
        reached().map(drop)
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let payload = Zeroizing::new(read(login)?);
        if *payload == DELETED {
            return Err(Error::Absent);
        }
        let name = KeychainName::Kernel;
        let (account, token) =
            payload::split(&payload).map_err(|why| Error::damaged(&name, why))?;
        Item::from_bytes(&name, account.to_owned(), token.to_vec())
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let (description, payload) = (description(login)?, payload_of(account, token)?);
        let ring = user_keyring()?;
        // The same description is updated in place: the old token or the new, never both.
        let mut added = ring.add_key(&description, &payload[..]);
        // What was deleted or has expired counts until the kernel has collected it; and another
        // process may be deleting the key that was to be updated.
        for _ in 0..LOOKS {
            if !matches!(added, Err(KeyError::QuotaExceeded)) && !is_of_a_lost_key(&added) {
                break;
            }
            thread::sleep(PAUSE);
            added = ring.add_key(&description, &payload[..]);
        }
        let key = added.map_err(failure)?;
        if let Some(persistent) = persistent_keyring() {
            // Needed before Linux 5.3 only; the login is kept without it.
            let _ = persistent.link_key(key);
        }
        Ok(())
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        let description = description(login)?;
        let mut keys = Vec::new();
        for ring in reached()? {
            // Mostly the same key in both.
            keys.extend(find(&[ring], &description)?.filter(|key| !keys.contains(key)));
        }
        for key in &keys {
            // Frees its bytes now; whoever reads it in between sees it as deleted.
            let is_wiped = key.update(&DELETED).is_ok();
            // Takes it out of every keyring at once, and frees the rest later.
            match key.invalidate() {
                // ENOKEY, or EACCES for a key that is in no keyring now: another process was faster.
                Ok(()) | Err(KeyError::KeyDoesNotExist) => {}
                Err(error)
                    if !is_wiped && find(&reached()?, &description)?.as_ref() == Some(key) =>
                {
                    return Err(failure(error));
                }
                Err(_) => {}
            }
        }
        if keys.is_empty() { Err(absent()) } else { Ok(()) }
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let (rings, prefix) = (reached()?, prefix(profile));
        let mut logins = Vec::new();
        for description in proc::descriptions(&prefix)? {
            // /proc/keys shows every key we may view: only those that `get` finds are logins.
            if find(&rings, &description)?.is_some() {
                let key = description[prefix.len()..].to_owned();
                logins.push(Listed { key, account: String::new() });
            }
        }
        match absent() {
            elsewhere @ Error::Elsewhere { .. } if logins.is_empty() => Err(elsewhere),
            _ => Ok(Listing { logins, ..Listing::default() }),
        }
    }

    fn check(&self, profile: &str) -> Result<(), Error> {
        self.list(profile)?;
        match absent() {
            Error::Absent => Ok(()),
            // To be checked one by one.
            elsewhere => Err(elsewhere),
        }
    }

    fn check_login(&self, login: &LoginKey) -> Result<(), Error> {
        key(login).map(drop)
    }

    fn lifetime(&self) -> Lifetime {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if proc::in_user_namespace() {
            Lifetime::UntilNamespaceEnds
        } else if proc::keeps_user_keyrings(&release) {
            Lifetime::UntilReboot
        } else {
            Lifetime::UntilUnused
        }
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}

/// The payload of a login's key. Another process may delete the key between the search for it and its
/// use: then the kernel says that it is gone, or, because a key in no keyring of ours is not ours to
/// read, that access is denied (EACCES). A second look tells which of the two it is.
fn read(login: &LoginKey) -> Result<Vec<u8>, Error> {
    let end = Instant::now() + DEADLINE;
    let (mut found, mut looks) = (key(login)?, 0);
    loop {
        let payload = found.read_to_vec();
        let is_over = looks == LOOKS || Instant::now() > end;
        if !is_of_a_lost_key(&payload) || is_over {
            return payload.map_err(failure);
        }
        thread::sleep(PAUSE);
        let now = key(login)?;
        looks = if now == found { looks + 1 } else { 0 };
        found = now;
    }
}

/// Whether the kernel answered as it does when a key was deleted since it was found.
fn is_of_a_lost_key<T>(outcome: &Result<T, KeyError>) -> bool {
    use KeyError::{AccessDenied, KeyDoesNotExist, KeyExpired, KeyRevoked};
    matches!(outcome, Err(KeyDoesNotExist | KeyExpired | KeyRevoked | AccessDenied))
}

fn key(login: &LoginKey) -> Result<Key, Error> {
    find(&reached()?, &description(login)?)?.ok_or_else(absent)
}

fn description(login: &LoginKey) -> Result<String, Error> {
    let text = prefix(&login.profile) + &login.key;
    if text.len() > MAX_DESCRIPTION_BYTES || text.contains(char::is_control) {
        let why = "the server's name is too long or has control characters";
        return Err(failed(why));
    }
    Ok(text)
}

/// `SERVICE:PROFILE:`, with `%`, `:` and all that is not printable ASCII escaped in the profile: so
/// no two logins share a description, and `/proc/keys` shows it intact.
fn prefix(profile: &str) -> String {
    format!("{SERVICE}:{}:", utf8_percent_encode(profile, ESCAPED))
}

const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b':');

fn payload_of(account: &str, token: &RefreshToken) -> Result<Zeroizing<Vec<u8>>, Error> {
    let token = token.expose().as_bytes();
    let size = account.len() + 1 + token.len();
    if size > MAX_PAYLOAD_BYTES {
        let (keychain, limit) = (KeychainName::Kernel, MAX_PAYLOAD_BYTES);
        return Err(Error::TooLarge { keychain, size, limit });
    }
    Ok(payload::join(account, token))
}
