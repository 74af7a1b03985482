//! Settings as the verbs meet them: a typo stops nothing, and what cannot be understood is an error.

use std::fs;

use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

#[test]
fn an_unknown_key_is_noted_and_the_verb_goes_on() {
    let user = User::new();
    user.settings("fallbak = 'pass'\n[registry.'h.example']\ninsecur = true\n");
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored.noted("fallbak").noted("did you mean fallback?").noted("did you mean insecure?");
    let got = user.get("h.example").succeeded();
    assert!(got.stdout.contains("a-token") && got.stderr.contains("fallbak"));
}

#[test]
fn a_file_that_cannot_be_understood_is_an_error_and_never_quoted() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.secret("hunter2");
    for toml in
        ["profile = 'x'\npassword = \"hunter2", "profile = 'hunter2 x'", "keychain = 'hunter2'"]
    {
        user.settings(toml);
        for verb in ["get", "erase", "list"] {
            user.run(verb, b"h.example").failed_with(&["config.toml"]);
        }
        let payload = br#"{"ServerURL":"h.example","Username":"<token>","Secret":"b-token"}"#;
        user.run("store", payload).failed_with(&["config.toml"]);
    }
    fs::remove_file(user.settings_file()).unwrap();
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn ca_file_client_id_and_revocation_endpoint_are_used() {
    let server = TokenServer::builder()
        .profile(Profile::Specification)
        .user("alice", PASSWORD)
        .no_metadata()
        .start();
    let host = server.registry_host();
    let user = User::new();
    user.store(&host, "alice", PASSWORD).failed_with(&["TLS failed", "ca_file"]);
    user.settings(&format!(
        "revoke_on_erase = true\n[registry.'{host}']\nca_file = '{}'\nclient_id = 'ci'\nrevocation_endpoint = '{}/revoke'\n",
        server.ca_file().display(),
        server.token_origin()
    ));
    user.store(&host, "alice", PASSWORD).succeeded();
    assert!(server.journal().requests().iter().any(|request| request.has("client_id", "ci")));
    assert_eq!(user.records()[0]["obtained_as"], "ci");
    user.erase(&host).succeeded();
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn a_client_pair_of_certs_d_is_shown_to_the_registry_and_its_realm() {
    let server =
        TokenServer::builder().user("alice", PASSWORD).require_client_certificate().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.store(&host, "alice", PASSWORD).failed_with(&[""]);
    assert_eq!(server.journal().passwords_sent(), 0);
    let pair = server.client_certificate().unwrap();
    let folder = user.certs_d(&host);
    fs::write(folder.join("client.cert"), &pair.certificate).unwrap();
    user.store(&host, "alice", PASSWORD).failed_with(&["client.key"]);
    fs::write(folder.join("client.key"), &pair.key).unwrap();
    user.store(&host, "alice", PASSWORD).succeeded();
}

#[test]
fn ssl_cert_file_replaces_the_roots_of_the_system() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::new();
    user.set("SSL_CERT_FILE", server.ca_file().to_str().unwrap());
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}

#[test]
fn a_moved_realm_is_noted() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    server.set_realm(&format!("{}?moved=1", server.token_endpoint()));
    let stored = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    stored.noted("?moved=1, before to");
}
