//! One test for each profile of the bundled server.

use super::steps;
use crate::mock_token_server::{Builder, NULL_GUID, Profile, TokenServer, hash};
use crate::support::user::{Outcome, User};

const PASSWORD: &str = "correct horse battery";

fn server(profile: Profile) -> Builder {
    TokenServer::builder().profile(profile).user("alice", PASSWORD)
}

fn store(server: &TokenServer) -> (User, Outcome) {
    let user = User::trusting(server);
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    (user, outcome)
}

/// The login is kept: the token that `get` hands out is alive at the server.
#[track_caller]
fn kept(server: &TokenServer, expected: &[&str]) -> User {
    let (user, outcome) = store(server);
    outcome.succeeded().noted("kept in keychain kernel until the machine reboots");
    assert_eq!(steps(&server.journal()), expected);
    let token = user.token(&server.registry_host());
    let live = server.live_refresh_tokens();
    assert!(live.iter().any(|live| live.hash == hash(&token)), "{live:?}");
    user
}

/// The login is refused for want of a refresh token, and nothing is kept.
#[track_caller]
fn refused(server: &TokenServer, expected: &[&str], why: &str) {
    let (user, outcome) = store(server);
    outcome.failed_with(&[why, "the password was not kept", "FALLBACK"]);
    assert_eq!(steps(&server.journal()), expected);
    user.get(&server.registry_host()).not_found();
    assert!(user.records().is_empty() && user.keychain().list().unwrap().is_empty());
}

/// A wrong password is refused, after it was sent this often.
#[track_caller]
fn rejected(profile: Profile, times: usize) {
    let server = server(profile).start();
    let user = User::trusting(&server);
    let outcome = user.store(&server.registry_host(), "alice", "wrong horse battery");
    outcome.failed_with(&["refused the user name or password"]);
    assert_eq!(server.journal().passwords_sent(), times);
    user.get(&server.registry_host()).not_found();
}

const BY_POST: &[&str] = &["ping", "post", "refresh"];
const BY_GET: &[&str] = &["ping", "post", "get-offline", "refresh"];
const NEITHER: &[&str] = &["ping", "post", "get-offline"];

#[test]
fn specification() {
    kept(&server(Profile::Specification).start(), BY_POST);
    rejected(Profile::Specification, 1);
}
