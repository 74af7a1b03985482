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
        "Removed the login for https://h.example from docker-credential-plain\n",
        "",
    );
    assert_eq!(std::fs::read_to_string(user.home().join("erased")).unwrap(), "h.example");
    user.does(&["logout", "https://h.example"], "").is(
        0,
        "Not logged in to https://h.example\n",
        "",
    );
}

#[test]
fn what_was_removed_here_is_told_although_the_fallback_fails() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.program("docker-credential-plain", "#!/bin/sh\necho sealed\nexit 1\n");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    let outcome = user.does(&["logout", "h.example"], "");
    outcome.is(1, "Removed the login for h.example\n", "erase failed: sealed");
}

#[test]
fn all_says_what_the_fallback_still_has() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.program(
        "docker-credential-plain",
        "#!/bin/sh\n[ $1 = list ] && echo '{\"o.example\":\"u\"}'\n",
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    let left =
        "--all does not log out of the fallback's logins; log out of each by name: o.example";
    user.does(&["logout", "--all"], "").is(0, "Removed the login for h.example\n", left);
    let none = format!("Profile {} has no logins\n", user.profile());
    user.does(&["logout", "--all"], "").is(0, &none, left);
}

/// docker logout takes an image's name for its registry.
#[test]
fn an_images_name_means_its_registry_unless_it_has_a_login_of_its_own() {
    let user = User::new();
    for server in ["h.example:5000", "h.example:5000/team"] {
        user.store(server, "<token>", "a-token").succeeded();
    }
    let removed = |of: &str| format!("Removed the login for {of}\n");
    user.does(&["logout", "h.example:5000/team"], "").is(0, &removed("h.example:5000/team"), "");
    let image = "h.example:5000/team/app@sha256:0123";
    user.does(&["logout", image], "").is(0, &removed("h.example:5000"), "");
}
