//! The commands that change the clients' own files.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap_complete::engine::ArgValueCandidates;

use super::KeychainOption;
use crate::candidates;
use crate::help;
use crate::token_api::Minting;

/// `configure`
#[derive(Debug, Args)]
#[command(after_long_help = help::CONFIGURE)]
pub struct Configure {
    /// Use it for this registry only (credHelpers); may be given more than once
    #[arg(add = ArgValueCandidates::new(candidates::registries), long, value_name = "HOST")]
    pub registry: Vec<String>,

    /// The helper that takes logins that cannot be exchanged, or none to refuse them
    #[arg(add = ArgValueCandidates::new(candidates::fallbacks), long, value_name = "HELPER")]
    pub fallback: Option<String>,

    /// Keep personal tokens, such as GitHub's and GitLab's, where they cannot be exchanged
    #[arg(long)]
    pub keep_tokens: bool,

    /// Turn passwords into tokens by the registry's own API, where they cannot be exchanged: auto, or
    /// an API by name
    #[arg(long, value_name = "API", value_parser = PossibleValuesParser::new(&Minting::WORDS[1..]).map(|name| name.parse::<Minting>().unwrap_or_default()))]
    pub mint: Option<Minting>,

    /// Leave this registry's password where docker keeps it in plain text
    #[arg(add = ArgValueCandidates::new(candidates::registries), long, value_name = "HOST", conflicts_with = "registry")]
    pub keep_plain: Vec<String>,

    /// Set up podman, skopeo and buildah even if none of them is found on PATH
    #[arg(long)]
    pub podman: bool,

    /// Leave podman, skopeo and buildah as they are, now and in later runs
    #[arg(long, conflicts_with = "podman")]
    pub no_podman: bool,

    /// Continue even if a program is missing or clients would lose a login
    #[arg(long)]
    pub force: bool,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}

/// `import`
#[derive(Debug, Args)]
#[command(after_long_help = help::IMPORT)]
pub struct Import {
    /// Where the passwords are: docker-config, podman, or the name of another helper
    #[arg(add = ArgValueCandidates::new(candidates::sources), long, value_name = "SOURCE", default_value = "docker-config")]
    pub from: String,

    /// Only this registry's; may be given more than once
    #[arg(add = ArgValueCandidates::new(candidates::registries), long, value_name = "HOST")]
    pub registry: Vec<String>,

    /// Run configure first, so that clients ask this helper for imported logins
    #[arg(long)]
    pub configure: bool,

    /// With --configure: the helper that takes logins that cannot be exchanged, or none to refuse them
    #[arg(add = ArgValueCandidates::new(candidates::fallbacks), long, value_name = "HELPER", requires = "configure")]
    pub fallback: Option<String>,

    /// Do it, rather than show what would be done
    #[arg(long)]
    pub yes: bool,

    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}
