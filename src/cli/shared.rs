//! The options of several commands: only those offer them to which they mean something.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::candidates;
use crate::keychain::Choice;

/// In the help, a command's own options come first, then these, then `--help`.
const AFTER_OWN: usize = 900;

/// For commands that work on the logins of one profile.
#[derive(Debug, Default, Args)]
pub struct ProfileOption {
    /// Use the logins of this profile
    #[arg(add = ArgValueCandidates::new(candidates::profiles), long, value_name = "NAME", display_order = AFTER_OWN)]
    pub profile: Option<String>,
}

/// For commands that make logins, or look for entries that no login tells of.
#[derive(Debug, Default, Args)]
pub struct KeychainOption {
    /// Use this keychain, not the one in the settings: auto, secret-service, kernel, file, ...
    #[arg(add = ArgValueCandidates::new(candidates::keychains), long, value_name = "NAME", display_order = AFTER_OWN)]
    pub keychain: Option<Choice>,
}
