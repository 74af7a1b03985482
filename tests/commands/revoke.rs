use super::{logged_in, server};
use crate::mock_token_server::{At, Fault, Profile, TokenServer};
use crate::support::user::User;

#[test]
fn revoked_proved_dead_and_gone() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.clear_journal();
    user.does(&["revoke", &host], "").is(
        0,
        &format!("Revoked and removed the login for {host}\n"),
        "",
    );
    let last = server.journal().requests().last().unwrap().clone();
    assert!(
        last.has("grant_type", "refresh_token") && last.status != Some(200),
        "proved by a refused refresh"
    );
    assert!(server.live_refresh_tokens().is_empty() && user.records().is_empty());
    let none = user.does(&["revoke", &host], "").is(3, "", "not logged in to");
    assert!(none.stderr.contains("--token-stdin") && !none.stderr.contains("log in with"));
    user.does(&["revoke"], "").is(2, "", "required");
}

/// Some token servers answer a dead token with 200, and no token (docker_auth).
#[test]
fn an_answer_without_an_access_token_is_no_sign_of_life() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.set_fault(At::Revocation, Fault::status(200));
    server.set_fault(At::Proof, Fault::Body(r#"{"refresh_token":"another"}"#.into()));
    user.does(&["revoke", &host], "").succeeded();
    assert!(user.records().is_empty());
}

/// After a reboot, or a run that was killed once it had deleted the token.
#[test]
fn a_login_whose_token_is_gone_leaves_no_record() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    user.keychain().delete(&host).unwrap();
    let revoke = ["revoke", &host];
    user.does(&revoke, "").is(3, "", "is gone from kernel; its record was removed");
    assert!(user.records().is_empty());
    user.does(&revoke, "").is(3, "", "not logged in to");
}

#[test]
fn without_an_endpoint_it_is_removed_here_and_said_to_be_valid_there() {
    let server = server().no_metadata().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let next = "its token stays valid at the server; revoke it at the registry; for the next login, \
                set revocation_endpoint";
    user.does(&["revoke", &host], "").is(9, "", next);
    assert!(user.records().is_empty());
    assert_eq!(server.live_refresh_tokens().len(), 1);
}

#[test]
fn out_of_reach_or_in_trouble_it_is_kept() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    for (at, fault) in [
        (At::Revocation, Fault::status(503)),
        (At::Revocation, Fault::retry_after(503, "120")),
        (At::Revocation, Fault::status(429)),
        (At::Metadata, Fault::status(503)),
        (At::Metadata, Fault::Body("<html>".into())),
        (At::Revocation, Fault::Reset),
    ] {
        server.set_fault(at, fault);
        user.does(&["revoke", &host], "").is(7, "", "; the login is still stored here");
        server.clear_faults();
        assert!(!user.token(&host).is_empty());
    }
    drop(server);
    user.does(&["revoke", &host], "").is(7, "", "; the login is still stored here");
    assert!(!user.token(&host).is_empty());
}

#[test]
fn a_refusal_of_the_endpoint_is_no_trouble_that_passes() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    for status in [400, 401, 404] {
        server.set_fault(At::Revocation, Fault::status(status));
        let said = format!("answered the revocation with status {status}");
        let refused = user.does(&["revoke", &host], "").is(9, "", &said);
        assert!(refused.stderr.contains("the login is still stored here"), "{refused:?}");
        assert!(!user.token(&host).is_empty());
    }
}

#[test]
fn still_alive_after_a_200_is_said_and_it_is_kept() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.set_fault(At::Revocation, Fault::status(200));
    user.does(&["revoke", &host], "").is(9, "", "it still works; the login is still stored here; ");
    assert!(!user.token(&host).is_empty());
    // What is said of a token from elsewhere is not said of the login here.
    let other = server.issue_refresh_token("alice", "docker");
    let of_other = user.does(&["revoke", "--token-stdin", &host], &other);
    assert!(of_other.code == 9 && !of_other.stderr.contains("kept"), "{of_other:?}");
}

#[test]
fn a_refusal_for_want_of_a_scope_is_no_proof_of_death() {
    // This server refuses a live token too where no scope is named.
    let server = TokenServer::builder()
        .profile(Profile::RefreshNeedsScope)
        .user("alice", super::PASSWORD)
        .challenge_scope("registry:catalog:*")
        .start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.set_fault(At::Revocation, Fault::status(200));
    user.does(&["revoke", &host], "").is(9, "", "it still works");
    server.add_fault(At::Proof, Fault::status(404), None);
    user.does(&["revoke", &host], "").is(9, "", "could not confirm it (status 404)");
    assert!(!user.token(&host).is_empty());
    server.clear_faults();
    let removed = format!("Revoked and removed the login for {host}\n");
    user.does(&["revoke", &host], "").is(0, &removed, "");
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn cve_2019_10214_a_configured_endpoint_elsewhere_gets_neither_the_cas_nor_the_client_pair() {
    // Who answers for the other host needs a certificate of the registry's CA only.
    let server = server().require_client_certificate().start();
    let other = super::server().authority_of(&server).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let pair = server.client_certificate().unwrap();
    std::fs::write(user.certs_d(&host).join("client.cert"), &pair.certificate).unwrap();
    std::fs::write(user.certs_d(&host).join("client.key"), &pair.key).unwrap();
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    user.does(&login, super::PASSWORD).succeeded();
    let elsewhere = other.registry_host().replace("127.0.0.1", "localhost");
    user.settings(&format!(
        "[registry.\"{host}\"]\nrevocation_endpoint = \"https://{elsewhere}/revoke\"\n"
    ));
    user.does(&["revoke", &host], "").is(7, "", "TLS failed");
    assert!(other.journal().is_empty());
    user.trust(&elsewhere, &other);
    user.does(&["revoke", &host], "").is(9, "", "it still works");
    assert_eq!(other.journal().len(), 1);
}

#[test]
fn of_all_the_worst_decides() {
    let first = server().start();
    let second = server().no_metadata().start();
    let user = logged_in(&first);
    user.trust(&second.registry_host(), &second);
    let login = ["login", &second.registry_host(), "-u", "alice", "--password-stdin"];
    user.does(&login, super::PASSWORD).succeeded();
    let removed = format!("Revoked and removed the login for {}\n", first.registry_host());
    user.does(&["revoke", "--all"], "").is(9, &removed, "stays valid");
    assert!(user.records().is_empty());
    let none = format!("Profile {} has no logins\n", user.profile());
    user.does(&["revoke", "--all"], "").is(0, &none, "");
}

#[test]
fn a_token_from_elsewhere_leaves_the_login_here() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let other = server.issue_refresh_token("alice", "docker");
    let revoke = ["revoke", "--token-stdin", &host];
    user.does(&revoke, &format!("{other}\n")).is(0, &format!("Revoked the token of {host}\n"), "");
    assert_eq!(server.live_refresh_tokens().len(), 1);
    assert!(!user.token(&host).is_empty());
    let own = user.token(&host);
    user.does(&revoke, &own).is(0, &format!("Revoked the token of {host}\n"), "");
    assert!(user.records().is_empty(), "the same token is of no use here");

    let stranger = User::trusting(&server);
    let third = server.issue_refresh_token("alice", "docker");
    stranger.does(&revoke, &third).is(0, &format!("Revoked the token of {host}\n"), "");
    assert!(server.live_refresh_tokens().is_empty());
    stranger.does(&revoke, "").is(2, "", "is empty");
}

/// RFC 7009 section 2.2: the endpoint answers 200 for a token that it never issued.
#[test]
fn a_mistyped_token_is_not_said_to_be_revoked() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let other = server.issue_refresh_token("alice", "docker");
    server.clear_journal();
    let revoke = ["revoke", "--token-stdin", &host];
    let refused = format!(
        "the token server of {host} does not accept this token: there is nothing to revoke; check that \
         it is complete"
    );
    let cut = &other[..other.len() - 1];
    user.does(&revoke, cut).is(4, "", &refused);
    assert_eq!(server.live_refresh_tokens().len(), 2);
    assert!(server.journal().iter().all(|request| request.path != "/revoke"));
    // A server in trouble has not refused it.
    server.set_fault(At::Proof, Fault::status(503));
    user.does(&revoke, &other).is(7, "", "");
    // Nor is a refusal of the client one of the token.
    server.set_fault(At::Proof, Fault::oauth(401, "invalid_client"));
    let third = server.issue_refresh_token("alice", "docker");
    user.does(&revoke, &third).is(9, "", "could not confirm it");
    server.clear_faults();
    let revoked = format!("Revoked the token of {host}\n");
    user.does(&revoke, &other).is(0, &revoked, "");
    user.does(&revoke, &other).is(4, "", &refused);
    assert!(!user.token(&host).is_empty());
}

/// The test itself must not leave a new token behind.
#[test]
fn a_token_that_the_test_replaces_is_revoked_with_its_successor() {
    for profile in [Profile::RotatingSingleUse, Profile::RotatingWithGrace] {
        let builder = TokenServer::builder().profile(profile).user("alice", super::PASSWORD);
        let server = builder.start();
        let host = server.registry_host();
        let user = User::trusting(&server);
        let token = server.issue_refresh_token("alice", "docker");
        let revoke = ["revoke", "--token-stdin", &host];
        user.does(&revoke, &token).is(0, &format!("Revoked the token of {host}\n"), "");
        assert!(server.live_refresh_tokens().is_empty(), "{profile:?}");
    }
}

/// Such a server refuses it to every other client.
#[test]
fn a_token_that_is_bound_to_this_client_is_known_to_be_one() {
    let server = server().bind_client_id().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let token = server.issue_refresh_token("alice", "docker-credential-refresh");
    let revoke = ["revoke", "--token-stdin", &host];
    user.does(&revoke, &token).is(0, &format!("Revoked the token of {host}\n"), "");
    assert!(server.live_refresh_tokens().is_empty());
}

/// A server that binds tokens refuses to revoke them for any client but their own.
#[test]
fn a_token_that_a_client_brought_is_revoked_as_that_client() {
    let server = server().bind_client_id().start();
    let host = server.registry_host();
    let removed = format!("Revoked and removed the login for {host}\n");
    let user = User::trusting(&server);
    let brought = || {
        let token = server.issue_refresh_token("alice", "docker");
        user.store(&host, "<token>", &token).succeeded();
    };
    brought();
    user.does(&["revoke", &host], "").is(0, &removed, "");
    // Nor does it matter whether it was proven meanwhile, by a check or by a command that renewed it.
    brought();
    user.does(&["status", "--check"], "").succeeded();
    user.does(&["revoke", &host], "").is(0, &removed, "");
    brought();
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    assert_eq!(user.erase(&host).succeeded().stderr, "");
    assert!(server.live_refresh_tokens().is_empty() && user.records().is_empty());
    let given = server.issue_refresh_token("alice", "docker");
    let revoke = ["revoke", "--token-stdin", &host];
    user.does(&revoke, &given).is(0, &format!("Revoked the token of {host}\n"), "");
    assert!(server.live_refresh_tokens().is_empty());
}

/// What is known of the login here says nothing of a token from elsewhere.
#[test]
fn a_given_token_is_revoked_and_seen_dead_as_the_client_that_it_works_for() {
    let server = server().bind_client_id().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let revoke = ["revoke", "--token-stdin", &host];
    let revoked = format!("Revoked the token of {host}\n");
    let own = server.issue_refresh_token("alice", "docker");
    user.store(&host, "<token>", &own).succeeded();
    let given = server.issue_refresh_token("alice", "docker-credential-refresh");
    user.does(&revoke, &given).is(0, &revoked, "");
    // Every other client is refused, whether or not it is alive.
    let given = server.issue_refresh_token("alice", "docker-credential-refresh");
    server.set_fault(At::Revocation, Fault::status(200));
    user.does(&revoke, &given).is(9, "", "it still works");
    assert_eq!(server.live_refresh_tokens().len(), 2);
}
