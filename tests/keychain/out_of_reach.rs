//! The whole program, on real keyrings that are out of reach: an error, and never "not found", upon
//! which a client would go on anonymously.

use std::fs;
use std::thread;

use crate::support::keychains::bus::Bus;
use crate::support::keychains::fake_service::{FakeService, Manners};
use crate::support::keychains::gnome_keyring::{GnomeKeyring, ON_DEMAND};
use crate::support::keychains::keepassxc::{KeePassXc, TRUSTING};
use crate::support::user::{NOT_FOUND, User};

const HOST: &str = "h.example";

/// A user of this bus with a login in its keyring.
fn logged_in(bus: &Bus) -> User {
    let user = User::new();
    user.on_bus(bus.environment());
    user.store(HOST, "<token>", "a-token").succeeded().noted("the secret-service keychain");
    user
}

fn get_fails(user: &User, how: &str) {
    let failed = user.get(HOST).failed_with(&["the secret-service keychain", how]);
    assert_ne!(failed.stdout, NOT_FOUND);
    assert!(failed.stderr.contains("secret-service"), "docker 28 shows stderr alone: {failed:?}");
}

fn is_out_of_reach(user: &User, how: &str) {
    get_fails(user, how);
    let listed = user.run("list", b"").succeeded().noted("logins in secret-service are not listed");
    assert_eq!(listed.stdout, "{}\n", "{how}");
    user.get("other.example").not_found();
}

/// With a display, so that a person is asked, and without the memory of a previous "no".
fn at_a_screen(user: &User) {
    user.set("DISPLAY", ":1");
    fs::remove_file(user.state().join("prompt-dismissed")).ok();
}

fn there_is_no_bus(user: &User) {
    user.set("DBUS_SESSION_BUS_ADDRESS", "");
    user.set("XDG_RUNTIME_DIR", "");
    is_out_of_reach(user, "there is no D-Bus session bus");
}

#[test]
fn gnome_keyring_out_of_reach_is_never_not_found() {
    let services = tempfile::tempdir().unwrap();
    let mut keyring = GnomeKeyring::start_on(Bus::with_services(Some(services.path())));
    let user = logged_in(&keyring.bus);
    keyring.lock();
    is_out_of_reach(&user, "is locked");
    at_a_screen(&user);
    is_out_of_reach(&user, "its prompt was dismissed");
    is_out_of_reach(&user, "is locked");
    user.set("DISPLAY", "");
    keyring.freeze();
    is_out_of_reach(&user, "did not answer within 5 s");
    let called = keyring.bus.next_call();
    thread::scope(|scope| {
        let keyring = &mut keyring;
        scope.spawn(|| {
            called.wait();
            keyring.kill();
        });
        get_fails(&user, "cannot be used");
    });
    is_out_of_reach(&user, "cannot be used");
    let on_demand = keyring.bus.starts_on_demand(services.path(), ON_DEMAND);
    is_out_of_reach(&user, "is locked");
    assert!(on_demand.was_started());
    there_is_no_bus(&user);
}

#[test]
fn keepassxc_out_of_reach_is_never_not_found() {
    let services = tempfile::tempdir().unwrap();
    let bus = Bus::with_services(Some(services.path()));
    let mut keepassxc = KeePassXc::prepare(bus, TRUSTING);
    keepassxc.restart();
    let user = logged_in(&keepassxc.bus);
    keepassxc.lock();
    is_out_of_reach(&user, "is locked");
    at_a_screen(&user);
    let person = keepassxc.dismiss_next_prompt();
    is_out_of_reach(&user, "its prompt was dismissed");
    person.join().unwrap();
    is_out_of_reach(&user, "is locked");
    user.set("DISPLAY", "");
    keepassxc.freeze();
    is_out_of_reach(&user, "did not answer within 5 s");
    let called = keepassxc.bus.next_call();
    thread::scope(|scope| {
        let keepassxc = &mut keepassxc;
        scope.spawn(|| {
            called.wait();
            keepassxc.kill();
        });
        get_fails(&user, "cannot be used");
    });
    is_out_of_reach(&user, "cannot be used");
    let on_demand = keepassxc.starts_on_demand(services.path(), &["logins"]);
    // It starts for longer than one call lasts.
    user.get(HOST).failed_with(&["secret-service"]);
    keepassxc.bus.wait_for("org.freedesktop.secrets");
    keepassxc.wait_until_locked_is(true);
    is_out_of_reach(&user, "is locked");
    assert!(on_demand.was_started());
    there_is_no_bus(&user);
}

#[test]
fn keepassxc_without_its_database_is_never_not_found() {
    let services = tempfile::tempdir().unwrap();
    let bus = Bus::with_services(Some(services.path()));
    let mut keepassxc = KeePassXc::prepare(bus, TRUSTING);
    keepassxc.restart();
    let user = logged_in(&keepassxc.bus);
    keepassxc.lock();
    keepassxc.kill();
    let _on_demand = keepassxc.starts_on_demand(services.path(), &[]);
    user.get(HOST).failed_with(&["secret-service"]);
    keepassxc.bus.wait_for("org.freedesktop.secrets");
    is_out_of_reach(&user, "it has no default collection");
}

#[test]
fn keepassxc_with_another_database_is_never_not_found() {
    let mut keepassxc = KeePassXc::start();
    let user = logged_in(&keepassxc.bus);
    keepassxc.lock();
    keepassxc.make_database("others");
    keepassxc.kill();
    keepassxc.restart_with("others");
    let why = "no open KeePassXC database has the login; open the one that has it";
    user.store("here.example", "<token>", "b-token").succeeded();
    get_fails(&user, why);
    user.get("other.example").not_found();
    // A legacy `docker build` asks for each one listed, and one failure drops all.
    let listed = user
        .run("list", b"")
        .succeeded()
        .noted("logins in secret-service are not listed (h.example)");
    assert_eq!(listed.stdout, "{\"here.example\":\"\\u003ctoken\\u003e\"}\n");
    let status = user.does(&["status", HOST], "");
    assert!(format!("{status:?}").contains(why), "not gone: {status:?}");
    user.erase(HOST).failed_with(&[why, "log in again"]);
    let stays = user.does(&["migrate", "--to", "kernel", HOST], "").noted(why);
    assert_eq!(stays.code, 6, "{stays:?}");
    // As the message says, also where a person deleted the entry: log in again, then log out.
    user.store(HOST, "<token>", "c-token").succeeded();
    assert_eq!(user.token(HOST), "c-token");
    user.erase(HOST).succeeded();
    user.get(HOST).not_found();
}

#[test]
fn keepassxc_that_asks_about_each_entry_is_never_not_found() {
    let mut keepassxc = KeePassXc::start();
    let user = logged_in(&keepassxc.bus);
    keepassxc.lock();
    keepassxc.kill();
    keepassxc.settings("");
    keepassxc.restart();
    get_fails(&user, "is locked");
    user.set("DISPLAY", ":1");
    let person = keepassxc.dismiss_next_prompt();
    get_fails(&user, "its prompt was dismissed");
    person.join().unwrap();
}

#[test]
fn a_gnome_keyring_or_keepassxc_prompt_that_nobody_answers_ends_after_a_minute() {
    let keyring = GnomeKeyring::start();
    let keepassxc = KeePassXc::start();
    let users = [logged_in(&keyring.bus), logged_in(&keepassxc.bus)];
    keyring.lock();
    keyring.prompter_that_nobody_answers();
    keepassxc.lock();
    thread::scope(|scope| {
        for user in users {
            scope.spawn(move || {
                at_a_screen(&user);
                is_out_of_reach(&user, "its prompt was not answered within 60 s");
                is_out_of_reach(&user, "is locked");
            });
        }
    });
}

#[test]
fn what_the_library_prints_about_a_prompt_is_not_on_stdout() {
    let manners = Manners { odd_create: true, ..Manners::default() };
    let service = FakeService::start(manners, Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    let failed = user.store(HOST, "<token>", "a-token");
    let failed = failed.failed_with(&["the secret-service keychain failed"]);
    let printed = |text: &str| text.contains("prompt result") || text.contains("Cast");
    assert!(printed(&failed.stderr) && !printed(&failed.stdout), "{failed:?}");
}
