//! `doctor SERVER`: the registry, its token server, and the login there.

use super::*;

#[test]
fn a_registry_is_looked_at_without_a_password_and_only_a_login_is_tried() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    set_up(&user);
    let host = server.registry_host();
    finds(&user, Some(&host), &[("login", "SKIP", "not logged in to ")]);
    assert!(server.journal().iter().all(|request| !request.has_credential()));
    log_in(&user, &server);
    server.clear_journal();
    let outcome = finds(
        &user,
        Some(&host),
        &[
            ("proxy", "OK", "none is set"),
            ("clock", "OK", "it differs from the server's by "),
            ("registry", "OK", "asks for a token from https://127.0.0.1:"),
            ("registry", "OK", ", service mock-registry"),
            ("realm", "OK", "on its site"),
            ("oauth", "OK", ""),
            ("revocation", "OK", "the metadata names https://127.0.0.1:"),
            ("login", "OK", "the token server accepts the login for "),
        ],
    );
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let journal = server.journal();
    let sent: Vec<_> = journal.iter().filter(|request| request.has_credential()).collect();
    assert!(sent.len() == 1 && sent[0].has("grant_type", "refresh_token"), "{sent:?}");
    assert_eq!(user.does(&["doctor", "h h"], "").code, 2);
    assert_eq!(user.does(&["doctor", "https://index.docker.io/v1/access-token"], "").code, 2);
}

#[test]
fn a_login_that_has_expired_or_is_none_is_told_with_the_registry() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    set_up(&user);
    let host = server.registry_host();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let log_in_there =
        format!("docker-credential-refresh --profile {} login {host}", user.profile());
    finds(&user, Some(&host), &[("login", "SKIP", &log_in_there)]);
    log_in(&user, &server);
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    for login in file["logins"].as_array_mut().unwrap() {
        login["expires"] = json!("2020-01-01T00:00:00Z");
    }
    fs::write(user.records_file(), file.to_string()).unwrap();
    finds(
        &user,
        Some(&host),
        &[("login", "WARN", "has expired"), ("login", "WARN", &log_in_there)],
    );
}

#[test]
fn a_login_under_another_identity_is_not_counted_as_well() {
    let user = healthy();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    let identity = |user: &User| user.does(&["keygen"], "").succeeded().stdout;
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", identity(&user).trim());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    finds(&user, None, &[("logins", "OK", "1 of 1")]);
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", identity(&user).trim());
    let found = [("logins", "WARN", "to replace it, log in again"), ("logins", "WARN", "0 of 1")];
    finds(&user, None, &found);
    // Of all logins one fact of many; of the one that is asked about the answer.
    let found = ("logins", "FAIL", "it was kept under another age identity");
    finds(&user, Some("h.example"), &[found]);
}

#[test]
fn what_is_wrong_with_a_registry_is_told_with_its_causes() {
    let user = healthy();
    let refused = "cannot reach 127.0.0.1:1: Connection refused";
    let outcome = finds(&user, Some("127.0.0.1:1"), &[("registry", "FAIL", refused)]);
    assert_eq!(outcome.stdout.matches("refused").count(), 1, "said once: {outcome:?}");
    let server = TokenServer::builder().no_revocation().start();
    let host = server.registry_host();
    let place = format!("put it in /etc/docker/certs.d/{host}/ca.crt, the setting ca_file or");
    let tls = [("registry", "FAIL", "TLS failed"), ("registry", "FAIL", &place)];
    finds(&user, Some(&host), &tls);
    user.trust(&host, &server);
    finds(&user, Some(&host), &[("revocation", "SKIP", "set revocation_endpoint")]);
    let last = user.does(&["doctor", &host], "").stdout.lines().last().unwrap().to_owned();
    assert!(!last.contains("revocation_endpoint"), "{last}");
    server.set_fault(At::Challenge, Fault::ExpiredCertificate);
    let expired =
        "the server's certificate expired on 2020-01-01, and this machine's clock says 20";
    finds(&user, Some(&host), &[("registry", "FAIL", expired)]);
    server.set_fault(At::Challenge, Fault::DateOff(10));
    finds(&user, Some(&host), &[("clock", "FAIL", "timedatectl")]);
    server.set_fault(At::Challenge, Fault::status(500));
    finds(&user, Some(&host), &[("registry", "FAIL", "answered /v2/ with status 500")]);
    server.clear_faults();
    server.set_profile(Profile::Harbor);
    finds(&user, Some(&host), &[("oauth", "WARN", "does not support refresh tokens (status 405)")]);
    finds(&user, Some(&host), &[("oauth", "WARN", "configure --fallback NAME")]);
    finds(&user, Some(&host), &[("oauth", "WARN", "add --keep-tokens to store personal tokens")]);
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    finds(&user, Some(&host), &[("oauth", "OK", "its personal tokens are kept as they are")]);
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "refuse");
    server.set_profile(Profile::BasicOnly);
    finds(&user, Some(&host), &[("registry", "WARN", "Basic authentication only")]);
    user.program("docker-credential-other", "#!/bin/sh\necho '{}'\n");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
    let taken = "its logins go to the fallback docker-credential-other";
    finds(&user, Some(&host), &[("registry", "OK", taken)]);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "none");
    server.set_profile(Profile::Distribution);
    server.set_realm("https://auth.other.example/token");
    let outcome = finds(&user, Some(&host), &[("realm", "FAIL", "trust_realm = [")]);
    assert_eq!(outcome.code, 1);
}

/// A password gets nobody in there.
#[test]
fn at_an_azure_registry_the_first_thing_to_do_is_what_check_says() {
    let server = TokenServer::builder().profile(Profile::Acr).start();
    let host = server.registry_host();
    let user = healthy();
    user.trust(&host, &server);
    let profile = user.profile();
    let next =
        format!("docker-credential-refresh --profile {profile} login --aad-token-stdin {host}");
    let found = finds(&user, Some(&host), &[("login", "SKIP", &next)]);
    let answer: Value = serde_json::from_str(&found.stdout).unwrap();
    assert!(answer["first"] != Value::Null, "{answer}");
    server.set_profile(Profile::Gitlab);
    finds(&user, Some(&host), &[("login", "SKIP", "--keep-tokens --fallback none, and log in")]);
}

#[test]
fn the_login_for_a_server_is_tried_and_the_last_line_says_what_to_do_first() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = healthy();
    user.trust(&host, &server);
    finds(&user, Some(&host), &[("login", "SKIP", "not logged in")]);
    log_in(&user, &server);
    finds(&user, Some(&host), &[("login", "OK", "accepts the login for")]);
    server.revoke_everything();
    let dead = finds(&user, Some(&host), &[("login", "FAIL", "no longer works")]);
    let log_in = format!("docker-credential-refresh --profile {} login {host}", user.profile());
    let answer: Value = serde_json::from_str(&dead.stdout).unwrap();
    assert!(answer["first"].as_str().unwrap().contains(&log_in), "{answer}");
    let text = user.does(&["doctor", &host], "").stdout;
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("First: ") && last.contains(&log_in), "{text}");
}
