//! The Secret Service, on a real KWallet: what it does with items.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::first_logins::first_logins_at_once;
use crate::support::keychains::agent::Agent;
use crate::support::keychains::kwallet::KWallet;

fn agent(wallet: &KWallet) -> Agent {
    Agent::new("secret-service", "default").environment(wallet.environment())
}

#[test]
fn keeps_the_contract() {
    let wallet = KWallet::start();
    Agent::contract("secret-service").environment(wallet.environment()).pass();
}

#[test]
fn keeps_the_contract_over_an_encrypted_session() {
    let wallet = KWallet::start();
    let agent = Agent::contract("secret-service").environment(wallet.environment());
    agent.set("AGENT_ENCRYPTED", "1").pass();
}

#[test]
fn an_encrypted_session_is_made_again_until_both_have_the_same_key() {
    // KWallet refuses, or does not understand, about one exchange in a hundred.
    let wallet = KWallet::start();
    let agent = agent(&wallet).set("AGENT_ENCRYPTED", "1");
    assert_eq!(agent.one("put k alice t0k3n"), "ok");
    for round in 0..300 {
        assert_eq!(agent.one("get k"), "alice t0k3n", "round {round}");
    }
}

#[test]
fn is_shown_by_the_desktop_without_secrets_in_attributes() {
    let wallet = KWallet::start();
    let agent = agent(&wallet);
    agent.run(&["put registry.example.com alice t0k3n", "put a bob x", "put a carol y"]);
    let alice = "docker-credential-refresh: registry.example.com (alice)";
    assert_eq!(wallet.entries(), ["docker-credential-refresh: a (carol)", alice]);
    assert_eq!(wallet.secret(alice), "t0k3n");
    let file = wallet.attributes_file();
    let attributes = fs::read_to_string(&file).unwrap();
    assert!(attributes.contains("\"account\": \"alice\""), "{attributes}");
    assert!(attributes.contains("\"$fdo_mime_type\": \"text/plain\""), "{attributes}");
    assert!(!attributes.contains("t0k3n"), "{attributes}");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn names_that_mean_something_to_it_are_names_like_others() {
    // A slash makes a folder, and an item that is moved to another one loses its type; a number
    // between underscores is its own way to tell namesakes apart.
    let wallet = KWallet::start();
    let agent = agent(&wallet);
    for name in [
        "https://index.docker.io/v1/",
        "registry.example.com/team/app",
        "/",
        "k__0_",
        "k__007_",
        "k_",
        "k__99999999999_",
    ] {
        for (account, token) in [("", "one"), ("DOMAIN/alice", "two"), ("bob__1_", "three")] {
            let put = format!("put {name} {account} {token}");
            let told = agent.run(&[&put, &format!("get {name}")]);
            assert_eq!(told, ["ok", &format!("{account} {token}")], "{put}");
        }
        let told = agent.run(&["list", &format!("delete {name}"), "list"]);
        assert_eq!(told, [&format!("{name}=bob__1_"), "ok", ""]);
        assert_eq!(wallet.entries(), [""; 0], "{name}: nothing is left, in any folder");
    }
}

#[test]
fn namesakes_of_two_profiles_have_each_their_own() {
    let wallet = KWallet::start();
    let (work, home) = (agent(&wallet), agent(&wallet).set("AGENT_PROFILE", "home"));
    assert_eq!(work.one("put k alice t1"), "ok");
    assert_eq!(home.one("put k alice t2"), "ok");
    assert_eq!(wallet.entries().len(), 2);
    assert_eq!(work.run(&["get k", "put k bob t3", "get k"]), ["alice t1", "ok", "bob t3"]);
    assert_eq!(home.run(&["get k", "put k bob t4", "get k"]), ["alice t2", "ok", "bob t4"]);
    assert_eq!(work.run(&["delete k", "list"]), ["ok", ""]);
    assert_eq!(home.run(&["get k", "list"]), ["bob t4", "k=bob"]);
}

#[test]
fn planted_items_are_not_ours() {
    let wallet = KWallet::start();
    let agent = agent(&wallet);
    assert_eq!(agent.one("unlock"), "ok");
    let service = ("service", "docker-credential-refresh");
    wallet.plant(&[service, ("target", "default")], "no key");
    wallet.plant(&[service, ("username", "k")], "no target");
    wallet.plant(&[service, ("username", "k"), ("target", "default2")], "another profile");
    wallet.plant(&[service, ("username", "k/x"), ("target", "default")], "another key");
    wallet.plant(&[("username", "k"), ("target", "default")], "no service");
    assert!(agent.one("get k").starts_with("absent: "));
    assert!(agent.one("delete k").starts_with("absent: "));
    assert_eq!(agent.run(&["put k alice t", "get k", "list"]), ["ok", "alice t", "k=alice k/x="]);
    assert_eq!(agent.one("delete k"), "ok");
    assert_eq!(wallet.entries().len(), 5, "{:?}", wallet.entries());
}

#[test]
fn the_newest_of_several_wins_and_all_are_deleted() {
    let wallet = KWallet::start();
    let agent = agent(&wallet);
    let ours = [("service", "docker-credential-refresh"), ("username", "k"), ("target", "default")];
    assert_eq!(agent.one("put k alice old"), "ok");
    // Modification times are in seconds.
    thread::sleep(Duration::from_millis(1_100));
    wallet.plant(&ours, "new");
    assert_eq!(agent.run(&["get k", "list"]), [" new", "k="]);
    assert_eq!(agent.run(&["put k bob newer", "get k"]), ["ok", "bob newer"]);
    assert_eq!(wallet.entries().len(), 1);
    wallet.plant(&[ours[0], ours[1], ours[2], ("more", "x")], "again");
    assert_eq!(agent.one("delete k"), "ok");
    assert_eq!(wallet.entries(), [""; 0]);
}

#[test]
fn first_logins_at_once_leave_one_item() {
    let wallet = KWallet::start();
    let token = first_logins_at_once(&wallet.bus);
    let entries = wallet.entries();
    assert_eq!(entries, ["docker-credential-refresh: h.example"]);
    assert_eq!(wallet.secret(&entries[0]), token);
}

#[test]
fn items_and_attributes_outlive_it() {
    let mut wallet = KWallet::start();
    let agent = agent(&wallet);
    assert_eq!(agent.run(&["put k alice t", "put a/b bob u"]), ["ok", "ok"]);
    // Saves it; else it saves 5 s after a change.
    wallet.close();
    for signal in [Signal::TERM, Signal::KILL] {
        wallet.end(signal);
        wallet.restart();
        assert_eq!(agent.one("list"), "a/b=bob k=alice", "the attributes need no open wallet");
        wallet.open();
        assert_eq!(agent.run(&["get k", "get a/b"]), ["alice t", "bob u"]);
    }
    assert_eq!(
        agent.run(&["put k carol v", "get k", "list"]),
        ["ok", "carol v", "a/b=bob k=carol"]
    );
}

#[test]
fn a_secret_that_it_did_not_save_in_time_is_damaged_and_not_absent() {
    let mut wallet = KWallet::start();
    let agent = agent(&wallet);
    assert_eq!(agent.one("put k alice t"), "ok");
    wallet.end(Signal::KILL);
    wallet.restart();
    wallet.open();
    let told = agent.one("get k");
    assert!(told.starts_with("damaged: ") && told.contains("log in again"), "{told}");
    assert_eq!(agent.run(&["put k alice u", "get k"]), ["ok", "alice u"]);
}

#[test]
fn what_a_person_does_in_its_manager_counts() {
    let wallet = KWallet::start();
    let agent = agent(&wallet);
    assert_eq!(agent.one("put k alice t"), "ok");
    let name = "docker-credential-refresh: k (alice)";
    wallet.on_entry("renameEntry", &[name, "my registry"]);
    assert_eq!(agent.run(&["get k", "put k alice u", "get k"]), ["alice t", "ok", "alice u"]);
    assert_eq!(wallet.entries(), ["my registry"]);
    wallet.on_entry("removeEntry", &["my registry"]);
    assert!(agent.one("get k").starts_with("absent: "));
    assert_eq!(agent.one("list"), "");
}
