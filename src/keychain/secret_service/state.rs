//! What `auto` asks about the service.

use dbus_secret_service::SecretService;

use super::bus::Asker;
use super::collection::open_default;
use super::fault::Fault;

/// What the alias `default` means, where new items go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::keychain) enum DefaultCollection {
    /// Items can be created at once.
    Unlocked,
    /// A person, or the service on its own, may unlock it.
    Locked,
    /// GNOME Keyring has none until somebody logs in at the desktop, or chooses a password.
    Missing,
}

/// KWallet says locked, until it is asked, also where it needs no person.
pub(super) fn of_default(
    service: &SecretService,
    asker: &Asker,
) -> Result<DefaultCollection, Fault> {
    let collection = match service.get_default_collection().map_err(Fault::from) {
        Err(Fault::NoDefault) => return Ok(DefaultCollection::Missing),
        collection => collection?,
    };
    if !collection.is_locked()? {
        return Ok(DefaultCollection::Unlocked);
    }
    if asker.can_ask() {
        return Ok(DefaultCollection::Locked);
    }
    match open_default(service, asker) {
        Ok(_) => Ok(DefaultCollection::Unlocked),
        Err(Fault::Locked) => Ok(DefaultCollection::Locked),
        Err(fault) => Err(fault),
    }
}
