//! What a search skips.

use dbus_secret_service::{Collection, SecretService};

use super::fault::Fault;

/// The collections of which a search finds nothing: KeePassXC has no items of a database that is
/// locked. GNOME Keyring finds what is locked as well.
pub(super) struct HiddenCollections<'a> {
    pub(super) collections: Vec<Collection<'a>>,
    /// There is no other. KeePassXC then answers a search only after a dialog, and always with "nothing
    /// found".
    pub(super) is_all: bool,
}

impl<'a> HiddenCollections<'a> {
    pub(super) fn among_all(service: &'a SecretService) -> Result<Self, Fault> {
        let collections = service.get_all_collections()?;
        let count = collections.len();
        let mut hidden = Vec::new();
        for collection in collections {
            if collection.is_locked()? && collection.get_all_items()?.is_empty() {
                hidden.push(collection);
            }
        }
        Ok(Self { is_all: hidden.len() == count, collections: hidden })
    }
}
