//! The Secret Service, on a real KWallet that is closed, silent, gone or switched off: an error each
//! time, and never "not found".

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::keychains::agent::{Agent, answers};
use crate::support::keychains::bus::Bus;
use crate::support::keychains::kwallet::{KWallet, SERVICE_FILE};
use crate::support::user::User;

/// In the settings: no program may open the wallet. It calls those of the Secret Service so.
const DENY: &str = "[Auto Deny]\nkdewallet=KDE System\n";
const DISABLED: &str = "Enabled=false\n";
const WITHOUT_SECRETS: &str = "[org.freedesktop.secrets]\napiEnabled=false\n";

/// What is asked of a keychain that has the login `k` and cannot be read.
const STEPS: [&str; 5] = ["get k", "put k bob u", "put other bob u", "delete k", "unlock"];

fn agent(wallet: &KWallet) -> Agent {
    let agent = Agent::new("secret-service", "default").environment(wallet.environment());
    agent.set("AGENT_DEADLINE", "3").set("AGENT_PROMPT_DEADLINE", "2")
}

fn auto(wallet: &KWallet) -> Agent {
    Agent::auto().environment(wallet.environment()).set("AGENT_DEADLINE", "3")
}

/// One that has the login `k`, saved, in a closed wallet.
fn closed() -> KWallet {
    closed_on(Bus::start())
}

fn closed_on(bus: Bus) -> KWallet {
    let wallet = KWallet::start_on(bus);
    assert_eq!(agent(&wallet).one("put k alice t"), "ok");
    wallet.close();
    wallet
}

/// One on a bus that starts it when it is asked for; the folder belongs to the bus.
fn closed_on_starting_bus() -> (KWallet, tempfile::TempDir) {
    let services = tempfile::tempdir().unwrap();
    fs::write(services.path().join("secrets.service"), SERVICE_FILE).unwrap();
    (closed_on(Bus::with_services(Some(services.path()))), services)
}

fn assert_each(agent: &Agent, kind: &str, steps: &[&str]) {
    for step in steps {
        let begin = Instant::now();
        let told = agent.one(step);
        assert!(told.starts_with(kind), "{step}: {told}");
        assert!(begin.elapsed() < Duration::from_secs(7), "{step}: {:?}", begin.elapsed());
    }
}

#[test]
fn closed_is_locked_and_opens_without_a_person_only_as_pam_does_it() {
    let wallet = closed();
    let agent = agent(&wallet);
    assert_eq!(agent.one("list"), "k=alice", "which unlocks nothing");
    assert!(agent.one("check").starts_with("locked: "));
    assert!(agent.one("get absent").starts_with("absent: "), "it knows what it has");
    assert_each(&agent.clone().set("AGENT_NO_PROMPT", "1"), "locked: ", &STEPS);
    wallet.open();
    let unasked = agent.clone().set("AGENT_NO_PROMPT", "1");
    assert_eq!(unasked.one("check"), "ok", "it is asked: else it says locked");
    assert_eq!(agent.run(&["get k", "check"]), ["alice t", "ok"]);
}

#[test]
fn one_that_was_opened_at_login_needs_no_get_to_be_listed() {
    for display in ["", ":99"] {
        let mut wallet = KWallet::start();
        let user = User::new();
        user.on_bus(wallet.environment());
        user.set("DISPLAY", display);
        user.store("h.example", "<token>", "a-token").succeeded().noted("secret-service");
        for arguments in [&["list"][..], &["status"], &["doctor"]] {
            wallet.close();
            wallet.end(Signal::TERM);
            wallet.restart();
            wallet.open();
            let told = user.does(arguments, "");
            assert!(!format!("{told:?}").contains("locked"), "{arguments:?}: {told:?}");
            assert!(arguments != ["list"] || told.stdout.contains("h.example"), "{told:?}");
        }
    }
}

#[test]
fn a_dialog_that_nobody_sees_is_locked_and_one_that_nobody_answers_is_unanswered() {
    let wallet = closed();
    let agent = agent(&wallet);
    assert_each(&agent, "locked: ", &STEPS);
    assert_each(&agent.clone().set("DISPLAY", ":99"), "unanswered: ", &STEPS);
    assert_eq!(agent.one("list"), "k=alice");
}

#[test]
fn a_program_that_is_not_let_in_was_dismissed() {
    let mut wallet = closed();
    wallet.end(Signal::TERM);
    wallet.configure(DENY);
    wallet.restart();
    wallet.open();
    let agent = agent(&wallet);
    assert_each(&agent, "locked: ", &STEPS);
    let at_display = agent.clone().set("DISPLAY", ":99").set("AGENT_PROMPT_DEADLINE", "60");
    assert_each(&at_display, "dismissed: ", &STEPS);
    assert_eq!(agent.one("list"), "k=alice", "nothing was deleted");
}

#[test]
fn what_it_does_not_keep_is_not_called_kept() {
    // It says "unlocked", and success to everything, and does nothing.
    let wallet = closed();
    wallet.open();
    let agent = agent(&wallet);
    assert_eq!(agent.one("get k"), "alice t");
    wallet.disconnect_programs();
    let told = agent.run(&["get k", "put k alice u", "put other bob u", "list"]);
    assert!(told[0].starts_with("damaged: "), "{told:?}");
    for told in &told[1..3] {
        assert!(told.starts_with("failed: ") && told.contains("did not keep the token"), "{told}");
    }
    assert_eq!(told[3], "k=alice", "nothing is left of the other");
    wallet.close();
    wallet.open();
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn killed_or_silent_is_unavailable_and_comes_back() {
    let mut wallet = closed();
    wallet.open();
    let agent = agent(&wallet);
    assert_eq!(agent.one("get k"), "alice t");
    wallet.freeze();
    assert_each(&agent, "unavailable: ", &STEPS);
    for step in STEPS {
        let called = wallet.bus.next_call();
        let running = agent.command(&[step]).spawn().unwrap();
        called.wait();
        wallet.end(Signal::KILL);
        let told = answers(&running.wait_with_output().unwrap()).remove(0);
        assert!(told.starts_with("unavailable: "), "{step}: {told}");
        wallet.restart();
        wallet.freeze();
    }
    wallet.end(Signal::KILL);
    assert_each(&agent, "unavailable: ", &STEPS);
    wallet.restart();
    wallet.open();
    assert_eq!(agent.run(&["get k", "list"]), ["alice t", "k=alice"]);
}

#[test]
fn one_that_the_bus_starts_is_locked_until_it_is_opened() {
    let (mut wallet, _services) = closed_on_starting_bus();
    let agent = agent(&wallet);
    wallet.end(Signal::KILL);
    assert_eq!(agent.one("list"), "k=alice");
    assert!(agent.one("check").starts_with("locked: "));
    wallet.open();
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn switched_off_is_unavailable() {
    for settings in [DISABLED, WITHOUT_SECRETS] {
        let (mut wallet, services) = closed_on_starting_bus();
        wallet.end(Signal::TERM);
        wallet.configure(settings);
        let agent = agent(&wallet);
        // The bus starts it again each time, and it ends or offers nothing.
        assert_each(&agent, "unavailable: ", &STEPS);
        assert_each(&agent, "unavailable: ", &["list", "check", "get absent"]);
        fs::remove_file(services.path().join("secrets.service")).unwrap();
        wallet.start_unwatched();
        assert_each(&agent.clone().set("DISPLAY", ":99"), "unavailable: ", &["get k", "unlock"]);
    }
}

#[test]
fn without_any_wallet_it_is_unavailable() {
    let services = tempfile::tempdir().unwrap();
    fs::write(services.path().join("secrets.service"), SERVICE_FILE).unwrap();
    let wallet = KWallet::not_started_on(Bus::with_services(Some(services.path())));
    assert_each(&agent(&wallet), "unavailable: ", &STEPS);
}

#[test]
fn auto_takes_one_that_opens_without_a_person() {
    let wallet = closed();
    wallet.open();
    let told = auto(&wallet).run(&["put n alice t"]);
    assert_eq!(told, ["secret-service: the desktop's keyring is unlocked", "ok"]);
    wallet.close();
    let told = auto(&wallet).set("DISPLAY", ":99").run(&["lifetime"]).remove(0);
    assert_eq!(told, "secret-service: the desktop can ask to unlock its keyring");
    let told = auto(&wallet).run(&["lifetime"]).remove(0);
    assert_eq!(told, "kernel: the desktop's keyring is locked and nobody can be asked");
}

#[test]
fn a_recorded_login_that_cannot_be_read_is_an_error_and_left_out_of_the_list() {
    let (mut wallet, services) = closed_on_starting_bus();
    wallet.open();
    let user = User::new();
    user.store("kernel.example", "<token>", "k-token").succeeded();
    user.on_bus(wallet.environment());
    user.store("h.example", "<token>", "a-token").succeeded().noted("secret-service");
    wallet.close();
    let unreadable = |how: &str| {
        let failed = user.get("h.example").failed_with(&["secret-service"]);
        assert!(failed.stderr.contains("secret-service"), "{how}: {failed:?}");
        let listed = user.run("list", b"").succeeded();
        let listed = listed.noted("logins in secret-service are not listed");
        assert_eq!(listed.stdout, "{\"kernel.example\":\"\\u003ctoken\\u003e\"}\n", "{how}");
        user.erase("h.example").failed_with(&["secret-service"]);
        assert_eq!(user.token("kernel.example"), "k-token");
    };
    unreadable("closed, without a display");
    wallet.freeze();
    unreadable("silent");
    wallet.end(Signal::KILL);
    wallet.configure(DENY);
    wallet.restart();
    wallet.open();
    unreadable("not let in, without a display");
    user.set("DISPLAY", ":99");
    unreadable("dismissed");
    user.set("DISPLAY", "");
    // As if a minute had passed.
    fs::remove_file(user.state().join("prompt-dismissed")).unwrap();
    for (how, settings) in [("disabled", DISABLED), ("without secrets", WITHOUT_SECRETS)] {
        wallet.end(Signal::KILL);
        wallet.configure(settings);
        unreadable(how);
    }
    drop(services);
    wallet.end(Signal::KILL);
    wallet.configure("");
    wallet.restart();
    wallet.open();
    assert_eq!(user.token("h.example"), "a-token");
    wallet.disconnect_programs();
    let failed = user.get("h.example").failed_with(&["secret-service", "cannot be read"]);
    assert!(failed.stderr.contains("cannot be read"), "{failed:?}");
    wallet.close();
    wallet.open();
    user.erase("h.example").succeeded();
}
