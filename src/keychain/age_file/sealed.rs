//! One login as an age file (age-encryption.org/v1): what it is, in the first 64 KiB, then the token.
//!
//! age encrypts in chunks of 64 KiB. The part that is not secret is padded to one, so that a list
//! reads that chunk and decrypts no token. `age -d -i IDENTITY FILE` shows both.

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

/// A chunk of age's STREAM.
const CHUNK_BYTES: usize = 64 * 1024;
/// The authentication tag of a chunk.
const TAG_BYTES: usize = 16;
/// The nonce between header and first chunk.
const NONCE_BYTES: usize = 16;
/// A header has one recipient and perhaps a random stanza.
const MAX_HEADER_BYTES: usize = 4 * 1024;
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
const VERSION: u32 = 1;

/// No login is larger as a file.
pub(super) const MAX_FILE_BYTES: usize =
    MAX_HEADER_BYTES + NONCE_BYTES + CHUNK_BYTES + MAX_TOKEN_BYTES + 2 * TAG_BYTES;

/// What a login is, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attributes {
    version: u32,
    pub(super) service: String,
    pub(super) profile: String,
    pub(super) key: String,
    pub(super) account: String,
    /// To tell a truncated file from one that was changed.
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
    let mut block = serde_json::to_vec(&attributes).map_err(|_| CHUNK_BYTES)?;
    if block.len() >= CHUNK_BYTES {
        return Err(block.len() + token.len());
    }
    block.resize(CHUNK_BYTES - 1, b' ');
    block.push(b'\n');
    let recipient = identity.key.to_public();
    let encrypt = || -> io::Result<Vec<u8>> {
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
            .map_err(|_| io::Error::other("one recipient is enough"))?;
        let mut writer = encryptor.wrap_output(Vec::with_capacity(MAX_FILE_BYTES))?;
        writer.write_all(&block)?;
        writer.write_all(token)?;
        writer.finish()
    };
    // A Vec takes all there is.
    encrypt().map_err(|_| block.len() + token.len())
}

/// A file that this identity opens; none of its content has been decrypted yet.
pub(super) struct Opened<'a> {
    content: Box<dyn Read + 'a>,
    content_bytes: usize,
}

/// Tries the identity on the header.
pub(super) fn open<'a>(identity: &Identity, file: &'a [u8]) -> Result<Opened<'a>, Unreadable> {
    let cut = FIRST_LINE.len().min(file.len());
    if file[..cut] != FIRST_LINE[..cut] {
        return Err(Unreadable::NotAge);
    }
    let header_bytes = header_bytes(file).ok_or(Unreadable::Truncated)?;
    let content_bytes = file.len().checked_sub(header_bytes + NONCE_BYTES);
    let content_bytes = content_bytes.ok_or(Unreadable::Truncated)?;
    let decryptor = Decryptor::new_buffered(file).map_err(|_| Unreadable::Changed)?;
    let reader = decryptor.decrypt(iter::once(&identity.key as &dyn age::Identity));
    let content = Box::new(reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys => Unreadable::OtherIdentity,
        _ => Unreadable::Changed,
    })?);
    Ok(Opened { content, content_bytes })
}

/// The header ends with the line of its authentication code.
fn header_bytes(file: &[u8]) -> Option<usize> {
    let last_line = file.windows(5).position(|bytes| bytes == b"\n--- ")? + 1;
    let end = file[last_line..].iter().position(|byte| *byte == b'\n')?;
    Some(last_line + end + 1)
}

impl Opened<'_> {
    /// Decrypts the first chunk.
    pub(super) fn attributes(&mut self) -> Result<Attributes, Unreadable> {
        if self.content_bytes <= CHUNK_BYTES + TAG_BYTES {
            return Err(Unreadable::Truncated);
        }
        let mut block = vec![0; CHUNK_BYTES];
        self.content.read_exact(&mut block).map_err(|_| Unreadable::Changed)?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let version = serde_json::from_slice::<Version>(&block).map_err(|_| Unreadable::Changed)?;
        if version.version != VERSION {
            return Err(Unreadable::Newer);
        }
        serde_json::from_slice(&block).map_err(|_| Unreadable::Changed)
    }

    /// Decrypts all.
    pub(super) fn login(mut self) -> Result<(Attributes, Zeroizing<Vec<u8>>), Unreadable> {
        let attributes = self.attributes()?;
        let expected = attributes.token_bytes + CHUNK_BYTES + 2 * TAG_BYTES;
        if self.content_bytes < expected {
            return Err(Unreadable::Truncated);
        }
        let mut token = Zeroizing::new(Vec::with_capacity(attributes.token_bytes + 1));
        self.content.read_to_end(&mut token).map_err(|_| Unreadable::Changed)?;
        if token.len() != attributes.token_bytes {
            return Err(Unreadable::Changed);
        }
        Ok((attributes, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { key: age::x25519::Identity::generate(), source: "here".to_owned() }
    }

    fn read(identity: &Identity, file: &[u8]) -> Result<(Attributes, Vec<u8>), Unreadable> {
        open(identity, file).and_then(Opened::login).map(|(a, token)| (a, token.to_vec()))
    }

    #[test]
    fn what_is_sealed_is_read_and_the_list_reads_it_without_the_token() {
        let identity = identity();
        let attributes = Attributes::new("s", "p", "h.example", "al\u{e9}");
        let mut file = seal(&identity, attributes.clone(), b"t0ken").unwrap();
        assert!(file.len() <= MAX_FILE_BYTES);
        let (found, token) = read(&identity, &file).unwrap();
        assert_eq!((found.key.as_str(), found.account.as_str()), ("h.example", "al\u{e9}"));
        assert_eq!(token, b"t0ken");
        // The token's chunk is not looked at.
        *file.last_mut().unwrap() ^= 1;
        assert_eq!(open(&identity, &file).unwrap().attributes().unwrap(), found);
        assert_eq!(read(&identity, &file), Err(Unreadable::Changed));
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
        let cuts = (0..400).chain(file.len() - 65_600..file.len() - 65_500);
        for cut in cuts.chain(file.len() - 60..file.len()) {
            assert_eq!(read(&identity, &file[..cut]), Err(Unreadable::Truncated), "{cut}");
        }
    }

    #[test]
    fn a_file_changed_anywhere_is_never_read() {
        let identity = identity();
        let file = seal(&identity, Attributes::new("s", "p", "k", "a"), b"a token").unwrap();
        let header = header_bytes(&file).unwrap();
        for at in (0..header + 40).chain(file.len() - 40..file.len()).chain([40_000]) {
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
