//! A minted token with a real Docker Engine, registry and keychain: the token server's own API makes it of
//! the password, which nobody keeps.

use serde_json::{Value, json};

use crate::docker_cli::HELPER;
use crate::keychain::Keychain;
use crate::mock_token_server::{Profile, hash};
use crate::scenario::{Scenario, Setup, USER, unique_password};

#[test]
fn docker_with_a_daemon_and_gnome_keyring() {
    push_and_pull(Keychain::gnome_keyring(), true);
}

#[test]
fn docker_with_a_daemon_and_kernel_keyring() {
    push_and_pull(Keychain::kernel(), false);
}

fn push_and_pull(keychain: Keychain, tls: bool) {
    let setup = Setup { profile: Profile::Gitea, keychain, engine: true, tls };
    let mint = ("DOCKER_CREDENTIAL_REFRESH_MINT", "auto");
    let mut all = Scenario::start_with(setup, unique_password(), Some(mint));
    let registry = all.registry();
    let password = all.password.clone();
    let done = all.log_in(&password).success();
    assert!(done.stderr.contains("minted token for"), "{done}");
    assert_eq!(all.cli.calls(), ["store"]);
    assert_eq!(all.cli.config(), json!({"auths": {&registry: {}}, "credsStore": "refresh"}));
    assert_eq!(all.cli.records()[0]["minted"]["api"], json!("gitea"));
    assert_eq!(all.server.minted_tokens().len(), 1);

    let image = format!("{registry}/{USER}/hello:1");
    all.import(&image);
    all.docker(&["push", &image], "").success();
    all.docker(&["rmi", &image], "").success();
    all.docker(&["pull", &image], "").success();
    assert_eq!(all.cli.calls(), ["get", "get"]);
    let journal = all.server.journal();
    let last = journal.iter().rfind(|request| request.path == "/v2/token").expect("a request");
    assert_eq!((last.method.as_str(), last.status), ("GET", Some(200)), "by Basic, as it is");
    let answer = all.cli.helper("get", &registry).success();
    let answer: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!((&answer["ServerURL"], &answer["Username"]), (&json!(registry), &json!(USER)));
    let token = answer["Secret"].as_str().expect("a secret").to_owned();
    assert_eq!(hash(&token), all.server.minted_tokens()[0].hash);

    let revoke = ["revoke", "--password-stdin", &registry];
    all.cli.program_with(HELPER, &revoke, &password).success();
    assert_eq!(all.server.minted_tokens(), []);
    assert_eq!(all.keychain.items(&all.cli, &registry), 0);
    all.docker(&["push", &image], "").failure();
    all.assert_no_copies(&[token]);
}
