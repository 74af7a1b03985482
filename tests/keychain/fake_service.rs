//! The Secret Service where it is seldom, slow or hostile.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::support::keychains::agent::Agent;
use crate::support::keychains::fake_service::{FakeItem, FakeService, Manners, Prompt};

fn agent(service: &FakeService) -> Agent {
    Agent::new("secret-service", "default").environment(service.bus.environment())
}

fn item(attributes: &[(&str, &str)], secret: &str) -> FakeItem {
    let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    FakeItem { attributes, secret: secret.as_bytes().to_vec(), modified: 1 }
}

const OURS: [(&str, &str); 4] = [
    ("service", "docker-credential-refresh"),
    ("username", "k"),
    ("target", "default"),
    ("account", "alice"),
];

fn ours_but(name: &str, value: &str) -> Vec<(&'static str, String)> {
    OURS.map(|(k, v)| (k, if k == name { value.to_owned() } else { v.to_owned() })).to_vec()
}

#[test]
fn a_service_that_matches_loosely_gives_nobody_elses_secret() {
    let mut items = Vec::new();
    for (name, value) in [
        ("service", "docker-credential-refresh2"),
        ("service", "docker-credential"),
        ("username", "k2"),
        ("username", ""),
        ("target", "default2"),
        ("target", "Default"),
    ] {
        let attributes = ours_but(name, value);
        let attributes: Vec<_> = attributes.iter().map(|(k, v)| (*k, v.as_str())).collect();
        items.push(item(&attributes, "not ours"));
    }
    items.push(item(&OURS[..2], "not ours"));
    items.push(item(&[], "not ours"));
    let count = items.len();
    let service = FakeService::start(Manners::default(), items);
    let told = agent(&service).run(&["get k", "delete k", "put k alice t", "get k", "delete k"]);
    assert!(told[0].starts_with("absent") && told[1].starts_with("absent"), "{told:?}");
    assert_eq!(told[2..], ["ok", "alice t", "ok"]);
    let left = service.items();
    assert_eq!(left.len(), count);
    assert!(left.iter().all(|item| item.secret == b"not ours"));
}

#[test]
fn a_single_item_of_somebody_else_is_not_ours_either() {
    for (name, value) in [("service", "x"), ("username", "k2"), ("target", "default2")] {
        let attributes = ours_but(name, value);
        let attributes: Vec<_> = attributes.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let service = FakeService::start(Manners::default(), vec![item(&attributes, "not ours")]);
        let told = agent(&service).one("get k");
        assert!(told.starts_with("absent: "), "{name}: {told}");
    }
}

#[test]
fn what_a_service_adds_is_ignored_and_kept() {
    let mut attributes = OURS.to_vec();
    attributes.extend([("xdg:schema", "x"), ("UserName", "")]);
    let service = FakeService::start(Manners::default(), vec![item(&attributes, "t")]);
    let told = agent(&service).run(&["get k", "put k bob u", "get k", "list"]);
    assert_eq!(told, ["alice t", "ok", "bob u", "k=bob"]);
    let items = service.items();
    assert_eq!(items.len(), 1, "updated, not created");
    let expected = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let mut expected: HashMap<_, _> = expected.collect();
    expected.insert("account".to_owned(), "bob".to_owned());
    assert_eq!(items[0].attributes, expected);
}

#[test]
fn each_operation_makes_few_calls_and_a_get_opens_its_session_late() {
    let service = FakeService::start(Manners::default(), vec![item(&OURS, "t")]);
    let agent = agent(&service);
    for (step, calls) in [
        ("get k", &["Get", "SearchItems", "OpenSession", "Get", "GetSecret"][..]),
        ("check", &["Get"]),
        ("list", &["OpenSession", "Get", "Get", "SearchItems", "Get"]),
        (
            "put k alice u",
            &["OpenSession", "ReadAlias", "Get", "SearchItems", "Get", "SetSecret", "GetSecret"],
        ),
        ("delete k", &["OpenSession", "Get", "Get", "SearchItems", "Get", "Delete"]),
        ("unlock", &["OpenSession", "ReadAlias", "Get"]),
    ] {
        agent.one(step);
        assert_eq!(service.calls(), calls, "{step}");
    }
    agent.run(&["unlock", "put k alice t"]);
    let calls = service.calls();
    assert_eq!(calls.iter().filter(|call| *call == "OpenSession").count(), 1, "{calls:?}");
}

#[test]
fn a_keyring_that_unlocks_by_itself_needs_no_display() {
    // KWallet is locked until Unlock and its prompt have run; nobody is asked.
    let manners = Manners { locked: true, ..Manners::default() };
    let service = FakeService::start(manners.clone(), vec![item(&OURS, "t")]);
    assert_eq!(agent(&service).one("get k"), "alice t");
    let service = FakeService::start(manners, Vec::new());
    assert_eq!(agent(&service).run(&["put k alice t", "get k"]), ["ok", "alice t"]);
}

#[test]
fn a_dismissed_prompt_is_told_apart_from_one_never_answered() {
    for (prompt, display, kind) in [
        (Prompt::Dismissed, true, "dismissed: "),
        (Prompt::NeverAnswered, true, "unanswered: "),
        (Prompt::Dismissed, false, "locked: "),
        (Prompt::NeverAnswered, false, "locked: "),
    ] {
        let manners = Manners { locked: true, prompt, ..Manners::default() };
        let service = FakeService::start(manners, vec![item(&OURS, "t")]);
        let mut agent =
            agent(&service).set("AGENT_PROMPT_DEADLINE", "4").set("AGENT_DEADLINE", "4");
        if display {
            agent = agent.set("WAYLAND_DISPLAY", "wayland-0");
        }
        for step in ["get k", "unlock", "delete k"] {
            let begin = Instant::now();
            let told = agent.one(step);
            assert!(told.starts_with(kind), "{prompt:?} {display} {step}: {told}");
            let limit = if prompt == Prompt::Dismissed { 3_000 } else { 9_000 };
            assert!(begin.elapsed() < Duration::from_millis(limit), "{step} {:?}", begin.elapsed());
        }
        let told = agent.set("AGENT_NO_PROMPT", "1").one("get k");
        assert!(told.starts_with("locked: "), "{told}");
        let asked = service.calls().iter().filter(|call| *call == "Prompt").count();
        assert_eq!(asked, 3, "no prompt where none may be shown");
    }
}

#[test]
fn what_stays_locked_after_a_good_answer_is_locked_and_not_deleted() {
    let manners = Manners { locked: true, prompt: Prompt::ChangesNothing, ..Manners::default() };
    let service = FakeService::start(manners, vec![item(&OURS, "t")]);
    for step in ["get k", "put k bob u", "put other bob u", "delete k", "unlock"] {
        let told = agent(&service).one(step);
        assert!(told.starts_with("locked: "), "{step}: {told}");
    }
    let calls = service.calls();
    assert!(!calls.contains(&"Delete".to_owned()), "{calls:?}");
}

#[test]
fn what_the_library_prints_does_not_reach_stdout() {
    let manners = Manners { odd_create: true, ..Manners::default() };
    let service = FakeService::start(manners, Vec::new());
    let output = agent(&service).command(&["put k alice t", "lifetime"]).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|t| String::from_utf8(t).unwrap());
    assert!(stdout.contains("agent> failed: "), "{stdout}");
    assert!(stdout.contains("agent> until it is deleted"), "stdout is back: {stdout}");
    assert!(!stdout.contains("prompt result") && !stdout.contains("Cast"), "{stdout}");
    assert!(stderr.contains("prompt result") || stderr.contains("Cast"), "{stderr}");
}

#[test]
fn a_service_that_dies_at_any_step_is_unavailable_never_absent() {
    for (dies_at, step) in [
        ("OpenSession", "get k"),
        ("SearchItems", "get k"),
        ("Get", "get k"),
        ("GetSecret", "get k"),
        ("SetSecret", "put k bob u"),
        ("CreateItem", "put other bob u"),
        ("Delete", "delete k"),
        ("ReadAlias", "unlock"),
        ("SearchItems", "list"),
    ] {
        let manners = Manners { dies_at: Some(dies_at), ..Manners::default() };
        let service = FakeService::start(manners, vec![item(&OURS, "t")]);
        let told = agent(&service).one(step);
        assert!(told.starts_with("unavailable: "), "{dies_at} {step}: {told}");
    }
}

#[test]
fn what_was_deleted_without_an_answer_is_deleted_and_was_not_absent() {
    let manners = Manners { mute_at: Some("Delete"), ..Manners::default() };
    let service = FakeService::start(manners, vec![item(&OURS, "t")]);
    assert_eq!(agent(&service).one("delete k"), "ok");
    assert_eq!(service.items().len(), 0);
    assert!(agent(&service).one("delete k").starts_with("absent: "));
}

#[test]
fn a_missing_default_collection_is_created_only_where_somebody_can_be_asked() {
    let manners = Manners { no_default: true, ..Manners::default() };
    let service = FakeService::start(manners, Vec::new());
    let told = agent(&service).run(&["unlock", "put k alice t", "get k"]);
    assert!(told[0].starts_with("unavailable: ") && told[1].starts_with("unavailable: "));
    assert!(told[2].starts_with("unavailable: "), "what was there may be gone with it: {told:?}");
    assert!(!service.calls().contains(&"CreateCollection".to_owned()));
    let told = agent(&service).set("DISPLAY", ":1").run(&["unlock", "put k alice t", "get k"]);
    assert_eq!(told, ["ok", "ok", "alice t"]);
}

#[test]
fn an_item_that_is_deleted_while_it_is_read_has_no_empty_token() {
    let manners = Manners { deletes_what_is_read: true, ..Manners::default() };
    let service = FakeService::start(manners.clone(), vec![item(&OURS, "t")]);
    assert!(agent(&service).one("get k").starts_with("absent: "));
    // There is another one.
    let service = FakeService::start(manners.clone(), vec![item(&OURS, "u"), item(&OURS, "t")]);
    assert_eq!(agent(&service).one("get k"), "alice u");
    // What was just put as well: it is put once more.
    for items in [vec![item(&OURS, "t")], Vec::new()] {
        let service = FakeService::start(manners.clone(), items);
        assert_eq!(agent(&service).one("put k alice new"), "ok");
        let left: Vec<_> = service.items().into_iter().map(|item| item.secret).collect();
        assert_eq!(left, [b"new"]);
    }
}

#[test]
fn a_damaged_item_is_not_absent() {
    let mut damaged = item(&OURS, "");
    damaged.secret = vec![0xff, 0xfe];
    let service = FakeService::start(Manners::default(), vec![damaged]);
    let told = agent(&service).run(&["get k", "put k alice t", "get k"]);
    assert!(told[0].starts_with("damaged: "), "{told:?}");
    assert_eq!(told[1..], ["ok", "alice t"]);
}
