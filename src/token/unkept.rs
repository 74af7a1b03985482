//! What a server issued for a login that came to nothing: alive there, and kept nowhere.

use std::cell::RefCell;

use crate::secret::RefreshToken;

/// A refresh token that was issued, and is not kept.
pub struct Unkept {
    /// The token.
    pub token: RefreshToken,
    /// The client id that it was issued to.
    pub client_id: String,
}

/// What was issued since the start of a login, the oldest first.
#[derive(Default)]
pub(super) struct Issued(RefCell<Vec<Unkept>>);

impl Issued {
    pub(super) fn note(&self, token: &RefreshToken, client_id: &str) {
        let (token, client_id) = (token.clone(), client_id.to_owned());
        self.0.borrow_mut().push(Unkept { token, client_id });
    }

    /// After a login that is proven, or by a token that was not issued for it: what came beside the token
    /// may be of the same grant, and end it.
    pub(super) fn forget(&self) {
        self.0.take();
    }

    /// Those that may be sent to be revoked.
    pub(super) fn retain(&self, is_one: impl Fn(&RefreshToken) -> bool) {
        self.0.borrow_mut().retain(|issued| is_one(&issued.token));
    }

    pub(super) fn take(&self) -> Vec<Unkept> {
        self.0.take().into_iter().rev().collect()
    }
}
