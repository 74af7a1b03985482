//! Writes the man pages, made from the definitions of the commands: `cargo run --example man DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use docker_credential_refresh::cli::Cli;

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: man DIR");
        return ExitCode::from(2);
    };
    let pages = std::fs::create_dir_all(&directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &directory));
    match pages {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("man: cannot write to {}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}
