//! A login that `configure` gives another place, with what is removed for it.

use crate::commands::clients::found_login::FoundLogin;

/// A login that will get another place.
pub struct Moving {
    /// The login.
    pub found: FoundLogin,
    /// Docker reads it now, and would not afterwards.
    pub docker: bool,
    /// So would podman, skopeo and buildah.
    pub podman: bool,
    /// Entries of paths beside it, which hold the same login: they go when it does.
    pub paths: Vec<FoundLogin>,
}

impl Moving {
    /// Whether a client uses it now; if not, it is only removed.
    pub fn is_used(&self) -> bool {
        self.docker || self.podman
    }

    /// Everything that is removed from its file.
    pub fn entries(&self) -> impl Iterator<Item = &FoundLogin> {
        std::iter::once(&self.found).chain(&self.paths)
    }
}
