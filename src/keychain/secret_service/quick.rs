//! The usual `get`: the login is there once, unlocked, and ours; and the usual `check`: the default
//! collection is unlocked. Anything else is left to the careful way in `item`.
//!
//! It is not only quicker, without a thread and with fewer waits. GNOME Keyring 42 loses sight of
//! a client now and then when another one leaves at that moment, and aborts if the first thing
//! such a client does is OpenSession ("publish_dispatch: assertion 'client' failed"). Every later
//! call makes the client known again: so OpenSession, with which dbus-secret-service begins, comes
//! after others here.

use std::time::Duration;

use dbus::arg::{AppendAll, RefArg, Variant};
use dbus::{Message, Path};
use zeroize::Zeroizing;

use super::identity::{Attributes, Identity, Secret};
use super::wire::Wire;

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// Specified beside the alias itself, and one call less than to read that.
const DEFAULT_COLLECTION: &str = "/org/freedesktop/secrets/aliases/default";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";
const KEEPASSXC: &str = "org.keepassxc.KeePassXC.MainWindow";

/// The secret over a plain session; `None` where the careful way must look.
///
/// The connection is handed back in `wire`, to be closed only after the careful way is done: or it
/// would be the client that leaves at that moment.
pub(super) fn get(
    wire: &mut Option<Wire>,
    address: &str,
    limit: Duration,
    identity: &Identity,
) -> Option<Secret> {
    *wire = Wire::connect(address, limit);
    let wire = wire.as_mut()?;
    // KeePassXC answers a search only after a dialog while it is locked.
    greet(wire)?;
    let (item, session) = search(wire, identity)?;
    read(wire, identity, &item, session)
}

/// Whether the default collection is unlocked, without a look at any item; `None` where the careful
/// way must look.
pub(super) fn check(wire: &mut Option<Wire>, address: &str, limit: Duration) -> Option<()> {
    *wire = Wire::connect(address, limit);
    let wire = wire.as_mut()?;
    greet(wire)?;
    is_also(wire, KEEPASSXC).is_none().then_some(())
}

/// Whether the service is KeePassXC.
pub(super) fn is_keepassxc(address: &str, limit: Duration) -> bool {
    let mut wire = Wire::connect(address, limit);
    wire.as_mut().and_then(|wire| hello(wire).and_then(|()| is_also(wire, KEEPASSXC))).is_some()
}

/// Whether the service is KWallet with an open wallet: then its prompt asks nobody.
pub(super) fn is_open_kwallet(address: &str, limit: Duration) -> bool {
    let is_open = |daemon: &str| {
        let mut wire = Wire::connect(address, limit)?;
        hello(&mut wire)?;
        is_also(&mut wire, &format!("org.kde.{daemon}"))?;
        let path = Path::new(format!("/modules/{daemon}")).ok()?;
        let kwallet = "org.kde.KWallet";
        let name = Message::call_with_args(SERVICE, path.clone(), kwallet, "networkWallet", ());
        let [name] = wire.ask([name])?;
        let name = name.read1::<&str>().ok()?;
        let [open] =
            wire.ask([Message::call_with_args(SERVICE, path, kwallet, "isOpen", (name,))])?;
        open.read1::<bool>().ok()
    };
    ["kwalletd5", "kwalletd6"].into_iter().any(|daemon| is_open(daemon) == Some(true))
}

/// Some if who offers the service has this name on the bus as well.
fn is_also(wire: &mut Wire, name: &str) -> Option<()> {
    let owner = |name| of_bus("GetNameOwner", (name,));
    let [service, other] = wire.ask([owner(SERVICE), owner(name)])?;
    (service.read1::<&str>().ok()? == other.read1::<&str>().ok()?).then_some(())
}

fn hello(wire: &mut Wire) -> Option<()> {
    wire.ask([of_bus("Hello", ())]).map(drop)
}

fn of_bus(member: &str, arguments: impl AppendAll) -> Message {
    Message::call_with_args(BUS, "/org/freedesktop/DBus", BUS, member, arguments)
}

/// Some if the default collection is unlocked.
fn greet(wire: &mut Wire) -> Option<()> {
    let [_, locked] = wire.ask([
        of_bus("Hello", ()),
        Message::call_with_args(
            SERVICE,
            DEFAULT_COLLECTION,
            PROPERTIES,
            "Get",
            (COLLECTION_INTERFACE, "Locked"),
        ),
    ])?;
    let Variant(locked) = locked.read1::<Variant<bool>>().ok()?;
    (!locked).then_some(())
}

/// The one item that may be ours, and a session to read it in.
fn search(wire: &mut Wire, identity: &Identity) -> Option<(Path<'static>, Path<'static>)> {
    let attributes = (identity.attributes(),);
    let plain = ("plain", Variant(Box::new(String::new()) as Box<dyn RefArg>));
    let [found, opened] = wire.ask([
        Message::call_with_args(SERVICE, ROOT, SERVICE_INTERFACE, "SearchItems", attributes),
        Message::call_with_args(SERVICE, ROOT, SERVICE_INTERFACE, "OpenSession", plain),
    ])?;
    let (mut unlocked, locked): (Vec<Path>, Vec<Path>) = found.read2().ok()?;
    if unlocked.len() != 1 || !locked.is_empty() {
        return None;
    }
    let (_, session) = opened.read2::<Variant<Box<dyn RefArg>>, Path>().ok()?;
    Some((unlocked.pop()?.into_static(), session.into_static()))
}

fn read(
    wire: &mut Wire,
    identity: &Identity,
    item: &Path<'static>,
    session: Path<'static>,
) -> Option<Secret> {
    let property = (ITEM_INTERFACE, "Attributes");
    let [attributes, secret] = wire.ask([
        Message::call_with_args(SERVICE, item.clone(), PROPERTIES, "Get", property),
        Message::call_with_args(SERVICE, item.clone(), ITEM_INTERFACE, "GetSecret", (session,)),
    ])?;
    type Tuple<'a> = (Path<'a>, Vec<u8>, Vec<u8>, String);
    let (_, _, secret, _) = secret.read1::<Tuple>().ok()?;
    let secret = Zeroizing::new(secret);
    let Variant(attributes) = attributes.read1::<Variant<Attributes>>().ok()?;
    identity.is_of(&attributes).then_some((secret, attributes))
}
