//! Each system call of a `get` that renews a login fails once, and is once the last thing that happens.

use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::support::injection::{CHANGING, Run, print_row};

#[test]
fn a_renewal_that_fails_or_is_killed_anywhere_leaves_the_previous_login_or_the_new_one() {
    let setting = Setting::expired("cat token");
    let Setting { user, host, .. } = &setting;
    let (old, new) = (user.kept(host).unwrap(), setting.new_token());
    let records = fs::read(user.records_file()).unwrap();
    let expired = || {
        fs::write(user.records_file(), &records).unwrap();
        let token = docker_credential_refresh::secret::RefreshToken::new(old.clone());
        user.keychain().put(host, "", &token).unwrap();
    };
    let run = Run { user, arguments: &["get"], stdin: host };
    let calls = run.calls_for_size(&CHANGING);
    let whole = |what: &str| {
        let (kept, expires) = (user.kept(host), user.records()[0]["expires"].clone());
        assert!([&old, &new].contains(&kept.as_ref().expect(what)), "{what}");
        let expires: jiff::Timestamp = expires.as_str().expect(what).parse().unwrap();
        assert!(kept.as_ref() == Some(&new) || expires <= jiff::Timestamp::now(), "{what}");
        // The next one renews it, or need not.
        assert!(setting.gets().succeeded().stdout.contains(&new), "{what}");
    };
    let (mut failed, mut errors, mut killed) = (0, 0, 0);
    for call in &calls {
        for error in call.errors() {
            expired();
            let outcome = run.with_error(call, error);
            let what = format!("{error} at {call:?}: {outcome:?}");
            let is_answer = outcome.code == 0 && outcome.stdout.contains(&new);
            assert!(is_answer || outcome.code == 1, "{what}");
            (failed, errors) = (failed + usize::from(outcome.code == 1), errors + 1);
            whole(&what);
        }
        expired();
        // It, or the renew command as it begins.
        let status = run.with_a_kill_at(call);
        killed += usize::from(status.signal() == Some(9) || status.code() == Some(137));
        whole(&format!("killed at {call:?}"));
    }
    print_row("get with renew", "kernel", calls.len(), errors + calls.len(), failed);
    assert!(calls.len() > 5 && failed > errors / 3, "{failed} of {errors}: {calls:?}");
    assert!(killed > calls.len() / 2, "{killed} of {calls:?}");
}
