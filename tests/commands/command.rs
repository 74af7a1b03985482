//! Runs a command as a user would.

use std::io::Write;
use std::process::Stdio;

use crate::support::user::{Outcome, User};

/// Runs it to its end with `stdin`.
pub fn run(user: &User, arguments: &[&str], stdin: &str) -> Outcome {
    let mut child = user
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or_else(|| panic!("ended by {}", output.status)),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Logs in with a password on stdin.
pub fn log_in(user: &User, server: &str, account: &str, password: &str) {
    user.secret(password);
    run(user, &["login", server, "-u", account, "--password-stdin"], password).succeeded();
}
