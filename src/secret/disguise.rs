//! Whether a refresh token is the password in another form. A server that returns it so would put
//! the password into the keychain, and `get` would give it to every client.

use zeroize::Zeroizing;

use super::{RefreshToken, Secret};

/// `base64(json(password))` is two encodings.
const DEPTH: usize = 2;
/// A text with so many bytes of a secret in a row quotes it, perhaps cut.
const QUOTED: usize = 8;
/// A password this long is in a token on purpose: chance puts a given one into 16 KiB of random
/// text once in a million times.
const ANYWHERE: usize = 6;
/// A shorter one counts only as a whole word, and one below this only as the whole token.
const AS_A_WORD: usize = 4;

/// What begins an escape: of all kinds at once, since one may be in another, and of each kind alone,
/// since what looks like another kind may be the secret's own.
const ESCAPES: [&[u8]; 7] = [b"%=\\&", b"%=\\&+", b"%", b"%+", b"=", b"\\", b"&"];

type Bytes = Zeroizing<Vec<u8>>;

/// Whether the token contains the password: plain, reversed, as UTF-16 or Latin-1, in base64,
/// base32 or hexadecimal of any variety and alignment, or escaped as in URLs, JSON or HTML.
pub fn is_in(token: &RefreshToken, username: &str, password: &dyn Secret) -> bool {
    Wanted::new(username, password.expose()).is_in(token.expose().as_bytes(), DEPTH)
}

/// Whether a text quotes a secret, or a part of it: in any form that [`is_in`] finds.
pub fn quotes(text: &[u8], secret: &str) -> bool {
    let depth = if secret.len() < AS_A_WORD { 0 } else { DEPTH };
    quotes_any(text, &spellings(secret), depth)
}

fn quotes_any(text: &[u8], secrets: &[Bytes], depth: usize) -> bool {
    let has_part = |secret: &Bytes| {
        let length = secret.len().clamp(1, QUOTED);
        text.windows(length).any(|part| memchr::memmem::find(secret, part).is_some())
    };
    secrets.iter().any(has_part)
        || (depth > 0 && decoded(text).any(|text| quotes_any(&text, secrets, depth - 1)))
}

struct Wanted {
    password: Vec<Bytes>,
    /// As HTTP Basic joins them.
    pairs: Vec<Bytes>,
    least: usize,
}

impl Wanted {
    fn new(username: &str, password: &str) -> Self {
        let pair = Zeroizing::new(format!("{username}:{password}"));
        // A token may name its user. Where that is the password as well, only the whole counts.
        let is_public = username.to_lowercase().contains(&*Zeroizing::new(password.to_lowercase()));
        let least = if is_public { 0 } else { password.len() };
        Self { password: spellings(password), pairs: spellings(&pair), least }
    }

    fn is_in(&self, text: &[u8], depth: usize) -> bool {
        self.is_plain_in(text)
            || (depth > 0 && decoded(text).any(|text| self.is_in(&text, depth - 1)))
    }

    fn is_plain_in(&self, text: &[u8]) -> bool {
        let word = |form: &Bytes| {
            let found = (0..=text.len().saturating_sub(form.len()))
                .filter(|&at| text[at..].starts_with(form))
                .map(|at| [at.checked_sub(1), Some(at + form.len())]);
            let is_edge = |at: Option<usize>| {
                !at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric)
            };
            found.into_iter().any(|edges| edges.into_iter().all(is_edge))
        };
        let whole = |form: &Bytes| text == form.as_slice();
        let pair = self
            .pairs
            .iter()
            .any(|pair| if pair.len() < ANYWHERE { whole(pair) } else { contains(text, pair) });
        pair || self.password.iter().any(|form| match self.least {
            ANYWHERE.. => contains(text, form),
            AS_A_WORD.. => word(form),
            _ => whole(form),
        })
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.first().is_some_and(|first| {
        let starts = text.iter().enumerate().filter(|(_, byte)| *byte == first);
        starts.into_iter().any(|(at, _)| text[at..].starts_with(part))
    })
}

/// The text in the alphabets that it could have been encoded from.
fn spellings(text: &str) -> Vec<Bytes> {
    let mut utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Without a last zero, both byte orders of plain ASCII have this in them.
    if utf16.last() == Some(&0) {
        utf16.pop();
    }
    let mut all = vec![
        Zeroizing::new(text.as_bytes().to_vec()),
        Zeroizing::new(text.chars().rev().collect::<String>().into_bytes()),
        Zeroizing::new(utf16),
    ];
    let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    all.extend(latin1.filter(|_| !text.is_ascii()).map(Zeroizing::new));
    all
}

/// What a text may stand for: nothing says which encoding it is in, or where that begins.
fn decoded(text: &[u8]) -> impl Iterator<Item = Bytes> {
    let digits = [(4, hex as fn(u8) -> Option<u8>, 2), (5, base32, 8), (6, base64, 4)];
    let of_digits = digits.into_iter().flat_map(move |(bits, digit, offsets)| {
        (0..offsets).map(move |offset| from_digits(text, bits, digit, offset))
    });
    let unescaped = ESCAPES.into_iter().map(move |escapes| unescape(text, escapes));
    of_digits.chain(unescaped).filter(move |new| !new.is_empty() && new.as_slice() != text)
}

/// Bytes from digits of `bits` each, the first `offset` digits left out. What is not a digit
/// is skipped, as separators, padding and line ends are.
fn from_digits(text: &[u8], bits: u32, digit: fn(u8) -> Option<u8>, offset: usize) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut count) = (0_u32, 0);
    for value in text.iter().filter_map(|&byte| digit(byte)).skip(offset) {
        held = (held << bits | u32::from(value)) & 0xffff;
        count += bits;
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count) as u8);
        }
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 4648 section 6.
fn base32(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a'),
        b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    }
}

/// RFC 4648 sections 4 and 5.
fn base64(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Undoes those of `%41` and `=41`, `\"`, `\x41` and `\u0041`, `&amp;`, `&#65;` and `&#x41;`, and `+`
/// for a space, that begin so.
fn unescape(text: &[u8], escapes: &[u8]) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let character = match byte {
            _ if !escapes.contains(&byte) => None,
            b'%' | b'=' => digits(after, 2).map(|(value, length)| (vec_of(value), length)),
            b'\\' => backslash(after),
            b'&' => entity(after),
            b'+' => Some((vec![b' '], 0)),
            _ => None,
        };
        match character {
            Some((character, length)) => {
                bytes.extend_from_slice(&character);
                rest = &after[length..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

/// A single byte: of escaped UTF-8 there are several.
fn vec_of(value: u32) -> Vec<u8> {
    u8::try_from(value).map_or_else(|_| utf8(value), |byte| vec![byte])
}

fn utf8(value: u32) -> Vec<u8> {
    char::from_u32(value).map(|c| c.to_string().into_bytes()).unwrap_or_default()
}

fn digits(text: &[u8], count: usize) -> Option<(u32, usize)> {
    let text = text.get(..count)?;
    let value = text.iter().try_fold(0, |n, &b| Some(n << 4 | u32::from(hex(b)?)))?;
    Some((value, count))
}

fn backslash(after: &[u8]) -> Option<(Vec<u8>, usize)> {
    match after.first()? {
        b'u' => digits(&after[1..], 4).map(|(value, length)| (utf8(value), length + 1)),
        b'x' => digits(&after[1..], 2).map(|(value, length)| (vec_of(value), length + 1)),
        b'b' => Some((vec![0x08], 1)),
        b'f' => Some((vec![0x0c], 1)),
        b't' => Some((vec![b'\t'], 1)),
        b'n' => Some((vec![b'\n'], 1)),
        b'r' => Some((vec![b'\r'], 1)),
        &other => Some((vec![other], 1)),
    }
}

fn entity(after: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = after.iter().take(10).position(|&b| b == b';')?;
    let name = std::str::from_utf8(&after[..end]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let value = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(value.ok()?)?
        }
    };
    Some((character.to_string().into_bytes(), end + 1))
}

#[cfg(test)]
mod tests {
    use ::base64::Engine;
    use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::secret::Password;

    const PASSWORD: &str = "c&nary \"p/w+7?Qz<";

    fn found(token: &str, username: &str, password: &str) -> bool {
        is_in(&RefreshToken::new(token.into()), username, &Password::new(password.into()))
    }

    fn hexed(text: &[u8]) -> String {
        text.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn base32ed(text: &[u8]) -> String {
        let bits: String = text.iter().map(|byte| format!("{byte:08b}")).collect();
        let digit = |bits: &[u8]| {
            let value = usize::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap();
            let value = value << (5 - bits.len());
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value])
        };
        bits.as_bytes().chunks(5).map(digit).collect()
    }

    /// The threat: `docker-credential-refresh get` would print the password, lightly dressed.
    #[test]
    fn a_password_is_found_in_any_common_encoding() {
        let percent =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        for password in [PASSWORD, "CanaryPw7f3a9Zq", "gr\u{fc}\u{df}e aus K\u{f6}ln", "six666"] {
            let pair = format!("alice:{password}");
            let json = serde_json::json!({"sub": "x", "p": password}).to_string();
            let utf16: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let escaped: String = password.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
            let html: String = password.chars().map(|c| format!("&#{};", u32::from(c))).collect();
            let reversed: String = password.chars().rev().collect();
            let mut tokens = vec![
                password.to_owned(),
                pair.clone(),
                format!("tok-{password}-x"),
                hexed(password.as_bytes()),
                hexed(pair.as_bytes()).to_uppercase(),
                format!("f{}", hexed(password.as_bytes())),
                base32ed(pair.as_bytes()),
                percent(password),
                percent(&pair).replace('+', "%20"),
                password.bytes().map(|b| format!("%{b:02X}")).collect(),
                password.bytes().map(|b| format!("={b:02X}")).collect(),
                password.bytes().map(|b| format!("{b:02x}:")).collect(),
                json.clone(),
                escaped,
                html,
                password.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;"),
                reversed.clone(),
                STANDARD.encode(reversed),
                hexed(&utf16),
                STANDARD.encode(&utf16),
                STANDARD.encode(STANDARD.encode(&pair)),
                STANDARD.encode(hexed(password.as_bytes())),
                format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(&json)),
            ];
            // Whatever stands before it, and however it is padded and cut.
            for before in ["", "a", "ab", "abc", "tok-", "t_"] {
                let encoded = STANDARD.encode(format!("{before}{password}"));
                tokens.push(format!("{before}{}", encoded.trim_end_matches('=')));
                tokens.push(format!("{before}.{encoded}"));
                tokens.push(before.to_owned() + &URL_SAFE_NO_PAD.encode(&pair));
            }
            for token in tokens {
                assert!(found(&token, "alice", password), "{password}: {token}");
            }
        }
        assert!(found("gr%FC%DFe", "alice", "gr\u{fc}\u{df}e"), "Latin-1");
        // What looks like another escape, or like one that JSON has no letter for elsewhere.
        for password in ["\"=41%42&amp;\\x43", "a\"+=30\u{7}", "pass\u{8}word\u{c}\n\r\t"] {
            let json = serde_json::Value::from(password).to_string();
            assert!(found(&json, "alice", password), "{json}");
            assert!(found(&percent(password), "alice", password), "{password:?}");
        }
    }

    #[test]
    fn a_short_password_counts_where_it_is_not_there_by_chance() {
        for (token, password) in [
            ("a", "a"),
            ("YQ==", "a"),
            ("YWxpY2U6YQ==", "a"),
            ("616c6963653a61", "a"),
            ("1234", "1234"),
            ("tok-1234", "1234"),
            ("token:pw12;", "pw12"),
            ("cHcxMg", "pw12"),
        ] {
            assert!(found(token, "alice", password), "{token} {password}");
        }
        for (token, password) in [
            ("a.b.c", "a"),
            ("3f2a1234b9", "1234"),
            ("xpw12x", "pw12"),
            ("canaryRefreshTok0123456789abcdef", "abc"),
        ] {
            assert!(!found(token, "alice", password), "{token} {password}");
        }
    }

    #[test]
    fn a_token_may_name_its_user() {
        let jwt = URL_SAFE_NO_PAD.encode(r#"{"sub":"testuser","exp":1700000000}"#);
        let jwt = format!("e30.{jwt}.c2ln");
        assert!(!found(&jwt, "testuser", "testuser"));
        assert!(!found(&jwt, "TestUser", "user"));
        assert!(found("testuser", "testuser", "testuser"));
        assert!(found(&STANDARD.encode("testuser:testuser"), "testuser", "testuser"));
        assert!(found(&jwt, "alice", "testuser"));
    }

    #[test]
    fn tokens_of_their_own_are_told_apart() {
        let long = hexed(&[0x5a; 8 * 1024]);
        for token in ["opaque", "3f2a-77", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJl", &long] {
            assert!(!found(token, "alice", PASSWORD), "{token:.20}");
            assert!(!found(token, "", "hunter2"), "{token:.20}");
            assert!(!found(token, "alice", ""), "{token:.20}");
        }
    }
}
