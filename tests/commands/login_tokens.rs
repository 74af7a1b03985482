//! `login` with what is no password: a refresh token, or a Microsoft Entra access token.

use super::{PASSWORD, logged_in, server};
use crate::mock_token_server::{At, Builder, Fault, NULL_GUID, Profile, TokenServer};
use crate::support::user::User;

const TENANT: &str = "contoso.example";
const ENTRA: &str = "eyJ0eXAiOiJKV1Qi.entra-access-token.signature";

fn azure() -> Builder {
    let builder = TokenServer::builder().profile(Profile::Acr).user("alice", PASSWORD);
    builder.entra_token(TENANT, ENTRA)
}

fn keeping_it_secret(server: &TokenServer) -> User {
    let user = User::trusting(server);
    user.secret(ENTRA);
    user
}

#[test]
fn a_refresh_token_is_proven_before_it_is_kept() {
    let server = server().start();
    let (user, host) = (logged_in(&server), server.registry_host());
    let token = user.token(&host);
    let login = ["login", "--identity-token-stdin", &host];
    user.secret("token-of-nobody");
    user.does(&login, "token-of-nobody").is(4, "", "refused the refresh token");
    assert_eq!(user.token(&host), token, "the previous login is still there");
    user.does(&["logout", &host], "").succeeded();
    user.does(&login, &format!("{token}\n")).is(0, "Login Succeeded\n", "refresh token for");
    assert_eq!(user.token(&host), token);
    assert_eq!(user.records()[0]["proven"], true);
    user.does(&login, "").is(2, "", "is empty");
    let both = ["login", "--identity-token-stdin", "-u", "alice", &host];
    user.does(&both, &token).is(2, "", "cannot be used with");
}

#[test]
fn an_entra_token_is_exchanged_for_the_registrys_own() {
    for tenant in [&["--tenant", TENANT][..], &[]] {
        let server = azure().start();
        let (user, host) = (keeping_it_secret(&server), server.registry_host());
        let login = [&["login", "--aad-token-stdin", &host][..], tenant].concat();
        user.does(&login, &format!("{ENTRA}\n")).is(0, "Login Succeeded\n", "refresh token for");
        let journal = server.journal();
        let asked: Vec<_> =
            journal.requests().iter().map(|r| (&r.method[..], &r.path[..])).collect();
        let exchange = ("POST", "/oauth2/exchange");
        assert_eq!(asked, [("GET", "/v2/"), exchange, ("POST", "/oauth2/token")]);
        let request = &journal.requests()[1];
        assert!(
            request.has("grant_type", "access_token") && request.has("service", "mock-registry")
        );
        assert_eq!(request.parameter("tenant").is_some(), !tenant.is_empty());
        assert_ne!(user.token(&host), ENTRA);
        let record = &user.records()[0];
        assert_eq!((&record["account"], &record["proven"]), (&NULL_GUID.into(), &true.into()));
        // A JWT tells its expiry.
        assert!(record["expires"].is_string(), "{record}");
    }
}

#[test]
fn what_the_exchange_refuses_keeps_nothing() {
    let server = azure().start();
    let (user, host) = (keeping_it_secret(&server), server.registry_host());
    let login = ["login", "--aad-token-stdin", &host];
    user.does(&login, "another.entra.token").is(4, "", "refused the Microsoft Entra token");
    let other = ["login", "--aad-token-stdin", &host, "--tenant", "fabrikam.example"];
    user.does(&other, ENTRA).is(4, "", "name its tenant with --tenant");
    user.does(&login, "").is(2, "", "the Microsoft Entra token is empty");
    user.does(&["login", "--aad-token-stdin"], ENTRA).is(2, "", "required");
    server.set_fault(At::Proof, Fault::status(401));
    user.does(&login, ENTRA).is(4, "", "refused the refresh token");
    server.clear_faults();
    let none = "does not exchange Microsoft Entra tokens; log in with a username and a password";
    for status in [404, 405, 501] {
        server.set_fault(At::Entra, Fault::status(status));
        user.does(&login, ENTRA).is(5, "", none);
    }
    // Nor is what is given back the registry's own.
    for same in [ENTRA.to_owned(), format!("a-{ENTRA}")] {
        server.set_fault(At::Entra, Fault::SetField("refresh_token".into(), same.into()));
        user.does(&login, ENTRA).is(5, "", none);
    }
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

/// An Entra token opens more than a registry.
#[test]
fn nobody_but_azure_is_shown_an_entra_token() {
    for profile in [Profile::Specification, Profile::Gitlab, Profile::BasicOnly, Profile::NoLogin] {
        let server = TokenServer::builder().profile(profile).user("alice", PASSWORD).start();
        let (user, host) = (keeping_it_secret(&server), server.registry_host());
        assert_eq!(user.does(&["login", "--aad-token-stdin", &host], ENTRA).code, 5);
        assert!(server.journal().requests().iter().all(|request| request.method == "GET"));
    }
    // Nor is another site.
    let server = azure().realm("https://auth.other.example/oauth2/token").start();
    let (user, host) = (keeping_it_secret(&server), server.registry_host());
    user.does(&["login", "--aad-token-stdin", &host], ENTRA).is(8, "", "which is on another site");
}
