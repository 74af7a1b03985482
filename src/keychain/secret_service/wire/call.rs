//! A method call as bytes: D-Bus specification, "Type System" and "Message Protocol".

/// A header flag: the receiver is not started for it.
const NO_AUTO_START: u8 = 2;

const METHOD_CALL: u8 = 1;
/// The code of a header field.
const DESTINATION: u8 = 6;
const PROTOCOL_VERSION: u8 = 1;

/// One call, still without its serial.
pub(crate) struct Call {
    flags: u8,
    /// Code, type and value of each header field.
    fields: Vec<(u8, &'static str, String)>,
    body: Values,
}

impl Call {
    pub(crate) fn new(destination: &str, path: &str, interface: &str, member: &str) -> Self {
        let fields = vec![
            (1, "o", path.to_owned()),
            (2, "s", interface.to_owned()),
            (3, "s", member.to_owned()),
            (DESTINATION, "s", destination.to_owned()),
        ];
        Self { flags: 0, fields, body: Values::default() }
    }

    /// One of the bus itself.
    pub(crate) fn to_bus(member: &str) -> Self {
        Self::new("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", member)
    }

    /// With these arguments, which must be written as the signature says.
    pub(crate) fn with(mut self, signature: &str, write: impl FnOnce(&mut Values)) -> Self {
        self.fields.push((8, "g", signature.to_owned()));
        write(&mut self.body);
        self
    }

    /// The same to another receiver, which is not started for it.
    pub(crate) fn only_to(mut self, name: &str) -> Self {
        self.flags = NO_AUTO_START;
        self.fields.retain(|(code, ..)| *code != DESTINATION);
        self.fields.push((DESTINATION, "s", name.to_owned()));
        self
    }

    /// The whole message.
    pub(super) fn bytes(&self, serial: u32) -> Vec<u8> {
        let mut message = Values::default();
        message.0.extend([b'l', METHOD_CALL, self.flags, PROTOCOL_VERSION]);
        message.number(size(self.body.0.len()));
        message.number(serial);
        message.array(8, |fields| {
            for (code, kind, value) in &self.fields {
                fields.align(8);
                fields.0.push(*code);
                fields.signature(kind);
                match *kind {
                    "g" => fields.signature(value),
                    _ => fields.string(value),
                }
            }
        });
        message.align(8);
        message.0.extend_from_slice(&self.body.0);
        message.0
    }
}

/// Values one after the other, little-endian, each aligned from the first byte. They may be
/// secret: the allocator wipes them.
#[derive(Default)]
pub(crate) struct Values(Vec<u8>);

impl Values {
    /// `b`.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.number(value.into());
    }

    /// `u`.
    pub(crate) fn number(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    /// `s`, or `o`.
    pub(crate) fn string(&mut self, value: &str) {
        self.number(size(value.len()));
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
    }

    /// `g`; a variant is one and a value of that type.
    pub(crate) fn signature(&mut self, value: &str) {
        self.0.push(value.len() as u8);
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
    }

    /// `ay`.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.number(size(value.len()));
        self.0.extend_from_slice(value);
    }

    /// `a` of a type that is aligned so.
    pub(crate) fn array(&mut self, alignment: usize, write: impl FnOnce(&mut Self)) {
        self.number(0);
        let length = self.0.len() - 4..self.0.len();
        self.align(alignment);
        let start = self.0.len();
        write(self);
        let written = size(self.0.len() - start);
        self.0[length].copy_from_slice(&written.to_le_bytes());
    }

    /// `a{ss}`.
    pub(crate) fn dictionary<'a>(&mut self, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.array(8, |entry| {
            for (name, value) in entries {
                entry.align(8);
                entry.string(name);
                entry.string(value);
            }
        });
    }

    /// Where a value begins that is aligned so: 8 for `(` and `{`.
    pub(crate) fn align(&mut self, alignment: usize) {
        self.0.resize(self.0.len().next_multiple_of(alignment), 0);
    }
}

/// A length as the messages have it. One that does not fit is refused by the bus, which takes
/// 128 MiB at most.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use dbus::Message;
    use dbus::arg::{PropMap, RefArg, Variant};
    use dbus::message::MessageType;

    use super::*;

    /// libdbus reads what we write, and checks it well.
    fn by_libdbus(call: &Call, serial: u32) -> Message {
        let bytes = call.bytes(serial);
        assert_eq!(Message::demarshal_bytes_needed(&bytes), Ok(bytes.len()));
        Message::demarshal(&bytes).expect("a message that libdbus takes")
    }

    fn to_service(member: &str) -> Call {
        Call::new("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.x.Service", member)
    }

    #[test]
    fn the_header_is_as_libdbus_reads_it() {
        let message = by_libdbus(&to_service("Ping"), 1);
        assert_eq!((message.msg_type(), message.get_serial()), (MessageType::MethodCall, Some(1)));
        assert_eq!(message.path().as_deref(), Some("/org/freedesktop/secrets"));
        assert_eq!(message.interface().as_deref(), Some("org.x.Service"));
        assert_eq!(message.member().as_deref(), Some("Ping"));
        assert_eq!(message.destination().as_deref(), Some("org.freedesktop.secrets"));
        assert!(!message.get_no_reply() && message.get_auto_start());
    }

    #[test]
    fn arguments_are_as_libdbus_reads_them() {
        for text in ["", "a", "1234567", "12345678", "h\u{e9}"] {
            let call = to_service("Search").with("a{ss}", |values| {
                values.dictionary([("service", text), (text, "x"), ("target", "default")]);
            });
            let read = by_libdbus(&call, 1).read1::<HashMap<String, String>>();
            let expected = [("service", text), (text, "x"), ("target", "default")];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(read, Ok(HashMap::from(expected)), "{text:?}");

            let call = to_service("Open").with("sv", |values| {
                values.string(text);
                values.signature("s");
                values.string("");
            });
            let message = by_libdbus(&call, 1);
            let (algorithm, input): (&str, Variant<&str>) = message.read2().unwrap();
            assert_eq!((algorithm, input.0), (text, ""));
        }
    }

    #[test]
    fn structs_and_nested_arrays_are_as_libdbus_reads_them() {
        let call = to_service("CreateItem").with("a{sv}(oayays)b", |values| {
            values.array(8, |property| {
                property.align(8);
                property.string("Label");
                property.signature("s");
                property.string("a label");
                property.align(8);
                property.string("Attributes");
                property.signature("a{ss}");
                property.dictionary([("username", "k")]);
            });
            values.align(8);
            values.string("/session/1");
            values.bytes(&[]);
            values.bytes(b"t0k3n");
            values.string("text/plain");
            values.boolean(false);
        });
        type Secret = (dbus::Path<'static>, Vec<u8>, Vec<u8>, String);
        let (properties, secret, replace): (PropMap, Secret, bool) =
            by_libdbus(&call, 1).read3().unwrap();
        assert_eq!(properties["Label"].0.as_str(), Some("a label"));
        assert_eq!(properties["Attributes"].0.as_iter().unwrap().count(), 2);
        assert_eq!(&*secret.0, "/session/1");
        assert_eq!((secret.2.as_slice(), secret.3.as_str()), (&b"t0k3n"[..], "text/plain"));
        assert!(!replace);

        let call = to_service("Unlock").with("ao", |values| {
            values.array(4, |paths| ["/a", "/b/c"].iter().for_each(|path| paths.string(path)));
        });
        let paths: Vec<dbus::Path> = by_libdbus(&call, 1).read1().unwrap();
        assert_eq!(paths.iter().map(|path| &**path).collect::<Vec<_>>(), ["/a", "/b/c"]);
    }
}
