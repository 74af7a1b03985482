//! The commands and their arguments, for the parser, the help, the completions and the man pages.

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use crate::candidates;
use crate::help;
use crate::keychain::Choice;
use crate::origin::Origin;

mod clients;
mod findings;
mod read;
mod shared;

pub use clients::{Configure, Import};
pub use findings::{Check, Doctor, Status};
pub use shared::{KeychainOption, ProfileOption};

/// Exchanges registry passwords for refresh tokens, and keeps only those
///
/// Docker calls it with the verbs store, get, erase, list and version; the commands below are for
/// people and scripts.
#[derive(Debug, Parser)]
#[command(
    name = "docker-credential-refresh",
    version,
    disable_help_subcommand = true,
    help_template = "{usage-heading} {usage}\n\n{about-with-newline}\n{all-args}{after-help}",
    override_usage = "docker-credential-refresh <store|get|erase|list|version>\n       \
                      docker-credential-refresh <COMMAND> [OPTIONS]",
    after_long_help = help::PROGRAM
)]
pub struct Cli {
    #[command(flatten)]
    profile: ProfileOption,

    #[command(flatten)]
    keychain: KeychainOption,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What people and scripts can ask for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in to a registry
    Login(Login),
    /// Remove a login from this machine
    Logout(Logout),
    /// Show what is logged in, where it is kept and until when
    Status(Status),
    /// Print an access token
    Token(Token),
    /// Revoke a login at the server, verify that it is dead, and remove it here
    Revoke(Revoke),
    /// Make docker, podman, skopeo and buildah use this helper
    Configure(Configure),
    /// Undo what configure changed
    #[command(after_long_help = help::UNCONFIGURE)]
    Unconfigure,
    /// Exchange passwords in clients' files or another helper for refresh tokens
    Import(Import),
    /// Move logins to another keychain
    Migrate(Migrate),
    /// Print a new age identity for the file keychain
    #[command(after_long_help = help::KEYGEN)]
    Keygen(Keygen),
    /// Show what a registry asks for, and what logging in there would store
    Check(Check),
    /// Find out why logins fail, and suggest fixes
    Doctor(Doctor),
    /// Print a script that completes commands in a shell
    Completions(Completions),
}

/// `login`
#[derive(Debug, Args)]
#[command(after_long_help = help::LOGIN)]
pub struct Login {
    /// The registry; Docker Hub if none is named
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// The account
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,

    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,

    /// Read a refresh token from standard input instead of a username and password
    #[arg(long, conflicts_with_all = ["username", "password_stdin"])]
    pub identity_token_stdin: bool,

    /// Read a Microsoft Entra access token from standard input, for an Azure registry
    #[arg(long, conflicts_with_all = ["username", "password_stdin", "identity_token_stdin"], requires = "server")]
    pub aad_token_stdin: bool,

    /// With --aad-token-stdin: the Entra tenant that the token is from
    #[arg(long, value_name = "TENANT", requires = "aad_token_stdin")]
    pub tenant: Option<String>,

    /// Log in in a browser: shows a code and the page where to enter it
    #[arg(long, conflicts_with_all = ["username", "password_stdin", "identity_token_stdin", "aad_token_stdin"])]
    pub web: bool,

    /// Trust this origin with the registry's logins, from now on
    #[arg(long, value_name = "ORIGIN")]
    pub trust_realm: Option<Origin>,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}

/// `logout`
#[derive(Debug, Args)]
#[command(after_long_help = help::LOGOUT)]
pub struct Logout {
    /// The registry; Docker Hub if none is named
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// Every login of the profile
    #[arg(long, conflicts_with = "server")]
    pub all: bool,

    /// Revoke the token at the server first
    #[arg(long)]
    pub revoke: bool,

    /// With --revoke: read the password from standard input, for registries that delete tokens only with it
    #[arg(long, requires = "revoke", conflicts_with = "all")]
    pub password_stdin: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,

    /// `--keychain`
    #[command(flatten)]
    pub keychain: KeychainOption,
}

/// `token`
#[derive(Debug, Args)]
#[command(after_long_help = help::TOKEN)]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args(["pull", "push", "scope"])))]
pub struct Token {
    /// The registry
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: String,

    /// A repository to pull from, such as team/app: short for --scope repository:team/app:pull
    #[arg(long, value_name = "REPOSITORY")]
    pub pull: Vec<String>,

    /// A repository to push to: short for --scope repository:team/app:pull,push
    #[arg(long, value_name = "REPOSITORY")]
    pub push: Vec<String>,

    /// Any other scope, as TYPE:NAME:ACTIONS; all three may be given more than once
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,

    /// Print token, expires_in, issued_at and scope as JSON
    #[arg(long)]
    pub json: bool,

    /// Print it as an Authorization header
    #[arg(long, conflicts_with = "json")]
    pub header: bool,

    /// Accept less than was asked for
    #[arg(long)]
    pub allow_partial: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,
}

/// `revoke`
#[derive(Debug, Args)]
#[command(after_long_help = help::REVOKE)]
pub struct Revoke {
    /// The registry, unless --all is given
    #[arg(add = ArgValueCandidates::new(candidates::servers), required_unless_present = "all")]
    pub server: Option<String>,

    /// Every login of the profile
    #[arg(long, conflicts_with_all = ["server", "token_stdin"])]
    pub all: bool,

    /// A refresh token on standard input, in place of the one that is kept
    #[arg(long)]
    pub token_stdin: bool,

    /// Read the password from standard input, for a minted token that only the password can delete
    #[arg(long, conflicts_with_all = ["all", "token_stdin"])]
    pub password_stdin: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,
}

/// `keygen`
#[derive(Debug, Args)]
pub struct Keygen {
    /// Put it where the file keychain looks for it, and print that path; never overwrites an existing one
    #[arg(long)]
    pub install: bool,
}

/// `migrate`
#[derive(Debug, Args)]
#[command(after_long_help = help::MIGRATE)]
#[command(group(ArgGroup::new("which").required(true).args(["server", "all"])))]
pub struct Migrate {
    /// Where to: auto, secret-service, kernel, file, ...
    #[arg(add = ArgValueCandidates::new(candidates::keychains), long, value_name = "KEYCHAIN")]
    pub to: Choice,

    /// The registry, unless --all is given
    #[arg(add = ArgValueCandidates::new(candidates::servers))]
    pub server: Option<String>,

    /// Every login of the profile
    #[arg(long)]
    pub all: bool,

    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,

    /// `--profile`
    #[command(flatten)]
    pub profile: ProfileOption,
}

/// `completions`
#[derive(Debug, Args)]
#[command(after_long_help = help::COMPLETIONS)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}
