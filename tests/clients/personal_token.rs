//! A personal token with a real Docker Engine, registry and keychain: kept as it is, where the token
//! server issues no refresh tokens.

use serde_json::json;

use crate::keychain::Keychain;
use crate::mock_token_server::Profile;
use crate::scenario::{Scenario, Setup};

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
    let done = all.log_in(TOKEN).success();
    assert!(done.stderr.contains("personal token for"), "{done}");
    assert_eq!(all.cli.records()[0]["credential"], json!("personal-token"));

    assert_eq!(all.push_and_pull_by_basic("/jwt/auth"), TOKEN, "as it is");

    let registry = all.registry();
    all.docker(&["logout", &registry], "").success();
    all.assert_logged_out();
    all.assert_no_copies(&[]);
}
