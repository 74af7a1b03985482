//! Faults at every call of `keygen --install`: a whole key is in its place or none, and repeating finishes.

use std::fs;

use age::x25519::Identity;

use crate::support::injection::{Run, print_row};
use crate::support::user::User;

const INSTALL: [&str; 2] = ["keygen", "--install"];

/// The key in its place, which is whole. A killed run may leave a file beside it, which nobody reads.
fn installed(user: &User, at: &str) -> Option<String> {
    let folder = user.home().join(".config/docker-credential-refresh");
    let text = fs::read_to_string(folder.join("age-identity.txt")).ok()?;
    let is_key = |line: &str| line.parse::<Identity>().is_ok();
    assert_eq!(text.lines().filter(|line| is_key(line)).count(), 1, "{at}: it is not whole");
    let files = fs::read_dir(folder).unwrap().count();
    assert!(files == 1 || at.starts_with("killed"), "{at}: {files} files");
    Some(text)
}

#[test]
fn a_fault_in_keygen_leaves_a_whole_key_or_none() {
    let first = User::new();
    let calls = Run { user: &first, arguments: &INSTALL, stdin: "" }.calls();
    let check = |user: &User, done: bool, at: &str| {
        let key = installed(user, at);
        assert!(!done || key.is_some(), "{at}: exit 0 and no key");
        let again = user.does(&INSTALL, "");
        // A key that is there is not replaced: logins may be encrypted to it.
        assert_eq!(again.code == 0, key.is_none(), "{at}, and again: {again:?}");
        let now = installed(user, at);
        assert!(now.is_some() && (key.is_none() || key == now), "{at}");
    };
    let (mut failed, mut faults) = (0, 0);
    for call in &calls {
        for error in call.errors() {
            let user = User::new();
            let outcome =
                Run { user: &user, arguments: &INSTALL, stdin: "" }.with_error(call, error);
            check(&user, outcome.code == 0, &format!("{error} at {call:?}: {outcome:?}"));
            (failed, faults) = (failed + usize::from(outcome.code != 0), faults + 1);
        }
        let user = User::new();
        Run { user: &user, arguments: &INSTALL, stdin: "" }.killed_at(call);
        check(&user, false, &format!("killed at {call:?}"));
        faults += 1;
    }
    print_row("keygen --install", "", calls.len(), faults, failed);
    assert!(calls.len() > 3 && failed > 2, "{failed}: {calls:?}");
}
