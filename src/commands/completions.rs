//! `completions`: generated from the definitions in [`crate::cli`].

use clap::CommandFactory;

use super::Streams;
use crate::cli::{Cli, Completions};
use crate::error::{Error, Kind, Result};

pub(super) fn run(completions: &Completions, streams: &mut Streams<'_>) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(completions.shell, &mut command, name, &mut script);
    let written = streams.out.write_all(&script).and_then(|()| streams.out.flush());
    written.map_err(|e| Error::new(Kind::Other, format!("cannot write the script: {}", e.kind())))
}
