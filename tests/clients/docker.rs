//! `docker login`, `push`, `pull`, `logout`: as the README says, with real everything.

use serde_json::json;

use crate::keychain::Keychain;
use crate::mock_token_server::{Profile, hash};
use crate::scenario::{Scenario, Setup};

/// The token server hands out refresh tokens to Docker's own GET: the helper gets a token.
const BY_GET: Profile = Profile::Distribution;
/// It does so only on POST: Docker hands the password to the helper.
const BY_POST: Profile = Profile::PostOnly;

/// The desktop: a keychain there, and a registry with TLS.
fn desktop(keychain: Keychain, profile: Profile, engine: bool) -> Scenario {
    Scenario::start(Setup { profile, keychain, engine, tls: true })
}

/// The server: no bus, and a registry on the same machine without TLS.
fn server(keychain: Keychain, profile: Profile, engine: bool) -> Scenario {
    Scenario::start(Setup { profile, keychain, engine, tls: false })
}

#[test]
fn docker_with_a_daemon_and_gnome_keyring_by_get() {
    push_and_pull(desktop(Keychain::gnome_keyring(), BY_GET, true), 0);
}

#[test]
fn docker_with_a_daemon_and_gnome_keyring_by_post() {
    push_and_pull(desktop(Keychain::gnome_keyring(), BY_POST, true), 1);
}

#[test]
fn docker_with_a_daemon_and_keepassxc_by_post() {
    push_and_pull(desktop(Keychain::keepassxc(), BY_POST, true), 1);
}

#[test]
fn docker_with_a_daemon_and_kernel_keyring_by_get() {
    push_and_pull(server(Keychain::kernel(), BY_GET, true), 0);
}

#[test]
fn docker_with_a_daemon_and_kernel_keyring_by_post() {
    push_and_pull(server(Keychain::kernel(), BY_POST, true), 1);
}

#[test]
fn docker_with_a_daemon_and_age_files_by_post() {
    push_and_pull(server(Keychain::file(), BY_POST, true), 1);
}

#[test]
fn docker_without_an_engine_and_gnome_keyring_by_get() {
    only_log_in(desktop(Keychain::gnome_keyring(), BY_GET, false), 0);
}

#[test]
fn docker_without_an_engine_and_gnome_keyring_by_post() {
    only_log_in(desktop(Keychain::gnome_keyring(), BY_POST, false), 1);
}

#[test]
fn docker_without_an_engine_and_kernel_keyring_by_get() {
    only_log_in(server(Keychain::kernel(), BY_GET, false), 0);
}

#[test]
fn docker_without_an_engine_and_kernel_keyring_by_post() {
    only_log_in(server(Keychain::kernel(), BY_POST, false), 1);
}

#[test]
fn docker_with_a_daemon_and_kwallet_by_post() {
    push_and_pull(desktop(Keychain::kwallet(), BY_POST, true), 1);
}

#[test]
fn docker_with_a_daemon_and_helper_pass_by_post() {
    push_and_pull(server(Keychain::helper_pass(), BY_POST, true), 1);
}

#[test]
fn docker_with_a_daemon_and_helper_secretservice_by_post() {
    push_and_pull(desktop(Keychain::helper_secretservice(), BY_POST, true), 1);
}

/// `exchanges` is how often a login has the helper send the password; Docker itself sends it once.
fn push_and_pull(mut all: Scenario, exchanges: usize) {
    let first = log_in(&mut all, exchanges);
    let image = format!("{}/alice/hello:1", all.registry());
    all.import(&image);
    let sent = all.server.journal().passwords_sent();

    all.docker(&["push", &image], "").success();
    assert_eq!(all.cli.calls(), ["get"]);
    assert_refreshed(&all, &first);
    all.docker(&["rmi", &image], "").success();
    all.docker(&["image", "inspect", &image], "").failure();
    all.docker(&["pull", &image], "").success();
    all.docker(&["image", "inspect", &image], "").success();
    assert_eq!(all.cli.calls(), ["get"]);
    assert_eq!(all.server.journal().passwords_sent(), sent, "push and pull need no password");

    wrong_password_changes_nothing(&mut all);
    let second = log_in(&mut all, exchanges);
    assert_ne!(first, second, "a login is a new token");
    all.docker(&["push", &image], "").success();
    assert_refreshed(&all, &second);
    all.cli.calls();

    log_out(&mut all);
    let refused = all.docker(&["push", &image], "").failure();
    let text = refused.text();
    assert!(
        text.contains("denied")
            || text.contains("unauthorized")
            || text.contains("authentication required"),
        "{refused}"
    );
    all.assert_no_copies(&[first, second]);
}

fn only_log_in(mut all: Scenario, exchanges: usize) {
    let first = log_in(&mut all, exchanges);
    wrong_password_changes_nothing(&mut all);
    let second = log_in(&mut all, exchanges);
    assert_ne!(first, second, "a login is a new token");
    log_out(&mut all);
    all.assert_no_copies(&[first, second]);
}

/// Logs in and looks at every trace of it; returns the refresh token.
fn log_in(all: &mut Scenario, exchanges: usize) -> String {
    let before = all.server.journal();
    let done = all.log_in(&all.password.clone()).success();
    assert!(done.stdout.contains("Login Succeeded"), "{done}");
    assert_eq!(all.cli.calls(), ["store"]);
    assert!(done.stderr.contains(all.keychain.name), "which keychain keeps it: {done}");

    let after = all.server.journal();
    let sent = after.passwords_sent() - before.passwords_sent();
    assert_eq!(sent, 1 + exchanges, "{:?}", after.lines());

    let registry = all.registry();
    assert_eq!(all.cli.config(), json!({"auths": {&registry: {}}, "credsStore": "refresh"}));
    assert_eq!(all.keychain.items(&all.cli, &registry), 1);
    let records = all.cli.records();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["server_url"], json!(registry));
    assert_eq!(records[0]["keychain"], json!(all.keychain.name));
    // What Docker got by itself is kept as it came; what the helper obtained has been proven.
    assert_eq!(records[0]["proven"], json!(exchanges > 0));
    let token = all.token().expect("logged in");
    assert!(all.server.live_refresh_tokens().iter().any(|live| live.hash == hash(&token)));
    token
}

/// A wrong password, to Docker and to the helper itself, leaves the login as it was.
fn wrong_password_changes_nothing(all: &mut Scenario) {
    let (token, records, config) = (all.token(), all.cli.records(), all.cli.config());
    let wrong = format!("{}!", all.password);

    let refused = all.log_in(&wrong).failure();
    assert!(refused.text().contains("unauthorized"), "{refused}");
    assert!(all.cli.calls().is_empty(), "Docker itself was refused");
    let sent = all.server.journal().passwords_sent();
    let refused = all.store(&wrong).failure();
    assert_eq!(refused.stdout.trim_end().lines().count(), 1, "{refused}");
    // A third time only where the POST was answered other than 401: that profile gives by GET alone.
    let most = if records[0]["proven"] == json!(true) { 2 } else { 3 };
    let sent = all.server.journal().passwords_sent() - sent;
    assert!((1..=most).contains(&sent), "{sent}: {refused}");

    assert_eq!(all.token(), token);
    assert_eq!(all.cli.records(), records);
    assert_eq!(all.cli.config(), config);
    assert_eq!(all.keychain.items(&all.cli, &all.registry()), 1);
}

/// Logs out and looks for what is left.
fn log_out(all: &mut Scenario) {
    let registry = all.registry();
    all.docker(&["logout", &registry], "").success();
    let calls = all.cli.calls();
    assert_eq!(calls, ["erase"; 4]);
    assert_eq!(all.cli.config()["auths"].as_object().map_or(0, |auths| auths.len()), 0);
    assert_eq!(all.keychain.items(&all.cli, &registry), 0);
    assert!(all.cli.records().is_empty(), "{:?}", all.cli.records());
    assert_eq!(all.token(), None);
}

/// The last token request was a refresh with this token, by Docker Engine.
fn assert_refreshed(all: &Scenario, token: &str) {
    let journal = all.server.journal();
    let refresh = journal.iter().rfind(|request| request.method == "POST").expect("a refresh");
    assert!(refresh.has("grant_type", "refresh_token"), "{refresh:?}");
    assert!(refresh.has("refresh_token", token), "{refresh:?}");
    assert_eq!((refresh.parameter("client_id"), refresh.status), (Some("docker"), Some(200)));
}
