//! The format of the records' file without the file, for the fuzz targets.

use std::io::Cursor;

use super::{Lookup, Records, format};

/// All of a file's content, or why it is damaged.
pub fn parse(json: &[u8]) -> Result<Records, String> {
    format::parse(json)
}

/// A file's content.
pub fn to_json(records: &Records) -> Vec<u8> {
    format::to_json(records).unwrap_or_default()
}

/// What is found without parsing all.
pub fn look_up(json: &[u8], profile: &str, keys: &[&str]) -> Option<Lookup> {
    format::look_up(Cursor::new(json), profile, keys.iter().copied()).unwrap_or_default()
}
