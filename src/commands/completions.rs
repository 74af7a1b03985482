//! `completions`: a script that asks this program for each completion, so that it offers the
//! current logins, helpers and keychains.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_complete::env::Shells;

use super::streams::{Streams, write};
use crate::cli::{Cli, Completions};
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::text::reason;

pub(super) fn run(completions: &Completions, streams: &mut Streams<'_>) -> Result<()> {
    let mut script = Vec::new();
    let shell = completions.shell.to_string();
    let name = environment::PROGRAM;
    Shells::builtins()
        .completer(&shell)
        .ok_or_else(|| Error::new(Kind::Usage, format!("{shell} has no completion script")))?
        .write_registration(environment::COMPLETE, name, name, name, &mut script)
        .map_err(|e| Error::new(Kind::Other, format!("cannot write the script: {}", reason(&e))))?;
    if completions.shell == Shell::Zsh {
        script.extend_from_slice(ZSH_FIRST_CALL.as_bytes());
    }
    write(&script, streams.out)
}

/// A file on zsh's `fpath` is run for the first completion, which the script would leave empty.
const ZSH_FIRST_CALL: &str = "
if [[ \"${funcstack[1]}\" == _docker-credential-refresh ]]; then
    _clap_dynamic_completer_docker_credential_refresh
fi
";

/// Answers a shell that asks through such a script; `words` are those on its command line.
///
/// # Errors
/// [`Kind::Usage`] for an unknown shell.
pub fn complete(shell: &OsStr, words: Vec<OsString>, out: &mut dyn Write) -> Result<()> {
    let shells = Shells::builtins();
    let shell = shell.to_str().and_then(|name| shells.completer(name));
    let shell = shell.ok_or_else(|| {
        let name = environment::COMPLETE;
        Error::new(Kind::Usage, format!("{name} does not name a shell"))
            .hint("load the script that the command completions prints")
    })?;
    let mut answer = Vec::new();
    let folder = std::env::current_dir().ok();
    shell
        .write_complete(&mut Cli::command(), words, folder.as_deref(), &mut answer)
        .map_err(|e| Error::new(Kind::Other, format!("cannot complete: {}", reason(&e))))?;
    write(&answer, out)
}
