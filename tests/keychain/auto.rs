//! `auto` where nothing can be used: each keychain is named with what is in its way, and what the
//! message says works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use docker_credential_refresh::keychain::new_identity;
use serde_json::json;

use crate::mock_token_server::TokenServer;
use crate::support::keychains::bus::Bus;
use crate::support::keychains::fake_service::{FakeService, Manners, Prompt};
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::keychains::vault::Vault;
use crate::support::user::{Outcome, User};

const PASSWORD: &str = "correct horse battery";

/// A user with nothing, in a container that forbids the kernel keyring.
fn user_with_nothing() -> User {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "");
    user
}

/// Runs the helper there.
fn run(user: &User, arguments: &[&str], stdin: &str) -> Outcome {
    let helper = user.command();
    let input = user.home().join("input");
    fs::write(&input, stdin).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=keyctl,add_key,request_key"]);
    strace.args(["-e", "inject=keyctl,add_key,request_key:error=EPERM"]);
    // Of helpers, only those that a test makes.
    strace.arg("-E").arg(format!("PATH={}", user.home().join("bin").display()));
    strace.arg(helper.get_program()).args(arguments).env_clear();
    strace.envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.stdin(fs::File::open(&input).unwrap()).output().expect("strace");
    fs::remove_file(input).unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn store(user: &User) -> Outcome {
    let payload = json!({"ServerURL": "h.example", "Username": "<token>", "Secret": "a-token"});
    run(user, &["store"], &payload.to_string())
}

/// The command in the message that makes an identity.
const COMMAND: &str = "docker-credential-refresh keygen --install";

/// All of the message, given what is wrong with the desktop's keyring.
fn message(desktop: &str, helpers: &str) -> String {
    format!(
        "no keychain can be used: secret-service: {desktop}; file: there is no age identity, run: \
         {COMMAND}; kernel: keyctl is forbidden here, as in most containers (EPERM); \
         {helpers}\n"
    )
}

const IDENTITY: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
const NO_BUS: &str = "there is no D-Bus session bus, run it in a desktop session";
const NO_HELPER: &str = "helper:NAME: no other docker-credential helper is on PATH";

#[test]
fn each_decision_says_why() {
    let keeps = |user: &User, why: &str| {
        let payload = r#"{"ServerURL": "h.example", "Username": "<token>", "Secret": "a-token"}"#;
        user.run("store", payload.as_bytes()).succeeded().noted(&format!("stored in the {why}"));
        assert_eq!(user.token("h.example"), "a-token");
    };
    let (deleted, reboot) = ("until it is deleted", "until the machine reboots");
    let desktop = |manners: Manners, display: &str| {
        let service = FakeService::start(manners, Vec::new());
        let user = user_with_nothing();
        for (name, value) in service.bus.environment().into_iter().filter(|(n, _)| *n != "HOME") {
            user.set(name, &value);
        }
        user.set("DISPLAY", display);
        (service, user)
    };
    let locked = Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() };
    let opens_itself = Manners { locked: true, ..Manners::default() };
    let missing = Manners { no_default: true, ..Manners::default() };
    let identity = new_identity().0;
    for (manners, display, set, why) in [
        (
            Manners::default(),
            "",
            false,
            format!("secret-service keychain {deleted} (the desktop's keyring is unlocked)"),
        ),
        (
            opens_itself.clone(),
            "",
            false,
            format!("secret-service keychain {deleted} (the desktop's keyring is unlocked)"),
        ),
        (
            opens_itself,
            ":99",
            false,
            format!(
                "secret-service keychain {deleted} (the desktop can ask to unlock its keyring)"
            ),
        ),
        (
            missing.clone(),
            ":99",
            true,
            format!(
                "secret-service keychain {deleted} (the desktop can ask to create its keyring)"
            ),
        ),
        (
            locked.clone(),
            "",
            false,
            format!(
                "kernel keychain {reboot} (the desktop's keyring is locked and nobody can be asked)"
            ),
        ),
        (
            missing,
            "",
            false,
            format!(
                "kernel keychain {reboot} (the desktop's keyring cannot be used: it has no default collection, and there is no display to create one on)"
            ),
        ),
        (
            locked,
            "",
            true,
            format!(
                "file keychain {deleted} (its key is in {IDENTITY}, and the desktop's keyring is locked and nobody can be asked)"
            ),
        ),
    ] {
        let (_service, user) = desktop(manners, display);
        if set {
            user.set(IDENTITY, identity.expose());
        }
        keeps(&user, &why);
    }
    // By each way to set an identity, and without one.
    let no_bus = "the desktop's keyring cannot be used: there is no D-Bus session bus)";
    let user = user_with_nothing();
    keeps(&user, &format!("kernel keychain {reboot} ({no_bus}"));
    let file = user.settings_file().with_file_name("age-identity.txt");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, identity.expose()).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    keeps(
        &user,
        &format!("file keychain {deleted} (its key is in {}, and {no_bus}", file.display()),
    );
    let name = "docker-credential-refresh-age-identity";
    fs::rename(&file, user.home().join(name)).unwrap();
    user.set("CREDENTIALS_DIRECTORY", &user.home().display().to_string());
    keeps(
        &user,
        &format!(
            "file keychain {deleted} (its key is in the systemd credential {name}, and {no_bus}"
        ),
    );
}

#[test]
fn a_verb_and_a_command_name_every_keychain_and_no_password_is_sent() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = user_with_nothing();
    user.trust(&server.registry_host(), &server);
    let message = message(NO_BUS, NO_HELPER);
    let stored = store(&user);
    assert_eq!((stored.code, stored.stdout.as_str()), (1, message.as_str()));
    let login = ["login", &server.registry_host(), "-u", "alice", "--password-stdin"];
    let said = format!("docker-credential-refresh: {message}");
    let failed = run(&user, &login, PASSWORD).is(6, "", &said);
    assert_eq!(failed.stderr, said);
    assert_eq!(server.journal().passwords_sent(), 0);
    assert!(user.records().is_empty());
}

#[test]
fn the_identity_that_the_message_has_one_make_works() {
    let user = user_with_nothing();
    store(&user).failed_with(&[COMMAND]);
    let helper = user.command();
    fs::create_dir(user.home().join("bin")).unwrap();
    let link = user.home().join("bin/docker-credential-refresh");
    std::os::unix::fs::symlink(helper.get_program(), link).unwrap();
    let path = format!("{}:/usr/bin:/bin", user.home().join("bin").display());
    let mut shell = Command::new("sh");
    shell.args(["-c", COMMAND]).env_clear().env("HOME", user.home()).env("PATH", path);
    assert!(shell.stderr(Stdio::null()).status().unwrap().success());
    let why = ", and the desktop's keyring cannot be used: there is no D-Bus session bus)";
    store(&user).succeeded().noted("stored in the file keychain until it is deleted (").noted(why);
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn a_desktop_keyring_that_is_unlocked_as_the_message_says_works() {
    let mut keyring = GnomeKeyring::start();
    let user = user_with_nothing();
    for (name, value) in keyring.environment().into_iter().filter(|(name, _)| *name != "HOME") {
        user.set(name, &value);
    }
    keyring.lock();
    let failed = store(&user);
    let expected = message("it is locked, unlock it", NO_HELPER);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, expected.as_str()));
    keyring.kill();
    store(&user).failed_with(&["secret-service: ", ", start the desktop's keyring; file: "]);
    // Unlocked from the start.
    keyring.restart();
    store(&user).succeeded().noted(
        "stored in the secret-service keychain until it is deleted (the desktop's keyring is unlocked)",
    );
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn a_bus_without_a_keyring_and_a_keyring_without_a_collection_are_told_apart() {
    let user = user_with_nothing();
    let on = |bus: &Bus| {
        for (name, value) in bus.environment().into_iter().filter(|(name, _)| *name != "HOME") {
            user.set(name, &value);
        }
    };
    let bus = Bus::start();
    on(&bus);
    store(&user).failed_with(&["not provided by any .service files, start the desktop's keyring;"]);
    let service =
        FakeService::start(Manners { no_default: true, ..Manners::default() }, Vec::new());
    on(&service.bus);
    let why = "it has no default collection, and there is no display to create one on; file: ";
    store(&user).failed_with(&["secret-service: ", why]);
    assert!(service.items().is_empty());
}

#[test]
fn the_helpers_on_path_are_named_but_for_the_service_that_was_tried() {
    let user = user_with_nothing();
    for name in ["pass", "secretservice", "gcloud", "refresh"] {
        user.program(&format!("docker-credential-{name}"), "#!/bin/sh\nexit 1\n");
    }
    let vault = Vault::new();
    vault.install(&user, "vault", "cat");
    let expected = message(NO_BUS, "set keychain to helper:pass or helper:vault and log in again");
    assert_eq!(store(&user).stdout, expected);
    user.settings("keychain = \"helper:vault\"\n");
    store(&user).succeeded().noted("stored in the helper:vault keychain until it is deleted");
    assert_eq!(user.token("h.example"), "a-token");
}
