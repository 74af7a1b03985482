//! Plaintext passwords: exchanged, handed over, or left where they are.

use super::*;

/// Docker 20.10 wrote what was typed, and uses it for the whole registry.
#[test]
fn a_login_for_a_path_becomes_that_of_its_registry() {
    let server = server().start();
    let (host, user) = (server.registry_host(), user());
    user.trust(&host, &server);
    user.secret(PASSWORD);
    write(&user, &format!(r#"{{"auths":{{"{host}/team":{{"auth":"{GOOD}"}}}}}}"#));
    let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(done.stdout.contains(&format!("- \"auths\": {{\"{host}/team\": ...}}\n")), "{done:?}");
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(now, json!({"auths": {}, "credsStore": "refresh"}));
    for asked in [&host, &format!("{host}/team/app")] {
        assert_eq!(user.token(asked), user.kept(&host).unwrap());
    }
}

/// Whichever docker takes, it is the same login.
#[test]
fn one_login_for_several_paths_becomes_that_of_their_registry() {
    let server = server().start();
    let (host, user) = (server.registry_host(), trusting(&server));
    let auths = json!({format!("{host}/a"): {"auth": GOOD}, format!("{host}/b"): {"auth": GOOD}});
    write(&user, &json!({ "auths": auths }).to_string());
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(now, json!({"auths": {}, "credsStore": "refresh"}));
    assert_eq!(server.journal().passwords_sent(), 1);
}

/// Docker takes either of two; podman uses each for its path alone, and asks no helper for paths.
#[test]
fn logins_for_several_paths_are_told_as_what_they_are() {
    let user = user();
    let text = r#"{"auths":{"h.example/team":{"auth":"YTpi"},"h.example/other":{"auth":"YTpj"}}}"#;
    write(&user, text);
    user.program("docker", "#!/bin/sh\n");
    let refused = user.does(&["configure", "--fallback", "none"], "");
    let log_out = "docker logout h.example/team; docker logout h.example/other";
    let parts = ["h.example/team", "log in to h.example instead", log_out];
    unchanged(&user, text, refused, 1, &parts);
}

#[test]
fn what_lies_in_plain_text_is_exchanged_or_handed_over() {
    let good = server().start();
    let gitlab = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let (host, other) = (good.registry_host(), gitlab.registry_host());
    let user = trusting(&good);
    user.trust(&other, &gitlab);
    helper(&user, "pass");
    let text = format!(
        "{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}},\"{other}\":{{\"auth\":\"{GOOD}\"}},\"plain.example\":{{\"auth\":\"{GOOD}\"}}}}}}"
    );
    write(&user, &text);

    // One is stuck: none is taken, and the token that was obtained already is ended.
    let keep = ["configure", "--fallback", "none", "--keep-plain", "plain.example"];
    let stuck = user.does(&keep, "");
    let why = format!("{other} in {} cannot be imported", config_file(&user).display());
    unchanged(
        &user,
        &text,
        stuck,
        5,
        &[
            &why,
            "nothing was changed",
            &format!("leave them to docker with --keep-plain {other}"),
            "--fallback NAME",
        ],
    );
    assert!(good.live_refresh_tokens().is_empty() && user.kept(&host).is_none());

    let done = user
        .does(&["configure", "--fallback", "pass", "--keep-plain", "plain.example"], "")
        .succeeded();
    assert!(!done.stdout.contains(GOOD), "{done:?}");
    assert!(done.stdout.contains(&format!("- \"auths\": {{\"{host}\": ...}}\n")), "{done:?}");
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(
        now,
        json!({"auths": {"plain.example": {"auth": GOOD}}, "credsStore": "refresh", "credHelpers": {"plain.example": "", "plain.example:443": ""}})
    );
    assert_eq!(user.token(&host), user.kept(&host).unwrap());
    let handed = fs::read_to_string(user.home().join("pass.stored")).unwrap();
    assert!(handed.contains(&other) && handed.contains(PASSWORD));
    let state = fs::read_to_string(user.state().join("configured.json")).unwrap();
    assert!(!state.contains(GOOD), "{state}");
    let undone = user.does(&["unconfigure"], "").succeeded();
    undone.noted("1 login stays in the keychain");
    assert_eq!(
        config(&user),
        format!("{{\"auths\":{{\"plain.example\":{{\"auth\":\"{GOOD}\"}}}}}}")
    );
    fs::remove_file(user.home().join("pass.stored")).unwrap();
}

#[test]
fn with_force_a_login_that_cannot_be_taken_over_stays_where_it_is() {
    let user = user();
    let text = "{\"auths\":{\"h.example\":{\"registrytoken\":\"r\"}}}";
    write(&user, text);
    let stuck = user.does(&["configure", "--fallback", "none"], "");
    unchanged(&user, text, stuck, 1, &["h.example in", "a bearer token", "--keep-plain h.example"]);
    user.does(&["configure", "--fallback", "none", "--force"], "").succeeded();
    assert!(config(&user).starts_with(&format!("{},\"credsStore\"", &text[..text.len() - 1])));
}

/// No client ever looks one of these up: a login that works is none of them.
#[test]
fn a_key_that_no_registry_has_blocks_nothing() {
    for key in ["", "bad host", "*.example", "[fe80::1%25eth0]:5000", "h_x:5000", "https://", "."] {
        let user = user();
        let text = format!("{{\"auths\":{{{key:?}:{{\"auth\":\"YTpi\"}}}}}}");
        write(&user, &text);
        let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
        done.noted("is left there: its server URL");
        assert!(config(&user).contains("YTpi") && config(&user).contains("credsStore"));
    }
}
