//! The layout of the records' file: a JSON document with one login to a line, so that a `get` can
//! find the one it needs without parsing the others.
//!
//! ```json
//! {"version":1,"logins":[
//! {"profile":"default","key":"registry.example.com", ...},
//! {"profile":"default","key":"ghcr.io", ...}
//! ],"crc32":2774811409}
//! ```
//!
//! Any other layout of the same document is read too, and replaced by the next change. Earlier
//! builds indented it and had no checksum; they read this one as well, so going back to one loses
//! no login.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use memchr::arch::all::is_prefix;
use serde::{Deserialize, Serialize};

use super::{LoginRecord, Lookup, Records};

const VERSION: u32 = 1;
/// More than [`last_line`] ever is.
const MAX_LAST_LINE_BYTES: u64 = 64;
/// So much of the file is in memory at once; each new page of it takes as long as ten reads.
const BUFFER_BYTES: usize = 8 * 1024;

#[derive(Deserialize)]
struct Document<L> {
    version: u32,
    #[serde(default)]
    rebuilt_for: Option<Vec<String>>,
    logins: Vec<L>,
    #[serde(default)]
    crc32: Option<u32>,
}

/// The file's content.
pub(super) fn to_json(records: &Records) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Head<'a> {
        version: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        rebuilt_for: Option<&'a [String]>,
        logins: [(); 0],
    }
    let head = Head { version: VERSION, rebuilt_for: records.rebuilt_for.as_deref(), logins: [] };
    let mut json = serde_json::to_vec(&head)?;
    json.truncate(json.len() - "]}".len());
    for (number, login) in records.logins.iter().enumerate() {
        json.extend_from_slice(if number == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut json, login)?;
    }
    json.push(b'\n');
    let crc32 = crc32fast::hash(&json);
    json.extend(last_line(crc32));
    Ok(json)
}

/// The checksum is of all lines before it.
fn last_line(crc32: u32) -> Vec<u8> {
    format!("],\"crc32\":{crc32}}}\n").into_bytes()
}

/// Reads the file's content in any layout, or says why it is damaged.
pub(super) fn parse<'a, L: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Records<L>, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let document = serde_json::from_slice::<Document<L>>(bytes).map_err(|error| {
        // A later version's logins may differ in anything.
        match serde_json::from_slice(bytes) {
            Ok(Version { version }) if version != VERSION => other_version(version),
            _ => format!("it is damaged at line {}", error.line()),
        }
    })?;
    if document.version != VERSION {
        return Err(other_version(document.version));
    }
    let Document { logins, mut rebuilt_for, crc32, .. } = document;
    if crc32.is_some_and(|crc32| crc32fast::hash(lines_before_last(bytes)) != crc32) {
        // Changed by somebody else: a login that is missing may have been here.
        rebuilt_for = Some(Vec::new());
    }
    Ok(Records { logins, rebuilt_for })
}

fn other_version(version: u32) -> String {
    format!("it has version {version}, and this program writes {VERSION}")
}

fn lines_before_last(bytes: &[u8]) -> &[u8] {
    let end = bytes.trim_ascii_end().iter().rposition(|byte| *byte == b'\n');
    &bytes[..end.map_or(0, |at| at + 1)]
}

/// Looks for a profile's login under the first of these keys that has one, and parses that line
/// alone. Where nothing is found under the first key, the checksum has to show that every line is
/// as [`to_json`] wrote it; otherwise the answer is `None`, and everything has to be parsed.
pub(super) fn look_up<'a>(
    mut file: impl Read + Seek,
    profile: &str,
    keys: impl Iterator<Item = &'a str>,
) -> io::Result<Option<Lookup>> {
    let mut lines = Lines::new(&mut file);
    let head = [lines.next()?, b"]}"].concat();
    let Ok(head) = parse::<LoginRecord>(&head) else { return Ok(None) };
    let mut found = None;
    for (place, key) in keys.enumerate() {
        if let Some(line) = lines.find(&head_of_line(profile, key)?)? {
            let Some(login) = parse_line(line) else { return Ok(None) };
            if place == 0 {
                return Ok(Some(login));
            }
            found = Some(login);
            break;
        }
    }
    if !is_whole(file)? {
        return Ok(None);
    }
    let none = if head.is_complete(profile) { Lookup::Absent } else { Lookup::Unknown };
    Ok(Some(found.unwrap_or(none)))
}

fn parse_line(line: &[u8]) -> Option<Lookup> {
    let json = line.trim_ascii_end();
    let login = serde_json::from_slice(json.strip_suffix(b",").unwrap_or(json));
    login.ok().map(|login| Lookup::Found(Box::new(login)))
}

/// Whether the last line has the checksum of all before it.
fn is_whole(mut file: impl Read + Seek) -> io::Result<bool> {
    let size = file.seek(SeekFrom::End(0))?;
    let start = file.seek(SeekFrom::Start(size.saturating_sub(MAX_LAST_LINE_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let last = lines_before_last(&tail).len();
    file.rewind()?;
    let crc32 = checksum(file.take(start + last as u64))?;
    Ok(tail[last..] == last_line(crc32))
}

fn checksum(bytes: impl Read) -> io::Result<u32> {
    let mut bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
    let mut crc32 = crc32fast::Hasher::new();
    loop {
        let part = match bytes.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            part => part?,
        };
        if part.is_empty() {
            return Ok(crc32.finalize());
        }
        crc32.update(part);
        let length = part.len();
        bytes.consume(length);
    }
}

/// The lines of a file, with their ends, without a copy of each.
struct Lines<R> {
    file: R,
    buffer: [u8; BUFFER_BYTES],
    start: usize,
    end: usize,
}

impl<R: Read + Seek> Lines<R> {
    fn new(file: R) -> Self {
        Self { file, buffer: [0; BUFFER_BYTES], start: 0, end: 0 }
    }

    /// The next one, empty at the end; a line longer than the buffer comes in parts.
    fn next(&mut self) -> io::Result<&[u8]> {
        let length = loop {
            let rest = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', rest) {
                break at + 1;
            }
            if !self.fill()? {
                break self.end;
            }
        };
        self.start += length;
        Ok(&self.buffer[self.start - length..self.start])
    }

    /// The first one of all that begins so, and is not the first of the file.
    fn find(&mut self, head: &[u8]) -> io::Result<Option<&[u8]>> {
        self.file.rewind()?;
        (self.start, self.end) = (0, 0);
        while self.fill()? {
            let read = &self.buffer[self.start..self.end];
            // Not `starts_with`: musl compares byte by byte.
            let mut starts = memchr::memchr_iter(b'\n', read).map(|end| end + 1);
            if let Some(at) = starts.find(|at| is_prefix(&read[*at..], head)) {
                self.start += at;
                return self.next().map(Some);
            }
            // What may be the beginning of it, with the line end before.
            self.start = self.start.max(self.end.saturating_sub(head.len()));
        }
        Ok(None)
    }

    /// Reads more behind what was not taken; false at the end, and where there is no room.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let more = loop {
            match self.file.read(&mut self.buffer[self.end..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += more;
        Ok(more > 0)
    }
}

/// How the line of a login begins: with the first two fields, in the order of their declaration.
fn head_of_line(profile: &str, key: &str) -> serde_json::Result<Vec<u8>> {
    let [profile, key] = [serde_json::to_string(profile)?, serde_json::to_string(key)?];
    Ok(format!(r#"{{"profile":{profile},"key":{key},"#).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keychain::KeychainName;

    fn record(profile: &str, key: &str) -> LoginRecord {
        let since = "2026-01-02T03:04:05Z".parse().unwrap();
        LoginRecord { since, ..LoginRecord::new(profile, key, KeychainName::Kernel) }
    }

    fn records(logins: &[(&str, &str)]) -> Records {
        let mut records = Records::default();
        for (profile, key) in logins {
            records.put(record(profile, key));
        }
        records
    }

    fn parse(json: &[u8]) -> Result<Records, String> {
        super::parse(json)
    }

    /// What is found without parsing every line.
    fn quick(json: &[u8], profile: &str, keys: &[&str]) -> Option<Lookup> {
        look_up(io::Cursor::new(json), profile, keys.iter().copied()).unwrap()
    }

    #[test]
    fn the_file_is_one_document_with_a_login_to_a_line() {
        let mut records = records(&[("default", "a.example"), ("work", "b.example/team")]);
        records.rebuilt_for = Some(vec!["work".into()]);
        let json = String::from_utf8(to_json(&records).unwrap()).unwrap();
        let expected = r#"{"version":1,"rebuilt_for":["work"],"logins":[
{"profile":"default","key":"a.example","server_url":"a.example","account":"","keychain":"kernel","proven":false,"since":"2026-01-02T03:04:05Z"},
{"profile":"work","key":"b.example/team","server_url":"b.example/team","account":"","keychain":"kernel","proven":false,"since":"2026-01-02T03:04:05Z"}
],"crc32":1629859994}
"#;
        assert_eq!(json, expected);
        assert_eq!(parse(json.as_bytes()).unwrap(), records);
        let none = to_json(&Records::default()).unwrap();
        assert_eq!(none, b"{\"version\":1,\"logins\":[\n],\"crc32\":2712887584}\n");
        assert_eq!(quick(&none, "default", &["a.example"]), Some(Lookup::Absent));
    }

    #[test]
    fn the_layout_of_earlier_releases_is_read() {
        let json = br#"{
  "version": 1,
  "logins": [
    {
      "profile": "default",
      "key": "a.example",
      "server_url": "a.example",
      "account": "",
      "keychain": "kernel",
      "proven": false,
      "since": "2026-01-02T03:04:05Z"
    }
  ]
}
"#;
        assert_eq!(quick(json, "default", &["a.example"]), None);
        assert_eq!(parse(json).unwrap(), records(&[("default", "a.example")]));
    }

    #[test]
    fn a_login_is_found_by_the_whole_of_its_profile_and_key() {
        let odd = "a\"b\\c\n\u{1}\u{fc}";
        let logins = [
            ("default", "h.example"),
            ("default", "h.example/team"),
            ("default", "h.example:5000"),
            ("def", "h"),
            ("default", odd),
            (odd, "h"),
        ];
        let json = to_json(&records(&logins)).unwrap();
        for (profile, key) in logins {
            let found = Lookup::Found(Box::new(record(profile, key)));
            assert_eq!(quick(&json, profile, &[key]), Some(found), "{profile} {key}");
        }
        for (profile, key) in [
            ("default", "h"),
            ("default", "h.exampl"),
            ("default", "h.example/"),
            ("default", "h.example/tea"),
            ("def", "h.example"),
            ("defaul", "h"),
            ("", ""),
            ("default", "h.example\",\"server_url\":\"h.example"),
            ("default\",\"key\":\"h.example", ""),
        ] {
            assert_eq!(quick(&json, profile, &[key]), Some(Lookup::Absent), "{profile} {key}");
        }
        let keys = ["h.example/team/app", "h.example/team", "h.example"];
        let nearest = Lookup::Found(Box::new(record("default", "h.example/team")));
        assert_eq!(quick(&json, "default", &keys), Some(nearest));
    }

    #[test]
    fn a_login_is_found_in_a_long_file_that_comes_in_pieces() {
        /// Each other attempt to read is interrupted by a signal.
        struct Pieces<'a>(io::Cursor<&'a [u8]>, bool);
        impl Read for Pieces<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let most = buffer.len().min(100);
                self.0.read(&mut buffer[..most])
            }
        }
        impl Seek for Pieces<'_> {
            fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                self.0.seek(to)
            }
        }
        // Each of another length, so that pieces end everywhere in a line.
        let keys: Vec<String> = (1..=400).map(|length| "h".repeat(length)).collect();
        let logins: Vec<_> = keys.iter().map(|key| ("default", key.as_str())).collect();
        let json = to_json(&records(&logins)).unwrap();
        assert!(json.len() > 4 * BUFFER_BYTES);
        let quick = |keys: &[&str]| {
            look_up(Pieces(io::Cursor::new(&json), false), "default", keys.iter().copied()).unwrap()
        };
        for key in &keys {
            let found = Lookup::Found(Box::new(record("default", key)));
            assert_eq!(quick(&[key]), Some(found), "{key}");
        }
        let nearest = Lookup::Found(Box::new(record("default", "hh")));
        assert_eq!(quick(&["x", "hh", "h"]), Some(nearest));
        assert_eq!(quick(&["x"]), Some(Lookup::Absent));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::HostUnreachable.into())
            }
        }
        impl Seek for Broken {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Ok(0)
            }
        }
        let error = look_up(Broken, "default", ["h"].into_iter()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::HostUnreachable);
        assert_eq!(checksum(Broken).unwrap_err().kind(), io::ErrorKind::HostUnreachable);
    }

    #[test]
    fn no_file_that_was_changed_or_cut_anywhere_is_taken_for_whole() {
        let logins = [("default", "a.example"), ("default", "b.example")];
        let json = to_json(&records(&logins)).unwrap();
        for keys in [["z.example", "a.example"], ["z.example", "y.example"]] {
            let is_whole = |json: &[u8]| quick(json, "default", &keys).is_some();
            assert!(is_whole(&json));
            for at in 0..json.len() {
                assert!(!is_whole(&json[..at]), "cut at {at}");
                for change in [0, b'\n', b' ', b'"', json[at] ^ 1] {
                    let mut changed = json.clone();
                    changed[at] = change;
                    assert!(changed == json || !is_whole(&changed), "{change} at {at}");
                }
                let mut changed = json.clone();
                changed.remove(at);
                assert!(!is_whole(&changed), "without byte {at}");
            }
            for more in ["\n", " ", "{}", "],\"crc32\":1}\n"] {
                assert!(!is_whole(&[&json, more.as_bytes()].concat()), "{more:?} after it");
            }
        }
    }

    #[test]
    fn what_another_hand_changed_may_lack_a_login() {
        let json = to_json(&records(&[("default", "a.example")])).unwrap();
        let changed = String::from_utf8(json).unwrap().replace("a.example", "A.example");
        let records = parse(changed.as_bytes()).unwrap();
        assert!(!records.is_complete("default") && records.find("default", "A.example").is_some());
    }

    #[test]
    fn a_later_version_is_named_whatever_its_logins_are() {
        for json in [r#"{"version":2,"logins":{}}"#, r#"{"logins":[],"version":2}"#] {
            let why = "it has version 2, and this program writes 1";
            assert_eq!(parse(json.as_bytes()).unwrap_err(), why);
        }
        let why = parse(b"{\"version\":1,\n\"logins\":{}}").unwrap_err();
        assert_eq!(why, "it is damaged at line 2", "of this version");
    }

    #[test]
    fn only_records_that_were_lost_are_incomplete() {
        for json in
            [r#"{"version":1,"logins":[]}"#, r#"{"version":1,"logins":[],"rebuilt_for":null}"#]
        {
            assert!(parse(json.as_bytes()).unwrap().is_complete("any"), "{json}");
        }
        let mut records = Records::rebuilt();
        records.set_complete("default");
        let read = parse(&to_json(&records).unwrap()).unwrap();
        assert!(read.is_complete("default") && !read.is_complete("work"));
    }

    #[test]
    fn literal_json_with_extra_fields_is_read() {
        let json = br#"{"version":1,"x":[],"logins":[{"profile":"default","key":"h","server_url":"h",
            "account":"","keychain":"secret-service","proven":false,"since":"2026-01-02T03:04:05Z","new":1}]}"#;
        let records = parse(json).unwrap();
        assert_eq!(records.find("default", "h").unwrap().keychain.to_string(), "secret-service");
    }
}
