//! What a trace shows of a URL and of a form: a secret in what is not on the list is never shown. The first
//! line is the URL, each other one a field of the form.
#![no_main]

use docker_credential_refresh::trace::redaction::{form, url_text};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// A secret that may be anywhere.
const CANARY: &str = "hunter2";

/// What the token specification and OAuth2 have that is no secret. Listed again, so that the list of the program
/// does not vouch for itself.
const SHOWN: [&str; 7] = [
    "grant_type",
    "service",
    "client_id",
    "scope",
    "access_type",
    "offline_token",
    "token_type_hint",
];

fuzz_target!(|input: &str| {
    let mut lines = input.lines();
    let text = lines.next().unwrap_or_default();
    let shown = url_text(text);
    match Url::parse(text) {
        Ok(url) => {
            let query = url.query().unwrap_or_default();
            let fields: Vec<_> = query.split('&').filter(|field| !field.is_empty()).collect();
            let decoded = fields.iter().map(|field| {
                let (name, value) = field.split_once('=').unwrap_or((field, ""));
                (decode(name), decode(value))
            });
            let address = [url.scheme(), url.host_str().unwrap_or_default(), url.path()];
            let is_open = address.iter().any(|part| part.contains(CANARY));
            hides(&shown, &decoded.collect::<Vec<_>>(), is_open);
        }
        Err(_) => assert_eq!(shown, "***"),
    }
    let fields: Vec<_> = lines.map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
    let owned: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    hides(&form(&fields), &owned, false);
});

fn hides(shown: &str, fields: &[(String, String)], is_open: bool) {
    assert!(!shown.contains(char::is_control), "{shown:?}");
    let open: Vec<_> = fields.iter().filter(|(name, _)| SHOWN.contains(&name.as_str())).collect();
    let is_open = is_open || open.iter().any(|(_, value)| value.contains(CANARY));
    assert!(is_open || !shown.contains(CANARY), "{shown}");
    for (name, value) in open {
        let is_plain = value.len() < 50 && value.bytes().all(|b| b.is_ascii_alphanumeric());
        assert!(!is_plain || shown.contains(&format!("{name}={value}")), "{shown}");
    }
}

/// `application/x-www-form-urlencoded`, as the URL standard reads it.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        match (byte, digits) {
            (b'%', Some(digits)) => {
                let digit = |d: u8| char::from(d).to_digit(16).expect("a hex digit") as u8;
                decoded.push(digit(digits[0]) << 4 | digit(digits[1]));
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
