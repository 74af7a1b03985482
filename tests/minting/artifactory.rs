//! Artifactory.

use super::*;

#[test]
fn the_password_becomes_a_reference_token_that_deletes_itself() {
    let server = with_user(Profile::Artifactory).start();
    let host = server.registry_host();
    let user = minting(&server);
    let (secret, token) = log_in(&user, &server);
    // The server allows 30 days, and not what was asked for first.
    assert!(secret.starts_with("cmVmd") && token.expires == Some((30 * 86400).to_string()));
    assert_eq!(token.scopes, ["applied-permissions/user"]);
    assert!(user.records()[0]["expires"].is_string());
    let (_, next) = log_in(&user, &server);
    assert_ne!(next.id, token.id);
    // By the token alone, and so it is by Docker's logout.
    user.does(&["revoke", &host], "").succeeded();
    assert_eq!(server.minted_tokens(), []);
    log_in(&user, &server);
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    user.erase(&host).succeeded();
    assert_eq!(server.minted_tokens(), []);
}

#[test]
fn one_that_is_not_kept_is_deleted_and_what_was_cut_short_is_found() {
    let server = with_user(Profile::Artifactory).start();
    let host = server.registry_host();
    let user = minting(&server);
    for (at, fault) in [(At::ApiList, Fault::status(503)), (At::ApiList, Fault::status(403))] {
        server.set_fault(at, fault);
        let stored = user.store(&host, "alice", PASSWORD);
        nothing(&user, &server, stored, &["127.0.0.1"]);
        server.clear_faults();
    }
    log_in(&user, &server);
    keychain_that_fails(&user);
    user.store(&host, "alice", PASSWORD).failed_with(&["no space left in the vault"]);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    only_one(&user, &server);
    server.set_fault(At::ApiCreate, Fault::RemoveField("token_id".into()));
    assert_eq!(user.store(&host, "alice", PASSWORD).code, 1);
    assert_eq!(server.minted_tokens().len(), 2);
    server.clear_faults();
    log_in(&user, &server);
}
