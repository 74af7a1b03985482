//! Writes the man pages, made from the definitions of the commands: `cargo run --example man DIR`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::Roff;
use docker_credential_refresh::cli::Cli;

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: man DIR");
        return ExitCode::from(2);
    };
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let pages = std::fs::create_dir_all(&directory).and_then(|()| generate(&command, &directory));
    match pages {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("man: cannot write to {}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}

fn generate(command: &Command, directory: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        generate(subcommand, directory)?;
    }
    // Without a date, roff would take the next word for it; none would be the same in each build.
    let man = Man::new(command.clone())
        .date(" ")
        .source(concat!("docker-credential-refresh ", env!("CARGO_PKG_VERSION")))
        // In 80 columns there is no room for it between two long names.
        .manual(if command.has_subcommands() { "User Commands" } else { " " });
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let rest = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    page.write_all(sections(&rest).to_roff().as_bytes())?;
    std::fs::write(directory.join(man.get_filename()), page)
}

/// What `--help` says after the options, each part a section of its own, with its line ends.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for part in text.split("\n\n") {
        let lines = match part.split_once(":\n") {
            Some((heading, lines)) if !heading.starts_with(' ') => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
                lines
            }
            _ => {
                roff.control("PP", []);
                part
            }
        };
        roff.control("nf", []);
        for line in lines.lines() {
            roff.text([clap_mangen::roff::roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
    roff
}
