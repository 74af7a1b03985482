//! What `configure` and `import` share: the logins that clients keep, and the changes that are shown.

pub(super) mod diff;
pub(super) mod found_login;
