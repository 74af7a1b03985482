//! The `secret-service` keychain: GNOME Keyring, KWallet, KeePassXC, over D-Bus.
//!
//! A `get` is one connection: Hello, who offers the service, and SearchItems if that is GNOME Keyring;
//! OpenSession; GetSecret. Others are asked first whether they are locked, and for the attributes of what
//! was found, since they match loosely.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::bus::Bus;
use self::fault::NAME;
use self::identity::Identity;
use self::state::DefaultCollection;
use super::error::Error;
use super::options::Options;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey};
use crate::secret::RefreshToken;

mod address;
mod bus;
mod calls;
mod collection;
mod fault;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hidden;
mod identity;
mod items;
mod look;
mod peer;
mod quick;
pub(super) mod state;
mod stdout;
mod wire;

pub(super) use bus::has_display;

/// The service of the session bus, connected to when first needed.
pub(super) struct Store {
    bus: Bus,
}

impl Store {
    /// Checks that there is a session bus; does not connect yet.
    pub(super) fn open(options: &Options) -> Result<Self, Error> {
        address::session_bus().map(|address| Self { bus: Bus::new(address, options) })
    }

    /// What `auto` needs to know; nobody is asked yet.
    pub(super) fn state(&self) -> Result<DefaultCollection, Error> {
        self.bus.run_after(quick::state, state::of_default)
    }

    fn check_all_of(&self, identity: Identity) -> Result<(), Error> {
        self.bus
            .run_after(quick::check, move |service, asker| identity.check_readable(service, asker))
    }
}

impl store::Store for Store {
    fn unlock(&self) -> Result<(), Error> {
        self.bus.run_after(quick::unlock, |service, asker| {
            collection::open_default(service, asker).map(drop)
        })
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let identity = Identity::of(login);
        let (mut secret, mut attributes) = self.bus.run_after(
            |wire| quick::get(wire, &Identity::of(login)),
            move |service, asker| identity.get(service, asker),
        )?;
        let account = attributes.remove("account").unwrap_or_default();
        Item::from_bytes(&NAME, account, std::mem::take(&mut *secret))
    }

    fn token(&self, login: &LoginKey) -> Result<RefreshToken, Error> {
        let identity = Identity::of(login);
        let (mut secret, _) = self.bus.run_after(
            |wire| quick::get_secret(wire, &Identity::of(login)),
            move |service, asker| identity.get(service, asker),
        )?;
        let item = Item::from_bytes(&NAME, String::new(), std::mem::take(&mut *secret))?;
        Ok(item.token)
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let (identity, owned, kept) = (Identity::of(login), account.to_owned(), token.clone());
        self.bus.run_after(
            |wire| quick::put(wire, &Identity::of(login), account, token.expose().as_bytes()),
            move |service, asker| identity.put(service, asker, &owned, kept.expose().as_bytes()),
        )
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        let (identity, seen) = (Identity::of(login), Arc::new(AtomicBool::new(false)));
        let seen_quickly = seen.clone();
        self.bus.run_after(
            |wire| quick::delete(wire, &Identity::of(login), &seen_quickly),
            move |service, asker| identity.delete(service, asker, &seen),
        )
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let identity = Identity::of_profile(profile);
        let found = self.bus.run(move |service, _| identity.list(service))?;
        let mut listing = Listing::default();
        // Newest first under each key.
        for mut attributes in found {
            let mut part = |name| attributes.remove(name).unwrap_or_default();
            let login = Listed { key: part("username"), account: part("account") };
            match listing.logins.last() {
                Some(newer) if newer.key == login.key => listing.older.push(login),
                _ => listing.logins.push(login),
            }
        }
        Ok(listing)
    }

    fn check(&self, profile: &str) -> Result<(), Error> {
        self.check_all_of(Identity::of_profile(profile))
    }

    fn check_login(&self, login: &LoginKey) -> Result<(), Error> {
        self.check_all_of(Identity::of(login))
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilDeleted
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}
