//! Random text for tokens and names.

use rsa::rand_core::{OsRng, RngCore};

/// That many letters and digits.
pub fn text(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = vec![0; length];
    OsRng.fill_bytes(&mut bytes);
    bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect()
}
