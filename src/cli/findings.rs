//! The commands that tell what is so, and change nothing.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::{KeychainOption, ProfileOption};
use crate::candidates;
use crate::help;

mod span;

/// `status`
#[derive(Debug, Args)]
#[command(after_long_help = help::STATUS)]
pub struct Status {
    /// One registry, with all that is known of its login
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// Ask the token servers whether the logins still work
    #[arg(long)]
    pub check: bool,

    /// Run the command that the settings name under renew, for each login or the one named
    #[arg(long, conflicts_with = "all_profiles")]
    pub renew: bool,

    /// Show the logins of every profile
    #[arg(long, conflicts_with = "profile")]
    pub all_profiles: bool,

    /// Exit with 1 if a login expires within this time, such as 24h or 7d
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    pub expires_within: Option<jiff::SignedDuration>,

    /// Print everything as JSON, with exact times
    #[arg(long)]
    pub json: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}

/// `check`
#[derive(Debug, Args)]
#[command(after_long_help = help::CHECK)]
pub struct Check {
    /// The registry; Docker Hub if none is named
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// Try to log in as this account, store nothing, and revoke any token issued
    #[arg(short, long, value_name = "NAME", requires = "password_stdin")]
    pub username: Option<String>,

    /// Read the password for that from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,

    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// `doctor`
#[derive(Debug, Args)]
#[command(after_long_help = help::DOCTOR)]
pub struct Doctor {
    /// A registry to look at as well
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}
