//! The forms in which a secret could be written down, and a search for all of them at once.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Spellings (plain, escaped) of a secret in each encoding.
pub struct Forms {
    /// Bytes to look for, and their name.
    needles: Vec<(Vec<u8>, String)>,
    /// Which pairs of bytes some needle begins with: most positions end here.
    starts: Vec<bool>,
    longest: usize,
}

impl Forms {
    /// All forms of `secret`.
    pub fn of(secret: &str) -> Self {
        // A map, since most forms of a plain word are the word itself.
        let mut found = BTreeMap::new();
        for (spelling, text) in spellings(secret) {
            for (encoding, bytes) in encodings(&text) {
                found.entry(bytes).or_insert_with(|| format!("{encoding} ({spelling})"));
            }
        }
        let needles: Vec<_> = found.into_iter().collect();
        let mut starts = vec![false; 1 << 16];
        for (bytes, _) in &needles {
            starts[pair(bytes)] = true;
        }
        let longest = needles.iter().map(|(bytes, _)| bytes.len()).max().unwrap_or_default();
        Self { needles, starts, longest }
    }

    /// The length of the longest form.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Calls `hit` with the name of each form that ends after the first `seen` bytes.
    pub fn find(&self, hay: &[u8], seen: usize, mut hit: impl FnMut(&str)) {
        for at in 0..hay.len().saturating_sub(1) {
            let rest = &hay[at..];
            if self.starts[pair(rest)] {
                for (bytes, name) in &self.needles {
                    if rest.starts_with(bytes) && at + bytes.len() > seen {
                        hit(name);
                    }
                }
            }
        }
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// The secret as JSON strings, URLs and forms spell it.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).expect("a string");
    let json = json[1..json.len() - 1].to_owned();
    // RFC 3986 keeps these unescaped; HTML forms and path escapes differ in a few.
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let form = |b: u8| b.is_ascii_alphanumeric() || b"-._*".contains(&b);
    let path = |b: u8| unreserved(b) || b"!$&'()*+,;=:@".contains(&b);
    let plus = |text: String| text.replace("%20", "+");
    let mut all = vec![
        ("plain", secret.to_owned()),
        ("JSON as Go escapes it", escaped(&json, |c| matches!(c, '<' | '>' | '&'))),
        ("JSON as Python escapes it", escaped(&json, |c| !c.is_ascii())),
        ("JSON", json),
    ];
    for upper in [true, false] {
        all.extend([
            ("URL", percent(secret, upper, unreserved)),
            ("URL path", percent(secret, upper, path)),
            ("URL query", plus(percent(secret, upper, unreserved))),
            ("form", plus(percent(secret, upper, form))),
            ("URL, all escaped", percent(secret, upper, |_| false)),
        ]);
    }
    all
}

/// The text as bytes, as UTF-16, in hexadecimal, and inside base64 of something longer.
fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let hex = |upper| bytes.iter().map(|b| hex_byte(*b, upper)).collect::<String>().into_bytes();
    let mut all = vec![
        ("plain", bytes.to_vec()),
        ("UTF-16 LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hex", hex(false)),
        ("HEX", hex(true)),
    ];
    for before in 0..3 {
        all.push(("base64", inside_base64(&STANDARD_NO_PAD, bytes, before)));
        all.push(("base64url", inside_base64(&URL_SAFE_NO_PAD, bytes, before)));
    }
    all
}

/// The characters of a base64 text that depend on `bytes` alone, `before` bytes into a group of 3.
fn inside_base64(engine: &impl Engine, bytes: &[u8], before: usize) -> Vec<u8> {
    let padded = [&[0; 3][..before], bytes].concat();
    let text = engine.encode(&padded).into_bytes();
    let first = [0, 2, 3][before];
    let last = text.len() - usize::from(!padded.len().is_multiple_of(3));
    text[first..last].to_vec()
}

fn percent(text: &str, upper: bool, keep: impl Fn(u8) -> bool) -> String {
    let escape =
        |b: u8| if keep(b) { char::from(b).into() } else { format!("%{}", hex_byte(b, upper)) };
    text.bytes().map(escape).collect()
}

fn escaped(text: &str, escape: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if escape(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|u| out.push_str(&format!("\\u{u:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

fn hex_byte(b: u8, upper: bool) -> String {
    if upper { format!("{b:02X}") } else { format!("{b:02x}") }
}
