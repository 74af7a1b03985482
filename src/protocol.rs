//! The credential-helper protocol, byte for byte as docker-credential-helpers 0.9 speaks it.
//!
//! Takes a reader and a writer; never touches the process's own.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::secret::Password;
use crate::text::reason;

/// The name that clients use for the helper: `"credsStore": "refresh"`.
pub const HELPER_NAME: &str = "refresh";
/// Printed when the arguments are not one verb.
pub const USAGE: &str = "Usage: docker-credential-refresh <store|get|erase|list|version>";

/// Clients take exactly this text as "go on anonymously" (docker-credential-helpers
/// `credentials/error.go`).
pub const NOT_FOUND: &str = "credentials not found in native keychain";
/// The fixed text for a missing server URL.
pub const NO_SERVER_URL: &str = "no credentials server URL";
/// The fixed text for a missing username.
pub const NO_USERNAME: &str = "no credentials username";

/// The username that marks a secret as an identity token (docker/cli `cli/config/credentials`).
pub const IDENTITY_TOKEN_USERNAME: &str = "<token>";

/// More than any client sends; longer input is refused.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// One of the five verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Keep a login.
    Store,
    /// Answer with a login.
    Get,
    /// Remove a login.
    Erase,
    /// Name all logins.
    List,
    /// Name and version.
    Version,
}

/// What clients call them.
pub const VERBS: [&str; 5] = ["store", "get", "erase", "list", "version"];

impl Verb {
    /// The verb that an argument names.
    pub fn parse(argument: &str) -> Option<Self> {
        Some(match argument {
            "store" => Self::Store,
            "get" => Self::Get,
            "erase" => Self::Erase,
            "list" => Self::List,
            "version" => Self::Version,
            _ => return None,
        })
    }
}

/// What `store` reads, and what another helper answers to `get`; `S` is what its secret is.
pub struct Credentials<S> {
    /// As the client sent it.
    pub server_url: String,
    /// A username, or [`IDENTITY_TOKEN_USERNAME`].
    pub username: String,
    /// A password or a token.
    pub secret: S,
}

/// What [`not_found`] is known by.
#[derive(Debug, thiserror::Error)]
#[error("{NOT_FOUND}")]
struct NotFound;

/// The error that clients read as absence.
pub fn not_found() -> Error {
    Error { source: Some(Arc::new(NotFound)), ..Error::new(Kind::NotLoggedIn, NOT_FOUND) }
}

/// Whether an error is [`not_found`] as it was made, and not some other.
pub fn is_not_found(error: &Error) -> bool {
    error.source.as_ref().is_some_and(|source| source.is::<NotFound>()) && error.remedy.is_none()
}

/// Reads the payload of `get` and `erase`: a server URL.
///
/// # Errors
/// Over-long input, bytes that are not UTF-8, or nothing at all ([`NO_SERVER_URL`]).
pub fn read_server_url(input: &mut dyn Read) -> Result<String> {
    let text = read_text(input)?;
    if text.trim().is_empty() {
        return Err(Error::new(Kind::Usage, NO_SERVER_URL));
    }
    Ok(text)
}

/// Reads all of the input as text.
///
/// # Errors
/// Over-long input, or bytes that are not UTF-8.
pub fn read_text(input: &mut dyn Read) -> Result<String> {
    let bytes = read_all(input)?;
    let text = std::str::from_utf8(&bytes);
    text.map(str::to_owned).map_err(|_| Error::new(Kind::Usage, "standard input is not UTF-8"))
}

/// Reads the payload of `store`. Keys in any case, other fields ignored, duplicates refused.
///
/// # Errors
/// Input that is not such JSON, [`NO_SERVER_URL`], or [`NO_USERNAME`].
pub fn read_credentials(input: &mut dyn Read) -> Result<Credentials<Password>> {
    let bytes = read_all(input)?;
    let credentials = parse_credentials(&bytes).ok_or_else(|| {
        Error::new(
            Kind::Usage,
            "standard input is not a JSON object with ServerURL, Username and Secret",
        )
    })?;
    if credentials.server_url.trim().is_empty() {
        return Err(Error::new(Kind::Usage, NO_SERVER_URL));
    }
    if credentials.username.is_empty() {
        return Err(Error::new(Kind::Usage, NO_USERNAME));
    }
    Ok(credentials)
}

/// Reads credentials as another helper or a client wrote them; the parser's own error is not
/// passed on, because it can quote the input.
pub fn parse_credentials<S: From<String>>(json: &[u8]) -> Option<Credentials<S>> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = [Zeroizing<String>; 3];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            mut map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            let mut fields = [const { None }; 3];
            while let Some(key) = map.next_key::<String>()? {
                let name = key.to_ascii_lowercase();
                match ["serverurl", "username", "secret"].iter().position(|known| *known == name) {
                    None => drop(map.next_value::<IgnoredAny>()?),
                    Some(at) if fields[at].is_some() => {
                        return Err(de::Error::custom("duplicate key"));
                    }
                    // Go reads null as empty.
                    Some(at) => fields[at] = Some(map.next_value::<Option<String>>()?),
                }
            }
            Ok(fields.map(|field| Zeroizing::new(field.flatten().unwrap_or_default())))
        }
    }
    let mut parser = serde_json::Deserializer::from_slice(json);
    let fields = de::Deserializer::deserialize_map(&mut parser, Object).ok()?;
    parser.end().ok()?;
    let [server_url, username, secret] = fields.map(|mut field| std::mem::take(&mut *field));
    Some(Credentials { server_url, username, secret: secret.into() })
}

fn read_all(input: &mut dyn Read) -> Result<Zeroizing<Vec<u8>>> {
    // Room for an ordinary payload from the start; the allocator wipes what growing leaves behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * 1024));
    input.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).map_err(|e| {
        Error::new(Kind::Other, format!("cannot read standard input: {}", reason(&e)))
    })?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(Error::new(Kind::Usage, "standard input is longer than 1 MiB"));
    }
    Ok(bytes)
}

/// Writes the answer of `get`.
///
/// # Errors
/// The writer's.
pub fn write_credentials(
    out: &mut dyn Write,
    server_url: &str,
    username: &str,
    secret: &str,
) -> io::Result<()> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        #[serde(rename = "ServerURL")]
        server_url: &'a str,
        username: &'a str,
        secret: &'a str,
    }
    write_json(out, &Answer { server_url, username, secret })
}

/// Writes the answer of `list`: server URL to username, `ours` before `others`.
///
/// # Errors
/// The writer's.
pub fn write_list(
    out: &mut dyn Write,
    ours: &BTreeMap<String, String>,
    others: &BTreeMap<String, String>,
) -> io::Result<()> {
    struct Union<'a>(&'a BTreeMap<String, String>, &'a BTreeMap<String, String>);
    impl serde::Serialize for Union<'_> {
        fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
            let theirs = self.1.iter().filter(|(key, _)| !self.0.contains_key(*key));
            to.collect_map(self.0.iter().chain(theirs))
        }
    }
    write_json(out, &Union(ours, others))
}

/// As Go's `json.Encoder` does: `<`, `>` and `&` escaped, a newline at the end.
fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    struct GoFormatter;
    fn escaped(c: char) -> Option<&'static [u8]> {
        Some(match c {
            '<' => b"\\u003c",
            '>' => b"\\u003e",
            '&' => b"\\u0026",
            '\u{2028}' => b"\\u2028",
            '\u{2029}' => b"\\u2029",
            _ => return None,
        })
    }
    impl serde_json::ser::Formatter for GoFormatter {
        fn write_string_fragment<W: ?Sized + Write>(
            &mut self,
            out: &mut W,
            text: &str,
        ) -> io::Result<()> {
            let mut rest = text;
            while let Some((at, c, escaped)) =
                rest.char_indices().find_map(|(at, c)| Some((at, c, escaped(c)?)))
            {
                out.write_all(&rest.as_bytes()[..at])?;
                out.write_all(escaped)?;
                rest = &rest[at + c.len_utf8()..];
            }
            out.write_all(rest.as_bytes())
        }
    }
    let mut line = Zeroizing::new(Vec::with_capacity(4 * 1024));
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *line, GoFormatter))?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Credentials<Password>> {
        read_credentials(&mut json.as_bytes())
    }

    #[test]
    fn store_reads_what_go_and_python_clients_send() {
        for json in [
            "{\"ServerURL\":\"h\",\"Username\":\"\\u003ctoken\\u003e\",\"Secret\":\"s\"}\n",
            r#"{"ServerURL": "h", "Username": "<token>", "Secret": "s"}"#,
            r#"{"serverurl":"h","USERNAME":"<token>","secret":"s","Extra":[{"a":null}]}"#,
        ] {
            let credentials = read(json).unwrap();
            assert_eq!(credentials.server_url, "h");
            assert_eq!(credentials.username, IDENTITY_TOKEN_USERNAME);
            assert_eq!(credentials.secret.expose(), "s");
        }
    }

    #[test]
    fn odd_payloads_are_refused_with_one_line() {
        for json in [
            "",
            "{",
            "[]",
            "null",
            "\"x\"",
            "\u{feff}{}",
            r#"{"ServerURL":"h","Username":"u","Secret":"s"} x"#,
            r#"{"ServerURL":"h","Username":"u","Secret":"s"}{}"#,
            r#"{"ServerURL":"h","Username":"u","Secret":"s","secret":"t"}"#,
            r#"{"ServerURL":"h","Username":1,"Secret":"s"}"#,
        ] {
            let error = read(json).err().unwrap_or_else(|| panic!("{json:.40}"));
            assert!(error.fact.starts_with("standard input is not a JSON object"), "{error}");
        }
        assert!(read_credentials(&mut &b"{\"Secret\":\"\xff\"}"[..]).is_err());
    }

    #[test]
    fn the_fixed_texts_are_answered_for_missing_fields() {
        let message = |json: &str| read(json).err().unwrap().fact;
        assert_eq!(message(r#"{"Username":"u","Secret":"s"}"#), NO_SERVER_URL);
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(message(&deep), NO_SERVER_URL);
        assert_eq!(message(r#"{"ServerURL":null,"Username":"u"}"#), NO_SERVER_URL);
        assert_eq!(message(r#"{"ServerURL":"h","Secret":"s"}"#), NO_USERNAME);
        assert_eq!(read_server_url(&mut " \n".as_bytes()).unwrap_err().fact, NO_SERVER_URL);
    }

    #[test]
    fn only_the_fixed_text_alone_is_absence() {
        assert!(is_not_found(&not_found()));
        for other in [
            Error::new(Kind::Keychain, NOT_FOUND),
            Error::new(Kind::NotLoggedIn, "no login for h"),
            not_found().hint("log in"),
        ] {
            assert!(!is_not_found(&other), "{other}");
        }
    }

    #[test]
    fn verbs_are_five_words_to_the_letter() {
        let read: Vec<_> = VERBS.iter().map(|verb| Verb::parse(verb)).collect();
        use Verb::{Erase, Get, List, Store, Version};
        assert_eq!(read, [Store, Get, Erase, List, Version].map(Some));
        assert!(Verb::parse("GET").is_none() && Verb::parse("").is_none());
    }

    #[test]
    fn input_has_a_limit_of_1_mib() {
        let limit = 1024 * 1024;
        let text = |length: usize| read_text(&mut &*vec![b'a'; length]);
        assert_eq!(text(limit).unwrap().len(), limit);
        assert_eq!(text(limit + 1).unwrap_err().kind, Kind::Usage);
        assert!(read_text(&mut &b"\xff"[..]).is_err());
        assert_eq!(read_server_url(&mut "h\n".as_bytes()).unwrap(), "h\n");
    }

    #[test]
    fn never_ending_input_is_refused() {
        assert!(read_server_url(&mut io::repeat(b'a')).is_err());
        assert!(read_credentials(&mut io::repeat(b'{')).is_err());
    }

    #[test]
    fn answers_are_what_go_writes() {
        let mut out = Vec::new();
        write_credentials(&mut out, "h", IDENTITY_TOKEN_USERNAME, "a&\"b").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"ServerURL\":\"h\",\"Username\":\"\\u003ctoken\\u003e\",\"Secret\":\"a\\u0026\\\"b\"}\n"
        );
        let map = |entries: &[(&str, &str)]| {
            entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let mut out = Vec::new();
        write_list(&mut out, &map(&[("z", "<token>")]), &map(&[("a", "u"), ("z", "v")])).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"z\":\"\\u003ctoken\\u003e\",\"a\":\"u\"}\n"
        );
        let mut out = Vec::new();
        write_list(&mut out, &map(&[]), &map(&[])).unwrap();
        assert_eq!(out, b"{}\n");
    }
}
