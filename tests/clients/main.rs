//! Real clients against a real registry, keychain and daemon. `tests/run` installs what they need.

#[path = "../support/canary.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod canary;
#[path = "../support/process.rs"]
#[allow(dead_code)] // each test binary uses its own part of the support code
mod process;
