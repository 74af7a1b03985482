//! One login as an age file (age-encryption.org/v1): a line that says what it is, then the token,
//! then spaces. `age -d -i IDENTITY FILE` shows it.
//!
//! The spaces fill blocks of 4 KiB, so that a file's size tells little of the token's. A list
//! decrypts the token too, and drops it: the identity in memory opens every token anyway.
//!
//! Version 1 filled a whole chunk of age, which is 64 KiB, before the token. It is read, and
//! replaced by the next login.

use std::io::{self, Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, Encryptor};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::fault::damaged;
use super::identity::Identity;
use crate::keychain::error::Error;
use crate::keychain::store::LoginKey;
use crate::secret::MAX_TOKEN_BYTES;

/// What a content is a multiple of.
const BLOCK_BYTES: usize = 4 * 1024;
/// A chunk of age's STREAM.
const CHUNK_BYTES: usize = 64 * 1024;
/// The authentication tag of a chunk.
const TAG_BYTES: usize = 16;
/// The nonce between header and first chunk.
const NONCE_BYTES: usize = 16;
/// A header has one recipient and perhaps a random stanza.
const MAX_HEADER_BYTES: usize = 4 * 1024;
const MAX_CONTENT_BYTES: usize = CHUNK_BYTES + MAX_TOKEN_BYTES;
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
const VERSION: u32 = 2;

/// No login is larger as a file.
pub(super) const MAX_FILE_BYTES: usize =
    MAX_HEADER_BYTES + NONCE_BYTES + MAX_CONTENT_BYTES + 2 * TAG_BYTES;

/// What a login is, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attributes {
    version: u32,
    pub(super) service: String,
    pub(super) profile: String,
    pub(super) key: String,
    pub(super) account: String,
    /// What comes after them is spaces.
    token_bytes: usize,
}

impl Attributes {
    pub(super) fn new(service: &str, profile: &str, key: &str, account: &str) -> Self {
        let [service, profile, key, account] = [service, profile, key, account].map(str::to_owned);
        Self { version: VERSION, service, profile, key, account, token_bytes: 0 }
    }

    /// Whether they are those of this login, and not of another one in its place.
    pub(super) fn is_of(&self, service: &str, login: &LoginKey) -> bool {
        let LoginKey { profile, key } = login;
        (self.service.as_str(), &self.profile, &self.key) == (service, profile, key)
    }
}

/// Why a file cannot be read as a login, to follow "it".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Another identity wrote it.
    OtherIdentity,
    /// Its end is missing.
    Truncated,
    /// It is not what was written.
    Changed,
    /// It is not an age file at all.
    NotAge,
    /// A later version of this program wrote it.
    Newer,
}

impl Unreadable {
    /// What the caller is told, which tried this identity.
    pub(super) fn into_error(self, identity: &Identity) -> Error {
        let other;
        damaged(match self {
            Self::OtherIdentity => {
                let source = &identity.source;
                other = format!("it was kept under another age identity than that of {source}");
                &other
            }
            Self::Truncated => "its file was cut short",
            Self::Changed => "its file was changed",
            Self::NotAge => "its file is not an age file",
            Self::Newer => "a later version of this program wrote it",
        })
    }
}

/// The login as written to a file; the size, if it does not fit.
pub(super) fn seal(
    identity: &Identity,
    mut attributes: Attributes,
    token: &[u8],
) -> Result<Vec<u8>, usize> {
    attributes.token_bytes = token.len();
    let line = serde_json::to_vec(&attributes).map_err(|_| MAX_CONTENT_BYTES)?;
    let used = line.len() + 1 + token.len();
    let padded = used.next_multiple_of(BLOCK_BYTES);
    if padded > MAX_CONTENT_BYTES {
        return Err(used);
    }
    let recipient = identity.key.to_public();
    let encrypt = || -> io::Result<Vec<u8>> {
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
            .map_err(|_| io::Error::other("one recipient is enough"))?;
        let mut writer = encryptor.wrap_output(Vec::with_capacity(MAX_HEADER_BYTES + padded))?;
        writer.write_all(&line)?;
        writer.write_all(b"\n")?;
        writer.write_all(token)?;
        writer.write_all(&vec![b' '; padded - used])?;
        writer.finish()
    };
    // A Vec takes all there is.
    encrypt().map_err(|_| used)
}

/// Decrypts a login, if this identity opens it.
pub(super) fn open(
    identity: &Identity,
    file: &[u8],
) -> Result<(Attributes, Zeroizing<Vec<u8>>), Unreadable> {
    let cut = FIRST_LINE.len().min(file.len());
    if file[..cut] != FIRST_LINE[..cut] {
        return Err(Unreadable::NotAge);
    }
    let header_bytes = header_bytes(file).ok_or(Unreadable::Truncated)?;
    let content_bytes = file.len().saturating_sub(header_bytes + NONCE_BYTES);
    // The least that was ever written.
    if content_bytes < BLOCK_BYTES + TAG_BYTES {
        return Err(Unreadable::Truncated);
    }
    let decryptor = Decryptor::new_buffered(file).map_err(|_| Unreadable::Changed)?;
    let reader = decryptor.decrypt(iter::once(&identity.key as &dyn age::Identity));
    let mut reader = reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys => Unreadable::OtherIdentity,
        _ => Unreadable::Changed,
    })?;
    let mut content = Zeroizing::new(Vec::with_capacity(content_bytes));
    reader.read_to_end(&mut content).map_err(|_| Unreadable::Changed)?;
    let (attributes, start) = attributes(&content)?;
    let token = content.get(start..).and_then(|rest| rest.get(..attributes.token_bytes));
    let token = Zeroizing::new(token.ok_or(Unreadable::Changed)?.to_vec());
    Ok((attributes, token))
}

/// The header ends with the line of its authentication code.
fn header_bytes(file: &[u8]) -> Option<usize> {
    let last_line = file.windows(5).position(|bytes| bytes == b"\n--- ")? + 1;
    let end = file[last_line..].iter().position(|byte| *byte == b'\n')?;
    Some(last_line + end + 1)
}

/// The first line, and where the token begins.
fn attributes(content: &[u8]) -> Result<(Attributes, usize), Unreadable> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Version { version } = serde_json::from_slice(line).map_err(|_| Unreadable::Changed)?;
    let start = match version {
        1 => CHUNK_BYTES,
        VERSION => line.len() + 1,
        _ => return Err(Unreadable::Newer),
    };
    let attributes = serde_json::from_slice(line).map_err(|_| Unreadable::Changed)?;
    Ok((attributes, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { key: age::x25519::Identity::generate(), source: "here".to_owned() }
    }

    fn read(identity: &Identity, file: &[u8]) -> Result<(Attributes, Vec<u8>), Unreadable> {
        open(identity, file).map(|(a, token)| (a, token.to_vec()))
    }

    #[test]
    fn what_is_sealed_is_read() {
        let identity = identity();
        let attributes = Attributes::new("s", "p", "h.example", "al\u{e9}");
        let file = seal(&identity, attributes, b"t0ken").unwrap();
        let (found, token) = read(&identity, &file).unwrap();
        assert_eq!((found.key.as_str(), found.account.as_str()), ("h.example", "al\u{e9}"));
        assert_eq!(token, b"t0ken");
    }

    #[test]
    fn the_size_does_not_tell_short_tokens_apart() {
        let identity = identity();
        let size = |token: &[u8]| {
            let attributes = Attributes::new("s", "p", "h.example", "alice");
            let file = seal(&identity, attributes, token).unwrap();
            file.len() - header_bytes(&file).unwrap()
        };
        let least = NONCE_BYTES + BLOCK_BYTES + TAG_BYTES;
        assert_eq!([size(b"t"), size(&[b'x'; 3_000])], [least; 2]);
        assert_eq!(size(&[b'x'; 4_000]), least + BLOCK_BYTES);
    }

    #[test]
    fn a_login_of_version_1_is_read() {
        let identity = identity();
        let seal_1 = |version: u32| {
            let attributes = Attributes {
                version,
                token_bytes: 5,
                ..Attributes::new("s", "p", "h.example", "alice")
            };
            let mut content = serde_json::to_vec(&attributes).unwrap();
            content.resize(CHUNK_BYTES - 1, b' ');
            content.extend(b"\nt0ken");
            age::encrypt(&identity.key.to_public(), &content).unwrap()
        };
        let (found, token) = read(&identity, &seal_1(1)).unwrap();
        assert_eq!((found.key.as_str(), &token[..]), ("h.example", &b"t0ken"[..]));
        assert_eq!(read(&identity, &seal_1(3)), Err(Unreadable::Newer));
    }

    #[test]
    fn the_largest_login_fits_and_larger_attributes_are_refused() {
        let identity = identity();
        let attributes = |n| Attributes::new("s", "p", &"k".repeat(n), "a");
        let token = vec![b'x'; MAX_TOKEN_BYTES];
        let file = seal(&identity, attributes(60_000), &token).unwrap();
        assert!(file.len() <= MAX_FILE_BYTES, "{}", file.len());
        assert_eq!(read(&identity, &file).unwrap().1, token);
        assert!(seal(&identity, attributes(CHUNK_BYTES), &token).is_err());
    }

    #[test]
    fn a_file_of_another_identity_is_told_apart() {
        let file = seal(&identity(), Attributes::new("s", "p", "k", "a"), b"t").unwrap();
        assert_eq!(read(&identity(), &file), Err(Unreadable::OtherIdentity));
    }

    #[test]
    fn a_file_cut_anywhere_is_truncated() {
        let identity = identity();
        let file = seal(&identity, Attributes::new("s", "p", "k", "a"), b"a token").unwrap();
        for cut in (0..400).chain(file.len() - 60..file.len()) {
            assert_eq!(read(&identity, &file[..cut]), Err(Unreadable::Truncated), "{cut}");
        }
    }

    #[test]
    fn a_file_changed_anywhere_is_never_read() {
        let identity = identity();
        let file = seal(&identity, Attributes::new("s", "p", "k", "a"), b"a token").unwrap();
        let header = header_bytes(&file).unwrap();
        for at in (0..header + 40).chain(file.len() - 40..file.len()).chain([2_000]) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            let error = read(&identity, &changed).unwrap_err();
            // To age, a stanza with another key share is one of another identity.
            let fits = error == Unreadable::Changed || at < header && error != Unreadable::Newer;
            assert!(fits, "{at} of {}: {error:?}", file.len());
        }
        let longer = [&file[..], b"x"].concat();
        assert_eq!(read(&identity, &longer), Err(Unreadable::Changed));
        assert_eq!(read(&identity, b"garbage"), Err(Unreadable::NotAge));
        assert_eq!(read(&identity, b""), Err(Unreadable::Truncated));
    }
}
