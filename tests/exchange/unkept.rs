//! Tokens that were issued and did not pass their proof: they are not kept, and not left alive.

use super::steps;
use crate::mock_token_server::{At, Builder, Fault, Profile, TokenServer};
use crate::support::user::{Outcome, User};

const PASSWORD: &str = "correct horse battery";
const METADATA: &str = "GET /.well-known/oauth-authorization-server";
const REVOKE: &str = "POST /revoke";

fn server(profile: Profile) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD)
}

fn log_in(user: &User, server: &TokenServer) -> Outcome {
    let login = ["login", &server.registry_host(), "-u", "alice", "--password-stdin"];
    user.does(&login, PASSWORD)
}

/// A login at a server that answers every password of the account with the token of that login.
fn one_token_per_account() -> (TokenServer, User, String) {
    let server = server(Profile::Specification).start();
    let user = User::trusting(&server);
    log_in(&user, &server).succeeded();
    let token = user.token(&server.registry_host());
    let same = Fault::SetField("refresh_token".into(), token.as_str().into());
    server.set_fault(At::Exchange, same);
    (server, user, token)
}

#[test]
fn what_check_got_is_revoked_where_it_fails_its_proof_too() {
    let server =
        server(Profile::Specification).fault(At::Proof, Fault::oauth(400, "invalid_grant")).start();
    let user = User::trusting(&server);
    let check = ["check", "-u", "alice", "--password-stdin", &server.registry_host()];
    let outcome = user.does(&check, PASSWORD).succeeded();
    assert!(outcome.stdout.contains("refuses to refresh with them (status 400 invalid_grant)"));
    assert_eq!(outcome.stderr, "");
    let steps = steps(&server.journal());
    let last = ["post", "refresh", "post", "refresh", METADATA, REVOKE, REVOKE];
    assert!(steps.ends_with(&last.map(String::from)), "{steps:?}");
    assert!(server.live_refresh_tokens().is_empty());
}

/// A server that binds tokens revokes them for no other client.
#[test]
fn each_is_revoked_as_the_client_that_obtained_it() {
    let server = server(Profile::Specification)
        .bind_client_id()
        .fault(At::Proof, Fault::status(403))
        .start();
    let user = User::trusting(&server);
    let outcome = log_in(&user, &server).code_is(5);
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn the_successor_of_a_token_that_works_once_is_revoked() {
    let server = server(Profile::RotatingSingleUse).start();
    let user = User::trusting(&server);
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    assert_eq!(outcome.failed_with(&["work only once"]).stderr, "");
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn a_server_that_fails_at_the_proof_is_still_asked_to_revoke() {
    let server = server(Profile::Specification).fault(At::Proof, Fault::status(500)).start();
    let user = User::trusting(&server);
    log_in(&user, &server).is(7, "", "status 500; nothing was changed");
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn what_cannot_be_revoked_is_said_and_the_first_error_stays() {
    let specification = || server(Profile::Specification);
    let failing = |at, status| specification().fault(at, Fault::status(status)).start();
    for (server, why) in [
        (specification().no_revocation().start(), "no revocation endpoint is known"),
        (failing(At::Revocation, 503), "answered the revocation with status 503"),
        (failing(At::Metadata, 500), "answered the request for its metadata with status 500"),
    ] {
        let user = User::trusting(&server);
        for (fault, code, error) in [
            (Fault::status(500), 7, "status 500; nothing was changed"),
            (Fault::status(404), 5, "refuses to refresh with them (status 404)"),
        ] {
            server.set_fault(At::Proof, fault);
            let outcome = log_in(&user, &server).is(code, "", error);
            let lines: Vec<&str> = outcome.stderr.lines().collect();
            let left = "was not kept, and may stay valid there until it expires: ";
            assert!(lines.len() == 2 && lines[0].contains(left), "{outcome:?}");
            assert!(lines[0].ends_with(why) && lines[1].contains(error), "{outcome:?}");
        }
        assert_eq!(server.live_refresh_tokens().len(), 3);
    }
}

/// As where the login cannot be kept: there is but one token for the account, and it is in use.
#[test]
fn the_token_of_the_previous_login_is_not_revoked() {
    let (server, user, token) = one_token_per_account();
    let host = server.registry_host();
    server.set_fault(At::Proof, Fault::status(500));
    // Nor is there anything to say of it.
    server.set_fault(At::Metadata, Fault::status(500));
    assert_eq!(log_in(&user, &server).code_is(7).stderr.lines().count(), 1);
    server.clear_faults();
    assert_eq!(user.token(&host), token);
    user.does(&["status", "--check"], "").succeeded();
}

/// What it got is not to be kept, and is what is kept already.
#[test]
fn a_check_does_not_revoke_the_token_of_the_login_that_is_there() {
    let (server, user, _) = one_token_per_account();
    let host = server.registry_host();
    user.does(&["check", "-u", "alice", "--password-stdin", &host], PASSWORD).succeeded();
    server.clear_faults();
    user.does(&["status", "--check"], "").succeeded();
}

/// The threat: a token server that returns the password as the next refresh token, which is then sent to
/// a revocation endpoint on another host.
#[test]
fn a_password_dressed_as_a_successor_is_not_sent_to_be_revoked() {
    let dressed = Fault::SetField("refresh_token".into(), PASSWORD.into());
    let server = server(Profile::RotatingSingleUse).fault(At::Proof, dressed).start();
    let user = User::trusting(&server);
    log_in(&user, &server).is(5, "", "work only once");
    let journal = server.journal();
    let revoked = journal.requests().iter().filter(|request| request.path == "/revoke");
    assert_eq!(revoked.clone().count(), 1);
    assert!(revoked.into_iter().all(|request| !request.has_secret(PASSWORD)));
    assert_eq!(journal.passwords_sent(), 1);
}

/// A kept token and what the server gave beside it may be of one grant, and end together.
#[test]
fn nothing_is_revoked_beside_a_token_that_is_kept() {
    let server = server(Profile::RotatingWithGrace).start();
    let user = User::trusting(&server);
    log_in(&user, &server).succeeded();
    assert!(!steps(&server.journal()).contains(&REVOKE.to_owned()));
}
