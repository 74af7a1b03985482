//! The demo keeps its word when things go wrong.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::{Keychain, KeychainName, Options};

use super::commands::{HELPER, Reader, cargo};

const DEMO: [&str; 6] = ["run", "--quiet", "--example", "demo", "--", "--helper"];

/// Its search is worth nothing if it cannot find what it looks for.
#[test]
fn the_demo_fails_if_a_helper_writes_the_password_down_beside_the_kernel_keyring() {
    let reader = Reader::new();
    let script = format!("#!/bin/sh\ntee -a \"$HOME/.log\" | {HELPER} \"$@\"\n");
    let output = cargo(&DEMO).arg(reader.script("leaky", &script)).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("a secret was found: plain (plain) in "), "{error}");
}

/// SIGKILL is the worst of all ends: Ctrl-C and a panic are no harder to clean up after.
#[test]
fn the_demo_leaves_nothing_in_the_kernel_keyring_when_it_is_killed() {
    let reader = Reader::new();
    let script = format!("#!/bin/sh\n[ $1 != list ] || sleep 3\nexec {HELPER} \"$@\"\n");
    let mut command = cargo(&DEMO);
    command.arg(reader.script("slow", &script)).stdout(Stdio::null()).stderr(Stdio::null());
    let mut demo = command.spawn().unwrap();
    // `cargo run` becomes the program that it runs, so the id is the demo's.
    let profile = format!("demo-{}", demo.id());
    let keychain = Keychain::open(&KeychainName::Kernel, &profile, &Options::default()).unwrap();
    let kept = || !keychain.list().unwrap().logins.is_empty();
    let kept_in_time = within(Duration::from_secs(120), kept);
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(kept_in_time, "the demo kept nothing under {profile}");
    assert!(within(Duration::from_secs(10), || !kept()), "{profile} is left in the keyring");
}

fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// In a HOME without a toolchain, cargo itself would fail.
#[test]
fn the_demo_that_is_built_needs_no_cargo() {
    // The helper is there already: cargo built it for these tests.
    let built = cargo(&["build", "--quiet", "--example", "demo"]).status().unwrap();
    assert!(built.success());
    let demo = Path::new(HELPER).parent().unwrap().join("examples/demo");
    let reader = Reader::new();
    let cargo = reader.script("cargo", "#!/bin/sh\nexit 1\n");
    let folder = Path::new(&cargo).parent().unwrap();
    let mut command = Command::new(demo);
    command.env_clear().env("HOME", folder);
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
