//! Docker Hub: another site than its registry's, at the address that its documentation names.

use super::*;
use crate::support::tunnel;

pub const HUB: &str = "https://index.docker.io/v1/";

pub fn hub() -> (TokenServer, User) {
    let server = with_user(Profile::DockerHub)
        .realm("https://auth.docker.io/token")
        .service("registry.docker.io")
        .names(&["hub.docker.com"])
        .start();
    let user = User::new();
    user.set("HTTPS_PROXY", &tunnel::to(&server.registry_host()));
    user.set("SSL_CERT_FILE", server.ca_file().to_str().unwrap());
    user.set("DOCKER_CREDENTIAL_REFRESH_MINT", "auto");
    user.secret(PASSWORD);
    (server, user)
}

#[track_caller]
fn log_in(server: &TokenServer, user: &User) -> Minted {
    user.store(HUB, "alice", PASSWORD).succeeded().noted("minted token for");
    let tokens = server.minted_tokens();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    let answer: Value = serde_json::from_str(&user.get(HUB).succeeded().stdout).unwrap();
    assert_eq!(hash(answer["Secret"].as_str().unwrap()), tokens[0].hash);
    tokens[0].clone()
}

#[test]
fn the_password_becomes_a_token_for_repositories_that_expires() {
    let (server, user) = hub();
    let token = log_in(&server, &user);
    assert_eq!(token.scopes, ["repo:write"]);
    let record = &user.records()[0];
    let (minted, expires) = (&record["minted"], record["expires"].as_str().unwrap());
    assert_eq!(
        (&minted["api"], &minted["url"]),
        (&json!("docker-hub"), &json!("https://hub.docker.com/"))
    );
    let expires: jiff::Timestamp = expires.parse().unwrap();
    let hours = expires.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((90 * 24 - 1..=90 * 24).contains(&hours), "{hours}");
    let lines = server.journal().lines();
    let api: Vec<_> = lines.iter().skip(3).map(String::as_str).collect();
    assert_eq!(
        api,
        [
            "POST /v2/auth/token 200",
            "GET /v2/access-tokens 200",
            "POST /v2/access-tokens 201",
            "GET /token 200"
        ]
    );
    let next = log_in(&server, &user);
    assert!(next.id != token.id);
}

#[test]
fn it_is_deleted_by_the_password_where_the_token_may_not_or_the_page_is_named() {
    let (server, user) = hub();
    let page = "https://app.docker.com/settings/personal-access-tokens";
    log_in(&server, &user);
    user.does(&["revoke", "--password-stdin", HUB], "wrong horse").code_is(4);
    user.does(&["revoke", "--password-stdin", HUB], PASSWORD).succeeded();
    assert_eq!(server.minted_tokens(), []);
    log_in(&server, &user);
    user.does(&["revoke", HUB], "").code_is(9).noted(page);
    assert_eq!(server.minted_tokens().len(), 1);
    log_in(&server, &user);
}

#[test]
fn two_factor_accounts_are_told_the_page_and_a_failed_keep_leaves_none() {
    let (server, user) = hub();
    log_in(&server, &user);
    keychain_that_fails(&user);
    user.store(HUB, "alice", PASSWORD).failed_with(&["no space left in the vault"]);
    assert_eq!(server.minted_tokens().len(), 1);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    server.set_two_factor();
    let page = "make a token at https://app.docker.com/settings/personal-access-tokens";
    user.store(HUB, "alice", PASSWORD).failed_with(&["refused the username or password", page]);
}
