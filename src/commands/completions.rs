//! `completions`: generated from the definitions in [`crate::cli`].

use clap::CommandFactory;
use clap_complete::Shell;

use super::streams::Streams;
use crate::cli::{Cli, Completions};
use crate::error::{Error, Kind, Result};

pub(super) fn run(completions: &Completions, streams: &mut Streams<'_>) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(completions.shell, &mut command, name.clone(), &mut script);
    if completions.shell == Shell::Bash {
        script = with_matching_labels(&String::from_utf8_lossy(&script), &name).into_bytes();
    }
    let written = streams.out.write_all(&script).and_then(|()| streams.out.flush());
    written.map_err(|e| Error::new(Kind::Other, format!("cannot write the script: {}", e.kind())))
}

/// clap_complete 4.6 sets one label for a subcommand of a name with hyphens, and looks for another:
/// it takes each hyphen for the start of a subcommand, and nothing after `login` would complete.
fn with_matching_labels(script: &str, name: &str) -> String {
    let looked_for = format!("{}__subcmd__", name.replace('-', "__subcmd__"));
    let set = format!("{}__subcmd__", name.replace('-', "__"));
    script.replace(&looked_for, &set)
}
