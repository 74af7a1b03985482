//! Messages from the bus. libdbus reads them too: what it takes says the same here, and what is read
//! here is within the message.
#![no_main]

use std::collections::HashMap;

use dbus::arg::{ArgType, RefArg, Variant};
use dbus::{Message, Path};
use docker_credential_refresh::keychain::secret_service_answers::{Read, length, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let told = length(data);
    if let (Some(told), Ok(theirs)) = (told, Message::demarshal_bytes_needed(data))
        && theirs > 0
    {
        assert_eq!(told, theirs);
    }
    let ours = read(data);
    if let Some(read) = &ours {
        is_within(read, data);
    }
    // What comes after a message is the next one, and the crate panics at kinds that no bus sends.
    if told != Some(data.len()) || !(1..=4).contains(&data[1]) {
        return;
    }
    let Ok(message) = Message::demarshal(data) else { return };
    // A header field of a type that no bus sends is not passed over.
    let Some(ours) = ours else { return };
    assert_eq!(ours.reply_serial, message.get_reply_serial());
    compare(&ours, &message);
});

/// No byte of it was made up.
fn is_within(read: &Read, data: &[u8]) {
    let texts = read.unlocked_items.iter().flatten().chain(&read.session);
    let attributes = read.attributes.iter().chain(&read.all_attributes).flatten();
    let texts = texts.chain(attributes.flat_map(|(name, value)| [name, value]));
    let all = texts.map(|text| text.as_bytes()).chain(read.secret.as_deref());
    for bytes in all.filter(|bytes| !bytes.is_empty()) {
        assert!(data.windows(bytes.len()).any(|part| part == bytes));
    }
}

fn compare(ours: &Read, message: &Message) {
    let is_return = message.msg_type() == dbus::MessageType::MethodReturn;
    let signature = signature_of(message);
    let is = |wanted: &str| is_return && signature == wanted;
    let strings = |paths: Vec<Path>| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let found = message.read2::<Vec<Path>, Vec<Path>>().ok().filter(|_| is("aoao"));
    let found = found.filter(|(_, locked)| locked.is_empty());
    assert_eq!(ours.unlocked_items, found.map(|(unlocked, _)| strings(unlocked)));

    let locked = message.read1::<Variant<bool>>().ok().filter(|_| is("v"));
    assert_eq!(ours.locked, locked.map(|variant| variant.0));

    let path = message.read1::<Path>().ok().filter(|_| is("o"));
    assert_eq!(ours.is_something, path.map(|path| &*path != "/"));

    let unlocked = message.read2::<Vec<Path>, Path>().ok().filter(|_| is("aoo"));
    let unlocked = unlocked.map(|(paths, prompt)| paths.len() == 1 && &*prompt == "/");
    assert_eq!(ours.is_unlocked, unlocked);

    let created = message.read2::<Path, Path>().ok().filter(|_| is("oo"));
    assert_eq!(ours.is_created, created.map(|(item, prompt)| &*item != "/" && &*prompt == "/"));

    type Secret<'a> = (Path<'a>, Vec<u8>, Vec<u8>, String);
    let secret = message.read1::<Secret>().ok().filter(|_| is("(oayays)"));
    assert_eq!(ours.secret, secret.map(|(_, _, secret, _)| secret));

    let attributes = message.read1::<Variant<HashMap<String, String>>>().ok();
    assert_eq!(ours.attributes, attributes.filter(|_| is("v")).map(|variant| variant.0));

    if let (Some(session), true) = (&ours.session, is("vo")) {
        let (_, path) = message.read2::<Variant<Box<dyn RefArg>>, Path>().expect("vo");
        assert_eq!(**session, *path);
    }
}

fn signature_of(message: &Message) -> String {
    let mut arguments = message.iter_init();
    let mut signature = String::new();
    while arguments.arg_type() != ArgType::Invalid {
        signature += &arguments.signature();
        arguments.next();
    }
    signature
}
