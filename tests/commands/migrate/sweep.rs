//! Faults at every call of a move: the login is never lost or mixed, and the same command again finishes.

use super::{places, prefer, record, with_identity};
use crate::support::injection::{Run, print_row};
use crate::support::user::User;

const KEY: &str = "h.example";
const TOKEN: &str = "token-of-nobody";

fn sweep(from: &str, to: &str) {
    let user = with_identity(User::new());
    prefer(&user, from);
    let there = ["migrate", "--to", to, KEY];
    let run = Run { user: &user, arguments: &there, stdin: "" };
    let back = || {
        user.does(&["migrate", "--to", from, KEY], "").succeeded();
        assert_eq!(places(&user, None, KEY), [from]);
    };
    // The first move makes folders, which no later one does.
    user.store(KEY, "<token>", TOKEN).succeeded();
    user.does(&there, "").succeeded();
    back();
    let calls = run.some_calls();
    back();
    let finish = |at: &str| {
        assert_eq!(user.token(KEY), TOKEN, "{at}");
        user.does(&there, "").succeeded();
        assert_eq!(places(&user, None, KEY), [to], "{at}");
        assert_eq!(record(&user)["left_in"], serde_json::Value::Null, "{at}");
        assert_eq!(user.token(KEY), TOKEN, "{at}");
        back();
    };
    let (mut failed, mut faults) = (0, 0);
    for call in &calls {
        for error in call.errors() {
            let outcome = run.with_error(call, error);
            let at = format!("{error} at {call:?}: {outcome:?}");
            if outcome.code == 0 {
                assert_eq!(record(&user)["keychain"], to, "{at}: exit 0");
            }
            finish(&at);
            (failed, faults) = (failed + usize::from(outcome.code != 0), faults + 1);
        }
        run.killed_at(call);
        finish(&format!("killed at {call:?}"));
        faults += 1;
    }
    print_row("migrate", &format!("{from} to {to}"), calls.len(), faults, failed);
    assert!(calls.len() > 10 && failed > calls.len() / 3, "{failed}: {calls:?}");
}

#[test]
fn a_fault_on_the_way_to_a_file_loses_nothing() {
    sweep("kernel", "file");
}

#[test]
fn a_fault_on_the_way_to_the_kernel_keyring_loses_nothing() {
    sweep("file", "kernel");
}
