//! The `kernel` keychain: one key of type `user` for each login, in the user keyring (`@u`).
//!
//! A process that was started without a session keyring (cron, CI, `keyctl session -`) does not
//! *possess* `@u`, and possession is what grants reading. So `@u` is linked into the process
//! keyring first, and the keys keep the kernel's own permissions: all for a possessor, `view` for
//! the user, nothing for anybody else.
//!
//! Since Linux 5.3 `@u` stays until the machine reboots. Before, it went with the last process of
//! the user: so each key is linked into the persistent keyring as well (persistent-keyring(7)).
//!
//! A key has no attributes. The account is in the payload, before the token: no token has a line
//! feed. So `list`, which reads no secret, does not tell accounts.

use std::any::Any;
use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialPersistence, Entry, Result};
use linux_keyutils::{Key, KeyError};
use zeroize::Zeroizing;

use super::{Error, KeychainName, SERVICE, payload};

use self::rings::{absent, failure, find, persistent_keyring, reached, user_keyring};

mod proc;
mod rings;

/// user_preparse in security/keys/user_defined.c.
const MAX_PAYLOAD_BYTES: usize = 32_767;
/// KEY_MAX_DESC_SIZE in security/keys/keyctl.c, without the NUL.
const MAX_DESCRIPTION_BYTES: usize = 4_095;

/// The payload of a key that is about to go: no account and no token.
const DELETED: [u8; 1] = *b"\n";

const OTHER: &str = "set keychain to another one, such as file or secret-service";

/// The store has no state: what a thread may reach is looked up by each operation, since a process
/// keyring made by one thread is not seen by those that already run.
#[derive(Debug)]
pub(super) struct Store;

impl Store {
    /// Checks that the user keyring can be reached.
    pub(super) fn open() -> std::result::Result<Self, Error> {
        user_keyring().map(|_| Self)
    }
}

/// One login.
#[derive(Debug)]
struct Login {
    service: String,
    user: String,
    target: String,
    account: String,
    /// The account that came with the secret.
    read: Mutex<Option<String>>,
}

impl Login {
    /// The separator and what `/proc/keys` would garble are escaped in the profile, so that no two
    /// logins share a description.
    fn description(&self) -> std::result::Result<String, Error> {
        let text = format!("{}{}", prefix(&self.service, &self.target), self.user);
        if text.len() > MAX_DESCRIPTION_BYTES || text.contains(char::is_control) {
            let why = "the server's name is too long or has control characters";
            return Err(Error::failed(&KeychainName::Kernel, why, OTHER));
        }
        Ok(text)
    }

    fn payload(&self, token: &[u8]) -> std::result::Result<Zeroizing<Vec<u8>>, Error> {
        let size = self.account.len() + 1 + token.len();
        if size > MAX_PAYLOAD_BYTES {
            let (keychain, limit) = (KeychainName::Kernel, MAX_PAYLOAD_BYTES);
            return Err(Error::TooLarge { keychain, size, limit });
        }
        Ok(payload::join(&self.account, token))
    }

    fn put(&self, token: &[u8]) -> std::result::Result<(), Error> {
        let (description, payload) = (self.description()?, self.payload(token)?);
        let ring = user_keyring()?;
        // The same description is updated in place: the old token or the new, never both.
        let mut added = ring.add_key(&description, &payload[..]);
        // What was deleted or has expired counts until the kernel has collected it.
        for _ in 0..5 {
            if !matches!(added, Err(KeyError::QuotaExceeded)) {
                break;
            }
            thread::sleep(Duration::from_millis(40));
            added = ring.add_key(&description, &payload[..]);
        }
        let key = added.map_err(failure)?;
        if let Some(persistent) = persistent_keyring() {
            // Needed before Linux 5.3 only; the login is kept without it.
            let _ = persistent.link_key(key);
        }
        Ok(())
    }

    fn key(&self) -> std::result::Result<Key, Error> {
        find(&reached()?, &self.description()?)?.ok_or_else(absent)
    }

    fn get(&self) -> std::result::Result<Vec<u8>, Error> {
        let payload = match self.key()?.read_to_vec() {
            Ok(payload) => Zeroizing::new(payload),
            // Gone since it was found.
            Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => {
                return Err(Error::Absent);
            }
            Err(error) => return Err(failure(error)),
        };
        if *payload == DELETED {
            return Err(Error::Absent);
        }
        let (account, token) = payload::split(&payload).map_err(|why| {
            let (keychain, why) = (KeychainName::Kernel, why.to_owned());
            Error::Damaged { keychain, why }
        })?;
        *self.read.lock().expect("no panic while locked") = Some(account.to_owned());
        Ok(token.to_vec())
    }

    fn delete(&self) -> std::result::Result<(), Error> {
        let description = self.description()?;
        let mut keys = Vec::new();
        for ring in reached()? {
            // Mostly the same key in both.
            keys.extend(find(&[ring], &description)?.filter(|key| !keys.contains(key)));
        }
        for key in &keys {
            // Frees its bytes now; whoever reads it in between finds it deleted.
            let is_wiped = key.update(&DELETED).is_ok();
            // Takes it out of every keyring at once, and frees the rest later.
            match key.invalidate() {
                // ENOKEY: another process was faster.
                Ok(()) | Err(KeyError::KeyDoesNotExist) => {}
                Err(error) if !is_wiped => return Err(failure(error)),
                Err(_) => {}
            }
        }
        if keys.is_empty() { Err(absent()) } else { Ok(()) }
    }
}

/// `SERVICE:PROFILE:`, with `%`, `:` and all that is not printable ASCII escaped in the profile.
fn prefix(service: &str, target: &str) -> String {
    let mut text = format!("{service}:");
    for byte in target.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'%' | b':') {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text.push(':');
    text
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.put(secret).map_err(Error::into_keyring)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.get().map_err(Error::into_keyring)
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        let account = self.read.lock().expect("no panic while locked").clone();
        if account.is_none() {
            self.key().map_err(Error::into_keyring)?;
        }
        let mut attributes = HashMap::from([
            ("service".to_owned(), self.service.clone()),
            ("username".to_owned(), self.user.clone()),
            ("target".to_owned(), self.target.clone()),
        ]);
        attributes.extend(account.map(|account| ("account".to_owned(), account)));
        Ok(attributes)
    }

    fn delete_credential(&self) -> Result<()> {
        self.delete().map_err(Error::into_keyring)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.key().map(|_| None).map_err(Error::into_keyring)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        "kernel".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        Ok(Entry::new_with_credential(Arc::new(Login {
            service: service.to_owned(),
            user: user.to_owned(),
            target: modifiers.remove("target").unwrap_or_default(),
            account: modifiers.remove("account").unwrap_or_default(),
            read: Mutex::default(),
        })))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let rings = reached().map_err(Error::into_keyring)?;
        if spec.get("unlock") == Some(&"true") {
            return Ok(Vec::new());
        }
        let part = |name| spec.get(name).copied().unwrap_or_default();
        let prefix = prefix(part("service"), part("target"));
        let check = spec.get("check") == Some(&"true");
        if let (true, Some(key)) = (check, spec.get("username")) {
            let found = find(&rings, &format!("{prefix}{key}")).map_err(Error::into_keyring)?;
            return found.map(|_| Vec::new()).ok_or_else(|| absent().into_keyring());
        }
        let mut entries = Vec::new();
        for description in proc::descriptions(&prefix).map_err(Error::into_keyring)? {
            // /proc/keys shows every key we may view: only those that `get` finds are logins.
            if find(&rings, &description).map_err(Error::into_keyring)?.is_some() {
                let modifiers = HashMap::from([("target", part("target"))]);
                let user = &description[prefix.len()..];
                entries.push(self.build(part("service"), user, Some(&modifiers))?);
            }
        }
        match absent() {
            Error::Absent => Ok(entries),
            // To be checked one by one.
            elsewhere if check || entries.is_empty() => Err(elsewhere.into_keyring()),
            _ => Ok(entries),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if proc::in_user_namespace() {
            CredentialPersistence::Unspecified
        } else if proc::keeps_user_keyrings(&release) {
            CredentialPersistence::UntilReboot
        } else {
            CredentialPersistence::UntilLogout
        }
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}
