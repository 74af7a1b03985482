//! Real clients against a real registry, keychain and daemon. `tests/run` installs what they need.

#[path = "../support/canary.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod canary;
mod docker_cli;
#[path = "../support/docker_engine.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod docker_engine;
mod own_processes;
#[path = "../support/process.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod process;
