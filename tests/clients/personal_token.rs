//! A personal token with a real Docker Engine, registry and keychain: kept as it is, where the token
//! server issues no refresh tokens.

use serde_json::{Value, json};

use crate::keychain::Keychain;
use crate::mock_token_server::Profile;
use crate::scenario::{Scenario, Setup, USER};

/// In two parts, so that no scanner of secrets takes it for somebody's.
const TOKEN: &str = concat!("glpat", "-0123456789abcdefghij");

#[test]
fn docker_with_a_daemon_and_gnome_keyring() {
    push_and_pull(Keychain::gnome_keyring(), true);
}

#[test]
fn docker_with_a_daemon_and_kernel_keyring() {
    push_and_pull(Keychain::kernel(), false);
}

fn push_and_pull(keychain: Keychain, tls: bool) {
    let setup = Setup { profile: Profile::Gitlab, keychain, engine: true, tls };
    let keep = ("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    let mut all = Scenario::start_with(setup, TOKEN.to_owned(), Some(keep));
    let registry = all.registry();
    let done = all.log_in(TOKEN).success();
    assert!(done.stderr.contains("personal token for"), "{done}");
    assert_eq!(all.cli.calls(), ["store"]);
    assert_eq!(all.cli.config(), json!({"auths": {&registry: {}}, "credsStore": "refresh"}));
    assert_eq!(all.cli.records()[0]["credential"], json!("personal-token"));

    let image = format!("{registry}/{USER}/hello:1");
    all.import(&image);
    all.docker(&["push", &image], "").success();
    all.docker(&["rmi", &image], "").success();
    all.docker(&["pull", &image], "").success();
    assert_eq!(all.cli.calls(), ["get", "get"]);
    let journal = all.server.journal();
    let last = journal.iter().rfind(|request| request.path == "/jwt/auth").expect("a request");
    assert_eq!((last.method.as_str(), last.status), ("GET", Some(200)), "by Basic, as it is");
    let answer = all.cli.helper("get", &registry).success();
    let answer: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!(answer, json!({"ServerURL": registry, "Username": USER, "Secret": TOKEN}));

    all.docker(&["logout", &registry], "").success();
    assert_eq!(all.keychain.items(&all.cli, &registry), 0);
    all.docker(&["push", &image], "").failure();
    all.assert_no_copies(&[]);
}
