//! The collection that new items go to, and how one is unlocked.

use dbus_secret_service::{Collection, SecretService};

use super::bus::Asker;
use super::fault::Fault;

/// The default collection, unlocked; where a person can be asked, it is created if need be, as
/// libsecret does.
pub(super) fn open_default<'a>(
    service: &'a SecretService,
    asker: &Asker,
) -> Result<Collection<'a>, Fault> {
    let collection = match service.get_default_collection().map_err(Fault::from) {
        Err(Fault::NoDefault) if asker.can_ask() => {
            asker.ask(|| service.create_collection("Default keyring", "default"))?
        }
        collection => collection?,
    };
    if collection.is_locked()? {
        unlock(&collection, asker)?;
    }
    Ok(collection)
}

pub(super) fn unlock(collection: &Collection, asker: &Asker) -> Result<(), Fault> {
    asker.ask(|| collection.unlock())?;
    // KWallet ends its prompt well and stays locked if it was closed meanwhile.
    if collection.is_locked()? { Err(Fault::Locked) } else { Ok(()) }
}
