use super::{PASSWORD, logged_in, server};
use crate::support::user::User;

#[test]
fn it_removes_the_login_here_and_says_what_it_does_not_do() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    user.does(&["logout", &host], "").is(
        0,
        &format!("Removed the login for {host}\n"),
        "was not revoked",
    );
    user.get(&host).not_found();
    assert_eq!(server.live_refresh_tokens().len(), 1);
    user.does(&["logout", &host], "").is(0, &format!("Not logged in to {host}\n"), "");
    user.does(&["logout"], "").is(0, "Not logged in to https://index.docker.io/v1/\n", "");
}

#[test]
fn with_revoke_the_token_is_dead_first() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    user.does(&["logout", &host, "--revoke"], "").is(
        0,
        &format!("Revoked and removed the login for {host}\n"),
        "",
    );
    assert!(server.live_refresh_tokens().is_empty() && user.records().is_empty());
}

#[test]
fn all_are_removed_and_the_options_exclude_each_other() {
    let server = server().start();
    let user = logged_in(&server);
    user.store("h.example", "<token>", "a-token").succeeded();
    let named = "the token of h.example was not revoked";
    let out = user.does(&["logout", "--all"], "").succeeded().noted(named).stdout;
    assert_eq!(out.lines().count(), 2, "{out}");
    assert_eq!(user.list(), serde_json::json!({}));
    user.does(&["logout", "--all", "h.example"], "").is(2, "", "cannot be used with");
}

#[test]
fn what_the_fallback_has_goes_too() {
    let user = User::new();
    user.secret(PASSWORD);
    user.program(
        "docker-credential-plain",
        "#!/bin/sh\ncase $1 in list) [ -e $HOME/erased ] && echo '{}' || echo '{\"h.example\":\"u\"}';; erase) cat >$HOME/erased;; esac\n",
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    user.does(&["logout", "https://h.example"], "").is(
        0,
        "Not logged in to https://h.example\n",
        "",
    );
    assert_eq!(std::fs::read_to_string(user.home().join("erased")).unwrap(), "h.example");
}
