//! A fallback that turns out to take no logins, before a password is sent, or after some were taken over.

use super::*;

/// Two registries, the second without refresh tokens, and their logins in docker's file in that order or
/// the other one.
fn two(reversed: bool) -> (TokenServer, TokenServer, User, String) {
    let good = server().start();
    let gitlab = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let user = trusting(&good);
    user.trust(&gitlab.registry_host(), &gitlab);
    let mut hosts = [good.registry_host(), gitlab.registry_host()];
    if reversed {
        hosts.reverse();
    }
    let entry = |host: &String| format!("{host:?}:{{\"auth\":\"{GOOD}\"}}");
    let text = format!("{{\"auths\":{{{}}}}}", hosts.each_ref().map(entry).join(","));
    write(&user, &text);
    (good, gitlab, user, text)
}

/// A helper that lists nothing, and stores only what the shell pattern allows.
fn picky(user: &User, pattern: &str) {
    let script = format!(
        "#!/bin/sh\nread login\ncase $1 in store) case $login in {pattern}) ;; *) echo pass store is uninitialized; exit 1;; esac;; list) echo '{{}}';; get) echo credentials not found in native keychain; exit 1;; esac\n"
    );
    user.program("docker-credential-pass", &script);
}

/// `pass` lists nothing, without an error, before it is initialized.
#[test]
fn a_fallback_that_takes_no_login_is_found_before_a_password_is_sent() {
    let (good, gitlab, user, text) = two(false);
    picky(&user, "nothing");
    let refused = user.does(&["configure", "--fallback", "pass"], "");
    let why =
        "the fallback docker-credential-pass takes no logins: docker-credential-pass store failed";
    unchanged(&user, &text, refused, 2, &[why, "pass store is uninitialized; nothing was changed"]);
    assert_eq!(good.journal().passwords_sent() + gitlab.journal().passwords_sent(), 0);
    // Who has nothing to hand over needs no such helper.
    write(&user, "{}");
    user.does(&["configure", "--fallback", "pass"], "").succeeded();
}

/// The one that is erased again shows nothing of the login.
#[test]
fn the_fallback_is_tried_with_a_dummy_that_is_erased_again() {
    let (_good, _gitlab, user, _) = two(false);
    let script = "#!/bin/sh\nread line\necho \"$1 $line\" >> $HOME/calls\n[ $1 = list ] && echo '{}'\nexit 0\n";
    user.program("docker-credential-pass", script);
    user.does(&["configure", "--fallback", "pass"], "").succeeded();
    let calls = fs::read_to_string(user.home().join("calls")).unwrap();
    let mut calls = calls.lines().filter(|call| call.contains(".invalid"));
    let stored = calls.next().unwrap();
    assert!(stored.starts_with("store ") && stored.contains("a dummy"), "{stored}");
    assert!(calls.next().unwrap().starts_with("erase ") && calls.next().is_none());
    fs::remove_file(user.home().join("calls")).unwrap();
}

#[test]
fn stopped_half_way_it_says_what_was_done_and_the_same_command_finishes() {
    let (good, gitlab, user, text) = two(false);
    let (host, other) = (good.registry_host(), gitlab.registry_host());
    picky(&user, "*.invalid*");
    let stopped = user.does(&["configure", "--fallback", "pass"], "").code_is(1);
    let last = stopped.stderr.lines().last().unwrap().to_owned();
    let told = format!(
        "docker-credential-refresh: stopped half-way: 1 of 2 logins was taken over ({host}), no setting \
         was changed, and no password was removed; run the same command again to finish it"
    );
    assert_eq!(last, told);
    stopped.noted("pass store is uninitialized");
    assert_eq!(config(&user), text);
    assert_eq!((user.records().len(), user.settings_file().exists()), (1, false));

    helper(&user, "pass");
    user.does(&["configure", "--fallback", "pass"], "").succeeded();
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(now, json!({"auths": {}, "credsStore": "refresh"}));
    let handed = fs::read_to_string(user.home().join("pass.stored")).unwrap();
    assert!(handed.contains(&other) && !user.token(&host).is_empty());
    fs::remove_file(user.home().join("pass.stored")).unwrap();
}

#[test]
fn stopped_at_the_first_login_nothing_is_changed() {
    let (good, _gitlab, user, text) = two(true);
    picky(&user, "*.invalid*");
    let stopped = user.does(&["configure", "--fallback", "pass"], "");
    unchanged(&user, &text, stopped, 1, &["pass store is uninitialized; nothing was changed"]);
    assert!(good.live_refresh_tokens().is_empty());
}
