//! One test for each profile of the bundled server.

use base64::Engine;

use super::steps;
use crate::mock_token_server::{At, Builder, Fault, NULL_GUID, Profile, TokenServer, hash};
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
    outcome.succeeded().noted("stored in the kernel keychain until the machine reboots");
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
    let failed = outcome.failed_with(&[why, "the password was not stored", "FALLBACK"]);
    let next = "to see what works there, run: docker-credential-refresh check ";
    let end = format!("; {next}{}\n", server.registry_host());
    assert!(failed.stdout.ends_with(&end), "{failed:?}");
    assert_eq!(steps(&server.journal()), expected);
    user.get(&server.registry_host()).not_found();
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

/// A wrong password is refused, after it was sent this often.
#[track_caller]
fn rejected(profile: Profile, times: usize) {
    let server = server(profile).start();
    let user = User::trusting(&server);
    let outcome = user.store(&server.registry_host(), "alice", "wrong horse battery");
    let refused = format!("{} refused the username or password", server.registry_host());
    outcome.failed_with(&[&refused]);
    assert_eq!(server.journal().passwords_sent(), times);
    user.get(&server.registry_host()).not_found();
}

#[test]
fn an_answer_without_an_access_token_proves_nothing() {
    let server = server(Profile::Specification).start();
    server.set_fault(At::Proof, Fault::Body(r#"{"refresh_token":"another"}"#.into()));
    let (user, outcome) = store(&server);
    outcome.failed_with(&["the password was not stored"]);
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

const BY_POST: &[&str] = &["ping", "post", "refresh"];
const BY_GET: &[&str] = &["ping", "post", "get-offline", "refresh"];
const NEITHER: &[&str] = &["ping", "post", "get-offline"];

/// These, and then two tokens that were issued on the way are revoked.
fn and_two_revoked<'s>(steps: &[&'s str]) -> Vec<&'s str> {
    [steps, &["GET /.well-known/oauth-authorization-server", "POST /revoke", "POST /revoke"]]
        .concat()
}

#[test]
fn specification() {
    kept(&server(Profile::Specification).start(), BY_POST);
    rejected(Profile::Specification, 1);
}

#[test]
fn distribution() {
    kept(&server(Profile::Distribution).start(), BY_GET);
    // POST has no password grant, and a 401 to GET could be for want of offline tokens.
    rejected(Profile::Distribution, 3);
}

#[test]
fn artifact_keeper() {
    kept(&server(Profile::ArtifactKeeper).start(), BY_POST);
    rejected(Profile::ArtifactKeeper, 2);
}

#[test]
fn artifact_keeper_with_an_api_token_as_password() {
    let server = TokenServer::builder()
        .profile(Profile::ArtifactKeeper)
        .user("alice", "another password")
        .api_token("alice", PASSWORD)
        .start();
    refused(&server, NEITHER, "issues no refresh tokens");
}

#[test]
fn acr_takes_a_refresh_token_under_the_null_guid() {
    let server = server(Profile::Acr).start();
    let token = server.issue_refresh_token("alice", "docker");
    let user = User::trusting(&server);
    user.store(&server.registry_host(), NULL_GUID, &token).succeeded();
    assert_eq!(steps(&server.journal()), ["ping", "refresh"]);
    assert_eq!(user.token(&server.registry_host()), token);
    let record = &user.records()[0];
    assert_eq!((&record["account"], &record["proven"]), (&NULL_GUID.into(), &true.into()));
    // A JWT tells its expiry.
    assert!(record["expires"].is_string(), "{record}");
}

#[test]
fn acr_refuses_a_dead_token_under_the_null_guid_and_the_previous_stays() {
    let server = server(Profile::Acr).start();
    let token = server.issue_refresh_token("alice", "docker");
    let user = User::trusting(&server);
    user.store(&server.registry_host(), NULL_GUID, &token).succeeded();
    let dead = user.store(&server.registry_host(), NULL_GUID, "dead.refresh.token");
    dead.failed_with(&["refused the refresh token"]);
    assert_eq!(user.token(&server.registry_host()), token);
}

#[test]
fn acr_with_a_password_issues_none() {
    refused(&server(Profile::Acr).start(), NEITHER, "issues no refresh tokens");
}

#[test]
fn rotating_single_use() {
    let expected = and_two_revoked(&["ping", "post", "refresh", "refresh"]);
    refused(&server(Profile::RotatingSingleUse).start(), &expected, "work only once");
}

#[test]
fn rotating_with_grace_keeps_the_first_with_a_note() {
    let server = server(Profile::RotatingWithGrace).start();
    let (user, outcome) = store(&server);
    outcome.succeeded().noted("issues a new refresh token at each use");
    assert_eq!(steps(&server.journal()), ["ping", "post", "refresh", "refresh"]);
    let refreshed = server.journal();
    let tokens = refreshed.requests().iter().filter_map(|r| r.parameter("refresh_token"));
    let first = hash(&user.token(&server.registry_host()));
    assert!(tokens.clone().count() == 2 && tokens.clone().all(|sent| sent == first));
}

#[test]
fn registries_without_refresh_tokens() {
    for profile in [
        Profile::Harbor,
        Profile::Quay,
        Profile::Gitea,
        Profile::Gitlab,
        Profile::DockerAuth,
        Profile::Pulp,
        Profile::Artifactory,
        Profile::Google,
        Profile::Ghcr,
        Profile::Aliyun,
        Profile::NoRefreshTokens,
    ] {
        println!("{}", profile.name());
        refused(&server(profile).start(), NEITHER, "issues no refresh tokens");
    }
}

#[test]
fn a_wrong_password_is_sent_twice_or_three_times_by_what_post_answered() {
    for (profile, times) in [
        (Profile::Harbor, 3),
        (Profile::Quay, 3),
        (Profile::Gitea, 3),
        (Profile::Gitlab, 3),
        (Profile::Pulp, 3),
        (Profile::Artifactory, 2),
        (Profile::Google, 3),
        (Profile::Aliyun, 2),
        (Profile::GetOnly, 3),
    ] {
        println!("{}", profile.name());
        rejected(profile, times);
    }
}

#[test]
fn harbor_that_answers_401_to_offline_token() {
    let server = server(Profile::HarborRefusesOfflineToken).start();
    let expected = ["ping", "post", "get-offline", "get"];
    refused(&server, &expected, "refuses to issue refresh tokens");
    rejected(Profile::HarborRefusesOfflineToken, 3);
}

#[test]
fn keycloak() {
    refused(&server(Profile::Keycloak).start(), NEITHER, "issues no refresh tokens");
    let server = server(Profile::Keycloak).start();
    let user = User::trusting(&server);
    let outcome = user.store(&server.registry_host(), "nobody", PASSWORD);
    outcome.failed_with(&["status 500", "try again later"]);
    assert_eq!(server.journal().passwords_sent(), 2);
}

#[test]
fn every_post_status_that_settles_nothing_leads_to_get() {
    for status in [400, 401, 403, 404, 405, 415, 422, 501] {
        let server = server(Profile::NoRefreshTokens).post_status(status).start();
        refused(&server, NEITHER, "issues no refresh tokens");
    }
    for status in [409, 418, 429, 500, 502, 503] {
        let server = server(Profile::NoRefreshTokens).post_status(status).start();
        let (_user, outcome) = store(&server);
        outcome.failed_with(&[&format!("status {status}")]);
        assert_eq!(steps(&server.journal()), ["ping", "post"]);
    }
}

/// containerd #12857: something in front answers POST with a page of its own.
#[test]
fn a_page_in_the_place_of_post_leads_to_get() {
    for page in [
        Fault::CaptivePortal,
        Fault::InvalidJson,
        Fault::JsonArray,
        Fault::Body(String::new()),
        Fault::Body("{}".into()),
        Fault::Body("\"ok\"".into()),
        Fault::WrongTypes,
        Fault::Coding("br".into()),
    ] {
        println!("{page:?}");
        kept(&server(Profile::Specification).fault(At::ExchangePost, page.clone()).start(), BY_GET);
        let server = server(Profile::Specification).fault(At::ExchangePost, page).start();
        let user = User::trusting(&server);
        let outcome = user.store(&server.registry_host(), "alice", "wrong horse battery");
        outcome.failed_with(&["refused the username or password"]);
    }
}

/// GHCR's "denied: denied" (ofelia #202, kargo #778): the login was refused, and nothing is down.
#[test]
fn a_403_to_get_is_a_refusal_of_the_login() {
    for post in [404, 405, 403] {
        let builder = server(Profile::Ghcr).post_status(post);
        let server = builder.fault(At::ExchangeGet, Fault::status(403)).start();
        let user = User::trusting(&server);
        let arguments = ["login", "-u", "alice", "--password-stdin", &server.registry_host()];
        let refused = "refused the username or password";
        user.does(&arguments, PASSWORD).is(4, "", refused);
        assert_eq!(steps(&server.journal()), NEITHER);
    }
}

/// The password would rest in the keychain, and `get` give it to every client.
#[test]
fn a_password_dressed_as_a_refresh_token_is_none() {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
    let hexed: String = PASSWORD.bytes().map(|byte| format!("{byte:02X}")).collect();
    for token in [PASSWORD, &format!("tok-{PASSWORD}"), &pair, &hexed, "correct+horse%20battery"] {
        let server = server(Profile::Specification)
            .fault(At::Exchange, Fault::SetField("refresh_token".into(), token.into()))
            .start();
        refused(&server, NEITHER, "issues no refresh tokens");
    }
}

#[test]
fn a_user_name_with_a_colon_cannot_go_by_basic() {
    // HTTP Basic ends the username at the first colon: it would be another user's login.
    let server =
        TokenServer::builder().profile(Profile::Gitlab).user("robot:alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.store(&server.registry_host(), "robot:alice", PASSWORD)
        .failed_with(&["does not allow a colon"]);
    assert_eq!(server.journal().passwords_sent(), 1, "by POST alone");
}

#[test]
fn basic_only() {
    let server = server(Profile::BasicOnly).start();
    refused(&server, &["ping"], "offers Basic authentication only");
}

#[test]
fn no_login_asked_for() {
    refused(&server(Profile::NoLogin).start(), &["ping"], "asks for no login");
}

#[test]
fn refresh_tokens_by_post_only() {
    kept(&server(Profile::PostOnly).start(), BY_POST);
}

#[test]
fn refresh_tokens_by_get_only_and_no_refresh_grant() {
    let server = server(Profile::GetOnly).start();
    let expected = ["ping", "post", "get-offline", "refresh", "get-offline", "refresh"];
    let expected = and_two_revoked(&expected);
    refused(&server, &expected, "refuses to refresh with them (status 404)");
    assert_eq!(server.journal().passwords_sent(), 3);
}

#[test]
fn refresh_tokens_by_get_where_post_only_refreshes() {
    let server = server(Profile::Specification).adjust(|b| b.password_grant = false).start();
    kept(&server, BY_GET);
}

#[test]
fn a_refresh_that_needs_the_scope_of_the_challenge() {
    let scope = "registry:catalog:*";
    let builder = server(Profile::RefreshNeedsScope).user_scope("alice", scope);
    let expected = ["ping", "post", "refresh", "refresh-scope"];
    kept(&builder.challenge_scope(scope).start(), &expected);
    let without = server(Profile::RefreshNeedsScope).start();
    let expected = and_two_revoked(&["ping", "post", "refresh", "post", "refresh"]);
    refused(&without, &expected, "refuses to refresh with them");
}

#[test]
fn refresh_tokens_that_never_work() {
    let server = server(Profile::DeadRefreshTokens).start();
    let expected = and_two_revoked(&["ping", "post", "refresh", "post", "refresh"]);
    refused(&server, &expected, "refuses to refresh with them");
}

#[test]
fn tokens_bound_to_the_client_are_obtained_as_the_client_that_uses_them() {
    let server = server(Profile::Specification).bind_client_id().start();
    let (user, outcome) = store(&server);
    outcome.succeeded().noted("clients other than docker may be refused");
    assert_eq!(steps(&server.journal()), ["ping", "post", "refresh", "post", "refresh"]);
    let clients: Vec<_> = server
        .journal()
        .requests()
        .iter()
        .filter_map(|r| r.parameter("client_id").map(str::to_owned))
        .collect();
    assert_eq!(clients, ["docker-credential-refresh", "docker", "docker", "docker"]);
    assert_eq!(user.records()[0]["obtained_as"], "docker");
}
