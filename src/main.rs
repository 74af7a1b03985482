//! `docker-credential-refresh`: arguments in, exit status out.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::process::ExitCode;

use docker_credential_refresh::{hardening, run};

/// Newtypes do not reach the copies that the HTTP and JSON libraries make; this does.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);

fn main() -> ExitCode {
    hardening::no_dumps();
    hardening::one_line_panics();
    hardening::readable_files();
    hardening::errors_for_signals();
    run::run(std::env::args_os().skip(1))
}
