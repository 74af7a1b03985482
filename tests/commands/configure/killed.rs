//! Killed at every step.

use super::*;

/// Killed before any of these calls, docker finds the login: in its file, or here.
#[test]
fn killed_at_every_step_no_login_goes_dead() {
    if !has_strace("killed_at_every_step_no_login_goes_dead") {
        return;
    }
    let good = server().start();
    let host = good.registry_host();
    let text = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}");
    let arguments = ["configure", "--podman", "--fallback", "none"];
    let mut killed = 0;
    for call in CALLS {
        for number in 1.. {
            let user = trusting(&good);
            write(&user, &text);
            let at = format!("{call} {number}");
            let inject = format!("signal=SIGKILL:when={number}");
            let status = strace(&user, call, &inject, &arguments).status().unwrap();
            let now: Value = serde_json::from_str(&config(&user)).unwrap();
            if now["credsStore"] == "refresh" {
                assert_eq!(user.token(&host), user.kept(&host).unwrap(), "{at}");
            } else {
                assert_eq!(config(&user), text, "{at}");
            }
            user.does(&arguments, "").succeeded();
            user.does(&["import", "--yes"], "").succeeded();
            assert_eq!(user.token(&host), user.kept(&host).unwrap(), "{at}");
            user.does(&["unconfigure"], "").succeeded();
            assert_eq!(config(&user), "{\"auths\":{}}", "{at}");
            assert!(!user.settings_file().exists() && !drop_in(&user).exists(), "{at}");
            assert!(!user.state().join("configured.json").exists(), "{at}");
            if status.code().is_some() {
                assert_eq!(status.code(), Some(0), "{at}");
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 20, "killed only {killed} times");
}
