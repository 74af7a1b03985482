//! A minted token with a real Docker Engine, registry and keychain: the token server's own API makes it of
//! the password, which nobody keeps.

use serde_json::json;

use crate::docker_cli::HELPER;
use crate::keychain::Keychain;
use crate::mock_token_server::{Profile, hash};
use crate::scenario::{Scenario, Setup, unique_password};

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
    let password = all.password.clone();
    let done = all.log_in(&password).success();
    assert!(done.stderr.contains("minted token for"), "{done}");
    assert_eq!(all.cli.records()[0]["minted"]["api"], json!("gitea"));
    assert_eq!(all.server.minted_tokens().len(), 1);

    let token = all.push_and_pull_by_basic("/v2/token");
    assert_eq!(hash(&token), all.server.minted_tokens()[0].hash);

    let revoke = ["revoke", "--password-stdin", &all.registry()];
    all.cli.program_with(HELPER, &revoke, &password).success();
    assert_eq!(all.server.minted_tokens(), []);
    all.assert_logged_out();
    all.assert_no_copies(&[token]);
}
