//! How a keychain is used.

use std::time::Duration;

/// What one operation may take, and whether a person may be asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// Secret Service: encrypt secrets on the bus as well (`secret_service_session = "encrypted"`).
    pub encrypted_session: bool,
    /// For one operation in which nobody is asked.
    pub deadline: Duration,
    /// For a person to answer a prompt.
    pub prompt_deadline: Duration,
    /// Whether a person may be asked; false within 60 s of a dismissed prompt.
    pub may_prompt: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encrypted_session: false,
            deadline: Duration::from_secs(5),
            prompt_deadline: Duration::from_secs(60),
            may_prompt: true,
        }
    }
}
