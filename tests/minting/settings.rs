//! Where tokens are minted, and what comes before and after.

use super::*;
use crate::mock_token_server::Profile;

const GITLAB: &str = concat!("glpat", "-0123456789abcdefghij");

fn asked_the_api(server: &TokenServer) -> bool {
    server.journal().iter().any(|request| request.path.starts_with("/api/"))
}

#[test]
fn it_is_off_unless_set_and_each_registry_has_a_say() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let refused = user.store(&host, "alice", PASSWORD);
    nothing(&user, &server, refused, &["issues no refresh tokens"]);
    user.settings(&format!("mint = \"auto\"\n[registry.\"{host}\"]\nmint = \"off\"\n"));
    let refused = user.store(&host, "alice", PASSWORD);
    nothing(&user, &server, refused, &["issues no refresh tokens"]);
    assert!(!asked_the_api(&server));
    user.settings(&format!("[registry.\"{host}\"]\nmint = \"gitea\"\n"));
    log_in(&user, &server);
    assert!(asked_the_api(&server));
}

#[test]
fn a_registry_without_such_an_api_is_as_it_was() {
    for profile in [Profile::Google, Profile::Gitlab, Profile::Harbor, Profile::BasicOnly] {
        let server = with_user(profile).start();
        let user = minting(&server);
        let refused = user.store(&server.registry_host(), "alice", PASSWORD);
        nothing(&user, &server, refused, &["the password was not stored"]);
        // Google's token endpoint has the path of Gitea's; nobody was told the password there.
        let asked = server.journal();
        assert!(asked.iter().all(|r| !r.path.starts_with("/api/") || !r.has_credential()));
    }
    // One that is named, and is not there.
    let server = with_user(Profile::Google).start();
    let user = minting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_MINT", "gitea");
    let refused = user.store(&server.registry_host(), "alice", PASSWORD);
    nothing(&user, &server, refused, &["makes no tokens by the API of gitea here"]);
}

/// Docker Hub's API knows no password of another registry.
#[test]
fn the_api_of_docker_hub_is_asked_for_docker_hub_alone() {
    let (hub, user) = docker_hub::hub();
    for profile in [Profile::Google, Profile::Gitea, Profile::Artifactory] {
        let server = with_user(profile).start();
        let host = server.registry_host();
        user.trust(&host, &server);
        user.set("NO_PROXY", "127.0.0.1");
        user.settings(&format!("[registry.\"{host}\"]\nmint = \"docker-hub\"\n"));
        let refused = user.store(&host, "alice", PASSWORD);
        nothing(
            &user,
            &server,
            refused,
            &["issues no refresh tokens", "the password was not stored"],
        );
    }
    assert!(hub.journal().connections().is_empty());
}

#[test]
fn refresh_tokens_come_first_and_personal_tokens_are_not_for_it() {
    let server = with_user(Profile::Specification).start();
    let user = minting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_MINT", "gitea");
    let host = server.registry_host();
    user.store(&host, "alice", PASSWORD).succeeded().noted("refresh token for");
    assert_ne!(user.token(&host), PASSWORD);
    assert!(!asked_the_api(&server));
    let server = TokenServer::builder().profile(Profile::Gitea).api_token("alice", GITLAB).start();
    let user = minting(&server);
    let host = server.registry_host();
    user.store(&host, "alice", GITLAB).failed_with(&["to keep a GitLab access token"]);
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    user.store(&host, "alice", GITLAB).succeeded().noted("personal token for");
    assert_eq!(server.minted_tokens(), []);
}

#[test]
fn what_the_api_refuses_goes_to_the_fallback_and_what_it_makes_does_not() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    user.program("docker-credential-plain", crate::fallback::PLAIN);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    // Trouble is no refusal: the next attempt may need no fallback.
    server.set_fault(At::ApiList, Fault::status(503));
    nothing(&user, &server, user.store(&host, "alice", PASSWORD), &["status 503"]);
    server.clear_faults();
    server.set_fault(At::ApiCreate, Fault::status(403));
    let stored = user.store(&host, "alice", PASSWORD).succeeded();
    let stored = stored.noted("issues no refresh tokens, and ").noted("makes no token");
    stored.noted("was handed to docker-credential-plain");
    server.clear_faults();
    let (_, token) = log_in(&user, &server);
    let plain = user.home().join("plain");
    assert_eq!(fs::read_dir(&plain).unwrap().count(), 0, "the password is gone from the fallback");
    // The minted token that the fallback's login replaces is not forgotten.
    server.set_fault(At::ApiCreate, Fault::status(403));
    let stored = user.store(&host, "alice", PASSWORD).succeeded();
    let left = format!(
        "token {:?} of alice stays valid: delete it at https://{host}/user/settings/applications",
        token.name
    );
    stored.noted("was handed to docker-credential-plain").noted(&left);
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    server.clear_faults();
    log_in(&user, &server);
    server.set_fault(At::ApiCreate, Fault::status(403));
    let stored = user.store(&host, "alice", PASSWORD).succeeded();
    let stored = stored.noted("the account's password is needed: delete ");
    assert_eq!(stored.stderr.matches("valid").count(), 1, "{stored:?}");
    server.clear_faults();
    log_in(&user, &server);
    let left = fs::read_dir(user.home().join("plain")).unwrap().count();
    assert_eq!(left, 0, "the password is gone from the fallback");
}

#[test]
fn check_and_doctor_tell_of_it_before_it_is_set_and_after() {
    let server = with_user(Profile::Forgejo).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let check = |arguments: &[&str], stdin: &str| {
        let arguments = [&["check", "--json", &host], arguments].concat();
        let outcome = user.does(&arguments, stdin).succeeded();
        serde_json::from_str::<Value>(&outcome.stdout).unwrap()
    };
    let found = check(&[], "");
    assert_eq!((&found["token_api"], &found["password"]), (&json!("forgejo"), &json!("nothing")));
    assert_eq!(found["token_api_tried_on"], "a mock server only");
    let configure = format!(
        "docker-credential-refresh configure --registry {host} --mint auto --fallback none"
    );
    assert_eq!(found["next"], format!("{configure}, and log in"));
    let doctor = user.does(&["doctor", &host], "");
    assert!(doctor.stdout.contains(&configure), "{doctor:?}");
    user.set("DOCKER_CREDENTIAL_REFRESH_MINT", "auto");
    assert_eq!(check(&[], "")["password"], "minted token");
    let doctor = user.does(&["doctor", &host], "");
    let told = "the API of forgejo makes a token in the place of the password";
    assert!(doctor.stdout.contains(told), "{doctor:?}");
    // One that is tried is made, and deleted.
    let tried = check(&["-u", "alice", "--password-stdin"], PASSWORD);
    assert_eq!(tried["tried"], "minted token");
    let made = server.journal().iter().any(|r| r.method == "POST" && r.path.ends_with("/tokens"));
    assert!(made && server.minted_tokens().is_empty() && user.records().is_empty());
}

#[test]
fn configure_sets_it_turns_the_passwords_that_are_there_and_puts_all_back() {
    use base64::Engine;
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.secret(PASSWORD);
    let docker = user.home().join(".docker/config.json");
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
    let text = json!({"auths": {(host.clone()): {"auth": auth}}}).to_string();
    fs::create_dir_all(docker.parent().unwrap()).unwrap();
    fs::write(&docker, &text).unwrap();
    on_path(&user);
    user.does(&["configure"], "").is(2, "", "with --mint auto, passwords become tokens");
    user.does(&["configure", "--mint", "x", "--fallback", "none"], "").code_is(2);
    let configure = ["configure", "--mint", "auto", "--fallback", "none", "--registry", &host];
    let configured = user.does(&configure, "").succeeded();
    let line = format!("[registry.\"{host}\"] mint = \"auto\"\n");
    assert!(configured.stdout.contains(&format!("+ {line}")), "{configured:?}");
    only_one(&user, &server);
    assert!(!fs::read_to_string(&docker).unwrap().contains(&auth));
    let settings = fs::read_to_string(user.settings_file()).unwrap();
    assert!(settings.contains(&format!("[registry.\"{host}\"]\n")), "{settings}");
    user.does(&configure, "").is(0, "Nothing to change\n", "");
    let undone = user.does(&["unconfigure"], "").succeeded();
    assert!(undone.stdout.contains(&format!("- {line}")), "{undone:?}");
    assert!(!user.settings_file().exists());
}
