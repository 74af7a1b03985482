//! The mock token server by hand: `cargo run --example mock-token-server -- --help`.
//!
//! The server runs in a child process, in a process group of its own, and ends when its stdin
//! does. So however this process ends, by Ctrl-C or even SIGKILL, the child notices, removes its
//! files and is gone, without any signal handling.

mod arguments;
#[path = "mod.rs"]
mod mock_token_server;

use std::env;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use arguments::{Arguments, parse, usage};
use mock_token_server::TokenServer;

/// Set for the child that serves.
const CHILD: &str = "MOCK_TOKEN_SERVER_CHILD";

fn main() -> ExitCode {
    let given: Vec<String> = env::args().skip(1).collect();
    if given.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let arguments = match parse(&given) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("mock-token-server: {error}; --help tells what there is");
            return ExitCode::from(2);
        }
    };
    let done = if env::var_os(CHILD).is_some() {
        serve(arguments)
    } else {
        watch(&given, arguments.ignore_stdin)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-token-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the child and holds its stdin open until ours ends.
fn watch(given: &[String], ignore_stdin: bool) -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.args(given).env(CHILD, "1").stdin(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let life_line = child.stdin.take();
    thread::spawn(move || {
        if ignore_stdin {
            loop {
                thread::park();
            }
        }
        // However reading ends, that was the end.
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        drop(life_line);
    });
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended: {status}"))) }
}

/// Serves until stdin ends.
fn serve(arguments: Arguments) -> io::Result<()> {
    let server = arguments.builder.start();
    print_addresses(&server)?;
    let (sender, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        drop(sender);
    });
    let mut printed = 0;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_millis(200)) {
        if arguments.journal {
            let journal = server.journal();
            for request in &journal[printed..] {
                eprintln!("{request:?}");
            }
            printed = journal.len();
        }
    }
    Ok(())
}

fn print_addresses(server: &TokenServer) -> io::Result<()> {
    let addresses = json!({
        "registry_host": server.registry_host(),
        "registry_url": server.registry_url(),
        "token_endpoint": server.token_endpoint(),
        "ca_file": server.is_tls().then(|| server.ca_file()),
        "jwt_cert_file": server.jwt_cert_file(),
        "service": server.service(),
        "issuer": server.issuer(),
    });
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{addresses}")?;
    stdout.flush()
}
