//! The calls of the Secret Service API that the quick way makes, and what their answers tell.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::identity::{Attributes, CONTENT_TYPE};
use super::peer::{Peer, SERVICE};
use super::wire::{Answer, Call, Values};

const ROOT: &str = "/org/freedesktop/secrets";
/// Specified beside the alias itself, and one call less than to read that.
const DEFAULT_COLLECTION: &str = "/org/freedesktop/secrets/aliases/default";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// What a path is if there is no object, or no prompt.
const NONE: &str = "/";

fn service_call(member: &str) -> Call {
    Call::new(SERVICE, ROOT, "org.freedesktop.Secret.Service", member)
}

fn item_call(item: &str, member: &str) -> Call {
    Call::new(SERVICE, item, ITEM_INTERFACE, member)
}

fn property(path: &str, interface: &str, name: &str) -> Call {
    Call::new(SERVICE, path, PROPERTIES, "Get").with("ss", |values| {
        values.string(interface);
        values.string(name);
    })
}

pub(super) fn search_items(attributes: HashMap<&str, &str>) -> Call {
    service_call("SearchItems").with("a{ss}", |values| values.dictionary(attributes))
}

/// The unlocked items, if no other was found.
pub(super) fn unlocked_items(found: &Answer) -> Option<Vec<String>> {
    let mut values = found.values("aoao")?;
    let (unlocked, locked) = (values.strings()?, values.strings()?);
    locked.is_empty().then(|| unlocked.into_iter().map(str::to_owned).collect())
}

/// A session that is not encrypted.
pub(super) fn open_session() -> Call {
    service_call("OpenSession").with("sv", |values| {
        values.string("plain");
        values.signature("s");
        values.string("");
    })
}

pub(super) fn session(opened: &Answer) -> Option<String> {
    let mut values = opened.values("vo")?;
    let output = values.signature()?;
    values.skip(output)?;
    values.string().map(str::to_owned)
}

/// Whether the default collection is locked.
pub(super) fn get_locked() -> Call {
    property(DEFAULT_COLLECTION, COLLECTION_INTERFACE, "Locked")
}

pub(super) fn locked(answer: &Answer) -> Option<bool> {
    let mut values = answer.values("v")?;
    (values.signature()? == "b").then(|| values.boolean())?
}

/// To unlock the default collection; a prompt is shown only if it is asked for.
pub(super) fn unlock() -> Call {
    service_call("Unlock").with("ao", |values| {
        values.array(4, |paths| paths.string(DEFAULT_COLLECTION));
    })
}

/// Whether it is unlocked, without a prompt.
pub(super) fn is_unlocked(answer: &Answer) -> Option<bool> {
    let mut values = answer.values("aoo")?;
    Some(values.strings()?.len() == 1 && values.string()? == NONE)
}

/// Whether there is a default collection.
pub(super) fn read_alias() -> Call {
    service_call("ReadAlias").with("s", |values| values.string("default"))
}

/// Whether the answer is a path of something: of a collection, or of a prompt.
pub(super) fn is_something(answer: &Answer) -> Option<bool> {
    answer.values("o")?.string().map(|path| path != NONE)
}

/// The attributes of an item. All properties of one do GNOME Keyring no harm: what it cannot give
/// is left out.
pub(super) fn get_attributes(peer: Peer, item: &str) -> Call {
    match peer {
        Peer::GnomeKeyring => Call::new(SERVICE, item, PROPERTIES, "GetAll")
            .with("s", |values| values.string(ITEM_INTERFACE)),
        Peer::Other => property(item, ITEM_INTERFACE, "Attributes"),
    }
}

pub(super) fn attributes(peer: Peer, answer: &Answer) -> Option<Attributes> {
    if peer == Peer::Other {
        let mut values = answer.values("v")?;
        return (values.signature()? == "a{ss}").then(|| values.dictionary())?;
    }
    let mut attributes = None;
    answer.values("a{sv}")?.list(8, |property| {
        property.align(8)?;
        match (property.string()?, property.signature()?) {
            ("Attributes", "a{ss}") => attributes = Some(property.dictionary()?),
            (_, kind) => property.skip(kind)?,
        }
        Some(())
    })?;
    attributes
}

pub(super) fn get_secret(item: &str, session: &str) -> Call {
    item_call(item, "GetSecret").with("o", |values| values.string(session))
}

pub(super) fn secret(answer: &Answer) -> Option<Zeroizing<Vec<u8>>> {
    let mut values = answer.values("(oayays)")?;
    let (_session, _parameters) = (values.string()?, values.bytes()?);
    values.bytes().map(|secret| Zeroizing::new(secret.to_vec()))
}

pub(super) fn set_secret(item: &str, session: &str, token: &[u8]) -> Call {
    item_call(item, "SetSecret").with("(oayays)", |values| write_secret(values, session, token))
}

/// A new item of the default collection, also beside others with these attributes.
pub(super) fn create_item(
    label: &str,
    attributes: HashMap<&str, &str>,
    session: &str,
    token: &[u8],
) -> Call {
    let collection = Call::new(SERVICE, DEFAULT_COLLECTION, COLLECTION_INTERFACE, "CreateItem");
    collection.with("a{sv}(oayays)b", |values| {
        values.array(8, |property| {
            property.align(8);
            property.string("org.freedesktop.Secret.Item.Label");
            property.signature("s");
            property.string(label);
            property.align(8);
            property.string("org.freedesktop.Secret.Item.Attributes");
            property.signature("a{ss}");
            property.dictionary(attributes);
        });
        write_secret(values, session, token);
        values.boolean(false);
    })
}

/// Whether it was created, without a prompt.
pub(super) fn is_created(answer: &Answer) -> Option<bool> {
    let mut values = answer.values("oo")?;
    Some(values.string()? != NONE && values.string()? == NONE)
}

pub(super) fn delete(item: &str) -> Call {
    item_call(item, "Delete")
}

fn write_secret(values: &mut Values, session: &str, token: &[u8]) {
    values.align(8);
    values.string(session);
    values.bytes(&[]);
    values.bytes(token);
    values.string(CONTENT_TYPE);
}
