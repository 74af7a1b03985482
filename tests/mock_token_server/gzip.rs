//! Gzip, and a body that unpacks to far more than it weighs.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes in gzip.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// How much of the padding is in the bomb.
const PADDING: u64 = 64 * 1024 * 1024;

/// `json` with 64 MiB of white space before it: valid to whoever unpacks it all.
pub fn bomb(json: &[u8]) -> Vec<u8> {
    let mut unpacked = io::repeat(b' ').take(PADDING).chain(json);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    io::copy(&mut unpacked, &mut encoder).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
