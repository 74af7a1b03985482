//! `doctor`: each thing that can be wrong is found, with a remedy, and no secret is shown.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::{Keychain, KeychainName, Options};
use docker_credential_refresh::secret::RefreshToken;
use serde_json::{Value, json};

use super::{PASSWORD, log_in};
use crate::mock_token_server::{At, Fault, Profile, TokenServer};
use crate::support::canary::Canary;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::terminal::Terminal;
use crate::support::user::{Outcome, User};

/// A user whose PATH holds this helper and nothing else, and whose docker is set up.
fn healthy() -> User {
    let user = User::new();
    set_up(&user);
    user
}

fn set_up(user: &User) {
    user.program("unused", "");
    let bin = user.home().join("bin");
    symlink(env!("CARGO_BIN_EXE_docker-credential-refresh"), bin.join("docker-credential-refresh"))
        .unwrap();
    user.set("PATH", bin.to_str().unwrap());
    // The machine's own /run/containers is none of this user's.
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    config(user, ".docker/config.json", &json!({"credsStore": "refresh"}).to_string());
}

fn config(user: &User, path: &str, text: &str) {
    let file = user.home().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    mode(&file, 0o600);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The findings of `doctor --json`, strictly parsed.
fn findings(outcome: &Outcome) -> Vec<(String, String, String, String)> {
    assert_eq!(outcome.stdout.matches('\n').count(), 1, "{outcome:?}");
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let failed = answer["failed"].as_u64().unwrap();
    assert_eq!(outcome.code, i32::from(failed > 0), "{outcome:?}");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let all = answer["checks"].as_array().unwrap().iter().map(|finding| {
        let status = text(finding, "status");
        // Whatever is not well has its remedy.
        assert_eq!(finding["remedy"].is_null(), status == "OK", "{finding}");
        (text(finding, "check"), status, text(finding, "message"), text(finding, "remedy"))
    });
    all.collect()
}

/// Runs `doctor` and looks for findings: check, status, and a part of the message or the remedy.
#[track_caller]
fn finds(user: &User, server: Option<&str>, expected: &[(&str, &str, &str)]) -> Outcome {
    let arguments: Vec<&str> = ["doctor", "--json"].into_iter().chain(server).collect();
    let outcome = user.does(&arguments, "");
    let all = findings(&outcome);
    for (check, status, part) in expected {
        let found = all.iter().any(|(c, s, message, remedy)| {
            c == check && s == status && (message.contains(part) || remedy.contains(part))
        });
        assert!(found, "no {status} {check} with {part:?} in {all:#?}");
    }
    outcome
}

#[test]
fn a_healthy_setup_is_told_line_by_line() {
    let user = healthy();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let outcome = user.does(&["doctor"], "").succeeded();
    let home = user.home().display().to_string();
    let mut lines: Vec<String> =
        outcome.stdout.lines().map(|line| line.replace(&home, "HOME")).collect();
    // Whose home it is depends on the machine, and the time on its load.
    let user_line = lines.remove(1);
    assert!(user_line.contains(" user: HOME is "), "{user_line}");
    if user_line.starts_with("WARN") {
        lines.remove(1);
        *lines.last_mut().unwrap() = "Nothing to do".to_owned();
    }
    for line in &mut lines {
        if let Some(at) = line.find(" (").filter(|_| line.ends_with(" ms)")) {
            line.truncate(at);
        }
    }
    let expected = "\
OK    program: HOME/bin/docker-credential-refresh is on PATH
SKIP  clients: neither docker nor podman, skopeo or buildah is on PATH
      -> install one of them, if it is to log in here
OK    files: settings and records are the user's own
OK    docker config: credsStore in HOME/.docker/config.json is this helper
OK    passwords: HOME/.docker/config.json has no password
OK    keychain: kernel stores, returns and deletes
OK    logins: 1 of 1 are in their keychain
Nothing to do";
    assert_eq!(lines.join("\n"), expected);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_helper_that_clients_do_not_find_is_told() {
    let user = User::new();
    finds(
        &user,
        None,
        &[
            ("program", "FAIL", "is not on PATH"),
            ("docker config", "WARN", "does not exist: docker uses no helper"),
        ],
    );
    let user = healthy();
    let other = user.home().join("bin/docker-credential-refresh");
    fs::remove_file(&other).unwrap();
    user.program("docker-credential-refresh", "#!/bin/sh\n");
    finds(&user, None, &[("program", "WARN", "clients run ")]);
    user.settings("fallback = \"pass\"\n");
    finds(&user, None, &[("fallback", "FAIL", "docker-credential-pass is not on PATH")]);
    user.program("docker-credential-pass", "#!/bin/sh\necho '{\"h.example\":\"alice\"}'\n");
    finds(&user, None, &[("fallback", "OK", "takes what cannot be exchanged (it has 1 login)")]);
    user.program("docker", "");
    finds(&user, None, &[("docker", "OK", "bin/docker can start helpers")]);
}

#[test]
fn plaintext_passwords_and_missing_helpers_are_found_and_not_shown() {
    let user = healthy();
    let auth = base64(&format!("alice:{PASSWORD}"));
    let text = json!({
        "auths": {
            "a.example": {"auth": auth},
            "b.example": {"username": "alice", "password": PASSWORD},
            "c.example": {"auth": base64("alice:"), "identitytoken": "identity-token-77"},
            "d.example": {"auth": auth},
            "e.example": {},
        },
        "credHelpers": {"d.example": "", "f.example": "gone", "g.example": "refresh"},
    });
    config(&user, "elsewhere/config.json", &text.to_string());
    mode(&user.home().join("elsewhere/config.json"), 0o644);
    user.set("DOCKER_CONFIG", user.home().join("elsewhere").to_str().unwrap());
    config(&user, ".config/containers/auth.json", &text.to_string());
    user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", "1");
    let server = TokenServer::builder().start();
    user.set("HTTPS_PROXY", "http://proxy-user:proxy-password-1@127.0.0.1:1");
    user.set("NO_PROXY", "*");
    user.trust(&server.registry_host(), &server);
    let found = [
        ("docker config", "WARN", "does not use this helper for 127.0.0.1:"),
        ("docker config", "WARN", "elsewhere/config.json (from DOCKER_CONFIG)"),
        ("docker config", "FAIL", "docker-credential-gone, which is not on PATH"),
        ("passwords", "FAIL", "a password for a.example is in plain text in "),
        ("passwords", "FAIL", "a password for b.example is in plain text in "),
        ("passwords", "FAIL", "a token for c.example is in plain text in "),
        ("passwords", "WARN", "a password for d.example is in plain text in "),
        ("passwords", "FAIL", "(mode 644)"),
        ("passwords", "FAIL", "docker-credential-refresh import --configure shows what"),
        ("passwords", "FAIL", ".config/containers/auth.json"),
        ("passwords", "FAIL", "docker-credential-refresh import --from podman shows what"),
        ("proxy", "OK", "HTTPS_PROXY http://127.0.0.1:1; NO_PROXY is set as well"),
    ];
    let json = finds(&user, Some(&server.registry_host()), &found);
    assert!(!json.stdout.contains("e.example"), "{json:?}");
    let text = user.does(&["doctor", &server.registry_host()], "");
    for secret in [PASSWORD, auth.as_str(), "identity-token-77", "proxy-password-1"] {
        let scan = Canary::new(secret).scan();
        let scan = scan.text("json", &json.stdout).text("text", &text.stdout);
        scan.text("stderr", &(json.stderr.clone() + &text.stderr)).assert_clean();
    }
}

/// CVE-2020-8564: a file that cannot be understood is not quoted.
#[test]
fn a_broken_config_gives_path_and_line_only() {
    let user = healthy();
    config(&user, ".docker/config.json", &format!("{{\n\"auths\": {PASSWORD}}}"));
    let outcome = finds(&user, None, &[("docker config", "FAIL", "config.json, line 2")]);
    Canary::new(PASSWORD).scan().text("stdout", &outcome.stdout).assert_clean();
}

/// A registry that `credHelpers` leaves to another helper, in whatever spelling.
#[test]
fn a_registry_that_docker_asks_another_helper_for_is_told() {
    let user = healthy();
    user.program("docker-credential-other", "#!/bin/sh\necho '{}'\n");
    let ours = ("docker config", "OK", "is this helper");
    let remedy = "docker-credential-refresh configure --registry 127.0.0.1:1";
    for (text, found) in [
        (r#"{"credsStore":"refresh","credHelpers":{"h.example":"other"}}"#, ours),
        (
            r#"{"credsStore":"refresh","credHelpers":{"https://127.0.0.1:1":"other"}}"#,
            ("docker config", "WARN", "for 127.0.0.1:1: credHelpers names other for it in "),
        ),
        (
            r#"{"credsStore":"refresh","credHelpers":{"127.0.0.1:1":""}}"#,
            ("docker config", "WARN", "credHelpers names no helper for it in "),
        ),
        (r#"{"credHelpers":{"h.example":"refresh"}}"#, ("docker config", "WARN", remedy)),
        (
            r#"{"credHelpers":{"127.0.0.1:1":"refresh"}}"#,
            ("docker config", "OK", "config.json has this helper for 127.0.0.1:1"),
        ),
    ] {
        config(&user, ".docker/config.json", text);
        finds(&user, Some("127.0.0.1:1"), &[found]);
    }
}

#[test]
fn podman_that_would_write_the_password_down_is_found() {
    let user = healthy();
    user.program("podman", "");
    // No file of the machine's counts.
    config(&user, ".config/containers/registries.conf", "");
    finds(&user, None, &[("podman", "WARN", "podman does not use this helper")]);
    config(&user, ".docker/config.json", r#"{"credHelpers":{"h.example":"refresh"}}"#);
    finds(&user, None, &[("podman", "FAIL", "podman login writes the password in plain text")]);
    config(&user, ".config/containers/auth.json", r#"{"credHelpers":{"h.example":"refresh"}}"#);
    finds(&user, None, &[("podman", "OK", "podman keeps some of its logins")]);
    let drop_in = ".config/containers/registries.conf.d/50-docker-credential-refresh.conf";
    config(&user, drop_in, "credential-helpers = [\"refresh\"]\n");
    finds(&user, None, &[("podman", "OK", "podman keeps its logins with this helper")]);
    config(&user, drop_in, "credential-helpers = [\"containers-auth.json\", \"refresh\"]\n");
    finds(&user, None, &[("podman", "FAIL", "remove containers-auth.json from")]);
}

#[test]
fn a_keychain_that_is_needed_must_work_and_no_dummy_stays() {
    let user = healthy();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    let broken = ("keychain", "FAIL", "run it in a desktop session, or set keychain to kernel");
    let dummies = Keychain::open(&KeychainName::Kernel, "doctor", &Options::default()).unwrap();
    let before = dummies.list().unwrap().logins;
    finds(&user, None, &[broken, ("keychain", "OK", "kernel stores")]);
    let old = "1700000000.1.invalid";
    dummies.put(old, "doctor", &RefreshToken::new("a dummy".into())).unwrap();
    // Of a profile that happens to have the same name.
    let login = format!("10.{}:5000", std::process::id());
    dummies.put(&login, "alice", &RefreshToken::new("a-token".into())).unwrap();
    finds(&user, None, &[("keychain", "OK", "kernel stores")]);
    assert!(dummies.get(old).is_err(), "what a killed doctor left behind stays");
    dummies.delete(&login).expect("a login is no dummy");
    // Those of other tests come and go.
    let deadline = Instant::now() + Duration::from_secs(20);
    while dummies.list().unwrap().logins.iter().any(|dummy| !before.contains(dummy)) {
        assert!(Instant::now() < deadline, "{:?} stays", dummies.list());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_locked_keyring_and_planted_duplicates_are_found() {
    let keyring = GnomeKeyring::start();
    let user = healthy();
    user.on_bus(keyring.environment());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let keeps = ("keychain", "OK", "secret-service stores");
    finds(&user, None, &[keeps, ("session bus", "OK", ""), ("logins", "OK", "1 of 1")]);
    let same = [
        ("service", "docker-credential-refresh"),
        ("username", "h.example"),
        ("target", user.profile()),
        ("account", "mallory"),
    ];
    keyring.plant(&same, "planted-token");
    finds(&user, None, &[("logins", "WARN", "has 2 items for h.example; the newest is used")]);
    keyring.lock();
    let locked = "keychain secret-service is locked";
    let how = "there is no display to ask on: unlock the desktop's keyring";
    let found = finds(&user, None, &[("keychain", "WARN", how), ("logins", "WARN", how)]);
    assert!(!found.stdout.contains("docker asks for that"), "{found:?}");
    finds(&user, None, &[("keychain", "WARN", locked), ("logins", "WARN", locked)]);
    // What cannot be read is not gone.
    let status = user.does(&["status", "h.example"], "");
    assert_eq!(status.code, 6, "{status:?}");
    assert!(status.stdout.contains("State:       unreadable\n"), "{status:?}");
    assert!(status.stderr.contains(locked), "{status:?}");
    assert_eq!(user.does(&["status", "--check"], "").code, 6);
}

#[test]
fn records_are_held_against_the_keychain() {
    let user = healthy();
    finds(&user, None, &[("logins", "SKIP", "there are no records")]);
    for server in ["a.example", "b.example", "c.example"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    user.keychain().delete("a.example").unwrap();
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    file["logins"].as_array_mut().unwrap().retain(|login| login["key"] != "b.example");
    fs::write(user.records_file(), file.to_string()).unwrap();
    let outcome = finds(
        &user,
        None,
        &[
            ("logins", "WARN", "1 of 2 are in their keychain"),
            ("logins", "WARN", "the login for a.example is gone from kernel"),
            (
                "logins",
                "WARN",
                "kernel has an entry for b.example that this helper has no record of",
            ),
        ],
    );
    assert_eq!(outcome.code, 0);
    let damaged = "not json at all";
    fs::write(user.records_file(), damaged).unwrap();
    finds(&user, None, &[("logins", "FAIL", "it is damaged at line 1")]);
    // The doctor looks, and changes nothing.
    assert_eq!(fs::read_to_string(user.records_file()).unwrap(), damaged);
    user.does(&["status"], "").succeeded();
    finds(&user, None, &[("files", "WARN", "is a damaged file that was set aside")]);
}

#[test]
fn files_that_others_may_use_are_found() {
    let user = healthy();
    user.settings("profile = \"x\"\n");
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    finds(&user, None, &[("files", "OK", "the user's own")]);
    mode(&user.state(), 0o755);
    mode(&user.records_file(), 0o644);
    mode(&user.settings_file(), 0o666);
    let found = [
        ("files", "FAIL", "docker-credential-refresh (mode 755)"),
        ("files", "FAIL", "logins.json (mode 644)"),
        ("files", "FAIL", "config.toml (mode 666)"),
    ];
    finds(&user, None, &found);
    let aside = user.home().join("aside.json");
    fs::rename(user.records_file(), &aside).unwrap();
    symlink(&aside, user.records_file()).unwrap();
    finds(&user, None, &[("logins", "FAIL", "logins.json: it is a symbolic link")]);
    fs::rename(&aside, user.records_file()).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(user.records_file(), Some(65534), None).unwrap();
        finds(&user, None, &[("files", "FAIL", "belongs to uid 65534"), ("logins", "FAIL", "")]);
        std::os::unix::fs::chown(user.home(), Some(65534), None).unwrap();
        finds(&user, None, &[("user", "FAIL", "belongs to uid 65534")]);
        user.set("SUDO_UID", "1000");
        finds(&user, None, &[("user", "WARN", "this runs under sudo")]);
    }
}

#[test]
fn an_unknown_setting_is_a_finding_here_and_an_error_elsewhere() {
    let user = healthy();
    user.settings("fallbak = \"x\"\n");
    let meant = "did you mean fallback?";
    let outcome = finds(&user, None, &[("settings", "FAIL", meant)]);
    assert_eq!(outcome.code, 1);
    assert_eq!(user.does(&["status"], "").code, 2);
}

/// What is to find the cause must not die of it, and what needs no settings goes on.
#[test]
fn settings_that_cannot_be_read_are_one_finding_of_many() {
    let user = healthy();
    for broken in ["keychain = \"kernel\n", "keychain = \"kernl\"\n", "revoke_on_erase = 7\n"] {
        user.settings(broken);
        let found = [("settings", "FAIL", "config.toml"), ("keychain", "OK", "kernel stores")];
        assert_eq!(finds(&user, None, &found).code, 1);
        // In the report alone, and the remedy once.
        let told = user.does(&["doctor"], "");
        assert_eq!(told.stdout.matches("correct").count(), 2, "with the last line: {told:?}");
        assert!(!told.stderr.contains("config.toml"), "{told:?}");
        assert_eq!(user.does(&["status"], "").code, 2);
        for needs_none in [&["keygen"][..], &["completions", "bash"]] {
            user.does(needs_none, "").succeeded().noted("config.toml");
        }
    }
    user.settings("");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "../x");
    finds(&user, None, &[("settings", "FAIL", "DOCKER_CREDENTIAL_REFRESH_FALLBACK")]);
}

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
    let found = [("logins", "WARN", "log in again to replace it"), ("logins", "WARN", "0 of 1")];
    finds(&user, None, &found);
    // Of all logins one fact of many; of the one that is asked about the answer.
    let found = ("logins", "FAIL", "it was kept under another age identity");
    finds(&user, Some("h.example"), &[found]);
}

#[test]
fn what_is_wrong_with_a_registry_is_told_with_its_causes() {
    let user = healthy();
    let refused = "cannot reach 127.0.0.1:1: Connection refused (causes: ";
    finds(&user, Some("127.0.0.1:1"), &[("registry", "FAIL", refused)]);
    let server = TokenServer::builder().no_revocation().start();
    let host = server.registry_host();
    let tls = [("registry", "FAIL", "TLS failed"), ("registry", "FAIL", "put it in certs.d")];
    finds(&user, Some(&host), &tls);
    user.trust(&host, &server);
    finds(&user, Some(&host), &[("revocation", "WARN", "set revocation_endpoint")]);
    server.set_fault(At::Challenge, Fault::DateOff(10));
    finds(&user, Some(&host), &[("clock", "FAIL", "timedatectl")]);
    server.set_fault(At::Challenge, Fault::status(500));
    finds(&user, Some(&host), &[("registry", "FAIL", "answered /v2/ with status 500")]);
    server.clear_faults();
    server.set_profile(Profile::Harbor);
    finds(&user, Some(&host), &[("oauth", "WARN", "does not support refresh tokens (status 405)")]);
    finds(&user, Some(&host), &[("oauth", "WARN", "configure --fallback NAME")]);
    finds(&user, Some(&host), &[("oauth", "WARN", "with --keep-tokens, personal tokens")]);
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

/// moby#40175: after `sudo docker login` the folder is root's. "Could not look" is not "absent".
#[test]
fn a_file_that_may_not_be_looked_at_is_not_told_to_be_absent() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let user = healthy();
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(user.home(), all).unwrap();
    mode(&user.home().join(".docker"), 0o700);
    let wrapper = ["/usr/bin/setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"];
    let outcome = user.does_under(&wrapper, &["doctor", "--json"], b"");
    let found = findings(&outcome);
    let docker = found.iter().find(|(check, ..)| check == "docker config").unwrap();
    assert!(docker.1 == "FAIL" && docker.2.contains("ermission denied"), "{found:#?}");
}

/// for-win#14039 and others: a helper that is there, and does not run.
#[test]
fn a_fallback_that_does_not_work_is_found() {
    let user = healthy();
    for (name, text, why) in [
        ("desktop.exe", "MZ\0not for this system", "runs only in WSL with interop on"),
        ("other", "MZ\0not for this system", "it cannot be started: Exec format error"),
        ("script", "#!/no/such/interpreter\n", "its interpreter is not there"),
        ("broken", "#!/bin/sh\necho sealed\nexit 1\n", "list failed: sealed"),
        ("broken", "#!/bin/sh\necho sealed\nexit 1\n", "make docker-credential-broken list work"),
        ("silly", "#!/bin/sh\necho hello\n", "cannot be understood"),
        ("slow", "#!/bin/sh\nexec sleep 30\n", "no answer within 5 s"),
    ] {
        user.program(&format!("docker-credential-{name}"), text);
        user.settings(&format!("fallback = \"{name}\"\n"));
        user.set("PATH", &format!("{}:/usr/bin:/bin", user.home().join("bin").display()));
        finds(&user, None, &[("fallback", "FAIL", why)]);
    }
}

#[test]
fn what_others_could_put_before_a_helper_is_found() {
    let user = healthy();
    let (bin, early) = (user.home().join("bin"), user.home().join("early"));
    fs::create_dir(&early).unwrap();
    user.set("PATH", &format!("{}:{}", early.display(), bin.display()));
    mode(&early, 0o777);
    finds(&user, None, &[("path", "FAIL", "which comes before a helper's in PATH")]);
    mode(&early, 0o755);
    mode(&bin, 0o777);
    finds(&user, None, &[("path", "FAIL", "which holds a helper")]);
    mode(&bin, 0o755);
    user.settings("");
    let folder = user.settings_file().parent().unwrap().to_owned();
    mode(&folder, 0o770);
    finds(&user, None, &[("files", "FAIL", "docker-credential-refresh (mode 770)")]);
    mode(&folder, 0o700);
    mode(&user.settings_file(), 0o620);
    finds(&user, None, &[("files", "FAIL", "config.toml (mode 620)")]);
    mode(&user.settings_file(), 0o600);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHIAN", "file");
    let meant = "did you mean DOCKER_CREDENTIAL_REFRESH_KEYCHAIN?";
    finds(&user, None, &[("settings", "FAIL", meant)]);
    user.settings("profile = 7");
    finds(&user, None, &[("settings", "FAIL", meant), ("settings", "FAIL", "profile in ")]);
}

#[test]
fn a_state_folder_that_cannot_be_written_is_found() {
    let user = healthy();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    fs::create_dir(user.state().join("logins.json.new")).unwrap();
    finds(&user, None, &[("files", "FAIL", "logins.json.new")]);
    // Records that were changed by hand are compared with the keychains, and cannot be written now.
    let records: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    fs::write(user.records_file(), records.to_string()).unwrap();
    let status = user.does(&["status"], "").noted("logins.json.new");
    assert!(status.code == 0 && status.stdout.contains("h.example"), "{status:?}");
    fs::remove_dir(user.state().join("logins.json.new")).unwrap();
    finds(&user, None, &[("files", "OK", "")]);
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

#[test]
fn it_is_coloured_on_a_terminal_alone_and_not_against_the_users_will() {
    let user = healthy();
    let mut command = user.command();
    command.arg("doctor").env("PATH", "/usr/bin:/bin");
    command.env("TERM", "xterm");
    let (screen, _) = Terminal::run(&command).end();
    assert!(screen.contains("\u{1b}[31mFAIL \u{1b}[0m program: "), "{screen:?}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = user.command();
        command.arg("doctor").env("TERM", "xterm").env("PATH", "/usr/bin:/bin").env(name, value);
        let (screen, _) = Terminal::run(&command).end();
        assert!(!screen.contains('\u{1b}'), "{screen:?}");
    }
    assert!(!user.does(&["doctor"], "").stdout.contains('\u{1b}'));
}
