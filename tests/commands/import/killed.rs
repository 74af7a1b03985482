//! Killed at every step.

use super::*;

/// Killed before any of these calls, each login is either wholly old or wholly new, no file is half
/// a one, and the next run ends what was begun.
#[test]
fn killed_at_every_step_no_login_is_lost() {
    if !has_strace("killed_at_every_step_no_login_is_lost") {
        return;
    }
    let servers = Servers::start();
    let [good, gitlab, wrong] = servers.hosts();
    let mut killed = 0;
    for call in CALLS {
        for number in 1.. {
            let user = servers.user();
            let at = format!("{call} {number}");
            let inject = format!("signal=SIGKILL:when={number}");
            let status = strace(&user, call, &inject, &["import", "--yes"]).status().unwrap();
            // Each password is there as it was, or a token that works is in its place.
            let left = auths(&user);
            assert_eq!(left[&gitlab]["auth"], GOOD, "{at}");
            assert_eq!(left[&wrong]["auth"], WRONG, "{at}");
            let kept = user.kept(&good);
            if left.get(&good).is_none() {
                assert_eq!(user.token(&good), kept.unwrap(), "{at}: neither old nor new");
            } else {
                assert_eq!(left[&good]["auth"], GOOD, "{at}");
            }
            let again = import(&user, &["--yes"]);
            assert_eq!(again.code, 1, "the wrong password fails again: {again:?}");
            assert!(auths(&user).get(&good).is_none(), "{at}: {again:?}");
            assert!(!user.token(&good).is_empty());
            let files = fs::read_dir(user.home().join(".docker")).unwrap().count();
            assert_eq!(files, 1, "{at} left a temporary file");
            if status.code().is_some() {
                assert_eq!(status.code(), Some(1), "{at}");
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 20, "killed only {killed} times");
}
