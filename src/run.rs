//! From arguments to exit status: the one place where errors are printed, and the one owner of
//! stdin, stdout and stderr.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Weak;

use clap::CommandFactory;
use directories::BaseDirs;

use crate::cli::{Cli, Command};
use crate::commands::{self, Streams};
use crate::environment::{self, PREFIX};
use crate::error::{Error, Kind, Result};
use crate::files::owner;
use crate::http::certs_d::certs_d;
use crate::keychain::Keychain;
use crate::login_record::RecordStore;
use crate::logins::Logins;
use crate::nearest::nearest;
use crate::progress;
use crate::protocol::{self, USAGE, VERBS, Verb};
use crate::settings::{Settings, Unknown, Variables};
use crate::text::reason;
use crate::trace;

/// Runs a verb as docker-credential-helpers 0.9 does, or a command.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.collect();
    // "help COMMAND", as docker and cargo take it.
    if arguments.first().is_some_and(|first| first == "help") {
        arguments.remove(0);
        arguments.push("--help".into());
    }
    let only = match &arguments[..] {
        [only] => only.to_str(),
        _ => None,
    };
    if let Err(error) = trace::start(std::env::var_os(environment::TRACE).as_deref()) {
        // What was asked for is done all the same.
        note(&format!("no trace is written: {error}"));
    }
    if let Some(verb) = only.and_then(Verb::parse) {
        return verb_status(verb);
    }
    if matches!(only, Some("--version" | "-v" | "-V")) {
        let printed = print(&version());
        // A reader such as head has seen all it wanted.
        return status(printed.map_or_else(|e| e.kind() == io::ErrorKind::BrokenPipe, |()| true));
    }
    if let [first, words @ ..] = &arguments[..]
        && first == "--"
        && let Some(shell) = environment::variable(environment::COMPLETE)
    {
        return match commands::complete(&shell, words.to_vec(), &mut io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    let commands = Cli::command();
    let is_command = |argument: &OsString| {
        argument.to_str().is_some_and(|name| commands.find_subcommand(name).is_some())
    };
    let is_verb = |argument: &OsString| argument.to_str().and_then(Verb::parse).is_some();
    if arguments.first().is_some_and(is_verb)
        || !matches!(only, Some("--help" | "-h")) && !arguments.iter().any(is_command)
    {
        // A client that asks for a verb of a later protocol version reads stdout.
        let _closed = print(USAGE);
        // Elsewhere the word is the value of an option.
        let ends = [arguments.first(), arguments.last()];
        if let Some(verb) = ends.into_iter().flatten().find(|argument| is_verb(argument)) {
            note(&misused(&verb.to_string_lossy(), &arguments));
        } else if let Some(meant) = meant(&arguments, &commands) {
            note(&format!("unknown command; did you mean {meant}?"));
        } else if io::stderr().is_terminal() {
            note("for the commands: docker-credential-refresh --help");
        }
        return ExitCode::FAILURE;
    }
    command_status(commands, arguments)
}

/// What is wrong with a verb that is not alone; what else was typed is not repeated, as it may be
/// anything.
fn misused(verb: &str, arguments: &[OsString]) -> String {
    let option = |argument: &OsString| argument.to_string_lossy().starts_with('-');
    if arguments.iter().any(option) {
        format!(
            "{verb} takes no options: set profile and keychain in config.toml, or by \
             {PREFIX}PROFILE and {PREFIX}KEYCHAIN"
        )
    } else {
        format!("{verb} takes no arguments: what it works on is read from standard input")
    }
}

/// What somebody probably meant to type; what they typed is not repeated, as it may be anything.
fn meant(arguments: &[OsString], commands: &clap::Command) -> Option<String> {
    if arguments.first().and_then(|first| first.to_str()).and_then(Verb::parse).is_some() {
        return None;
    }
    let names = commands.get_subcommands().map(clap::Command::get_name);
    let known: Vec<&str> = names.chain(VERBS).chain(["--help", "--version"]).collect();
    let mut typed = arguments.iter().filter_map(|argument| argument.to_str());
    typed.find_map(|typed| nearest(typed, known.iter().copied()).map(str::to_owned))
}

fn status(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verb_status(verb: Verb) -> ExitCode {
    trace::step(|| format!("{verb:?} {}", env!("CARGO_PKG_VERSION")));
    let outcome = run_verb(verb);
    trace_end(&outcome);
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if matches!(verb, Verb::Get | Verb::Erase) && !protocol::is_not_found(&error) {
        // Docker 28 shows nothing else: it goes on anonymously, or says that the login is removed.
        note(&error.to_string());
    }
    if print(&error.to_string()).is_err() && matches!(verb, Verb::List | Verb::Version) {
        // Of these, stderr has not been told.
        note(&error.to_string());
    }
    ExitCode::FAILURE
}

fn run_verb(verb: Verb) -> Result<()> {
    let stdin = &mut stdin()?;
    // Not locked: a keyring library that prints on a thread of its own would wait forever.
    let mut out = io::stdout();
    let cannot_write =
        |e: io::Error| Error::new(Kind::Other, format!("cannot write the answer: {}", reason(&e)));
    match verb {
        Verb::Version => {
            writeln!(out, "{}", version()).and_then(|()| out.flush()).map_err(cannot_write)
        }
        Verb::Store => {
            let credentials = protocol::read_credentials(stdin)?;
            let stderr = &mut io::stderr();
            let mut logins = logins(stderr)?;
            owner::warning_under_sudo().iter().for_each(|warning| logins.note(warning));
            logins.store(credentials)
        }
        Verb::Get => {
            let server_url = protocol::read_server_url(stdin)?;
            let found = logins(&mut io::stderr())?.get(&server_url)?;
            found.write(&mut out).map_err(cannot_write)
        }
        Verb::Erase => {
            let server_url = protocol::read_server_url(stdin)?;
            logins(&mut io::stderr())?.erase(&server_url).map(drop)
        }
        Verb::List => {
            let (ours, others) = logins(&mut io::stderr())?.list()?;
            protocol::write_list(&mut out, &ours, &others).map_err(cannot_write)
        }
    }
}

/// Standard input without the standard library's buffer, which is never wiped.
fn stdin() -> Result<File> {
    #[cfg(unix)]
    let own = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let own = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    own.map(File::from)
        .map_err(|e| Error::new(Kind::Other, format!("cannot read standard input: {}", reason(&e))))
}

fn command_status(commands: clap::Command, arguments: Vec<OsString>) -> ExitCode {
    trace::step(|| {
        let is_command = |name: &&str| commands.find_subcommand(name).is_some();
        // Only the name: the rest of what was typed could be anything.
        let name = arguments.iter().filter_map(|a| a.to_str()).find(is_command);
        format!("{} {}", name.unwrap_or_default(), env!("CARGO_PKG_VERSION"))
    });
    let program = OsString::from(env!("CARGO_PKG_NAME"));
    let cli = match Cli::read(commands, std::iter::once(program).chain(arguments)) {
        Ok(cli) => cli,
        Err(error) => {
            let _closed = error.print();
            return ExitCode::from(if error.use_stderr() { Kind::Usage as u8 } else { 0 });
        }
    };
    let outcome = run_command(cli);
    trace_end(&outcome);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    note(&error.to_string());
    ExitCode::from(error.kind as u8)
}

/// The error itself is left out: the user sees it, and it may repeat what another helper said.
fn trace_end(outcome: &Result<()>) {
    trace::step(|| match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("failed: {:?}", error.kind),
    });
}

fn run_command(mut cli: Cli) -> Result<()> {
    let mut stderr = io::stderr();
    // The doctor reports broken settings along with the rest; the others need none.
    let needs_settings =
        !matches!(cli.command, Command::Doctor(_) | Command::Keygen(_) | Command::Completions(_));
    let mut logins = if needs_settings {
        logins_with(|error, _| Err(error), &mut stderr)?
    } else {
        logins_with(|error, directory| Ok(Settings::broken(error, directory)), &mut stderr)?
    };
    // The doctor's report says so.
    if !needs_settings && !matches!(cli.command, Command::Doctor(_)) {
        warn(&mut logins);
    }
    if let Some(profile) = cli.command.profile() {
        logins.settings.set_profile(&profile)?;
    }
    if let Some(keychain) = cli.command.keychain() {
        logins.settings.keychain = keychain;
    }
    // The verbs only warn: a typo must not stop every pull.
    let unknown = logins.settings.warnings.clone();
    if let Some((last, others)) = unknown.split_last().filter(|_| needs_settings) {
        others.iter().for_each(|unknown| logins.note(&unknown.refused().to_string()));
        return Err(last.refused());
    }
    progress::switch_on();
    let mut streams = Streams {
        // One byte of buffer: a line can be read, and nothing else is kept.
        input: &mut BufReader::with_capacity(1, stdin()?),
        interactive: io::stdin().is_terminal(),
        colour: commands::wants_colour(),
        out: &mut io::stdout(),
    };
    commands::run(cli, &mut logins, &mut streams)
}

fn logins(notes: &mut dyn Write) -> Result<Logins<'_>> {
    let mut logins = logins_with(|error, _| Err(error), notes)?;
    warn(&mut logins);
    Ok(logins)
}

/// What is wrong with the settings.
fn warn(logins: &mut Logins<'_>) {
    let broken = logins.settings.broken.iter().map(ToString::to_string);
    let unknown = logins.settings.warnings.iter().map(Unknown::ignored);
    for warning in broken.chain(unknown).collect::<Vec<_>>() {
        logins.note(&warning);
    }
}

fn logins_with(
    on_broken: fn(Error, &Path) -> Result<Settings>,
    notes: &mut dyn Write,
) -> Result<Logins<'_>> {
    let directories = environment::directories().ok_or_else(Error::homeless)?;
    let state = environment::state_directory(&directories);
    let configuration = directories.config_dir();
    let settings = Settings::load(configuration, &Variables::of_process())
        .or_else(|error| on_broken(error, configuration))?;
    Ok(Logins {
        settings,
        records: RecordStore::new(state.to_owned()),
        certs_d: certs_d(BaseDirs::new().as_ref()),
        notes,
        open_keychain: Keychain::open,
        turn: Weak::new(),
    })
}

fn version() -> String {
    let (package, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    format!("{package} ({package}) v{version}")
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn note(line: &str) {
    let line = crate::text::printable(line, usize::MAX);
    // Having nobody to tell is no reason to fail.
    let _unheard = writeln!(io::stderr(), "docker-credential-refresh: {line}");
}
