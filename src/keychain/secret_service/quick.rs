//! The usual `get`: the login is there once, unlocked, and ours; and the usual `check`: the default
//! collection is unlocked. Anything else is left to the careful way in `item`.
//!
//! It is not only quicker, without a thread and with fewer waits. GNOME Keyring 42 loses sight of
//! a client now and then when another one leaves at that moment, and aborts if the first thing
//! such a client does is OpenSession ("publish_dispatch: assertion 'client' failed"). Every later
//! call makes the client known again: so OpenSession, with which dbus-secret-service begins, comes
//! after SearchItems here.

use std::time::Duration;

use dbus::arg::{RefArg, Variant};
use dbus::{Message, Path};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::item::{Attributes, Identity, Secret};
use super::wire::Wire;

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";

/// The secret over a plain session; `None` where the careful way must look.
///
/// The connection is handed back in `wire`, to be closed only after the careful way is done: or it
/// would be the client that leaves at that moment.
pub(super) fn get(
    wire: &mut Option<Wire>,
    address: &str,
    limit: Duration,
    identity: &Identity,
) -> Result<Option<Secret>, Fault> {
    *wire = Wire::connect(address, limit);
    let Some(wire) = wire else { return Ok(None) };
    match search(wire, identity) {
        Some(Found::None) => Err(Fault::Absent),
        Some(Found::One(item)) => Ok(read(wire, identity, &item)),
        None => Ok(None),
    }
}

/// Whether the default collection is unlocked, without a look at any item; `None` where the careful
/// way must look.
pub(super) fn check(wire: &mut Option<Wire>, address: &str, limit: Duration) -> Option<()> {
    *wire = Wire::connect(address, limit);
    let wire = wire.as_mut()?;
    let [_, default] = wire.ask([
        hello(),
        Message::call_with_args(SERVICE, ROOT, SERVICE_INTERFACE, "ReadAlias", ("default",)),
    ])?;
    let collection = default.read1::<Path>().ok()?.into_static();
    let property = (COLLECTION_INTERFACE, "Locked");
    let [locked] =
        wire.ask([Message::call_with_args(SERVICE, collection, PROPERTIES, "Get", property)])?;
    let Variant(locked) = locked.read1::<Variant<bool>>().ok()?;
    (!locked).then_some(())
}

fn hello() -> Message {
    Message::call_with_args(BUS, "/org/freedesktop/DBus", BUS, "Hello", ())
}

enum Found {
    None,
    One(Path<'static>),
}

fn search(wire: &mut Wire, identity: &Identity) -> Option<Found> {
    let [_, found] = wire.ask([
        hello(),
        Message::call_with_args(
            SERVICE,
            ROOT,
            SERVICE_INTERFACE,
            "SearchItems",
            (identity.attributes(),),
        ),
    ])?;
    let (mut unlocked, locked): (Vec<Path>, Vec<Path>) = found.read2().ok()?;
    match (unlocked.len(), locked.len()) {
        (0, 0) => Some(Found::None),
        (1, 0) => unlocked.pop().map(|item| Found::One(item.into_static())),
        _ => None,
    }
}

fn read(wire: &mut Wire, identity: &Identity, item: &Path<'static>) -> Option<Secret> {
    let property = (ITEM_INTERFACE, "Attributes");
    let plain = ("plain", Variant(Box::new(String::new()) as Box<dyn RefArg>));
    let [attributes, opened] = wire.ask([
        Message::call_with_args(SERVICE, item.clone(), PROPERTIES, "Get", property),
        Message::call_with_args(SERVICE, ROOT, SERVICE_INTERFACE, "OpenSession", plain),
    ])?;
    let Variant(attributes) = attributes.read1::<Variant<Attributes>>().ok()?;
    if !identity.is_of(&attributes) {
        return None;
    }
    let (_, session) = opened.read2::<Variant<Box<dyn RefArg>>, Path>().ok()?;
    let [secret] = wire.ask([Message::call_with_args(
        SERVICE,
        item.clone(),
        ITEM_INTERFACE,
        "GetSecret",
        (session,),
    )])?;
    type Tuple<'a> = (Path<'a>, Vec<u8>, Vec<u8>, String);
    let (_, _, secret, _) = secret.read1::<Tuple>().ok()?;
    Some((Zeroizing::new(secret), attributes))
}
