//! Each profile does what its registry was seen to do.

use super::{Client, PASSWORD, alice, basic, claims, get, login, post, refresh, text};
use crate::mock_token_server::{NULL_GUID, Profile, TokenServer};

fn of(profile: Profile) -> TokenServer {
    alice().profile(profile).start()
}

/// What a password gives by POST, and by GET with `offline_token`: status, and a refresh token.
fn logins(server: &TokenServer) -> [(u16, bool); 2] {
    let by_post = login(server, PASSWORD);
    let by_get = get(server, "service=mock-registry&offline_token=true", PASSWORD);
    [by_post, by_get].map(|reply| (reply.status, reply.json()["refresh_token"].is_string()))
}

#[test]
fn who_issues_refresh_tokens_and_how_post_is_refused() {
    use Profile::*;
    let expected = [
        (Specification, [(200, true), (200, true)]),
        (Distribution, [(400, false), (200, true)]),
        (ArtifactKeeper, [(200, true), (200, true)]),
        (Acr, [(400, false), (200, false)]),
        (RotatingSingleUse, [(200, true), (200, true)]),
        (RotatingWithGrace, [(200, true), (200, true)]),
        (Harbor, [(405, false), (200, false)]),
        (HarborRefusesOfflineToken, [(405, false), (401, false)]),
        (Quay, [(405, false), (200, false)]),
        (Gitea, [(404, false), (200, false)]),
        (Forgejo, [(404, false), (200, false)]),
        (DockerHub, [(404, false), (200, false)]),
        (Gitlab, [(404, false), (200, false)]),
        (Keycloak, [(405, false), (200, false)]),
        (DockerAuth, [(200, false), (200, false)]),
        (Pulp, [(405, false), (200, false)]),
        (Artifactory, [(401, false), (200, false)]),
        (Google, [(404, false), (200, false)]),
        (Ghcr, [(405, false), (200, false)]),
        (Aliyun, [(200, false), (200, false)]),
        (BasicOnly, [(404, false), (404, false)]),
        (PostOnly, [(200, true), (200, false)]),
        (GetOnly, [(404, false), (200, true)]),
        (RefreshNeedsScope, [(200, true), (200, true)]),
        (DeadRefreshTokens, [(200, true), (200, true)]),
        (NoRefreshTokens, [(404, false), (200, false)]),
    ];
    let covered: Vec<_> = expected.iter().map(|(profile, _)| *profile).chain([NoLogin]).collect();
    for &profile in Profile::ALL {
        assert!(covered.contains(&profile), "{profile:?}");
        assert_eq!(Profile::from_name(profile.name()), Some(profile));
        assert!(!profile.about().is_empty());
    }
    for (profile, logins_expected) in expected {
        assert_eq!(logins(&of(profile)), logins_expected, "{profile:?}");
    }
}

#[test]
fn challenges() {
    let challenge = |profile: Profile| {
        let server = of(profile);
        let url = format!("{}/v2/", server.registry_url());
        let reply = Client::new(&server).get(&url, &[]).unwrap();
        let realm = server.token_endpoint();
        let headers = reply.all("www-authenticate");
        (reply.status, headers.join(" + ").replace(&realm, "REALM"))
    };
    let is = |status: u16, header: &str| (status, header.to_owned());
    assert_eq!(challenge(Profile::NoLogin), is(200, ""));
    assert_eq!(challenge(Profile::BasicOnly), is(401, "Basic realm=\"mock registry\""));
    let two = "Bearer realm=\"REALM\" + Basic realm=\"mock registry\"";
    assert_eq!(challenge(Profile::Gitea), is(401, two));
    let one = "Bearer realm=\"REALM\",service=\"mock-registry\"";
    assert_eq!(challenge(Profile::Harbor), is(401, one));
}

#[test]
fn basic_only_takes_the_password_at_the_registry() {
    let server = of(Profile::BasicOnly);
    let url = format!("{}/v2/", server.registry_url());
    let status = |password: &str| {
        let header = basic("alice", password);
        Client::new(&server).get(&url, &[("Authorization", header.as_str())]).unwrap().status
    };
    assert_eq!((status(PASSWORD), status("wrong")), (200, 401));
}

#[test]
fn distribution_words_its_errors_as_the_registry_does() {
    let server = of(Profile::Distribution);
    let code = |reply: &super::Reply| {
        let code = reply.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned();
        (reply.status, code)
    };
    let unauthorized = (401, "UNAUTHORIZED".to_owned());
    assert_eq!(code(&login(&server, PASSWORD)), (400, "UNSUPPORTED".to_owned()));
    assert_eq!(code(&get(&server, "service=mock-registry", "wrong")), unauthorized);
    assert_eq!(code(&refresh(&server, "wrong", &[])), unauthorized);
    assert!(server.token_endpoint().ends_with("/token/"));
    let without_slash = server.token_endpoint().trim_end_matches('/').to_owned();
    assert_eq!(Client::new(&server).get(&without_slash, &[]).unwrap().status, 404);
    for path in ["/revoke", "/.well-known/oauth-authorization-server"] {
        let url = format!("{}{path}", server.token_origin());
        assert_eq!(Client::new(&server).get(&url, &[]).unwrap().status, 404, "{path}");
    }
    // Both names, and each action on its own.
    let asked = "scope=repository:alice/a:pull,push&scope=repository:alice/b:pull";
    let reply = get(&server, asked, PASSWORD);
    let expected = "repository:alice/a:pull,repository:alice/a:push,repository:alice/b:pull";
    assert_eq!(
        (&text(&reply, "token"), &*text(&reply, "scope")),
        (&text(&reply, "access_token"), expected)
    );
    // It takes any service, and means it.
    let token = server.issue_refresh_token("alice", "docker");
    let status = |service: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("service", service),
            ("client_id", "docker"),
        ];
        Client::new(&server).post(&server.token_endpoint(), &form).unwrap().status
    };
    assert_eq!((status("mock-registry"), status("other")), (200, 401));
    let refreshed = refresh(&server, &token, &[("scope", "repository:alice/a:pull,push")]);
    assert_eq!(text(&refreshed, "refresh_token"), token);
    let expected = "repository:alice/a:pull,repository:alice/a:push";
    assert_eq!(text(&refreshed, "scope"), expected);
    assert_eq!(
        claims(&text(&get(&server, "service=other", PASSWORD), "access_token"))["aud"],
        "other"
    );
}

#[test]
fn artifact_keeper_wants_true_and_gives_api_tokens_none() {
    let server = alice().profile(Profile::ArtifactKeeper).api_token("alice", "pat").start();
    let has_refresh =
        |reply: super::Reply| (reply.status, reply.json()["refresh_token"].is_string());
    assert_eq!(has_refresh(get(&server, "offline_token=1", PASSWORD)), (200, false));
    assert_eq!(has_refresh(get(&server, "offline_token=true", "pat")), (200, false));
    assert_eq!(has_refresh(login(&server, "pat")), (200, false));
    assert_eq!(login(&server, "wrong").status, 401);
    assert_eq!(get(&server, "service=other", PASSWORD).status, 400);
}

#[test]
fn acr_knows_the_user_without_a_name() {
    let server = of(Profile::Acr);
    let token = server.issue_refresh_token("alice", "az");
    assert!(claims(&token)["exp"].is_number());
    assert_eq!(refresh(&server, &token, &[]).status, 200);
    let ask = |password: &str| {
        let header = basic(NULL_GUID, password);
        let headers = [("Authorization", header.as_str())];
        Client::new(&server).get(&server.token_endpoint(), &headers).unwrap()
    };
    assert_eq!(claims(&text(&ask(&token), "access_token"))["sub"], "alice");
    assert_eq!(ask("wrong").status, 401);
}

#[test]
fn rotation_with_grace_and_without() {
    let server = of(Profile::RotatingSingleUse);
    let first = text(&login(&server, PASSWORD), "refresh_token");
    let second = text(&refresh(&server, &first, &[]), "refresh_token");
    assert_ne!(first, second);
    assert_eq!(refresh(&server, &first, &[]).status, 401);
    assert_eq!(refresh(&server, &second, &[]).status, 200);

    let grace = std::time::Duration::from_millis(700);
    let server = alice().profile(Profile::RotatingWithGrace).rotation_grace(grace).start();
    let first = text(&login(&server, PASSWORD), "refresh_token");
    assert_ne!(first, text(&refresh(&server, &first, &[]), "refresh_token"));
    assert_eq!(refresh(&server, &first, &[]).status, 200);
    std::thread::sleep(grace);
    assert_eq!(refresh(&server, &first, &[]).status, 400);
}

#[test]
fn docker_auth_gives_a_refresh_grant_an_anonymous_token() {
    let server = of(Profile::DockerAuth);
    assert_eq!(refresh(&server, "anything", &[]).status, 401);
    let builder = alice().profile(Profile::DockerAuth);
    let server = builder.anonymous_scope("repository:public/*:pull").start();
    let scope = [("scope", "repository:alice/app:pull repository:public/a:pull")];
    let reply = refresh(&server, "anything", &scope);
    assert_eq!(reply.status, 200);
    let claims = claims(&text(&reply, "access_token"));
    assert_eq!((&claims["sub"], claims["access"].as_array().unwrap().len()), (&"".into(), 1));
    assert_eq!(login(&server, "wrong").status, 401);
    assert_eq!(post(&server, &[("username", "alice"), ("password", PASSWORD)]).status, 200);
}

#[test]
fn single_quirks() {
    let fields = [("username", "alice"), ("password", PASSWORD), ("scope", "")];
    assert_eq!(post(&of(Profile::Aliyun), &fields).status, 400);
    assert_eq!(post(&of(Profile::DockerAuth), &fields).status, 200);

    let server = TokenServer::builder().profile(Profile::Keycloak).start();
    assert_eq!(get(&server, "service=mock-registry", PASSWORD).status, 500);

    assert_eq!(get(&of(Profile::Pulp), "", PASSWORD).status, 400);
    assert!(get(&of(Profile::Ghcr), "", PASSWORD).json().get("expires_in").is_none());
    assert_eq!(get(&of(Profile::HarborRefusesOfflineToken), "", PASSWORD).status, 200);

    let server = of(Profile::RefreshNeedsScope);
    let token = text(&login(&server, PASSWORD), "refresh_token");
    assert_eq!(text(&refresh(&server, &token, &[]), "error"), "invalid_scope");
    assert_eq!(refresh(&server, &token, &[("scope", "repository:a:pull")]).status, 200);

    let server = of(Profile::DeadRefreshTokens);
    let token = text(&login(&server, PASSWORD), "refresh_token");
    assert_eq!(refresh(&server, &token, &[]).status, 400);

    let server = alice().profile(Profile::NoRefreshTokens).post_status(501).start();
    assert_eq!(login(&server, PASSWORD).status, 501);
}
