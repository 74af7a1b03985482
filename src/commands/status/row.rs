//! One login as it is shown.

use crate::error::Result;
use crate::logins::survey::Surveyed;

/// One login as it is shown.
pub(super) struct Row {
    pub(super) login: Surveyed,
    /// What the token server said, if it was asked.
    pub(super) check: Option<Result<()>>,
}
