//! The usual `get` in two waits instead of five: the login is there once, unlocked, and ours.
//!
//! dbus-secret-service waits for the answer to each message, and a client starts a process for each
//! `get`: of the 3 ms that one takes, waiting is a third. Anything but the usual is left to the
//! careful way in `item`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use dbus::arg::{RefArg, Variant};
use dbus::channel::Channel;
use dbus::{Message, Path};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::item::{Attributes, Identity, Secret};

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const BUS: &str = "org.freedesktop.DBus";

/// As long as dbus-secret-service waits for an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The secret over a plain session; `None` where the careful way must look.
pub(super) fn get(address: &str, identity: &Identity) -> Result<Option<Secret>, Fault> {
    // What is wrong with the bus, the careful way says better.
    let Ok(bus) = Channel::open_private(address) else { return Ok(None) };
    let plain = ("plain", Variant(Box::new(String::new()) as Box<dyn RefArg>));
    let answers = ask(
        &bus,
        [
            Message::call_with_args(BUS, "/org/freedesktop/DBus", BUS, "Hello", ()),
            Message::call_with_args(SERVICE, ROOT, SERVICE_INTERFACE, "OpenSession", plain),
            Message::call_with_args(
                SERVICE,
                ROOT,
                SERVICE_INTERFACE,
                "SearchItems",
                (identity.attributes(),),
            ),
        ],
    )?;
    let Some([_, opened, found]) = answers else { return Ok(None) };
    type Paths = Vec<Path<'static>>;
    let opened = opened.read2::<Variant<Box<dyn RefArg>>, Path<'static>>();
    let (Ok((_, session)), Ok((unlocked, locked))) = (opened, found.read2::<Paths, Paths>()) else {
        return Ok(None);
    };
    let item = match (&unlocked[..], &locked[..]) {
        ([], []) => return Err(Fault::Absent),
        ([item], []) => item,
        _ => return Ok(None),
    };
    let property = (ITEM_INTERFACE, "Attributes");
    let properties = "org.freedesktop.DBus.Properties";
    let answers = ask(
        &bus,
        [
            Message::call_with_args(SERVICE, item.clone(), properties, "Get", property),
            Message::call_with_args(SERVICE, item.clone(), ITEM_INTERFACE, "GetSecret", (session,)),
        ],
    )?;
    let Some([attributes, secret]) = answers else { return Ok(None) };
    type Tuple = (Path<'static>, Vec<u8>, Vec<u8>, String);
    let Ok((_, _, secret, _)) = secret.read1::<Tuple>() else { return Ok(None) };
    let secret = Zeroizing::new(secret);
    match attributes.read1::<Variant<Attributes>>() {
        Ok(Variant(attributes)) if identity.is_of(&attributes) => Ok(Some((secret, attributes))),
        _ => Ok(None),
    }
}

/// Sends all, then waits for all; `None` if one is answered with an error.
fn ask<const N: usize>(bus: &Channel, calls: [Message; N]) -> Result<Option<[Message; N]>, Fault> {
    let gone = || Fault::Gone("no answer".to_owned());
    let mut serials = HashMap::new();
    for (place, call) in calls.into_iter().enumerate() {
        serials.insert(bus.send(call).map_err(|()| gone())?, place);
    }
    let mut answers = [const { None }; N];
    let end = Instant::now() + LIMIT;
    while !serials.is_empty() {
        let left = end.checked_duration_since(Instant::now()).ok_or_else(gone)?;
        let Some(message) = bus.blocking_pop_message(left).map_err(|_| gone())? else { continue };
        // Signals, such as that we have a name, are nobody's answer.
        let place = message.get_reply_serial().and_then(|serial| serials.remove(&serial));
        if let Some(place) = place {
            answers[place] = Some(message);
        }
    }
    let good =
        |answer: Option<Message>| answer.and_then(|mut m| m.as_result().is_ok().then_some(m));
    let answers: Option<Vec<_>> = answers.into_iter().map(good).collect();
    Ok(answers.and_then(|answers| answers.try_into().ok()))
}
