//! What an earlier login left in plain text in a client's file: `login` says so, with what removes it.

use std::fs;

use serde_json::{Value, json};

use super::{PASSWORD, server};
use crate::mock_token_server::TokenServer;
use crate::support::user::{Outcome, User};

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
const DROP_IN: &str = ".config/containers/registries.conf.d/50-docker-credential-refresh.conf";

fn put(user: &User, path: &str, text: &str) {
    let path = user.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A user without podman, with this in docker's file.
fn user(server: &TokenServer, config: &Value) -> User {
    let user = User::trusting(server);
    user.program("unused", "");
    user.set("PATH", user.home().join("bin").to_str().unwrap());
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    put(&user, ".docker/config.json", &config.to_string());
    user
}

fn log_in(user: &User, host: &str) -> Outcome {
    user.does(&["login", "--username", "alice", "--password-stdin", host], PASSWORD).succeeded()
}

#[test]
fn the_password_of_the_same_account_is_removed_by_the_command_that_is_told() {
    let server = server().start();
    let host = server.registry_host();
    let url = format!("https://{host}/v1/");
    let config = |name: &str| json!({"credsStore": "refresh", "auths": {name: {"auth": GOOD}}});
    for name in [&host, &url] {
        let user = user(&server, &config(name));
        let said = log_in(&user, &host).stderr;
        let stays = format!("an earlier password for {name} stays in plain text in ");
        assert!(
            said.contains(&stays) && said.contains("config.json; to remove it, run "),
            "{said}"
        );
        let (_, command) = said.split_once("run docker-credential-refresh ").unwrap();
        let (command, by_hand) = command.split_once(", or, ").unwrap();
        assert!(
            by_hand.contains(&format!("no longer works, delete {name} from auths in ")),
            "{said}"
        );
        user.does(&command.split(' ').collect::<Vec<_>>(), "").succeeded();
        let said = log_in(&user, &host).stderr;
        assert!(!said.contains("earlier password"), "{said}");
    }
}

/// Import would put it in the place of the login that was just made.
#[test]
fn that_of_another_account_is_not_to_be_imported() {
    let server = server().start();
    let host = server.registry_host();
    let auths = json!({host.as_str(): {"auth": "Ym9iOmFub3RoZXIgb25l"}});
    let user = user(&server, &json!({"credsStore": "refresh", "auths": auths}));
    let said = log_in(&user, &host);
    assert!(!said.stderr.contains("import"), "{said:?}");
    said.noted(&format!("to remove it, delete {host} from auths in "));
}

#[test]
fn what_its_client_still_uses_is_told_unless_it_was_asked_for() {
    let server = server().start();
    let host = server.registry_host();
    let auths = json!({host.as_str(): {"auth": GOOD}, "h.example": {"auth": GOOD}});
    for (config, told) in [
        (json!({ "auths": auths }), true),
        (json!({"auths": auths, "credHelpers": {host.as_str(): "other"}}), true),
        (json!({"auths": auths, "credHelpers": {host.as_str(): ""}}), false),
        (json!({"auths": auths, "credHelpers": {host.as_str(): null}}), false),
        (json!({"auths": {"h.example": {"auth": GOOD}}}), false),
    ] {
        let said = log_in(&user(&server, &config), &host).stderr;
        let part = format!("; docker does not ask this helper for {host} yet; ");
        assert_eq!(said.contains(&part), told, "{config}: {said}");
        assert_eq!(said.contains("earlier password"), told, "{config}: {said}");
    }
}

/// Only where podman asks this helper: it is used otherwise.
#[test]
fn podmans_files_are_looked_at_as_well() {
    let server = server().start();
    let host = server.registry_host();
    let user = user(&server, &json!({"credsStore": "refresh"}));
    user.program("podman", "");
    let auths = json!({"auths": {host.as_str(): {"auth": GOOD}}});
    put(&user, ".config/containers/auth.json", &auths.to_string());
    let said = log_in(&user, &host).stderr;
    assert!(!said.contains("earlier password"), "{said}");
    put(&user, DROP_IN, "credential-helpers = [\"refresh\"]\n");
    log_in(&user, &host).noted(&format!("import --from podman --registry {host} --yes, or, "));
}
