//! The Secret Service, on a real KeePassXC.

use std::time::{Duration, Instant};

use super::first_logins::first_logins_at_once;
use crate::support::keychains::agent::{Agent, answers};
use crate::support::keychains::bus::Bus;
use crate::support::keychains::keepassxc::{KeePassXc, TRUSTING, TRUSTING_UNSAVED};

const SERVICE: (&str, &str) = ("service", "docker-credential-refresh");

fn agent(keepassxc: &KeePassXc) -> Agent {
    Agent::new("secret-service", "default").environment(keepassxc.environment())
}

/// One that would see a prompt, and waits for it no longer than a test can.
fn agent_at_a_screen(keepassxc: &KeePassXc) -> Agent {
    agent(keepassxc).set("DISPLAY", ":1").set("AGENT_PROMPT_DEADLINE", "3")
}

fn contract(keepassxc: &KeePassXc) -> Agent {
    let agent = Agent::contract("secret-service").environment(keepassxc.environment());
    agent.set("AGENT_IS_KEEPASSXC", "1")
}

#[test]
fn keeps_the_contract() {
    let keepassxc = KeePassXc::start_with(TRUSTING_UNSAVED);
    contract(&keepassxc).pass();
}

#[test]
fn keeps_the_contract_over_an_encrypted_session() {
    let keepassxc = KeePassXc::start_with(TRUSTING_UNSAVED);
    contract(&keepassxc).set("AGENT_ENCRYPTED", "1").pass();
}

#[test]
fn is_shown_by_its_own_tool_without_secrets_in_attributes() {
    let mut keepassxc = KeePassXc::start();
    agent(&keepassxc).run(&["put registry.example.com alice t0k3n", "put a bob x"]);
    agent(&keepassxc).run(&["put a carol y"]);
    keepassxc.lock();
    keepassxc.kill();
    let listed = keepassxc.on_file("ls", &["-R"], &[]);
    let title = "docker-credential-refresh: registry.example.com (alice)";
    assert!(listed.contains(title), "{listed}");
    assert!(listed.contains("docker-credential-refresh: a (carol)"), "{listed}");
    let shown = keepassxc.on_file("show", &["--all"], &[&format!("/Secrets/{title}")]);
    for line in [
        "Password: PROTECTED",
        "service: docker-credential-refresh",
        "username: registry.example.com",
        "target: default",
        "account: alice",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(!shown.contains("t0k3n"), "{shown}");
    let shown = keepassxc.on_file("show", &["--all", "-s"], &[&format!("/Secrets/{title}")]);
    assert!(shown.contains("Password: t0k3n"), "it is the password, not an attachment: {shown}");
    assert_eq!(shown.matches("t0k3n").count(), 1, "{shown}");
}

#[test]
fn planted_items_are_not_ours() {
    let keepassxc = KeePassXc::start();
    // The loosest last: secret-tool replaces what has all the attributes it sets, and KeePassXC
    // would ask about that.
    keepassxc.plant(&[SERVICE, ("username", "k"), ("target", "default2")], "another profile");
    keepassxc.plant(&[SERVICE, ("username", "k/x"), ("target", "default")], "another key");
    keepassxc.plant(&[("username", "k"), ("target", "default")], "no service");
    keepassxc.plant(
        &[("service", "x"), ("username", "k"), ("target", "default"), ("n", "1")],
        "another service",
    );
    keepassxc.plant(&[SERVICE, ("username", "k"), ("n", "2")], "no target");
    keepassxc.plant(&[SERVICE, ("target", "default"), ("n", "3")], "no key");
    let agent = agent(&keepassxc);
    assert!(agent.one("get k").starts_with("elsewhere: "));
    assert!(agent.one("delete k").starts_with("elsewhere: "));
    assert_eq!(agent.run(&["put k alice t", "get k", "list"]), ["ok", "alice t", "k=alice k/x="]);
    assert_eq!(agent.one("delete k"), "ok");
    assert!(agent.one("get k").starts_with("elsewhere: "));
    let left = keepassxc.secrets("username", "k");
    assert_eq!(left, ["another profile", "another service", "no service", "no target"]);
}

#[test]
fn the_newest_of_several_wins_and_all_are_deleted() {
    let keepassxc = KeePassXc::start();
    let agent = agent(&keepassxc);
    let ours = [SERVICE, ("username", "k"), ("target", "default")];
    let second = || std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(agent.one("put k alice old"), "ok");
    second();
    keepassxc.plant(&[ours[0], ours[1], ours[2], ("more", "x")], "new");
    assert_eq!(agent.run(&["get k", "list"]), [" new", "k="]);
    assert_eq!(agent.run(&["put k bob newer", "get k"]), ["ok", "bob newer"]);
    assert_eq!(keepassxc.secrets("username", "k"), ["newer"]);
    keepassxc.plant(&[ours[0], ours[1], ours[2], ("more", "y")], "again");
    assert_eq!(agent.one("delete k"), "ok");
    assert!(keepassxc.secrets("username", "k").is_empty());
}

#[test]
fn an_entry_that_was_renamed_and_moved_is_still_the_login() {
    let mut keepassxc = KeePassXc::start();
    assert_eq!(agent(&keepassxc).one("put k alice t"), "ok");
    keepassxc.lock();
    keepassxc.kill();
    let entry = "/Secrets/docker-credential-refresh: k (alice)";
    keepassxc.on_file("edit", &["-t", "work", "--notes", "mine"], &[entry]);
    keepassxc.on_file("mkdir", &[], &["/Secrets/docker"]);
    keepassxc.on_file("mv", &[], &["/Secrets/work", "/Secrets/docker"]);
    keepassxc.restart();
    let agent = agent(&keepassxc);
    assert_eq!(agent.run(&["get k", "put k alice u", "get k"]), ["alice t", "ok", "alice u"]);
    assert_eq!(keepassxc.secrets("username", "k"), ["u"], "updated where it is");
    keepassxc.lock();
    keepassxc.kill();
    let shown = keepassxc.on_file("show", &[], &["/Secrets/docker/work"]);
    assert!(shown.contains("Title: work") && shown.contains("Notes: mine"), "{shown}");
}

#[test]
fn locked_without_a_display_is_locked_never_absent() {
    // With `UnlockBeforeSearch` a search waits for a dialog; without, it finds nothing.
    for before_search in ["UnlockBeforeSearch=true", "UnlockBeforeSearch=false"] {
        let keepassxc = KeePassXc::start_with(&format!("{TRUSTING}\n{before_search}"));
        let agent = agent(&keepassxc);
        assert_eq!(agent.one("put k alice t"), "ok");
        keepassxc.lock();
        for step in ["get k", "put k bob u", "put other bob u", "delete k", "unlock"] {
            let told = agent.one(step);
            assert!(told.starts_with("locked: ") && told.contains("no display"), "{step}: {told}");
        }
        let unasked = agent.set("AGENT_NO_PROMPT", "1");
        let begin = Instant::now();
        for step in ["get k", "list", "check", "delete k"] {
            let told = unasked.one(step);
            assert!(told.starts_with("locked: "), "{step}: {told}");
        }
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "without a prompt: {:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn a_dismissed_prompt_is_told_apart_from_one_never_answered() {
    let keepassxc = KeePassXc::start();
    let agent = agent_at_a_screen(&keepassxc);
    assert_eq!(agent.one("put k alice t"), "ok");
    keepassxc.lock();
    for step in ["get k", "delete k", "unlock", "put k bob u"] {
        let begin = Instant::now();
        let told = agent.one(step);
        assert!(told.starts_with("unanswered: "), "{step}: {told}");
        assert!(begin.elapsed() > Duration::from_secs(2), "{step}: somebody may be at it");
    }
    let patient = agent.clone().set("AGENT_PROMPT_DEADLINE", "60");
    for step in ["get k", "delete k", "unlock", "put k bob u"] {
        let person = keepassxc.dismiss_next_prompt();
        let told = patient.one(step);
        assert!(told.starts_with("dismissed: "), "{step}: {told}");
        person.join().unwrap();
    }
    // Nobody can answer "yes" to a dialog that has no screen; in the window a person can.
    keepassxc.unlock("logins");
    keepassxc.wait_until_locked_is(false);
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn what_it_asks_about_before_it_is_read_is_never_absent() {
    // Its default: each program is allowed each entry by a person.
    let keepassxc = KeePassXc::start_with("");
    let screen = agent_at_a_screen(&keepassxc);
    keepassxc.plant(&[SERVICE, ("username", "k"), ("target", "default")], "t");
    let told = screen.one("get k");
    assert!(told.starts_with("unanswered: "), "{told}");
    let agent = agent(&keepassxc);
    let told = agent.one("get k");
    assert!(told.starts_with("locked: "), "{told}");
    let told = agent.one("delete k");
    assert!(told.starts_with("locked: "), "{told}");
    let told = agent.set("AGENT_NO_PROMPT", "1").one("get k");
    assert!(told.starts_with("locked: "), "{told}");
    assert!(screen.one("get absent").starts_with("elsewhere: "));
}

#[test]
fn a_login_in_another_database_that_is_locked_is_not_absent() {
    let mut keepassxc = KeePassXc::start();
    assert_eq!(agent(&keepassxc).one("put k alice t"), "ok");
    keepassxc.lock();
    keepassxc.make_database("others");
    keepassxc.kill();
    keepassxc.restart_with("others");
    keepassxc.open_locked("logins");
    let agent = agent(&keepassxc);
    for _ in ["the default is locked", "the default is unlocked"] {
        let told = agent.one("get k");
        assert!(told.starts_with("locked: "), "{told}");
        assert!(agent.one("list").starts_with("locked: "));
        keepassxc.unlock("others");
        keepassxc.wait_until_locked_is(false);
    }
    assert_eq!(agent.run(&["put other bob u", "get other"]), ["ok", "bob u"], "a new one can wait");
    keepassxc.unlock("logins");
    keepassxc.wait_until_shown("username", "k");
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn a_login_in_a_database_that_is_closed_is_elsewhere() {
    let mut keepassxc = KeePassXc::start();
    let agent = agent(&keepassxc);
    assert_eq!(agent.one("put k alice t"), "ok");
    keepassxc.lock();
    keepassxc.make_database("others");
    keepassxc.kill();
    keepassxc.restart_with("others");
    let encrypted = agent.clone().set("AGENT_ENCRYPTED", "1");
    for agent in [&agent, &encrypted] {
        for step in ["get k", "delete k", "check k", "check"] {
            let told = agent.one(step);
            assert!(told.starts_with("elsewhere: "), "{step}: {told}");
            assert!(told.contains("open the one that has it, or log in again"), "{told}");
        }
        assert_eq!(agent.one("list"), "", "of what is open");
    }
    assert_eq!(agent.run(&["put other bob u", "check other"]), ["ok", "ok"]);
    keepassxc.unlock("logins");
    keepassxc.wait_until_shown("username", "k");
    assert_eq!(agent.run(&["get k", "check k", "delete k"]), ["alice t", "ok", "ok"]);
}

#[test]
fn first_logins_at_once_leave_one_item() {
    let keepassxc = KeePassXc::start_with(TRUSTING_UNSAVED);
    let token = first_logins_at_once(&keepassxc.bus);
    assert_eq!(keepassxc.secrets("username", "h.example"), [token]);
}

#[test]
fn killed_is_unavailable_and_comes_back() {
    let mut keepassxc = KeePassXc::start();
    let agent = agent(&keepassxc);
    assert_eq!(agent.one("put k alice t"), "ok");
    keepassxc.lock();
    keepassxc.kill();
    for step in ["get k", "put k bob u", "delete k", "list", "check", "unlock"] {
        let told = agent.one(step);
        assert!(told.starts_with("unavailable: "), "{step}: {told}");
    }
    keepassxc.restart();
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn killed_in_the_middle_is_unavailable() {
    for step in ["get k", "put k bob u", "delete k", "list", "check", "unlock"] {
        let mut keepassxc = KeePassXc::start();
        let agent = agent(&keepassxc);
        assert_eq!(agent.one("put k alice t"), "ok");
        keepassxc.freeze();
        let called = keepassxc.bus.next_call();
        let waiting = agent.command(&[step]).spawn().unwrap();
        called.wait();
        keepassxc.kill();
        let told = answers(&waiting.wait_with_output().unwrap());
        assert!(told[0].starts_with("unavailable: "), "{step}: {told:?}");
    }
}

#[test]
fn started_by_the_bus_it_is_locked_or_without_a_database_never_absent() {
    for with_database in [true, false] {
        let services = tempfile::tempdir().unwrap();
        let bus = Bus::with_services(Some(services.path()));
        let mut keepassxc = KeePassXc::prepare(bus, TRUSTING);
        if with_database {
            keepassxc.restart();
            assert_eq!(agent(&keepassxc).one("put k alice t"), "ok");
            keepassxc.lock();
            keepassxc.kill();
        }
        let databases: &[&str] = if with_database { &["logins"] } else { &[] };
        let on_demand = keepassxc.starts_on_demand(services.path(), databases);
        let agent = agent(&keepassxc).set("AGENT_DEADLINE", "4");
        for step in ["get k", "get k", "delete k", "list", "check", "unlock", "put k bob u"] {
            let told = agent.one(step);
            let kinds = ["locked: ", "unavailable: "];
            assert!(kinds.iter().any(|kind| told.starts_with(kind)), "{step}: {told}");
        }
        assert!(on_demand.was_started());
        let told = agent.one("get k");
        let kind = if with_database { "locked: " } else { "unavailable: " };
        assert!(told.starts_with(kind), "{told}");
    }
}
