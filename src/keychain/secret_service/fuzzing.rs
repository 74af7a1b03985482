//! What the answers of a bus say, for the fuzz targets.

use std::collections::HashMap;

use super::calls;
use super::peer::Peer;
use super::wire::Answer;

/// A message, as every call reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Which call it answers.
    pub reply_serial: Option<u32>,
    /// Of `SearchItems`.
    pub unlocked_items: Option<Vec<String>>,
    /// Of `OpenSession`.
    pub session: Option<String>,
    /// Of `Get`, for a boolean.
    pub locked: Option<bool>,
    /// Of `Unlock`.
    pub is_unlocked: Option<bool>,
    /// Of `ReadAlias`.
    pub is_something: Option<bool>,
    /// Of `Get`, for a dictionary.
    pub attributes: Option<HashMap<String, String>>,
    /// Of `GetAll`.
    pub all_attributes: Option<HashMap<String, String>>,
    /// Of `GetSecret`.
    pub secret: Option<Vec<u8>>,
    /// Of `CreateItem`.
    pub is_created: Option<bool>,
}

/// How long the message is that begins so.
pub fn length(start: &[u8]) -> Option<usize> {
    Answer::length(start.first_chunk()?)
}

/// A whole message.
pub fn read(message: &[u8]) -> Option<Read> {
    let answer = &Answer::read(message.to_vec())?;
    Some(Read {
        reply_serial: answer.reply_serial(),
        unlocked_items: calls::unlocked_items(answer),
        session: calls::session(answer),
        locked: calls::locked(answer),
        is_unlocked: calls::is_unlocked(answer),
        is_something: calls::is_something(answer),
        attributes: calls::attributes(Peer::Other, answer),
        all_attributes: calls::attributes(Peer::GnomeKeyring, answer),
        secret: calls::secret(answer).map(|secret| secret.to_vec()),
        is_created: calls::is_created(answer),
    })
}
