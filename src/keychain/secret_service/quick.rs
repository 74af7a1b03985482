//! The usual operations where nothing is unusual: the login is there once, unlocked, and ours.
//! Anything else is `None`, and left to the careful way in `items`.
//!
//! It is not only quicker, without a thread and with fewer waits. GNOME Keyring survives it (see
//! [`Peer`]), while the library begins with OpenSession. So GNOME Keyring is written to this way as
//! well, and no single property of it is read.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::calls;
use super::fault::Fault;
use super::identity::{Attributes, Identity, Secret};
use super::peer::{Peer, is_keepassxc, meet};
use super::state::DefaultCollection;
use super::wire::{Answer, Call, Wire};

/// The secret over a plain session, and the attributes of its item.
pub(super) fn get(wire: &mut Wire, identity: &Identity) -> Option<Result<Secret, Fault>> {
    read(wire, identity, true)
}

/// The same, without the attributes where none are needed: GNOME Keyring alone finds exactly what
/// it is asked for, others match loosely.
pub(super) fn get_secret(wire: &mut Wire, identity: &Identity) -> Option<Result<Secret, Fault>> {
    read(wire, identity, false)
}

fn read(wire: &mut Wire, identity: &Identity, attributes: bool) -> Option<Result<Secret, Fault>> {
    let search = || calls::search_items(identity.attributes());
    let (peer, mut found) = meet(wire, search)?;
    let opened = match peer {
        Peer::GnomeKeyring if calls::unlocked_items(&found)?.is_empty() => return absent(wire),
        Peer::GnomeKeyring => {
            let [opened] = wire.ask([calls::open_session()])?;
            opened
        }
        Peer::Other => {
            // KeePassXC answers a search only after a dialog while it is locked.
            let [locked] = wire.ask([calls::get_locked()])?;
            (!calls::locked(&locked)?).then_some(())?;
            let opened;
            [found, opened] = wire.ask([search(), calls::open_session()])?;
            opened
        }
    };
    let found = calls::unlocked_items(&found)?;
    let [item] = &found[..] else { return None };
    let session = calls::session(&opened)?;
    if !attributes && peer == Peer::GnomeKeyring {
        let [secret] = wire.ask([calls::get_secret(item, &session)])?;
        return Some(Ok((calls::secret(&secret)?, Attributes::new())));
    }
    let [attributes, secret] =
        wire.ask([calls::get_attributes(peer, item), calls::get_secret(item, &session)])?;
    let (attributes, secret) = (calls::attributes(peer, &attributes)?, calls::secret(&secret)?);
    let is_ours = identity.is_of(&attributes) && !secret.is_empty();
    is_ours.then_some(Ok((secret, attributes)))
}

/// Whether the default collection is unlocked, without a look at any item.
pub(super) fn check(wire: &mut Wire) -> Option<Result<(), Fault>> {
    let unlocked = match meet(wire, calls::read_alias)?.0 {
        Peer::GnomeKeyring => is_open(wire)?,
        Peer::Other => {
            let [locked] = wire.ask([calls::get_locked()])?;
            !calls::locked(&locked)? && !is_keepassxc(wire)
        }
    };
    unlocked.then_some(Ok(()))
}

/// Whether new items can be created in GNOME Keyring at once.
pub(super) fn state(wire: &mut Wire) -> Option<Result<DefaultCollection, Fault>> {
    meet_gnome_keyring(wire, calls::read_alias)?;
    is_open(wire)?.then_some(Ok(DefaultCollection::Unlocked))
}

/// Makes sure that GNOME Keyring can be written to.
pub(super) fn unlock(wire: &mut Wire) -> Option<Result<(), Fault>> {
    meet_gnome_keyring(wire, calls::read_alias)?;
    is_open(wire)?.then_some(Ok(()))
}

/// Whether GNOME Keyring has a default collection that is unlocked; it says so of one that is not
/// there as well.
fn is_open(wire: &mut Wire) -> Option<bool> {
    let [answer, default] = wire.ask([calls::unlock(), calls::read_alias()])?;
    Some(calls::is_unlocked(&answer)? && calls::is_something(&default)?)
}

/// Updates the only item of a login, or creates it. GNOME Keyring does keep what it reports as kept.
pub(super) fn put(
    wire: &mut Wire,
    identity: &Identity,
    account: &str,
    token: &[u8],
) -> Option<Result<(), Fault>> {
    let search = || calls::search_items(identity.attributes());
    let found = calls::unlocked_items(&meet_gnome_keyring(wire, search)?)?;
    let mut attributes = identity.attributes();
    attributes.insert("account", account);
    let search_same = calls::search_items(attributes.clone());
    let [same, opened] = wire.ask([search_same, calls::open_session()])?;
    let same = calls::unlocked_items(&same)?;
    let session = calls::session(&opened)?;
    match &found[..] {
        [] => {
            let label = identity.label(account);
            let create = calls::create_item(&label, attributes, &session, token);
            let [created] = wire.ask([create])?;
            calls::is_created(&created)?.then_some(())?;
            // Another process may have created one as well.
            let [found] = wire.ask([search()])?;
            (calls::unlocked_items(&found)?.len() == 1).then_some(Ok(()))
        }
        [item] if same == found => {
            let [kept] = wire.ask([calls::set_secret(item, &session, token)])?;
            kept.values("").map(|_| Ok(()))
        }
        _ => None,
    }
}

/// Removes every item of a login; `seen` tells the careful way that there was one.
pub(super) fn delete(
    wire: &mut Wire,
    identity: &Identity,
    seen: &AtomicBool,
) -> Option<Result<(), Fault>> {
    let search = || calls::search_items(identity.attributes());
    let found = calls::unlocked_items(&meet_gnome_keyring(wire, search)?)?;
    if found.is_empty() {
        return absent(wire);
    }
    seen.store(true, Relaxed);
    for item in found {
        let [deleted] = wire.ask([calls::delete(&item)])?;
        (!calls::is_something(&deleted)?).then_some(())?;
    }
    Some(Ok(()))
}

fn meet_gnome_keyring(wire: &mut Wire, first: impl Fn() -> Call) -> Option<Answer> {
    let (peer, answer) = meet(wire, first)?;
    (peer == Peer::GnomeKeyring).then_some(answer)
}

/// Absent, unless the collection that it may have been in is gone.
fn absent<T>(wire: &mut Wire) -> Option<Result<T, Fault>> {
    let [default] = wire.ask([calls::read_alias()])?;
    calls::is_something(&default)?.then_some(Err(Fault::Absent))
}
