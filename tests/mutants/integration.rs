//! Runs the integration tests, which are already built, with the changed program (see `run`): one name after
//! another, until one fails. `--fail-fast` is an unstable option of the test harness.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let tests = variable("MUTANTS_TESTS");
    let fails = |name| {
        !Command::new(&tests)
            .args(["-Zunstable-options", "--fail-fast", "--test-threads=6", name])
            // Their keys take long to make.
            .args(if name.contains("pass") { &[][..] } else { &["--skip", "pass_as"] })
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(variable("MUTANTS_ROOT"))
            .env("TESTED_PROGRAM", env!("CARGO_BIN_EXE_docker-credential-refresh"))
            .status()
            .expect("the tests start")
            .success()
    };
    // Twice: a test may also fail because of what else the machine does.
    let noticed = variable("MUTANTS_NAMES").split_whitespace().any(|name| fails(name) && fails(name));
    if noticed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
