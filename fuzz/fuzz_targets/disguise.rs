//! A secret in a text, in one or two encodings over each other and whatever stands around it, is found.
//! The first line says which encodings, the second is the secret, the rest stands around it.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use docker_credential_refresh::secret::disguise::{is_in, quotes};
use docker_credential_refresh::secret::{Password, RefreshToken};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (ways, secret, before, after) = (line().as_bytes(), line(), line(), line());
    if !(8..=48).contains(&secret.len()) || secret.contains('\0') {
        return;
    }
    let plain =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._: {},".contains(&b));
    if !plain(before) || !plain(after) || before.len() + after.len() > 64 {
        return;
    }
    let way = |at: usize| ways.get(at).copied().unwrap_or_default();
    let mut text = spelled(secret, way(0));
    for at in 1..=2 {
        text = encoded(&text, way(at));
        text = [before.as_bytes(), &text, after.as_bytes()].concat();
    }
    assert!(quotes(&text, secret), "{}", String::from_utf8_lossy(&text));
    if let Ok(text) = String::from_utf8(text) {
        let (token, password) = (RefreshToken::new(text), Password::new(secret.to_owned()));
        assert!(is_in(&token, "", &password), "{}", token.expose());
    }
    // What has nothing to do with it is left alone.
    let other: String = secret.chars().map(|_| '~').collect();
    assert!(secret.contains('~') || !quotes(other.as_bytes(), secret));
});

/// In the alphabets that a text may be encoded from.
fn spelled(secret: &str, way: u8) -> Vec<u8> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(bytes).collect();
    match way % 4 {
        1 => secret.chars().rev().collect::<String>().into_bytes(),
        2 => utf16(u16::to_le_bytes),
        3 if secret.is_ascii() => utf16(u16::to_be_bytes),
        _ => secret.as_bytes().to_vec(),
    }
}

fn encoded(text: &[u8], way: u8) -> Vec<u8> {
    let hex = |byte: &u8, before: &str| format!("{before}{byte:02x}");
    let each = |write: &dyn Fn(&u8) -> String| text.iter().map(write).collect::<String>();
    let characters = || std::str::from_utf8(text).map(str::chars).into_iter().flatten();
    let is_text = std::str::from_utf8(text).is_ok();
    let encoded = match way % 16 {
        1 => STANDARD.encode(text),
        2 => STANDARD_NO_PAD.encode(text),
        3 => URL_SAFE.encode(text),
        4 => URL_SAFE_NO_PAD.encode(text),
        5 => each(&|byte| hex(byte, "")),
        6 => each(&|byte| hex(byte, "").to_uppercase()),
        7 => each(&|byte| hex(byte, ":")),
        8 => each(&|byte| hex(byte, "%")),
        9 => each(&|byte| hex(byte, "=").to_uppercase()),
        10 => base32(text),
        11 => each(&|byte| hex(byte, "\\x")),
        12 if is_text => serde_json::Value::from(characters().collect::<String>()).to_string(),
        13 if is_text => characters().map(|c| format!("&#{};", u32::from(c))).collect(),
        14 if is_text => characters().map(|c| format!("&#x{:X};", u32::from(c))).collect(),
        15 if is_text && text.is_ascii() => each(&|byte| format!("\\u{byte:04x}")),
        _ => return text.to_vec(),
    };
    encoded.into_bytes()
}

fn base32(text: &[u8]) -> String {
    let bits: Vec<u8> = text.iter().flat_map(|b| (0..8).rev().map(move |at| b >> at & 1)).collect();
    let digit = |bits: &[u8]| {
        let value = (0..5).fold(0, |value, at| value << 1 | bits.get(at).copied().unwrap_or(0));
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(value)])
    };
    bits.chunks(5).map(digit).collect()
}
