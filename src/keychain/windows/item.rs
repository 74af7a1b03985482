//! What the credential of a login holds: its payload, or where the pieces of it are.
//!
//! The payload is the profile, the key and the account, each after its length in bytes, and then
//! the token. So a login that was cut from its name, or put in the place of another, is noticed.

use std::hash::BuildHasher;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::text::hex;

/// CRED_MAX_CREDENTIAL_BLOB_SIZE.
pub(super) const MAX_BYTES: usize = 2_560;
/// Far more than the longest token takes.
pub(super) const MAX_PIECES: usize = 32;

const WHOLE: &[u8] = b"whole\n";
const SPLIT: &str = "split ";

/// The content of a login's credential.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Item {
    Whole(Zeroizing<Vec<u8>>),
    Split(Index),
}

/// Where the pieces of a payload are, and what they make.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) generation: String,
    pub(super) pieces: usize,
    hash: String,
}

/// A payload, taken apart.
pub(super) struct Login<'a> {
    pub(super) profile: &'a str,
    pub(super) key: &'a str,
    pub(super) account: &'a str,
    pub(super) token: &'a [u8],
}

impl Item {
    /// The payload as it is, or the index of a new generation if it does not fit.
    pub(super) fn of(payload: &Zeroizing<Vec<u8>>) -> Self {
        if WHOLE.len() + payload.len() <= MAX_BYTES {
            return Self::Whole(payload.clone());
        }
        // Seeded by the system; it only has to differ from what was there before.
        let number = std::hash::RandomState::new().hash_one(std::process::id());
        Self::Split(Index {
            generation: format!("{number:016x}"),
            pieces: payload.len().div_ceil(MAX_BYTES),
            hash: hash(payload),
        })
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Whole(payload) => Zeroizing::new([WHOLE, payload].concat()),
            Self::Split(Index { generation, pieces, hash }) => {
                Zeroizing::new(format!("{SPLIT}{generation} {pieces} {hash}").into_bytes())
            }
        }
    }

    /// `None` if this program did not write it.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if let Some(payload) = bytes.strip_prefix(WHOLE) {
            return Some(Self::Whole(Zeroizing::new(payload.to_vec())));
        }
        let text = str::from_utf8(bytes).ok()?.strip_prefix(SPLIT)?;
        let words: Vec<&str> = text.split(' ').collect();
        let [generation, pieces, hash] = words[..] else { return None };
        let pieces = pieces.parse().ok().filter(|count| (1..=MAX_PIECES).contains(count))?;
        let (generation, hash) = (generation.to_owned(), hash.to_owned());
        Some(Self::Split(Index { generation, pieces, hash }))
    }
}

impl Index {
    /// Whether the pieces, put together, are what was split.
    pub(super) fn is_of(&self, payload: &[u8]) -> bool {
        hash(payload) == self.hash
    }
}

fn hash(payload: &[u8]) -> String {
    hex(&Sha256::digest(payload))
}

impl<'a> Login<'a> {
    pub(super) fn to_payload(&self) -> Zeroizing<Vec<u8>> {
        let Self { profile, key, account, token } = self;
        let size = profile.len() + key.len() + account.len() + token.len();
        let mut payload = Zeroizing::new(Vec::with_capacity(size + 64));
        for text in [profile, key, account] {
            payload.extend_from_slice(format!("{} {text}", text.len()).as_bytes());
        }
        payload.extend_from_slice(token);
        payload
    }

    /// `None` if it is not a payload.
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut rest = payload;
        let mut text = || {
            let space = rest.iter().take(8).position(|byte| *byte == b' ')?;
            let length: usize = str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
            let (text, after) = rest[space + 1..].split_at_checked(length)?;
            rest = after;
            str::from_utf8(text).ok()
        };
        let (profile, key, account) = (text()?, text()?, text()?);
        Some(Self { profile, key, account, token: rest })
    }
}
