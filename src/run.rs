//! From arguments to exit status: the one place where errors are printed, and the one owner of
//! stdin, stdout and stderr.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use directories::{BaseDirs, ProjectDirs};

use crate::error::{Error, Kind, Result};
use crate::helper::Helper;
use crate::http::trust::certs_d;
use crate::keychain::Keychain;
use crate::login_record::RecordStore;
use crate::protocol::{self, USAGE, Verb};
use crate::settings::Settings;

/// Runs one verb and answers as docker-credential-helpers 0.9 does.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let only = match &arguments[..] {
        [only] => only.to_str(),
        _ => None,
    };
    let printed = match only {
        Some("--help" | "-h") => print(USAGE),
        Some("--version" | "-v") => print(&version()),
        other => match other.and_then(Verb::parse) {
            Some(verb) => match run_verb(verb) {
                Ok(()) => return ExitCode::SUCCESS,
                Err(error) => {
                    if verb == Verb::Get && !protocol::is_not_found(&error) {
                        // Docker 28 shows nothing else, and goes on anonymously.
                        note(&error.to_string());
                    }
                    print(&error.to_string()).and(Err(io::Error::other("reported")))
                }
            },
            None => print(USAGE).and(Err(io::Error::other("usage"))),
        },
    };
    if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_verb(verb: Verb) -> Result<()> {
    let stdin = &mut io::stdin().lock();
    let mut out = io::stdout().lock();
    let cannot_write =
        |e: io::Error| Error::new(Kind::Other, format!("cannot write the answer: {}", e.kind()));
    match verb {
        Verb::Version => {
            writeln!(out, "{}", version()).and_then(|()| out.flush()).map_err(cannot_write)
        }
        Verb::Store => {
            let credentials = protocol::read_credentials(stdin)?;
            with_helper(|helper| helper.store(credentials))
        }
        Verb::Get => {
            let server_url = protocol::read_server_url(stdin)?;
            let found = with_helper(|helper| helper.get(&server_url))?;
            let (username, secret) = (&found.username, found.secret.expose());
            protocol::write_credentials(&mut out, &found.server_url, username, secret)
                .map_err(cannot_write)
        }
        Verb::Erase => {
            let server_url = protocol::read_server_url(stdin)?;
            with_helper(|helper| helper.erase(&server_url))
        }
        Verb::List => {
            let (ours, others) = with_helper(|helper| helper.list())?;
            protocol::write_list(&mut out, &ours, &others).map_err(cannot_write)
        }
    }
}

fn with_helper<T>(work: impl FnOnce(&mut Helper<'_>) -> Result<T>) -> Result<T> {
    let homeless = || Error::new(Kind::Usage, "there is no home directory").hint("set HOME to one");
    let directories =
        ProjectDirs::from("", "", "docker-credential-refresh").ok_or_else(homeless)?;
    let state = directories.state_dir().unwrap_or_else(|| directories.data_local_dir());
    let environment = |name: &str| std::env::var(name).ok();
    let settings = Settings::load(directories.config_dir(), &environment)?;
    for warning in &settings.warnings {
        note(warning);
    }
    let mut helper = Helper {
        settings,
        records: RecordStore::new(state.to_owned()),
        certs_d: certs_d(BaseDirs::new().as_ref().map(BaseDirs::config_dir)),
        notes: &mut io::stderr(),
        open_keychain: Keychain::open,
    };
    work(&mut helper)
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
    let line = crate::error::printable(line, usize::MAX);
    // Nobody to tell is no reason to fail.
    let _unheard = writeln!(io::stderr(), "docker-credential-refresh: {line}");
}
