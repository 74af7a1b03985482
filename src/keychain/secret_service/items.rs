//! Our items: found, read, written and deleted, in few, checked steps. May ask a person.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use dbus_secret_service::{Collection, Item, SecretService};
use zeroize::Zeroizing;

use super::bus::Asker;
use super::collection::{open_default, unlock};
use super::fault::Fault;
use super::hidden::HiddenCollections;
use super::identity::{Attributes, CONTENT_TYPE, Identity, Secret};

/// What KeePassXC adds to an item, and rejects as an invalid argument when it is sent back.
const READ_ONLY: [&str; 3] = ["Uuid", "Path", "TOTP"];

/// An item that was found and checked.
pub(super) struct Found<'a> {
    item: Item<'a>,
    pub(super) attributes: Attributes,
}

impl Identity {
    pub(super) fn check<'a>(&self, items: Vec<Item<'a>>) -> Result<Vec<Found<'a>>, Fault> {
        let mut found = Vec::new();
        for item in items {
            match item.get_attributes().map_err(Fault::from) {
                Ok(attributes) if self.is_of(&attributes) => found.push(Found { item, attributes }),
                // Somebody else's, or deleted in the meantime.
                Ok(_) | Err(Fault::Vanished) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// The items of ours, newest first; none only after every hidden collection was searched.
    fn find<'a>(
        &self,
        service: &'a SecretService,
        asker: &Asker,
        all: bool,
    ) -> Result<Vec<Found<'a>>, Fault> {
        let hidden = HiddenCollections::among_all(service)?;
        let mut found = Vec::new();
        if !hidden.is_all {
            found = self.find_visible(service, asker, all)?;
        }
        for collection in &hidden.collections {
            if !found.is_empty() {
                break;
            }
            unlock(collection, asker)?;
            found = self.find_visible(service, asker, all)?;
        }
        if found.is_empty() {
            service.get_default_collection()?;
        }
        Ok(found)
    }

    /// The items of ours that a search finds, newest first. Locked ones are unlocked if `all` are
    /// wanted, or if there is no other.
    pub(super) fn find_visible<'a>(
        &self,
        service: &'a SecretService,
        asker: &Asker,
        all: bool,
    ) -> Result<Vec<Found<'a>>, Fault> {
        let hits = service.search_items(self.attributes())?;
        let mut found = self.check(hits.unlocked)?;
        if !hits.locked.is_empty() && (all || found.is_empty()) {
            let locked: Vec<_> = hits.locked.iter().collect();
            asker.ask(|| service.unlock_all(&locked))?;
            // KWallet ends its prompt well and stays locked if it was closed meanwhile; there a
            // locked item that is deleted loses its attributes, and the secret stays.
            for item in &hits.locked {
                if item.is_locked()? {
                    return Err(Fault::Locked);
                }
            }
            found.extend(self.check(hits.locked)?);
        }
        newest_first(&mut found)?;
        Ok(found)
    }

    /// The token, and the attributes of the item it is from.
    pub(super) fn get(&self, service: &SecretService, asker: &Asker) -> Result<Secret, Fault> {
        let found = self.find(service, asker, false)?;
        let newest = found.into_iter().next().ok_or_else(|| asker.nothing_found())?;
        Ok((self.secret_of(service, &newest)?, newest.attributes))
    }

    /// Its secret, which is empty only where the item has none: KWallet says that of an item too which
    /// was deleted since the question was sent.
    fn secret_of(
        &self,
        service: &SecretService,
        found: &Found,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let secret = Zeroizing::new(found.item.get_secret()?);
        if secret.is_empty() {
            let hits = service.search_items(self.attributes())?;
            let mut hits = hits.unlocked.iter().chain(&hits.locked);
            hits.find(|hit| hit.path == found.item.path).ok_or(Fault::Vanished)?;
        }
        Ok(secret)
    }

    /// Updates the newest item, or creates one; no other of ours is left.
    pub(super) fn put(
        &self,
        service: &SecretService,
        asker: &Asker,
        account: &str,
        token: &[u8],
    ) -> Result<(), Fault> {
        let collection = open_default(service, asker)?;
        let mut found = self.find_visible(service, asker, true)?;
        let is_new = found.is_empty();
        if is_new {
            self.create(&collection, asker, account, token)?;
            // Another process may have created one as well; both keep the same.
            found = self.find_visible(service, asker, false)?;
        } else {
            let newest = &found[0];
            newest.item.set_secret(token, CONTENT_TYPE)?;
            if newest.attributes.get("account").map(String::as_str) != Some(account) {
                // Those of the service are kept, since it may read them.
                let mut attributes: HashMap<_, _> =
                    newest.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                attributes.retain(|name, _| !READ_ONLY.contains(name));
                attributes.insert("account", account);
                newest.item.set_attributes(attributes)?;
                newest.item.set_label(&self.label(account))?;
            }
        }
        for other in found.iter().skip(1) {
            delete(&other.item, asker)?;
        }
        if let Some(newest) = found.first()
            && self.secret_of(service, newest)?.is_empty()
        {
            // KWallet reports success, and keeps an empty secret or none, once it was told to disconnect
            // programs from its wallet.
            if is_new {
                delete(&newest.item, asker)?;
            }
            return Err(Fault::Odd("it did not keep the token"));
        }
        Ok(())
    }

    fn create(
        &self,
        collection: &Collection,
        asker: &Asker,
        account: &str,
        token: &[u8],
    ) -> Result<(), Fault> {
        let mut attributes = self.attributes();
        attributes.insert("account", account);
        let label = self.label(account);
        // Never with replace: KeePassXC does not answer that.
        asker.ask(|| collection.create_item(&label, attributes, token, false, CONTENT_TYPE))?;
        Ok(())
    }

    /// Removes every item of ours; `seen` means that an earlier attempt got no answer.
    pub(super) fn delete(
        &self,
        service: &SecretService,
        asker: &Asker,
        seen: &AtomicBool,
    ) -> Result<(), Fault> {
        let found = self.find(service, asker, true)?;
        if found.is_empty() {
            return if seen.load(Relaxed) { Ok(()) } else { Err(asker.nothing_found()) };
        }
        seen.store(true, Relaxed);
        found.iter().try_for_each(|found| delete(&found.item, asker))
    }
}

/// Every process must see the same order, or two that clean up would delete each other's item: so
/// within a second the path decides.
pub(super) fn newest_first(found: &mut Vec<Found>) -> Result<(), Fault> {
    if found.len() < 2 {
        return Ok(());
    }
    let mut dated = Vec::new();
    for found in found.drain(..) {
        match found.item.get_modified().map_err(Fault::from) {
            Ok(time) => dated.push((time, found)),
            Err(Fault::Vanished) => {}
            Err(fault) => return Err(fault),
        }
    }
    dated.sort_by(|(a, x), (b, y)| (b, &*y.item.path).cmp(&(a, &*x.item.path)));
    found.extend(dated.into_iter().map(|(_, found)| found));
    Ok(())
}

fn delete(item: &Item, asker: &Asker) -> Result<(), Fault> {
    match asker.ask(|| item.delete()) {
        Err(Fault::Vanished) => Ok(()),
        result => result,
    }
}
