//! Runs integration tests that are built already with the changed program (see `run`), name after name, until the
//! first failure. That the test harness can end there is an unstable option of it.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let tests = variable("MUTANTS_TESTS");
    let noticed = variable("MUTANTS_NAMES").split_whitespace().any(|name| {
        !Command::new(&tests)
            .args(["-Zunstable-options", "--fail-fast", "--test-threads=8", name])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(variable("MUTANTS_ROOT"))
            .env("TESTED_PROGRAM", env!("CARGO_BIN_EXE_docker-credential-refresh"))
            .status()
            .expect("the tests start")
            .success()
    });
    if noticed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
