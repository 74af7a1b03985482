//! Whose turn it is: one process at a time has tokens made and deletes previous ones, or it would take the
//! new token of another process for one that was left.

use std::cell::RefCell;

use crate::login_record::MintLock;
use crate::token_api::MintedToken;

/// This process's turn, from before the tokens are listed until the previous one is deleted. Each new
/// token holds it, since one command may make several.
pub struct Turn {
    made: RefCell<Vec<MintedToken>>,
    _lock: MintLock,
}

impl Turn {
    /// It begins.
    pub fn new(lock: MintLock) -> Self {
        Self { made: RefCell::default(), _lock: lock }
    }

    pub(super) fn remember(&self, made: &MintedToken) {
        self.made.borrow_mut().push(made.clone());
    }

    /// The ids of those that were made at an API: others that it lists may be deleted.
    pub(super) fn made_at(&self, url: &str) -> Vec<String> {
        let made = self.made.borrow();
        made.iter().filter(|token| token.url == url).map(|token| token.id.clone()).collect()
    }
}
