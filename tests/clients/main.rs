//! Real clients against a real registry, keychain and daemon. `tests/run` installs what they need.

mod basic;
#[path = "../support/canary.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod canary;
mod ci_recipes;
mod companions;
mod docker;
mod docker_cli;
#[path = "../support/docker_engine.rs"]
mod docker_engine;
mod headless;
mod keychain;
#[path = "../support/keychains"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod keychains {
    pub mod bus;
    pub mod gnome_keyring;
    pub mod keepassxc;
    pub mod kwallet;
    pub mod pass;
}
mod long_work;
mod matrix;
mod minted_token;
#[path = "../mock_token_server/mod.rs"]
mod mock_token_server;
mod names;
mod own_processes;
mod personal_token;
#[path = "../support/process.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod process;
#[path = "../mock_token_server/real_registry_tests.rs"]
mod real_registry_tests;
mod rootless;
mod round_trip;
mod runner;
mod scenario;
#[path = "../support/script.rs"]
mod script;
mod spellings;
mod systemd;
mod token;
