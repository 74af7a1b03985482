//! What tests share.

use std::path::PathBuf;

pub mod canary;
pub mod injection;
pub mod kernel_keys;
pub mod keychains;
pub mod script;
pub mod seccomp;
pub mod strace;
pub mod terminal;
pub mod tunnel;
pub mod user;

/// The program under test: the one that cargo built beside the tests, or the one that the variable
/// `TESTED_PROGRAM` names, such as a static build of it.
pub fn tested_program() -> PathBuf {
    let built = || env!("CARGO_BIN_EXE_docker-credential-refresh").into();
    std::env::var_os("TESTED_PROGRAM").unwrap_or_else(built).into()
}

/// Whether the tests that have a full size besides the one for each run take it (docs/development.md).
pub fn full_size() -> bool {
    std::env::var_os("FULL_SIZE").is_some()
}

/// Ends a test that this machine cannot run, by name; where `CI=true`, that is a failure.
pub fn left_out(test: &str, why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} was left out: {why}");
    eprintln!("left out: {test}: {why}");
}
