//! Gitea and Forgejo.

use super::*;

#[test]
fn the_password_becomes_a_token_for_packages_alone_that_is_proved_and_handed_out() {
    for (profile, api) in [(Profile::Gitea, "gitea"), (Profile::Forgejo, "forgejo")] {
        let server = with_user(profile).start();
        let host = server.registry_host();
        let user = minting(&server);
        let (secret, token) = log_in(&user, &server);
        assert_ne!(secret, PASSWORD);
        let name = rustix::system::uname().nodename().to_str().unwrap().to_owned();
        assert!(token.name.starts_with(&format!("docker-credential-refresh@{name} ")), "{token:?}");
        assert_eq!(
            (token.user.as_str(), &token.scopes[..]),
            ("alice", &["write:package".to_owned()][..])
        );
        assert_eq!(user.list(), json!({ (host.clone()): "alice" }));
        let minted = &user.records()[0]["minted"];
        assert_eq!(
            (&minted["api"], &minted["url"]),
            (&json!(api), &json!(format!("https://{host}/")))
        );
        // The exchange comes first, the proof last, and what is asked before the password goes there is
        // asked without it.
        let journal = server.journal();
        let lines = journal.lines();
        let tokens = "/api/v1/users/alice/tokens";
        let expected = [
            "GET /v2/ 401".to_owned(),
            "POST /v2/token 404".to_owned(),
            "GET /v2/token 200".to_owned(),
            "GET /api/v1/version 200".to_owned(),
            format!("GET {tokens} 200"),
            format!("POST {tokens} 201"),
            "GET /v2/token 200".to_owned(),
        ];
        assert_eq!(lines, expected);
        assert!(!journal[3].has_credential());
    }
}

#[test]
fn the_next_login_takes_the_place_of_the_previous_which_is_deleted_last() {
    let server = with_user(Profile::Gitea).start();
    let user = minting(&server);
    let (first, token) = log_in(&user, &server);
    server.clear_journal();
    let (second, next) = log_in(&user, &server);
    assert!(first != second && next.name == format!("{} (2)", token.name), "{next:?}");
    let lines = server.journal().lines();
    let created = lines.iter().position(|line| line.starts_with("POST /api/v1/"));
    let deleted = lines.iter().position(|line| line.starts_with("DELETE /api/v1/"));
    assert!(created < deleted && deleted == Some(lines.len() - 1), "{lines:?}");
    let (third, last) = log_in(&user, &server);
    assert!(third != second && last.name == token.name);
}

/// What one person made, or another machine, is not ours to delete.
#[test]
fn tokens_of_other_names_and_of_other_logins_stay() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let [one, other] = [minting(&server), minting(&server)];
    log_in(&one, &server);
    other.store(&host, "alice", PASSWORD).succeeded();
    one.store(&host, "alice", PASSWORD).succeeded();
    // A login of its own, under the same username.
    one.store(&format!("{host}/team"), "alice", PASSWORD).succeeded();
    let tokens = server.minted_tokens();
    assert_eq!(tokens.len(), 3, "{tokens:?}");
    for (user, name) in [(&one, &host), (&other, &host), (&one, &format!("{host}/team"))] {
        let answer: Value = serde_json::from_str(&user.get(name).succeeded().stdout).unwrap();
        let kept = hash(answer["Secret"].as_str().unwrap());
        assert!(tokens.iter().any(|token| token.hash == kept));
    }
}

#[test]
fn a_login_as_somebody_else_names_the_token_that_it_cannot_delete() {
    let server = with_user(Profile::Gitea).user("bob", "two words").start();
    let host = server.registry_host();
    let user = minting(&server);
    let (_, token) = log_in(&user, &server);
    let page =
        format!("of alice stays valid: delete it at https://{host}/user/settings/applications");
    user.store(&host, "bob", "two words").succeeded().noted(&token.name).noted(&page);
    assert_eq!(server.minted_tokens().len(), 2);
    // So does one by a refresh token.
    server.set_profile(Profile::Specification);
    user.store(&host, "bob", "two words").succeeded().noted("of bob stays valid: delete it at");
}

#[test]
fn two_factor_accounts_are_told_the_page() {
    let page = |host: &str| format!("make a token at https://{host}/user/settings/applications");
    // The registry's own check refuses the password.
    let server = with_user(Profile::Gitea).start();
    server.set_two_factor();
    let user = minting(&server);
    let refused = user.store(&server.registry_host(), "alice", PASSWORD);
    let page_of_it = page(&server.registry_host());
    nothing(&user, &server, refused, &["refused the username or password", &page_of_it]);
    // Or the API alone does.
    for status in [401, 403] {
        let server = with_user(Profile::Gitea).fault(At::ApiList, Fault::status(status)).start();
        let user = minting(&server);
        let refused = user.store(&server.registry_host(), "alice", PASSWORD);
        let parts =
            ["issues no refresh tokens, and 127.0.0.1 makes no token", "two-factor", "make one at"];
        nothing(&user, &server, refused, &parts);
    }
}

#[test]
fn one_without_scopes_makes_tokens_that_could_do_everything() {
    let old = Fault::Body(r#"{"version":"1.18.5"}"#.into());
    for setting in ["auto", "gitea"] {
        let server = with_user(Profile::Gitea).fault(At::ApiVersion, old.clone()).start();
        let user = minting(&server);
        user.set("DOCKER_CREDENTIAL_REFRESH_MINT", setting);
        let refused = user.store(&server.registry_host(), "alice", PASSWORD);
        nothing(&user, &server, refused, &["is gitea 1.18, whose tokens cannot be limited"]);
    }
}
