//! The Secret Service, on a real GNOME Keyring.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::first_logins::first_logins_at_once;
use crate::support::keychains::agent::{Agent, answers};
use crate::support::keychains::bus::Bus;
use crate::support::keychains::gnome_keyring::{GnomeKeyring, ON_DEMAND};
use crate::support::user::User;

fn agent(keyring: &GnomeKeyring) -> Agent {
    Agent::new("secret-service", "default").environment(keyring.environment())
}

#[test]
fn keeps_the_contract() {
    let keyring = GnomeKeyring::start();
    Agent::contract("secret-service").environment(keyring.environment()).pass();
}

#[test]
fn keeps_the_contract_over_an_encrypted_session() {
    let keyring = GnomeKeyring::start();
    let agent = Agent::contract("secret-service").environment(keyring.environment());
    agent.set("AGENT_ENCRYPTED", "1").pass();
}

#[test]
fn the_setting_for_an_encrypted_session_keeps_the_token_off_the_bus() {
    let keyring = GnomeKeyring::start();
    for session in ["plain", "encrypted"] {
        let user = User::new();
        user.on_bus(keyring.environment());
        user.set("DOCKER_CREDENTIAL_REFRESH_SECRET_SERVICE_SESSION", session);
        let lines = keyring.bus.lines_to(&["org.freedesktop.secrets"], || {
            user.store("h.example", "<token>", "seen-on-the-bus").succeeded();
        });
        let is_seen = lines.iter().any(|line| line.contains("seen-on-the-bus"));
        assert_eq!(is_seen, session == "plain", "{lines:#?}");
        assert_eq!(user.token("h.example"), "seen-on-the-bus");
    }
}

#[test]
fn is_shown_by_the_desktop_without_secrets_in_attributes() {
    let keyring = GnomeKeyring::start();
    agent(&keyring).run(&["put registry.example.com alice t0k3n", "put a bob x", "put a carol y"]);
    let shown = keyring.shown("service", "docker-credential-refresh");
    assert!(
        shown.contains("label = docker-credential-refresh: registry.example.com (alice)"),
        "{shown}"
    );
    assert!(shown.contains("label = docker-credential-refresh: a (carol)"), "{shown}");
    assert!(shown.contains("attribute.account = alice"), "{shown}");
    assert!(
        shown.contains("content_type = text/plain") || shown.contains("secret = t0k3n"),
        "{shown}"
    );
    assert_eq!(shown.matches("t0k3n").count(), 1, "{shown}");
}

#[test]
fn planted_items_are_not_ours() {
    let keyring = GnomeKeyring::start();
    let service = ("service", "docker-credential-refresh");
    // The loosest first: secret-tool replaces what has all the attributes it sets.
    keyring.plant(&[service, ("target", "default")], "no key");
    keyring.plant(&[service, ("username", "k")], "no target");
    keyring.plant(&[service, ("username", "k"), ("target", "default2")], "another profile");
    keyring.plant(&[service, ("username", "k/x"), ("target", "default")], "another key");
    keyring.plant(&[("username", "k"), ("target", "default")], "no service");
    let agent = agent(&keyring);
    assert!(agent.one("get k").starts_with("absent"));
    assert!(agent.one("delete k").starts_with("absent"));
    assert_eq!(agent.run(&["put k alice t", "get k", "list"]), ["ok", "alice t", "k=alice k/x="]);
    assert_eq!(agent.one("delete k"), "ok");
    let left = keyring.shown("username", "k");
    for secret in ["no target", "another profile", "no service"] {
        assert!(left.contains(&format!("secret = {secret}")), "{left}");
    }
}

#[test]
fn its_matching_is_exact() {
    // A secret is given on its word: what is found alone is read without another look.
    let ours = [
        ("service", "docker-credential-refresh"),
        ("username", "h.example"),
        ("target", "default"),
    ];
    for (name, near) in [
        ("service", "docker-credential"),
        ("service", "docker-credential-refresh2"),
        ("service", "Docker-Credential-Refresh"),
        ("service", ""),
        ("username", "h.exampl"),
        ("username", "h.example2"),
        ("username", "h.example/x"),
        ("username", "H.example"),
        ("username", " h.example"),
        ("username", "h_example"),
        ("username", "*"),
        ("username", ""),
        ("target", "default2"),
        ("target", "defaul"),
        ("target", "Default"),
        ("target", ""),
    ] {
        let keyring = GnomeKeyring::start();
        keyring.plant(&ours.map(|(n, v)| (n, if n == name { near } else { v })), "near");
        let found = keyring.search(&ours);
        assert!(found.is_empty(), "{name}={near:?}: {found:?}");
        let told = agent(&keyring).run(&["get h.example", "delete h.example"]);
        assert!(told.iter().all(|told| told.starts_with("absent")), "{name}={near:?}: {told:?}");
        assert!(keyring.shown(name, near).contains("secret = near"), "{name}={near:?}");
    }
    for missing in 0..ours.len() {
        let keyring = GnomeKeyring::start();
        let mut attributes = ours.to_vec();
        attributes.remove(missing);
        keyring.plant(&attributes, "near");
        let found = keyring.search(&ours);
        assert!(found.is_empty(), "without {}: {found:?}", ours[missing].0);
        assert!(agent(&keyring).one("get h.example").starts_with("absent"));
    }
    let keyring = GnomeKeyring::start();
    keyring.plant(&[ours[0], ours[1], ours[2], ("more", "x")], "t");
    assert_eq!(keyring.search(&ours).len(), 1, "an item may have more");
    assert_eq!(agent(&keyring).one("get h.example"), " t");
}

#[test]
fn no_message_that_may_abort_it_is_sent() {
    let mut keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    let user = User::new();
    user.on_bus(keyring.environment());
    // The first one looks for logins of earlier records.
    user.store("first.example", "<token>", "t").succeeded();
    let sent = keyring.bus.messages_to(&["org.freedesktop.secrets", "org.gnome.keyring"], || {
        for step in [
            "unlock",
            "put k alice t",
            "put k alice u",
            "get k",
            "check",
            "delete k",
            "get k",
            "delete k",
        ] {
            agent.one(step);
        }
        // Under `auto` the program asks first whether there is a keyring to be used.
        user.store("h.example", "<token>", "t").succeeded();
    });
    let first: HashMap<_, _> = sent.iter().rev().map(|(sender, what)| (sender, what)).collect();
    assert!(first.len() > 8, "{sent:?}");
    let harmless = |what: &&String| ["SearchItems", "ReadAlias"].contains(&what.as_str());
    assert!(first.values().all(harmless), "{sent:?}");
    assert!(sent.iter().all(|(_, what)| what != "Get" && what != "Set"), "{sent:?}");
    assert!(keyring.is_alive());
}

/// It may handle several messages of a new client before it knows the client, and aborts then if one of
/// them is not harmless.
#[test]
fn nothing_follows_the_first_message_before_that_is_answered() {
    for step in ["unlock", "get k", "put k bob u", "put other bob u", "check", "delete k"] {
        let keyring = GnomeKeyring::start();
        let agent = agent(&keyring);
        assert_eq!(agent.one("put k alice t"), "ok");
        keyring.freeze();
        let names = ["org.freedesktop.secrets", "org.gnome.keyring"];
        let sent = keyring.bus.messages_to(&names, || {
            let told = agent.clone().set("AGENT_DEADLINE", "2").one(step);
            assert!(told.contains("did not answer within 2 s"), "{step}: {told}");
        });
        assert_eq!(sent.len(), 1, "{step}: {sent:?}");
        assert!(["SearchItems", "ReadAlias"].contains(&sent[0].1.as_str()), "{step}: {sent:?}");
    }
}

#[test]
fn the_newest_of_several_wins_and_all_are_deleted() {
    let keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    let ours = [("service", "docker-credential-refresh"), ("username", "k"), ("target", "default")];
    assert_eq!(agent.one("put k alice old"), "ok");
    // Modification times are in seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    keyring.plant(&ours, "new");
    assert_eq!(agent.run(&["get k", "list"]), [" new", "k="]);
    assert_eq!(agent.run(&["put k bob newer", "get k"]), ["ok", "bob newer"]);
    assert_eq!(keyring.shown("username", "k").matches("secret = ").count(), 1);
    keyring.plant(&[ours[0], ours[1], ours[2], ("more", "x")], "again");
    assert_eq!(agent.one("delete k"), "ok");
    assert_eq!(keyring.shown("username", "k").matches("secret = ").count(), 0);
}

#[test]
fn locked_without_a_display_is_locked_at_once() {
    let keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.lock();
    let begin = Instant::now();
    for step in ["get k", "put k bob u", "put other bob u", "delete k", "unlock"] {
        let told = agent.one(step);
        assert!(told.starts_with("locked: ") && told.contains("no display"), "{step}: {told}");
    }
    assert!(agent.clone().set("AGENT_NO_PROMPT", "1").one("get k").starts_with("locked: "));
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    assert!(
        agent.one("get absent").starts_with("absent: "),
        "what is not there needs no unlocking"
    );
}

#[test]
fn a_dismissed_prompt_is_told_apart() {
    let keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.lock();
    // GNOME Keyring finds nothing to prompt with, and says "dismissed".
    let told = agent.set("DISPLAY", ":1").one("get k");
    assert!(told.starts_with("dismissed: "), "{told}");
}

#[test]
fn a_prompt_that_nobody_answers_is_told_apart() {
    let keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.lock();
    keyring.prompter_that_nobody_answers();
    let screen = agent.clone().set("DISPLAY", ":1").set("AGENT_PROMPT_DEADLINE", "3");
    for step in ["get k", "delete k", "unlock", "put k bob u"] {
        let told = screen.one(step);
        assert!(told.starts_with("unanswered: "), "{step}: {told}");
    }
    let told = agent.set("AGENT_DEADLINE", "3").one("get k");
    assert!(told.starts_with("locked: "), "{told}");
}

#[test]
fn started_by_the_bus_it_is_locked_or_empty_never_absent() {
    for with_keyring in [true, false] {
        let services = tempfile::tempdir().unwrap();
        let mut bus = Bus::with_services(Some(services.path()));
        if with_keyring {
            let mut keyring = GnomeKeyring::start_on(bus);
            assert_eq!(agent(&keyring).one("put k alice t"), "ok");
            keyring.kill();
            bus = keyring.bus;
        }
        let on_demand = bus.starts_on_demand(services.path(), ON_DEMAND);
        let agent = Agent::new("secret-service", "default").environment(bus.environment());
        let kind = if with_keyring { "locked: " } else { "unavailable: " };
        // It has hashes of the attributes alone.
        for step in ["get k", "list", "check", "delete k", "unlock", "put k bob u"] {
            let told = agent.one(step);
            assert!(told.starts_with(kind), "{step}: {told}");
        }
        assert!(on_demand.was_started());
        let told = agent.set("DISPLAY", ":1").one("get k");
        let kind = if with_keyring { "dismissed: " } else { "unavailable: " };
        assert!(told.starts_with(kind), "no collection is made to look into: {told}");
    }
}

#[test]
fn first_logins_at_once_leave_one_item() {
    let keyring = GnomeKeyring::start();
    let token = first_logins_at_once(&keyring.bus);
    let shown = keyring.shown("username", "h.example");
    assert_eq!(shown.matches("secret = ").count(), 1, "{shown}");
    assert!(shown.contains(&format!("secret = {token}\n")), "{token}: {shown}");
}

#[test]
fn killed_in_the_middle_is_unavailable() {
    for step in ["get k", "put k bob u", "delete k", "list", "check", "unlock"] {
        let mut keyring = GnomeKeyring::start();
        let agent = agent(&keyring);
        assert_eq!(agent.one("put k alice t"), "ok");
        keyring.freeze();
        let called = keyring.bus.next_call();
        let waiting = agent.command(&[step]).spawn().unwrap();
        called.wait();
        keyring.kill();
        let told = answers(&waiting.wait_with_output().unwrap());
        assert!(told[0].starts_with("unavailable: "), "{step}: {told:?}");
    }
}

#[test]
fn killed_is_unavailable_and_comes_back() {
    let mut keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.kill();
    for step in ["get k", "put k bob u", "delete k", "list", "unlock"] {
        let told = agent.one(step);
        assert!(told.starts_with("unavailable: "), "{step}: {told}");
    }
    keyring.restart();
    assert_eq!(agent.one("get k"), "alice t");
}

#[test]
fn a_service_that_hangs_is_unavailable_within_the_deadline() {
    let keyring = GnomeKeyring::start();
    let agent = agent(&keyring);
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.freeze();
    let begin = Instant::now();
    let told = agent.one("get k");
    assert!(told.starts_with("unavailable: "), "{told}");
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    let begin = Instant::now();
    let told = agent.set("AGENT_DEADLINE", "1").one("get k");
    assert!(told.contains("did not answer within 1 s"), "{told}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn without_a_bus_it_is_unavailable_at_once() {
    let agent = Agent::new("secret-service", "default");
    let begin = Instant::now();
    let empty = tempfile::tempdir().unwrap();
    for agent in [
        agent.clone(),
        agent.clone().set("DBUS_SESSION_BUS_ADDRESS", ""),
        agent.clone().set("DBUS_SESSION_BUS_ADDRESS", "autolaunch:"),
        agent.clone().set("XDG_RUNTIME_DIR", &empty.path().display().to_string()),
        agent.clone().set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"),
    ] {
        let told = agent.set("DISPLAY", ":1").one("get k");
        assert!(told.starts_with("unavailable: "), "{told}");
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn a_bus_without_the_service_is_unavailable() {
    let bus = Bus::start();
    let agent = Agent::new("secret-service", "default").environment(bus.environment());
    for step in ["get k", "put k alice t", "list"] {
        let told = agent.one(step);
        assert!(told.starts_with("unavailable: "), "{step}: {told}");
    }
}

#[test]
fn a_bus_that_does_not_answer_is_left_at_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bus");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let agent = Agent::new("secret-service", "default").set("AGENT_DEADLINE", "1");
    let begin = Instant::now();
    let runtime_dir = dir.path().display().to_string();
    let told = agent.set("XDG_RUNTIME_DIR", &runtime_dir).one("get k");
    assert!(told.contains("did not answer within 1 s"), "{told}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn a_bus_whose_queue_is_full_is_left_at_the_deadline() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bus");
    let socket = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
    };
    let (listener, address) = (socket(), SocketAddrUnix::new(&path).unwrap());
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    while let (client, Ok(())) = {
        let client = socket();
        let connected = rustix::net::connect(&client, &address);
        (client, connected)
    } {
        waiting.push(client);
    }
    let address = format!("unix:path={}", path.display());
    let agent = Agent::new("secret-service", "default").set("AGENT_DEADLINE", "1");
    let begin = Instant::now();
    let told = agent.set("DBUS_SESSION_BUS_ADDRESS", &address).one("get k");
    assert!(told.contains("did not answer within 1 s"), "{told}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn auto_takes_the_unlocked_one_else_the_kernel() {
    let keyring = GnomeKeyring::start();
    let auto = Agent::auto().environment(keyring.environment());
    let told = auto.run(&["unlock"]);
    assert_eq!(told, ["secret-service: the desktop's keyring is unlocked", "ok"]);
    keyring.lock();
    let told = auto.run(&["unlock"]);
    assert_eq!(told[0], "kernel: the desktop's keyring is locked and nobody can be asked");
    let told = auto.set("DISPLAY", ":1").run(&["lifetime"]);
    assert_eq!(told[0], "secret-service: the desktop can ask to unlock its keyring");
    let told = Agent::auto().run(&["unlock"]).remove(0);
    assert_eq!(told, "kernel: the desktop's keyring cannot be used: there is no D-Bus session bus");
}
