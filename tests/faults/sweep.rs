//! Each system call by which a login is kept or erased fails once, and is once the last thing that
//! the helper did: the previous login is as it was or the new one is whole, and nothing is left behind.

use std::fs;
use std::path::Path;

use docker_credential_refresh::keychain::new_identity;
use serde_json::json;

use crate::support::injection::{Call, Run, print_row};
use crate::support::user::{NOT_FOUND, Outcome, User};

/// The same login under two spellings, which its record shows.
const FIRST: &str = "registry.example.com";
const SECOND: &str = "HTTPS://registry.example.com";

fn user(keychain: &str) -> User {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user.store(FIRST, "<token>", "first-token").succeeded();
    user
}

/// What a verb is given.
fn stdin(verb: &str) -> String {
    let login = json!({"ServerURL": SECOND, "Username": "<token>", "Secret": "second-token"});
    if verb == "store" { login.to_string() } else { FIRST.to_owned() }
}

/// The login by its token, and by the spelling in its record.
fn kept(user: &User, what: &str) -> (Option<String>, Option<String>) {
    let got = user.get(FIRST);
    let token = match got.code {
        0 => serde_json::from_str::<serde_json::Value>(&got.stdout).unwrap()["Secret"].clone(),
        _ => {
            got.not_found();
            serde_json::Value::Null
        }
    };
    let records = user.records();
    assert!(records.len() <= 1, "{what}: {records:?}");
    let spelling = records.first().map(|record| record["server_url"].as_str().unwrap().to_owned());
    (token.as_str().map(str::to_owned), spelling)
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Back to the first login, by a run that also removes what a killed one left.
fn reset(user: &User, keychain: &str, what: &str) {
    user.store(FIRST, "<token>", "first-token").succeeded();
    assert_eq!(names(&user.state()), ["logins.json", "logins.lock"], "{what}");
    let logins = names(&user.home().join(".local/share/docker-credential-refresh/logins"));
    if keychain == "file" {
        let others: Vec<_> = logins.iter().filter(|name| !name.ends_with(".age")).collect();
        assert!(logins.len() == 3 && others == ["lock", "names"], "{what}: {logins:?}");
    }
}

fn pair(token: &str, spelling: &str) -> (Option<String>, Option<String>) {
    (Some(token.to_owned()), Some(spelling.to_owned()))
}

/// Under an error the helper ends with 0 or 1, and what it says is what is so.
fn fails_at(user: &User, verb: &str, call: &Call, error: &str) -> Outcome {
    let what = format!("{verb}: {error} at {call:?}");
    let outcome = Run { user, arguments: &[verb], stdin: &stdin(verb) }.with_error(call, error);
    let expected = match (outcome.code, verb) {
        (0, "store") => pair("second-token", SECOND),
        // The token goes first, as was asked; a record that stays is named.
        (0, _) if outcome.stderr.contains("was removed, but its record stays: cannot replace") => {
            (None, Some(FIRST.to_owned()))
        }
        (0, _) => (None, None),
        _ => pair("first-token", FIRST),
    };
    assert_eq!(kept(user, &what), expected, "{what}: {outcome:?}");
    outcome
}

/// A killed one has done all or nothing to the token, and the records are whole.
fn ends_at(user: &User, verb: &str, call: &Call) {
    let what = format!("{verb}: killed at {call:?}");
    Run { user, arguments: &[verb], stdin: &stdin(verb) }.killed_at(call);
    let (token, spelling) = kept(user, &what);
    let tokens: &[Option<&str>] = match verb {
        "store" => &[Some("first-token"), Some("second-token")],
        _ => &[Some("first-token"), None],
    };
    assert!(tokens.contains(&token.as_deref()), "{what}: {token:?}");
    let spelled = [Some(FIRST), if verb == "store" { Some(SECOND) } else { None }];
    assert!(spelled.contains(&spelling.as_deref()), "{what}: {spelling:?}");
}

fn sweep(keychain: &str, verb: &str) {
    let user = user(keychain);
    let calls = Run { user: &user, arguments: &[verb], stdin: &stdin(verb) }.some_calls();
    reset(&user, keychain, "a run without a fault");
    let (mut failed, mut errors) = (0, 0);
    for call in &calls {
        for error in call.errors() {
            let outcome = fails_at(&user, verb, call, error);
            (failed, errors) = (failed + usize::from(outcome.code == 1), errors + 1);
            reset(&user, keychain, &format!("{verb}: {error} at {call:?}"));
        }
        ends_at(&user, verb, call);
        reset(&user, keychain, &format!("{verb}: killed at {call:?}"));
    }
    print_row(verb, keychain, calls.len(), errors + calls.len(), failed);
    // Otherwise nothing was injected.
    assert!(calls.len() > 10 && failed > errors / 2, "{failed} of {errors}: {calls:?}");
}

/// What reads answers with the login, or says why it cannot: never that there is none.
fn sweep_reading(keychain: &str) {
    let user = user(keychain);
    for verb in ["get", "list"] {
        let run = Run { user: &user, arguments: &[verb], stdin: &stdin(verb) };
        let calls = run.calls();
        let mut failed = 0;
        for call in &calls {
            for error in ["EACCES", "EIO"] {
                let outcome = run.with_error(call, error);
                let what = format!("{verb}: {error} at {call:?}: {outcome:?}");
                let answered = outcome.stdout.contains(FIRST);
                let is_told = match verb {
                    "list" if outcome.code == 0 => outcome.stderr.contains("not listed"),
                    _ => outcome.code == 1 && outcome.stdout != NOT_FOUND,
                };
                assert!(outcome.code == 0 && answered || is_told, "{what}");
                failed += usize::from(!answered);
            }
        }
        print_row(verb, keychain, calls.len(), 2 * calls.len(), failed);
        assert!(calls.len() > 3 && failed > calls.len() / 2, "{failed}: {calls:?}");
    }
    assert_eq!(kept(&user, "after all"), pair("first-token", FIRST));
}

#[test]
fn reading_a_file() {
    sweep_reading("file");
}

#[test]
fn reading_the_kernel_keyring() {
    sweep_reading("kernel");
}

#[test]
fn store_in_a_file() {
    sweep("file", "store");
}

#[test]
fn store_in_the_kernel_keyring() {
    sweep("kernel", "store");
}

#[test]
fn erase_in_a_file() {
    sweep("file", "erase");
}

#[test]
fn erase_in_the_kernel_keyring() {
    sweep("kernel", "erase");
}
