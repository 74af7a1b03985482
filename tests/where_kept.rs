//! Where a login is kept, and what becomes of it when that place is out of reach: an error, and
//! never "not found".

use std::fs;

use serde_json::json;

use crate::mock_token_server::{At, Fault, Profile, TokenServer};
use crate::support::injection::Run;
use crate::support::keychains::bus::Bus;
use crate::support::keychains::fake_service::{FakeService, Manners, Prompt};
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

#[test]
fn auto_takes_an_unlocked_desktop_keyring_and_the_record_remembers() {
    let keyring = GnomeKeyring::start();
    let user = User::new();
    user.on_bus(keyring.environment());
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored.noted(
        "stored in the secret-service keychain until it is deleted (the desktop's keyring is unlocked)",
    );
    assert_eq!(user.records()[0]["keychain"], "secret-service");
    assert_eq!(user.kept("h.example"), None);
    let shown = keyring.shown("username", "h.example");
    assert!(shown.contains("label = docker-credential-refresh: h.example"), "{shown}");

    // Another keychain set for new logins does not change where this one is.
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    assert_eq!(user.token("h.example"), "a-token");
    user.store("h.example", "<token>", "b-token").succeeded().noted("in the kernel keychain");
    assert_eq!(user.records()[0]["keychain"], "kernel");
    assert_eq!(user.token("h.example"), "b-token");
    assert!(!keyring.shown("username", "h.example").contains("label"), "moved, not copied");
}

#[test]
fn auto_takes_the_kernel_where_there_is_no_bus_and_says_why() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored
        .noted("in the kernel keychain until the machine reboots")
        .noted("there is no D-Bus session bus");
}

#[test]
fn a_recorded_login_that_cannot_be_read_is_an_error_and_left_out_of_the_list() {
    let mut keyring = GnomeKeyring::start();
    let user = User::new();
    user.store("kernel.example", "<token>", "k-token").succeeded();
    user.on_bus(keyring.environment());
    user.store("h.example", "<token>", "a-token").succeeded();
    let before = fs::read(user.records_file()).unwrap();
    let unreadable = |how: &str| {
        let failed = user.get("h.example").failed_with(&["secret-service"]);
        assert!(
            failed.stderr.contains("secret-service"),
            "docker 28 shows stderr alone: {failed:?}"
        );
        let failed = user.erase("h.example").failed_with(&["secret-service"]);
        assert!(
            failed.stderr.contains("secret-service"),
            "docker 28 calls it removed, and shows stderr alone: {failed:?}"
        );
        let listed =
            user.run("list", b"").succeeded().noted("logins in secret-service are not listed");
        assert_eq!(listed.stdout, "{\"kernel.example\":\"\\u003ctoken\\u003e\"}\n", "{how}");
        user.get("absent.example").not_found();
        assert_eq!(user.token("kernel.example"), "k-token");
        assert_eq!(fs::read(user.records_file()).unwrap(), before);
    };
    keyring.lock();
    unreadable("locked");
    keyring.kill();
    unreadable("killed");
    user.set("DBUS_SESSION_BUS_ADDRESS", "");
    user.set("XDG_RUNTIME_DIR", "");
    unreadable("no bus");
    user.on_bus(keyring.environment());
    keyring.restart();
    assert_eq!(user.token("h.example"), "a-token");
    user.erase("h.example").succeeded();
}

#[test]
fn without_records_a_keychain_out_of_reach_counts_as_absent_only_under_auto() {
    let keyring = GnomeKeyring::start();
    let user = User::new();
    user.on_bus(keyring.environment());
    user.store("h.example", "<token>", "a-token").succeeded();
    fs::remove_dir_all(user.state()).unwrap();
    assert_eq!(user.token("h.example"), "a-token");
    keyring.lock();
    user.get("h.example").not_found();
    user.erase("h.example")
        .succeeded()
        .noted("was not searched for this login: the secret-service");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    user.get("h.example").failed_with(&["locked"]);
    user.erase("h.example").failed_with(&["locked"]);
}

#[test]
fn after_a_dismissed_prompt_there_is_no_second_one_for_a_minute() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    user.store("h.example", "<token>", "a-token").succeeded();
    let locked = Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() };
    service.behave(locked.clone());
    let prompts = || service.calls().iter().filter(|member| *member == "Prompt").count();
    prompts();
    user.get("h.example").failed_with(&["its prompt was dismissed"]);
    assert_eq!(prompts(), 1);
    let marker = user.state().join("prompt-dismissed");
    let dismissed = || fs::metadata(&marker).unwrap().modified().unwrap();
    let before = dismissed();
    user.get("h.example").failed_with(&["is locked"]);
    user.erase("h.example").failed_with(&["is locked"]);
    assert_eq!((prompts(), dismissed()), (0, before));
    // A minute later.
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(61);
    fs::File::options().write(true).open(&marker).unwrap().set_modified(earlier).unwrap();
    service.behave(Manners { prompt: Prompt::Unlocks, ..locked });
    assert_eq!(user.token("h.example"), "a-token");
    // What fails otherwise keeps no prompt away.
    fs::remove_file(&marker).unwrap();
    service.behave(Manners { fails_at: Some("Delete"), ..Manners::default() });
    user.erase("h.example").failed_with(&["secret-service keychain failed"]);
    assert!(!marker.exists());
}

#[test]
fn nor_is_there_a_second_prompt_where_no_records_tell_of_the_login() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    user.store("h.example", "<token>", "a-token").succeeded();
    fs::remove_file(user.records_file()).unwrap();
    service.behave(Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() });
    user.get("h.example").failed_with(&["its prompt was dismissed"]);
    service.calls();
    user.get("h.example").failed_with(&["is locked"]);
    user.erase("h.example").failed_with(&["is locked"]);
    assert!(!service.calls().contains(&"Prompt".to_owned()));
}

#[test]
fn nobody_is_asked_to_unlock_what_may_have_no_login() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    user.store("h.example", "<token>", "a-token").succeeded();
    service.behave(Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() });
    service.calls();
    user.does(&["status"], "");
    fs::remove_file(user.records_file()).unwrap();
    user.get("h.example").not_found();
    user.list();
    user.does(&["status"], "");
    assert!(!service.calls().contains(&"Prompt".to_owned()));
}

#[test]
fn a_locked_keychain_is_found_out_before_the_password_is_sent() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let host = server.registry_host();
    for (manners, why) in [
        (Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() }, "dismissed"),
        (
            Manners { no_default: true, dies_at: Some("CreateCollection"), ..Manners::default() },
            "secret-service",
        ),
    ] {
        let service = FakeService::start(manners, Vec::new());
        let user = User::trusting(&server);
        user.on_bus(service.bus.environment());
        user.set("DISPLAY", ":99");
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
        user.store(&host, "alice", PASSWORD).failed_with(&[why]);
        assert_eq!(server.journal().passwords_sent(), 0);
    }
}

#[test]
fn nothing_usable_names_each_keychain_and_the_setting() {
    let bus = Bus::start();
    let user = User::new();
    user.on_bus(bus.environment());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    let failed = user.store("h.example", "<token>", "a-token");
    failed.failed_with(&["the secret-service keychain cannot be used", "set keychain to"]);
}

#[test]
fn a_token_that_could_not_be_kept_is_revoked_and_the_previous_login_stays() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.secret(PASSWORD);
    let login = json!({"ServerURL": host, "Username": "alice", "Secret": PASSWORD}).to_string();
    let store = Run { user: &user, arguments: &["store"], stdin: &login };
    let replace = store.calls().into_iter().rfind(|call| call.name.starts_with("rename")).unwrap();
    let previous = user.token(&host);
    let before = fs::read(user.records_file()).unwrap();
    server.clear_journal();
    store.with_error(&replace, "EIO").failed_with(&["cannot replace"]);
    let paths: Vec<_> = server.journal().requests().iter().map(|r| r.path.clone()).collect();
    assert_eq!(paths.last().map(String::as_str), Some("/revoke"), "{paths:?}");
    assert_eq!(server.live_refresh_tokens().len(), 1, "only the previous is alive");
    assert_eq!(user.token(&host), previous);
    assert_eq!(fs::read(user.records_file()).unwrap(), before);
}

#[test]
fn a_keychain_that_fails_half_way_has_the_previous_token_put_back() {
    let server = TokenServer::builder()
        .profile(Profile::Specification)
        .user("alice", PASSWORD)
        .user("bob", "another password")
        .start();
    let host = server.registry_host();
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::trusting(&server);
    user.on_bus(service.bus.environment());
    user.store(&host, "alice", PASSWORD).succeeded();
    let previous = user.token(&host);
    // The secret is set by then, and the account is not.
    service.behave(Manners { fails_at: Some("Set"), ..Manners::default() });
    user.store(&host, "bob", "another password").failed_with(&["no disk"]);
    assert_eq!(user.token(&host), previous);
    assert_eq!(user.records()[0]["account"], "alice");
    let live = server.live_refresh_tokens();
    assert_eq!(live.len(), 1, "bob's was revoked, and alice's was not: {live:?}");
    assert_eq!(live[0].account, "alice");
}

#[test]
fn where_no_revocation_endpoint_is_known_that_is_said() {
    let builder = TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD);
    let server = builder.no_metadata().start();
    let user = User::trusting(&server);
    fs::create_dir_all(user.state().join("logins.json.new")).unwrap();
    let failed = user.store(&server.registry_host(), "alice", PASSWORD);
    failed
        .failed_with(&["cannot write"])
        .noted("could not be revoked: no revocation endpoint is known");
}

#[test]
fn revoke_on_erase_ends_the_token_at_the_server_too() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.store(&host, "alice", PASSWORD).succeeded();
    user.erase(&host).succeeded();
    assert_eq!(server.live_refresh_tokens().len(), 1, "not unless it is set");
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    user.store(&host, "alice", PASSWORD).succeeded();
    let erased = user.erase(&host).succeeded();
    assert_eq!((server.live_refresh_tokens().len(), erased.stderr.as_str()), (1, ""));
    user.store(&host, "alice", PASSWORD).succeeded();
    drop(server);
    user.erase(&host).succeeded().noted("may still be valid at the server");
    assert_eq!(user.list(), json!({}));
}

#[test]
fn without_records_too_a_token_that_is_erased_is_revoked_and_one_out_of_reach_is_an_error() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    for damage in [None, Some("garbage")] {
        user.store(&host, "alice", PASSWORD).succeeded();
        match damage {
            None => fs::remove_file(user.records_file()).unwrap(),
            Some(damage) => fs::write(user.records_file(), damage).unwrap(),
        }
        user.erase(&host).succeeded();
        assert!(server.live_refresh_tokens().is_empty(), "{damage:?}");
        assert_eq!(user.kept(&host), None);
    }
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    user.erase(&host).failed_with(&["the secret-service keychain cannot be used"]);
}

#[test]
fn a_server_that_issues_the_same_token_again_keeps_the_previous_login_alive() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.store(&host, "alice", PASSWORD).succeeded();
    let previous = user.token(&host);
    fs::create_dir(user.state().join("logins.json.new")).unwrap();
    let answer = json!({"access_token": "a", "refresh_token": previous}).to_string();
    server.set_fault(At::Exchange, Fault::Body(answer));
    user.store(&host, "alice", PASSWORD).failed_with(&["cannot write"]);
    assert!(server.journal().requests().iter().all(|request| request.path != "/revoke"));
}

#[test]
fn without_records_a_keychain_that_is_left_out_of_the_list_is_named() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    let listed = user.run("list", b"").succeeded().noted("logins in secret-service are not listed");
    assert_eq!(listed.stdout, "{}\n");
    // Nor does a command that writes the records take them for complete.
    user.does(&["status"], "");
    user.run("list", b"").succeeded().noted("logins in secret-service are not listed");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    assert_eq!(user.run("list", b"").succeeded().stderr, "");
}

#[test]
fn where_there_never_were_records_the_first_ones_are_complete_without_a_desktop() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    user.store("h.example", "<token>", "a-token").succeeded();
    let trace = user.home().join("trace.log");
    user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", trace.to_str().unwrap());
    user.get("other.example").not_found();
    let traced = fs::read_to_string(&trace).unwrap();
    assert!(!traced.contains("keychain "), "{traced}");
    user.token("h.example");
    let traced = fs::read_to_string(&trace).unwrap();
    assert!(traced.contains("keychain "), "{traced}");
}

#[test]
fn a_token_that_is_erased_is_revoked_also_where_the_fallback_fails() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.store(&host, "alice", PASSWORD).succeeded();
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "gone");
    user.erase(&host).failed_with(&["docker-credential-gone is not on PATH"]);
    assert!(server.live_refresh_tokens().is_empty());
}
