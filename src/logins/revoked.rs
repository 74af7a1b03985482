//! What a revocation came to.

/// What became of a login that was to be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Its token is dead at the server, and the login was removed here.
    Removed,
    /// The token was dead before.
    WasDead,
    /// Its token is dead; another login, which came meanwhile, was kept.
    Replaced,
}

impl Revoked {
    /// Of whether the login was removed here.
    pub(super) fn here(removed: bool) -> Self {
        if removed { Self::Removed } else { Self::Replaced }
    }
}
