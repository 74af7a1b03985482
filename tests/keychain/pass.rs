//! `helper:pass`: Debian's `docker-credential-pass`, on a real password store.

use std::io::Write as _;
use std::process::{Child, Output, Stdio};

use serde_json::json;

use crate::mock_token_server::TokenServer;
use crate::support::keychains::agent::Agent;
use crate::support::keychains::pass::{KEY, Pass};
use crate::support::user::User;

pub const PASSWORD: &str = "correct horse battery";
pub const PROFILE: &str = "DOCKER_CREDENTIAL_REFRESH_PROFILE";

/// Somebody who keeps logins there, in the profile of who sets none.
pub fn user_of(pass: &Pass, user: User) -> User {
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:pass");
    user.set(PROFILE, "default");
    for (name, value) in pass.environment() {
        user.set(name, &value);
    }
    user
}

#[test]
fn keeps_the_contract() {
    let pass = Pass::start();
    Agent::contract("helper:pass").environment(pass.environment()).pass();
}

#[test]
fn a_login_is_one_token_under_the_server_url() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let (pass, host) = (Pass::start(), server.registry_host());
    let user = user_of(&pass, User::trusting(&server));
    let stored = user.store(&host, "alice", PASSWORD).succeeded();
    stored.noted("stored in the helper:pass keychain until it is deleted");
    assert_eq!(pass.entries(), [format!("{host}: <token>")]);
    assert_eq!(user.records()[0]["account"], "alice");
    let token = user.token(&host);
    let own = String::from_utf8(pass.helper("get", &host).stdout).unwrap();
    assert!(own.contains(&token), "a client that asks pass itself gets it too: {own}");

    user.store(&host, "alice", PASSWORD).succeeded();
    assert_eq!(pass.entries(), [format!("{host}: <token>")], "never two items");
    assert_ne!(user.token(&host), token);
    assert_eq!(user.list(), json!({host.as_str(): "<token>"}));
    let status = user.does(&["status"], "").succeeded().stdout;
    assert!(status.contains("helper:pass") && status.contains("alice"), "{status}");
    user.does(&["token", &host, "--scope", "repository:alice/app:pull"], "").succeeded();

    std::fs::remove_file(user.records_file()).unwrap();
    assert_eq!(user.list(), json!({host.as_str(): "<token>"}), "without records");
    user.token(&host);
    user.does(&["logout", &host], "").succeeded();
    assert_eq!(pass.entries(), [""; 0]);
    user.get(&host).not_found();
    user.erase(&host).succeeded();
}

#[test]
fn profiles_and_paths_are_entries_of_their_own() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    user.store("h/team/app", "<token>", "token of a path").succeeded();
    user.store("h/team", "<token>", "token of its parent").succeeded();
    user.set(PROFILE, "app");
    user.get("h/team").not_found();
    user.store("h/team", "<token>", "token of a profile").succeeded();
    assert_eq!(pass.entries(), ["h/team/[app]: <token>", "h/team/app: <token>", "h/team: <token>"]);
    assert_eq!(user.token("h/team/app"), "token of a profile", "from its parent");
    assert_eq!(user.list(), json!({"h/team": "<token>"}));
    user.erase("h/team").succeeded();
    user.set(PROFILE, "default");
    assert_eq!(user.token("h/team/app"), "token of a path");
    assert_eq!(user.token("h/team"), "token of its parent");
}

#[test]
fn the_pair_of_docker_hubs_web_login_comes_back_as_it_came() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    let url = "https://index.docker.io/v1/access-token";
    // Another user's pair comes beside the previous one, which goes last.
    for (account, entry) in [("alice", ""), ("bob", "/[default]"), ("carol", "")] {
        user.store(url, account, &format!("opaque of {account}")).succeeded();
        let pair: serde_json::Value =
            serde_json::from_str(&user.get(url).succeeded().stdout).unwrap();
        assert_eq!(
            pair,
            json!({"ServerURL": url, "Username": account, "Secret": format!("opaque of {account}")})
        );
        assert_eq!(pass.entries(), [format!("{url}{entry}: {account}")], "never two items");
        assert_eq!(user.list(), json!({url: account}));
    }
    user.erase(url).succeeded();
    assert_eq!(pass.entries(), [""; 0]);
}

#[test]
fn a_locked_key_is_an_error_and_never_not_found() {
    let pass = Pass::with_passphrase("open sesame");
    let user = user_of(&pass, User::new());
    user.store("h.example", "<token>", "a-token").succeeded();
    pass.lock();
    let failed = user.get("h.example").failed_with(&["helper:pass", "No secret key"]);
    assert!(failed.stderr.contains("helper:pass"), "docker 28 shows stderr alone: {failed:?}");
    let failed = user.store("h.example", "<token>", "b-token");
    failed.failed_with(&["helper:pass", "No secret key"]);
    user.get("elsewhere.example").not_found();
    assert_eq!(user.list(), json!({"h.example": "<token>"}), "a list needs no key");
    std::fs::remove_file(user.records_file()).unwrap();
    user.get("h.example").failed_with(&["helper:pass", "No secret key"]);
    // Nor to erase.
    user.erase("h.example").succeeded();
    assert_eq!(pass.entries(), [""; 0]);
}

#[test]
fn a_store_that_gpg_refuses_leaves_the_other_logins_readable() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    user.store("h.example", "<token>", "a-token").succeeded();
    pass.encrypt_to("nobody");
    user.store("other.example", "<token>", "b-token").failed_with(&["store: ", "No public key"]);
    user.store("h.example", "<token>", "c-token").failed_with(&["store: ", "No public key"]);
    assert_eq!(user.list(), json!({"h.example": "<token>"}));
    assert_eq!(user.token("h.example"), "a-token");
    pass.encrypt_to(KEY);
    user.store("other.example", "<token>", "b-token").succeeded();
    assert_eq!(user.token("other.example"), "b-token");

    // What another client did so.
    pass.encrypt_to("nobody");
    let login = json!({"ServerURL": "https://h/?a=b", "Username": "alice", "Secret": "a password"});
    assert!(!pass.helper("store", &login.to_string()).status.success());
    pass.encrypt_to(KEY);
    let failed = user.store("h.example", "<token>", "c-token");
    let remedy =
        "if it names an entry that is damaged, run: echo ENTRY | docker-credential-pass erase";
    failed.failed_with(&["no usernames for https://h/?a=b; check that", remedy]);
    let command = "echo 'https://h/?a=b' | docker-credential-pass erase";
    assert!(pass.command("sh").args(["-c", command]).status().unwrap().success());
    user.store("h.example", "<token>", "c-token").succeeded();
    assert_eq!(user.token("h.example"), "c-token");
}

#[test]
fn after_the_key_is_lost_a_logout_clears_the_way_for_a_login() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    user.store("h.example", "<token>", "a-token").succeeded();
    pass.lose_the_key();
    let way_out = ["No secret key", "or log out first if the key to it is lost"];
    user.get("h.example").failed_with(&way_out);
    user.store("h.example", "<token>", "b-token").failed_with(&way_out);
    user.erase("h.example").succeeded();
    user.get("h.example").not_found();
    // Its public half is there still.
    user.store("h.example", "<token>", "b-token").succeeded();
    assert_eq!(pass.entries(), ["h.example: <token>"]);
}

#[test]
fn the_doctor_writes_reads_and_deletes_a_dummy() {
    let pass = Pass::with_passphrase("open sesame");
    let user = user_of(&pass, User::new());
    // Its key was made a moment ago, and the agent may know the passphrase still.
    pass.lock();
    let sick = user.does(&["doctor"], "").stdout;
    assert!(
        sick.contains("keychain: the helper:pass keychain failed: docker-credential-pass get"),
        "{sick}"
    );
    assert!(sick.contains("check that docker-credential-pass works here"), "{sick}");
    let pass = Pass::start();
    let well = user_of(&pass, User::new()).does(&["doctor"], "").stdout;
    assert!(well.contains("keychain: helper:pass stores, returns and deletes"), "{well}");
    assert_eq!(pass.entries(), [""; 0]);
}

#[test]
fn somebody_elses_login_is_neither_answered_nor_replaced_nor_erased() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    pass.plant("h.example", "alice", "a password that nobody else has");
    user.get("h.example").not_found();
    assert_eq!(user.list(), json!({}));
    user.erase("h.example").succeeded();
    user.store("h.example", "<token>", "a-token").succeeded();
    assert_eq!(pass.entries(), ["h.example/[default]: <token>", "h.example: alice"]);
    user.store("h.example", "<token>", "b-token").succeeded();
    assert_eq!(user.token("h.example"), "b-token");
    assert_eq!(user.list(), json!({"h.example": "<token>"}));
    // The other login goes, and the next of ours is called as it should be.
    pass.helper("erase", "h.example");
    user.store("h.example", "<token>", "c-token").succeeded();
    assert_eq!(pass.entries(), ["h.example: <token>"]);
    pass.plant("other.example", "alice", "a password that nobody else has");
    user.store("other.example", "<token>", "d-token").succeeded();
    user.erase("other.example").succeeded();
    assert_eq!(pass.entries(), ["h.example: <token>", "other.example: alice"]);
}

#[test]
fn fifty_processes_at_once_lose_nothing() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    let login = |url: &str, i: usize| json!({"ServerURL": url, "Username": "<token>", "Secret": format!("a-token-of-{i}")});
    at_once(&user, |i| ("store", login(&format!("own{i}.example"), i).to_string()));
    at_once(&user, |i| ("store", login("shared.example", i).to_string()));
    let answers = at_once(&user, |i| ("get", format!("own{i}.example")));
    for (i, answer) in answers.iter().enumerate() {
        assert!(answer.contains(&format!("\"a-token-of-{i}\"")), "{i}: {answer}");
    }
    assert!(user.token("shared.example").starts_with("a-token-of-"));
    let shared = |entry: &&String| entry.starts_with("shared.example");
    let entries = pass.entries();
    assert_eq!((entries.len(), entries.iter().filter(shared).count()), (51, 1), "never two items");
    assert_eq!(user.list().as_object().unwrap().len(), 51);
    at_once(&user, |i| ("erase", format!("own{i}.example")));
    assert_eq!(pass.entries(), ["shared.example: <token>"]);
}

/// What fifty processes answer, each with a verb and stdin of its own, and all of them succeed.
///
/// A busy machine may need longer for all of them than one waits for the lock, or for the helper. Who
/// is told so has lost nothing, and tries again.
fn at_once(user: &User, verb: impl Fn(usize) -> (&'static str, String)) -> Vec<String> {
    let start = |i| {
        let (verb, stdin) = verb(i);
        let mut command = user.command();
        command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child
    };
    let running: Vec<_> = (0..50).map(start).collect();
    let end = |child: Child| child.wait_with_output().unwrap();
    let ended: Vec<_> = running.into_iter().map(end).collect();
    let answer = |(i, mut output): (usize, Output)| {
        let said = String::from_utf8_lossy(&output.stdout);
        let late = ["logins.lock for too long;", "no answer within "];
        if late.iter().any(|late| said.contains(late)) {
            output = end(start(i));
        }
        assert!(output.status.success(), "process {i}, {}: {output:?}", verb(i).0);
        String::from_utf8(output.stdout).unwrap()
    };
    ended.into_iter().enumerate().map(answer).collect()
}
