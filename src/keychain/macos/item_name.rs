//! What an item is called.

use crate::keychain::store::{DEFAULT_PROFILE, LoginKey, SERVICE};

/// The two attributes that an item is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemName {
    pub(super) service: String,
    pub(super) user: String,
}

impl ItemName {
    pub(super) fn of(login: &LoginKey) -> Self {
        Self { service: service(&login.profile), user: login.key.clone() }
    }
}

/// The service of a profile's items.
pub(super) fn service(profile: &str) -> String {
    match profile {
        DEFAULT_PROFILE => SERVICE.to_owned(),
        _ => format!("{SERVICE} ({profile})"),
    }
}
