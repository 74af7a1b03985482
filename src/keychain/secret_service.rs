//! The `secret-service` keychain: GNOME Keyring, KWallet, KeePassXC, over D-Bus.
//!
//! A `get` is one connection: Hello, who offers the service, whether it is locked, SearchItems,
//! OpenSession, the attributes of what was found (services match loosely), GetSecret.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, Entry, Error as KeyringError, Result};
use zeroize::Zeroizing;

use super::auto::DefaultCollection;
use super::{Error, KeychainName, Options, SERVICE};

mod bus;
mod calls;
mod fault;
mod item;
mod peer;
mod quick;
mod stdout;
mod wire;

pub(super) use bus::has_display;

use bus::Bus;
use item::{Attributes, Identity};

const NAME: KeychainName = KeychainName::SecretService;

/// The service of the session bus, connected to when first needed.
pub(super) struct Store {
    bus: Bus,
}

impl Store {
    /// Checks that there is a session bus; does not connect yet.
    pub(super) fn open(options: &Options) -> std::result::Result<Self, Error> {
        bus::session_bus().map(|address| Self { bus: Bus::new(address, options) })
    }

    /// What `auto` needs to know; where a person could be asked, none is yet.
    pub(super) fn state(&self) -> std::result::Result<DefaultCollection, Error> {
        let state = self.bus.run(item::state);
        state.map_err(|error| Error::from_keyring(error, &NAME))
    }
}

/// One login.
struct Login {
    bus: Bus,
    identity: Identity,
    account: String,
    /// The attributes that came with the secret, or that were searched for.
    read: Mutex<Option<Attributes>>,
}

impl Login {
    fn key(&self) -> &str {
        self.identity.username.as_deref().unwrap_or_default()
    }
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        let identity = self.identity.clone();
        let (account, token) = (self.account.clone(), Zeroizing::new(secret.to_vec()));
        self.bus.run_after(
            |wire| quick::put(wire, &self.identity, &self.account, secret),
            move |service, asker| identity.put(service, asker, &account, &token),
        )
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let identity = self.identity.clone();
        let (mut secret, attributes) = self.bus.run_after(
            |wire| quick::get(wire, &self.identity),
            move |service, asker| identity.get(service, asker),
        )?;
        *self.read.lock().expect("no panic while locked") = Some(attributes);
        Ok(std::mem::take(&mut *secret))
    }

    fn get_attributes(&self) -> Result<Attributes> {
        if let Some(attributes) = &*self.read.lock().expect("no panic while locked") {
            return Ok(attributes.clone());
        }
        let identity = self.identity.clone();
        let mut found = self.bus.run(move |service, _| identity.list(service, false))?;
        found.pop().ok_or(KeyringError::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        let (identity, seen) = (self.identity.clone(), Arc::new(AtomicBool::new(false)));
        let seen_before = seen.clone();
        self.bus.run_after(
            |wire| quick::delete(wire, &self.identity, &seen),
            move |service, asker| identity.delete(service, asker, &seen_before),
        )
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_attributes().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.identity.service.clone(), self.key().to_owned()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.key())
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        NAME.to_string()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        let identity = Identity {
            service: service.to_owned(),
            username: Some(user.to_owned()),
            target: modifiers.remove("target").unwrap_or_default(),
        };
        let account = modifiers.remove("account").unwrap_or_default();
        let (bus, read) = (self.bus.clone(), Mutex::default());
        Ok(Entry::new_with_credential(Arc::new(Login { bus, identity, account, read })))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        if spec.get("unlock") == Some(&"true") {
            self.bus.run_after(quick::unlock, |service, asker| {
                item::open_default(service, asker).map(drop)
            })?;
            return Ok(Vec::new());
        }
        let part = |name| spec.get(name).map(|value| (*value).to_owned());
        let identity = Identity {
            service: part("service").unwrap_or_default(),
            username: part("username"),
            target: part("target").unwrap_or_default(),
        };
        let wanted = identity.clone();
        if spec.get("check") == Some(&"true") {
            self.bus.run_after(quick::check, move |service, asker| {
                wanted.check_readable(service, asker)
            })?;
            return Ok(Vec::new());
        }
        let all = spec.get("all") == Some(&"true");
        let found = self.bus.run(move |service, _| wanted.list(service, all))?;
        let login = |mut attributes: Attributes| {
            let mut identity = identity.clone();
            identity.username = attributes.get("username").cloned();
            let account = attributes.entry("account".to_owned()).or_default().clone();
            let (bus, read) = (self.bus.clone(), Mutex::new(Some(attributes)));
            Entry::new_with_credential(Arc::new(Login { bus, identity, account, read }))
        };
        Ok(found.into_iter().map(login).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(secret-service)")
    }
}
