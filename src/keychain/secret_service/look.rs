//! What can be seen of our items without asking anybody.

use std::collections::BTreeMap;

use dbus_secret_service::{Item, SearchItemsResult, SecretService};

use super::bus::Asker;
use super::fault::Fault;
use super::hidden::HiddenCollections;
use super::identity::{Attributes, Identity};
use super::items::{Found, newest_first};

impl Identity {
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
            return self.find_visible(service, asker, true).map(drop);
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
        let hidden = HiddenCollections::among_all(service)?;
        if !hidden.is_all {
            let hits = service.search_items(self.attributes())?;
            if !hits.unlocked.is_empty() || !hits.locked.is_empty() {
                return Ok(hits);
            }
        }
        if !hidden.collections.is_empty() {
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
