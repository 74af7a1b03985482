//! The names of credentials: readable in Windows' own tools, and different in more than case,
//! because Windows does not distinguish `A` from `a`.

use sha2::{Digest, Sha256};

use crate::text::hex;

/// What the names of all our credentials begin with.
pub(super) const PREFIX: &str = "docker-credential-refresh:";

/// Longer parts are cut, and end with a hash: Windows takes names of 32,767 characters, Wine of
/// 255 only, and no list shows either.
const MAX_PROFILE: usize = 48;
const MAX_KEY: usize = 128;

/// Only cut parts have it.
const CUT: char = '~';
/// Only pieces have it.
const PIECE: char = '#';

/// What precedes the keys of a profile.
pub(super) fn of_profile(profile: &str) -> String {
    format!("{PREFIX}{}:", cut(encode(profile, b"._-"), MAX_PROFILE))
}

/// `docker-credential-refresh:PROFILE:KEY`.
pub(super) fn of_login(profile: &str, key: &str) -> String {
    of_profile(profile) + &cut(encode(key, b"._-:/[]"), MAX_KEY)
}

/// A part of a token that does not fit into one credential.
pub(super) fn of_piece(login: &str, generation: &str, number: usize) -> String {
    format!("{login}{PIECE}{generation}.{number}")
}

/// The login that a piece belongs to, and its generation; `None` if it is not a piece.
pub(super) fn split_piece(name: &str) -> Option<(&str, &str)> {
    let (login, piece) = name.split_once(PIECE)?;
    Some((login, piece.split_once('.')?.0))
}

/// The key of a login of this profile.
pub(super) enum Key {
    /// Told by the name.
    Told(String),
    /// Too long for the name.
    Cut,
}

/// `None` for another profile's, a piece, or what this program did not name.
pub(super) fn key_of(name: &str, profile: &str) -> Option<Key> {
    let part = name.strip_prefix(&of_profile(profile))?;
    if part.contains(CUT) && !part.contains(PIECE) {
        return Some(Key::Cut);
    }
    let key = decode(part)?;
    (of_login(profile, &key) == name).then_some(Key::Told(key))
}

/// Capitals too, as Windows does not distinguish them: no set of the `percent-encoding` crate does that.
fn encode(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || plain.contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02x}"));
        }
    }
    encoded
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (rest, _) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let byte = digit(high)? * 16 + digit(low)?;
                (after, bytes.push(u8::try_from(byte).ok()?))
            }
            (b'%', _) => return None,
            (&byte, after) => (after, bytes.push(byte)),
        };
    }
    String::from_utf8(bytes).ok()
}

fn cut(encoded: String, max: usize) -> String {
    if encoded.len() <= max {
        return encoded;
    }
    let hash = Sha256::digest(encoded.as_bytes());
    let hash = hex(&hash[..16]);
    format!("{}{CUT}{hash}", &encoded[..max - 1 - hash.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: &str, profile: &str) -> Option<String> {
        match key_of(name, profile)? {
            Key::Told(key) => Some(key),
            Key::Cut => Some("?".to_owned()),
        }
    }

    #[test]
    fn names_are_readable() {
        for (profile, login, name) in [
            ("default", "registry.example.com", "default:registry.example.com"),
            ("ci", "h:5000/team/app_1-x", "ci:h:5000/team/app_1-x"),
            ("a:B \u{e9}", "[::1]:5000/A*?", "a%3a%42%20%c3%a9:[::1]:5000/%41%2a%3f"),
        ] {
            assert_eq!(of_login(profile, login), format!("{PREFIX}{name}"));
            assert_eq!(key(&of_login(profile, login), profile).as_deref(), Some(login));
        }
        let piece = of_piece(&of_login("p", "h"), "1a2b", 3);
        assert_eq!(piece, "docker-credential-refresh:p:h#1a2b.3");
        assert_eq!(split_piece(&piece), Some(("docker-credential-refresh:p:h", "1a2b")));
        assert_eq!(split_piece(&of_login("p", "h#1a2b.3")), None);
    }

    #[test]
    fn what_this_program_did_not_name_is_not_ours() {
        for name in
            ["p:%", "p:%4", "p:%41x%", "p:H", "p:%4A", "p:%68", "p:h#1.1", "P:h", "q:h", "p"]
        {
            assert_eq!(key(&format!("{PREFIX}{name}"), "p"), None, "{name}");
        }
        assert_eq!(key("p:h", "p"), None);
        assert_eq!(key(&of_login("p", &"h".repeat(129)), "p").as_deref(), Some("?"));
    }

    proptest! {
        #[test]
        fn names_of_two_logins_differ_whatever_the_case(
            a in ("[a-bA:/é~#%]{0,3}", "[a-bA:/é~#%]{0,3}"),
            b in ("[a-bA:/é~#%]{0,3}", "[a-bA:/é~#%]{0,3}"),
            long in prop::sample::select(vec![0, 47, 48, 49, 127, 128, 129, 400]),
        ) {
            let padding = "x".repeat(long);
            let name = |(profile, key): &(String, String)| {
                of_login(&format!("{padding}{profile}"), &format!("{padding}{key}"))
            };
            let lower = |login| name(login).to_lowercase();
            prop_assert_eq!(lower(&a) == lower(&b), a == b);
            let name = name(&a);
            prop_assert!(name.is_ascii() && name.len() <= 203 && split_piece(&name).is_none());
        }
    }
}
