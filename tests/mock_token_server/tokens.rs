//! The refresh tokens that are alive, by hash: who may use each, for what, until when.

use std::time::{Duration, Instant, SystemTime};

use super::behaviour::Rotation;
use super::journal::hash;

/// A refresh token that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// [`hash`] of the token.
    pub hash: String,
    /// Whose it is.
    pub account: String,
    /// The service it is for.
    pub service: String,
    /// The client that obtained it.
    pub client_id: String,
}

struct Entry {
    token: LiveToken,
    expires: Option<SystemTime>,
    /// Replaced by a newer one: it works until then.
    grace_until: Option<Instant>,
}

impl Entry {
    fn alive(&self) -> bool {
        self.expires.is_none_or(|end| SystemTime::now() < end)
            && self.grace_until.is_none_or(|end| Instant::now() < end)
    }
}

/// The refresh tokens of a server.
#[derive(Default)]
pub struct RefreshTokens(Vec<Entry>);

impl RefreshTokens {
    /// Adds one.
    pub fn add(&mut self, token: LiveToken, expires: Option<SystemTime>) {
        self.0.push(Entry { token, expires, grace_until: None });
    }

    /// The one with that text, if it works.
    pub fn find(&self, text: &str) -> Option<&LiveToken> {
        let hash = hash(text);
        self.0.iter().find(|entry| entry.token.hash == hash && entry.alive()).map(|e| &e.token)
    }

    /// Notes that it was used, and a new one is given out in its place.
    pub fn replaced(&mut self, text: &str, rotation: Rotation, grace: Duration) {
        let hash = hash(text);
        let end = if rotation == Rotation::Grace { grace } else { Duration::ZERO };
        let end = Instant::now() + end;
        for entry in self.0.iter_mut().filter(|entry| entry.token.hash == hash) {
            entry.grace_until.get_or_insert(end);
        }
    }

    /// Ends those that were replaced by newer ones, as if their time had come.
    pub fn end_grace(&mut self) {
        self.0.retain(|entry| entry.grace_until.is_none());
    }

    /// Ends one; whether it was there.
    pub fn revoke(&mut self, text: &str) -> bool {
        let hash = hash(text);
        let before = self.0.len();
        self.0.retain(|entry| entry.token.hash != hash);
        self.0.len() < before
    }

    /// Ends all.
    pub fn revoke_everything(&mut self) {
        self.0.clear();
    }

    /// Those that work, oldest first.
    pub fn live(&self) -> Vec<LiveToken> {
        self.0.iter().filter(|entry| entry.alive()).map(|entry| entry.token.clone()).collect()
    }
}
