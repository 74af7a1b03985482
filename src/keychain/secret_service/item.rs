//! The steps of each operation on the bus, few and checked.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use dbus_secret_service::{Collection, Item, SearchItemsResult, SecretService};
use zeroize::Zeroizing;

use super::bus::Asker;
use super::fault::Fault;
use super::identity::{Attributes, Identity, Secret};

/// What others expect of a password; KeePassXC keeps anything else as an attachment.
pub(super) const CONTENT_TYPE: &str = "text/plain";

/// What KeePassXC adds to an item, and calls an invalid argument when it is sent back.
const READ_ONLY: [&str; 3] = ["Uuid", "Path", "TOTP"];

/// An item that was found and checked.
pub(super) struct Found<'a> {
    item: Item<'a>,
    pub(super) attributes: Attributes,
}

impl Identity {
    fn check<'a>(&self, items: Vec<Item<'a>>) -> Result<Vec<Found<'a>>, Fault> {
        let mut found = Vec::new();
        for item in items {
            match item.get_attributes().map_err(Fault::from) {
                Ok(attributes) if self.is_of(&attributes) => found.push(Found { item, attributes }),
                // Somebody else's, or deleted meanwhile.
                Ok(_) | Err(Fault::Vanished) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// The items of ours, newest first; none only after a look behind every veil.
    fn find<'a>(
        &self,
        service: &'a SecretService,
        asker: &Asker,
        all: bool,
    ) -> Result<Vec<Found<'a>>, Fault> {
        let veil = Veil::over(service)?;
        let mut found = Vec::new();
        if !veil.hides_all {
            found = self.find_unveiled(service, asker, all)?;
        }
        for collection in &veil.hidden {
            if !found.is_empty() {
                break;
            }
            unlock(collection, asker)?;
            found = self.find_unveiled(service, asker, all)?;
        }
        if found.is_empty() {
            service.get_default_collection()?;
        }
        Ok(found)
    }

    /// The items of ours that a search finds, newest first. Locked ones are unlocked if `all` are
    /// wanted, or if there is no other.
    fn find_unveiled<'a>(
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
        let secret = Zeroizing::new(newest.item.get_secret()?);
        Ok((secret, newest.attributes))
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
        let mut found = self.find_unveiled(service, asker, true)?;
        let is_new = found.is_empty();
        if is_new {
            self.create(&collection, asker, account, token)?;
            // Another process may have created one as well; both keep the same.
            found = self.find_unveiled(service, asker, false)?;
        } else {
            let newest = &found[0];
            newest.item.set_secret(token, CONTENT_TYPE)?;
            if newest.attributes.get("account").map(String::as_str) != Some(account) {
                // Those of the service are kept, it may look at them.
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
        // KWallet reports success, and keeps an empty secret or none, once it was told to disconnect
        // programs from its wallet.
        if let Some(newest) = found.first()
            && Zeroizing::new(newest.item.get_secret()?).is_empty()
        {
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

    /// Removes every item of ours; `seen` tells of an earlier attempt that came to no answer.
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

    /// Whether all of a profile, or one login, can be read now without asking anybody.
    pub(super) fn check_readable(
        &self,
        service: &SecretService,
        asker: &Asker,
    ) -> Result<(), Fault> {
        let hits = self.hits(service)?;
        if !hits.locked.is_empty() {
            // KWallet says so until its prompt has run, also of a wallet that was opened at login.
            if !asker.opens_unasked() {
                return Err(Fault::Locked);
            }
            return self.find_unveiled(service, asker, true).map(drop);
        }
        // Of all logins of a profile, one may be elsewhere: each is to be asked for.
        if (self.is_of_profile() || hits.unlocked.is_empty())
            && let Fault::Elsewhere = asker.nothing_found()
        {
            return Err(Fault::Elsewhere);
        }
        Ok(())
    }

    /// What a search finds without asking anybody; nothing only where nothing is hidden from it.
    fn hits<'a>(&self, service: &'a SecretService) -> Result<SearchItemsResult<Item<'a>>, Fault> {
        let veil = Veil::over(service)?;
        if !veil.hides_all {
            let hits = service.search_items(self.attributes())?;
            if !hits.unlocked.is_empty() || !hits.locked.is_empty() {
                return Ok(hits);
            }
        }
        if !veil.hidden.is_empty() {
            return Err(Fault::Locked);
        }
        service.get_default_collection()?;
        Ok(SearchItemsResult { unlocked: Vec::new(), locked: Vec::new() })
    }

    /// The attributes of every item, those under one key together, the newest first; locked items
    /// stay locked.
    pub(super) fn list(&self, service: &SecretService) -> Result<Vec<Attributes>, Fault> {
        let hits = self.hits(service)?;
        for item in &hits.locked {
            // GNOME Keyring has hashes alone of what was not unlocked since it started.
            if !item.get_attributes()?.contains_key("service") {
                return Err(Fault::Locked);
            }
        }
        let mut found = self.check(hits.unlocked)?;
        found.extend(self.check(hits.locked)?);
        let mut by_key: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for found in found {
            by_key.entry(found.attributes["username"].clone()).or_default().push(found);
        }
        let mut all = Vec::new();
        for mut same in by_key.into_values() {
            newest_first(&mut same)?;
            all.extend(same.into_iter().map(|found| found.attributes));
        }
        Ok(all)
    }
}

/// Every process must see the same order, or two that clean up would delete each other's item: so
/// the path decides within a second.
fn newest_first(found: &mut Vec<Found>) -> Result<(), Fault> {
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

fn unlock(collection: &Collection, asker: &Asker) -> Result<(), Fault> {
    asker.ask(|| collection.unlock())?;
    // KWallet ends its prompt well and stays locked if it was closed meanwhile.
    if collection.is_locked()? { Err(Fault::Locked) } else { Ok(()) }
}

/// The collections of which a search finds nothing: KeePassXC has no items of a database that is
/// locked. GNOME Keyring finds what is locked as well.
struct Veil<'a> {
    hidden: Vec<Collection<'a>>,
    /// There is no other. KeePassXC then answers a search only after a dialog, whatever comes of it
    /// with "nothing found".
    hides_all: bool,
}

impl<'a> Veil<'a> {
    fn over(service: &'a SecretService) -> Result<Self, Fault> {
        let collections = service.get_all_collections()?;
        let count = collections.len();
        let mut hidden = Vec::new();
        for collection in collections {
            if collection.is_locked()? && collection.get_all_items()?.is_empty() {
                hidden.push(collection);
            }
        }
        Ok(Self { hides_all: hidden.len() == count, hidden })
    }
}
