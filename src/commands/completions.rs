//! `completions`: generated from the definitions in [`crate::cli`].

use clap::CommandFactory;
use clap_complete::Shell;

use super::Streams;
use crate::cli::{Cli, Completions};
use crate::error::Result;

pub(super) fn run(completions: &Completions, streams: &mut Streams<'_>) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(completions.shell, &mut command, name.clone(), &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if completions.shell == Shell::Bash {
        script = with_matching_labels(&script, &name);
    }
    streams.print(script.trim_end())
}

/// clap_complete 4.6 sets one label for a subcommand of a name with hyphens, and looks for another:
/// it takes each hyphen for the start of a subcommand, and nothing after `login` would complete.
fn with_matching_labels(script: &str, name: &str) -> String {
    let looked_for = format!("{}__subcmd__", name.replace('-', "__subcmd__"));
    let set = format!("{}__subcmd__", name.replace('-', "__"));
    script.replace(&looked_for, &set)
}
