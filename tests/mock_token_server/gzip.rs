//! Gzip, and a member that unpacks to far more than it weighs, made by hand (RFC 1951, RFC 1952).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes in gzip.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// How much of the padding is in the bomb.
const PADDING: usize = 64 * 1024 * 1024;

/// `json` with 64 MiB of white space before it: valid to who unpacks it all.
pub fn bomb(json: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    // One final block with the fixed codes of RFC 1951 section 3.2.6.
    bits.low_first(1, 1);
    bits.low_first(1, 2);
    literal(&mut bits, b' ');
    // A copy of 258 bytes from one byte back: 8 bits for the length, 5 for the distance.
    let copies = (PADDING - 1) / 258;
    for _ in 0..copies {
        bits.high_first(0b1100_0101, 8);
        bits.high_first(0, 5);
    }
    json.iter().for_each(|&byte| literal(&mut bits, byte));
    bits.high_first(0, 7);

    let padding = 1 + copies * 258;
    let mut crc = u32::MAX;
    let table = crc_table();
    let mut update = |byte: u8| crc = table[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    (0..padding).for_each(|_| update(b' '));
    json.iter().for_each(|&byte| update(byte));

    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(bits.bytes);
    out.extend((!crc).to_le_bytes());
    out.extend(((padding + json.len()) as u32).to_le_bytes());
    out
}

fn literal(bits: &mut Bits, byte: u8) {
    match byte {
        0..=143 => bits.high_first(0x30 + u16::from(byte), 8),
        144..=255 => bits.high_first(0x190 + u16::from(byte - 144), 9),
    }
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u8,
}

impl Bits {
    fn push(&mut self, bit: u16) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= (bit as u8 & 1) << self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    fn low_first(&mut self, value: u16, count: u8) {
        (0..count).for_each(|n| self.push(value >> n));
    }

    fn high_first(&mut self, value: u16, count: u8) {
        (0..count).rev().for_each(|n| self.push(value >> n));
    }
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|n| {
        (0..8).fold(n as u32, |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}
