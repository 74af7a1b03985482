//! What tests share.

pub mod canary;
pub mod injection;
pub mod kernel_keys;
pub mod keychains;
pub mod script;
pub mod seccomp;
pub mod terminal;
pub mod user;

/// Ends a test that this machine cannot run, by name; where `CI=true`, that is a failure.
pub fn left_out(test: &str, why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} was left out: {why}");
    eprintln!("left out: {test}: {why}");
}
