//! An answer from the bus, read with every length checked: D-Bus specification, "Type System" and
//! "Message Protocol". What cannot be read is `None`, whatever is wrong with it.

/// What comes first in a message and tells its length.
pub(super) const FIXED_HEADER: usize = 16;

const METHOD_RETURN: u8 = 2;

/// A message; one that answers nothing has no reply serial.
pub(crate) struct Answer {
    message: Vec<u8>,
    body: usize,
    /// The signature of the values in the body.
    signature: String,
    reply_serial: Option<u32>,
}

impl Answer {
    /// The length of the message that begins with these bytes.
    pub(crate) fn length(start: &[u8; FIXED_HEADER]) -> Option<usize> {
        let mut header = Values { bytes: start, at: 4, is_big: is_big(start[0])? };
        let body = header.number()? as usize;
        let _serial = header.number()?;
        let fields = header.number()? as usize;
        fields.checked_next_multiple_of(8)?.checked_add(FIXED_HEADER)?.checked_add(body)
    }

    /// One whole message.
    pub(crate) fn read(message: Vec<u8>) -> Option<Self> {
        let mut header =
            Values { bytes: &message, at: FIXED_HEADER - 4, is_big: is_big(*message.first()?)? };
        let (mut signature, mut reply_serial) = (String::new(), None);
        let fields = header.list(8, |field| {
            field.align(8)?;
            match (field.byte()?, field.signature()?) {
                (5, "u") => reply_serial = Some(field.number()?),
                (8, "g") => signature = field.signature()?.to_owned(),
                (_, kind) => field.skip(kind)?,
            }
            Some(())
        });
        fields?;
        header.align(8)?;
        let body = header.at;
        Some(Self { body, signature, reply_serial, message })
    }

    /// Which call it answers.
    pub(crate) fn reply_serial(&self) -> Option<u32> {
        self.reply_serial
    }

    /// Whether it is no error.
    pub(crate) fn is_good(&self) -> bool {
        self.message.get(1) == Some(&METHOD_RETURN)
    }

    /// The values of a good answer with this signature; an error has none.
    pub(crate) fn values(&self, signature: &str) -> Option<Values<'_>> {
        let is_good = self.is_good() && self.signature == signature;
        let is_big = is_big(*self.message.first()?)?;
        is_good.then_some(Values { bytes: &self.message, at: self.body, is_big })
    }
}

/// The byte order, by a message's first byte.
fn is_big(mark: u8) -> Option<bool> {
    match mark {
        b'l' => Some(false),
        b'B' => Some(true),
        _ => None,
    }
}

/// Values that are read one after the other, each aligned from the message's first byte.
pub(crate) struct Values<'a> {
    bytes: &'a [u8],
    at: usize,
    is_big: bool,
}

impl<'a> Values<'a> {
    /// `y`.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// `u`.
    pub(crate) fn number(&mut self) -> Option<u32> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().ok()?;
        Some(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// `b`.
    pub(crate) fn boolean(&mut self) -> Option<bool> {
        self.number().map(|number| number != 0)
    }

    /// `s`, or `o`.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let length = self.number()? as usize;
        self.text(length)
    }

    /// `g`; a variant is one and a value of that type.
    pub(crate) fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?.into();
        self.text(length)
    }

    /// `ay`.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    /// `a` of what `item` reads, and that is aligned so.
    pub(crate) fn list<T>(
        &mut self,
        alignment: usize,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let length = self.number()? as usize;
        self.align(alignment)?;
        let start = self.at;
        self.take(length)?;
        let mut inside = Self { bytes: &self.bytes[..self.at], at: start, is_big: self.is_big };
        let mut items = Vec::new();
        while inside.at < self.at {
            items.push(item(&mut inside)?);
        }
        Some(items)
    }

    /// `ao`.
    pub(crate) fn strings(&mut self) -> Option<Vec<&'a str>> {
        self.list(4, Self::string)
    }

    /// `a{ss}`.
    pub(crate) fn dictionary<T: FromIterator<(String, String)>>(&mut self) -> Option<T> {
        let entries = self.list(8, |entry| {
            entry.align(8)?;
            Some((entry.string()?.to_owned(), entry.string()?.to_owned()))
        });
        entries.map(|entries| entries.into_iter().collect())
    }

    /// Passes over a value, of the types that stand before or beside what is wanted.
    pub(crate) fn skip(&mut self, signature: &str) -> Option<()> {
        match signature {
            "s" | "o" => self.string().map(drop),
            "g" => self.signature().map(drop),
            "b" | "u" => self.number().map(drop),
            "t" => {
                self.align(8)?;
                self.take(8).map(drop)
            }
            "ay" => self.bytes().map(drop),
            _ => None,
        }
    }

    /// Where a value begins that is aligned so: 8 for `(` and `{`.
    pub(crate) fn align(&mut self, alignment: usize) -> Option<()> {
        let padding = self.at.next_multiple_of(alignment) - self.at;
        self.take(padding).map(drop)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let text = self.take(length)?;
        (self.byte()? == 0).then_some(())?;
        std::str::from_utf8(text).ok()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use dbus::arg::Variant;
    use dbus::{Message, Path};
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(mut message: Message) -> Vec<u8> {
        message.set_serial(1);
        let mut bytes = Vec::new();
        let Ok(()) = message.marshal(|part| {
            bytes.extend_from_slice(part);
            Ok::<(), Infallible>(())
        });
        bytes
    }

    /// As libdbus writes them.
    fn answer_to(serial: u32) -> Message {
        let mut call = Message::new_method_call("org.x", "/x", "org.x.X", "X").unwrap();
        call.set_serial(serial);
        call.method_return()
    }

    fn found() -> Vec<u8> {
        let paths = |paths: &[&str]| -> Vec<Path<'static>> {
            paths.iter().map(|path| Path::from((*path).to_owned())).collect()
        };
        bytes_of(answer_to(9).append2(paths(&["/a", "/b/c"]), paths(&[])))
    }

    #[test]
    fn what_libdbus_writes_is_read() {
        let bytes = found();
        let start = bytes[..FIXED_HEADER].try_into().unwrap();
        assert_eq!(Answer::length(start), Some(bytes.len()));
        let answer = Answer::read(bytes).unwrap();
        assert_eq!(answer.reply_serial(), Some(9));
        assert!(answer.values("ao").is_none(), "another signature");
        let mut values = answer.values("aoao").unwrap();
        assert_eq!(values.strings().unwrap(), ["/a", "/b/c"]);
        assert!(values.strings().unwrap().is_empty());
        assert!(values.byte().is_none(), "nothing is left");
    }

    #[test]
    fn variants_and_structs_are_read() {
        let attributes = HashMap::from([("username".to_owned(), "k".to_owned())]);
        let secret = (Path::from("/session/1"), Vec::<u8>::new(), b"t0k3n".to_vec(), "text/plain");
        let message = answer_to(1).append2(Variant(attributes.clone()), (secret, true));
        let answer = Answer::read(bytes_of(message)).unwrap();
        let mut values = answer.values("v((oayays)b)").unwrap();
        assert_eq!(values.signature(), Some("a{ss}"));
        assert_eq!(values.dictionary(), Some(attributes));
        values.align(8).unwrap();
        assert_eq!(values.string(), Some("/session/1"));
        assert_eq!(values.bytes(), Some(&b""[..]));
        assert_eq!(values.bytes(), Some(&b"t0k3n"[..]));
        assert_eq!(values.string(), Some("text/plain"));
        assert_eq!(values.boolean(), Some(true));
    }

    #[test]
    fn an_error_has_no_values() {
        let call = Message::new_method_call("org.x", "/x", "org.x.X", "X").unwrap();
        let mut call = call;
        call.set_serial(5);
        let error = call.error(&"org.x.Error.No".into(), c"t0k3n");
        let answer = Answer::read(bytes_of(error)).unwrap();
        assert_eq!(answer.reply_serial(), Some(5));
        assert!(answer.values("s").is_none());
    }

    #[test]
    fn the_other_byte_order_is_read() {
        // A method return without a body: reply serial 9.
        let message =
            [b'B', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8, 5, 1, b'u', 0, 0, 0, 0, 9];
        let start = message[..FIXED_HEADER].try_into().unwrap();
        assert_eq!(Answer::length(start), Some(message.len()));
        let answer = Answer::read(message.to_vec()).unwrap();
        assert_eq!(answer.reply_serial(), Some(9));
        assert!(answer.values("").is_some());
    }

    /// Reads all that there may be; must end, and neither panic nor read past the end.
    fn read_all(message: Vec<u8>) -> Option<usize> {
        let answer = Answer::read(message)?;
        let mut values = answer.values("aoao")?;
        let count = values.strings()?.len();
        Some(count + values.strings()?.len())
    }

    #[test]
    fn a_message_that_was_cut_off_has_no_values() {
        let whole = found();
        assert_eq!(read_all(whole.clone()), Some(2));
        for length in 0..whole.len() {
            assert_eq!(read_all(whole[..length].to_vec()), None, "{length}");
        }
    }

    #[test]
    fn lengths_that_lie_are_not_believed() {
        for length in [[0xff; 4], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80]] {
            let mut start = [0; FIXED_HEADER];
            start[0] = b'l';
            start[4..8].copy_from_slice(&length);
            start[12..16].copy_from_slice(&length);
            let told = Answer::length(&start);
            assert!(told.is_none_or(|told| told > 1 << 30), "{told:?}");
            let whole = found();
            for at in 0..whole.len() - 4 {
                let mut message = whole.clone();
                message[at..at + 4].copy_from_slice(&length);
                let _ = read_all(message);
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(bytes);
        }

        #[test]
        fn no_change_makes_it_panic(at in 0..200_usize, value: u8, more in 0..200_usize, other: u8) {
            let mut message = found();
            let length = message.len();
            message[at % length] = value;
            message[more % length] = other;
            let _ = read_all(message);
        }
    }
}
