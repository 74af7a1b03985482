use std::cell::Cell;
use std::process::Stdio;

use docker_credential_refresh::error::Kind;
use docker_credential_refresh::keychain::{self, Keychain, KeychainName, Options};
use docker_credential_refresh::login_record::RecordStore;
use docker_credential_refresh::logins::{Logins, Open};
use docker_credential_refresh::protocol::Credentials;
use docker_credential_refresh::secret::{Password, RefreshToken};
use docker_credential_refresh::settings::{Settings, Variables};
use serde_json::{Value, json};

use super::{PASSWORD, logged_in, server};
use crate::mock_token_server::{At, Client, Fault, Profile, TokenServer};
use crate::support::keychains::memory::{Memory, Person};
use crate::support::user::User;

const PULL: &str = "repository:alice/app:pull";

#[test]
fn it_prints_the_access_token_alone() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.clear_journal();
    let token = user.does(&["token", &host, "--scope", PULL], "").succeeded().stdout;
    assert_eq!(token.lines().count(), 1);
    let bearer = format!("Bearer {}", token.trim_end());
    let url = format!("{}/v2/alice/app/tags/list", server.registry_url());
    let answer = Client::new(&server).get(&url, &[("authorization", &bearer)]).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.journal().passwords_sent(), 0);
    let header = user.does(&["token", &host, "--scope", PULL, "--header"], "").succeeded().stdout;
    assert!(header.starts_with("Authorization: Bearer ey"), "{header}");
}

#[test]
fn as_json_it_has_the_defaults_of_the_specification() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let run = || -> Value {
        let answer = user.does(&["token", &host, "--scope", PULL, "--json"], "").succeeded();
        serde_json::from_str(&answer.stdout).unwrap()
    };
    let answer = run();
    assert!(answer["expires_in"].as_u64().unwrap() >= 60);
    assert_eq!(answer["scope"], PULL);
    server.set_fault(At::Proof, Fault::Body(r#"{"access_token":"abc"}"#.into()));
    let answer = run();
    assert_eq!((&answer["token"], &answer["expires_in"]), (&"abc".into(), &60.into()));
    assert!(answer["issued_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(answer.as_object().unwrap().len(), 4);
}

#[test]
fn several_scopes_go_in_one_request() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.clear_journal();
    let second = "repository:alice/other:pull,push";
    user.does(&["token", &host, "--scope", PULL, "--scope", second], "").succeeded();
    let journal = server.journal();
    assert_eq!(journal.requests().len(), 1);
    assert_eq!(journal.requests()[0].all("scope"), [format!("{PULL} {second}")]);
    assert!(journal.requests()[0].has("client_id", "docker"), "the client of the proof");
}

#[test]
fn pull_and_push_are_short_for_scopes_of_repositories() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let asked = |arguments: &[&str]| {
        server.clear_journal();
        user.does(&[&["token", &host], arguments].concat(), "").succeeded();
        server.journal().requests()[0].all("scope").join("|")
    };
    assert_eq!(asked(&["--pull", "alice/app"]), PULL);
    assert_eq!(asked(&["--push", "alice/app"]), "repository:alice/app:pull,push");
    let all = ["--push", "alice/b", "--pull", "alice/a", "--pull", "alice/b", "--scope", PULL];
    let expected = "repository:alice/a:pull repository:alice/b:pull,push";
    assert_eq!(asked(&all), format!("{PULL} {expected}"));
    for odd in ["alice/app:v1", "Alice/app", "", "/alice", "localhost:5000/alice/app"] {
        let run = user.does(&["token", &host, "--pull", odd], "");
        run.is(2, "", "is not the name of a repository; leave out registry and tag");
    }
}

/// distribution's token server joins scopes by commas, one action each.
#[test]
fn scopes_are_understood_as_the_reference_token_server_writes_them() {
    let builder = TokenServer::builder().profile(Profile::Distribution).user("alice", PASSWORD);
    let server = builder.user_scope("alice", "repository:alice/*:pull,push").start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let both = ["--push", "alice/app", "--pull", "alice/other"];
    let arguments = [&["token", &host, "--json"][..], &both].concat();
    let run = || -> Value {
        serde_json::from_str(&user.does(&arguments, "").succeeded().stdout).unwrap()
    };
    let granted = "repository:alice/other:pull repository:alice/app:pull,push";
    assert_eq!(run()["scope"], granted);
    // The same where only the text tells, in whatever form.
    for scope in [
        json!("repository:alice/other:pull,repository:alice/app:pull,repository:alice/app:push"),
        json!("repository:alice/other:pull,repository:alice/app:pull,push"),
        json!(["repository:alice/other:pull", "repository:alice/app:pull,push"]),
        json!(granted),
    ] {
        let body = json!({"access_token": "opaque", "scope": scope});
        server.set_fault(At::Proof, Fault::Body(body.to_string()));
        assert_eq!(run()["scope"], granted, "{scope}");
    }
    for silent in [json!(""), json!(null), json!([]), json!(7), json!("openid")] {
        let body = json!({"access_token": "opaque", "scope": silent});
        server.set_fault(At::Proof, Fault::Body(body.to_string()));
        assert_eq!(run()["scope"], granted, "what was asked for, where nobody tells: {silent}");
    }
    let less = json!({"access_token": "opaque", "scope": "repository:alice/app:pull,push"});
    server.set_fault(At::Proof, Fault::Body(less.to_string()));
    user.does(&arguments, "").is(1, "", "did not grant repository:alice/other:pull");
    server.clear_faults();
    let more = [&arguments[..], &["--pull", "bob/app"]].concat();
    user.does(&more, "").is(1, "", "did not grant repository:bob/app:pull");
}

#[test]
fn a_scope_that_was_not_granted_is_a_failure_unless_allowed() {
    let server = server().user_scope("alice", "repository:alice/*:pull").start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let token = ["token", &host, "--scope", "repository:alice/app:pull,push"];
    let not_granted = "did not grant repository:alice/app:push";
    user.does(&token, "").is(1, "", not_granted);
    let partial = [&token[..], &["--allow-partial"]].concat();
    assert!(!user.does(&partial, "").succeeded().stdout.is_empty());
    user.does(&["token", &host, "--scope", "nonsense"], "").is(2, "", "is not a scope");
    user.does(&["token", &host], "").is(2, "", "--scope");
}

#[test]
fn a_dead_login_is_4_and_none_is_3_and_out_of_reach_is_7() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let token = ["token", &host, "--scope", PULL];
    server.revoke_everything();
    let again =
        format!("log in with: docker-credential-refresh --profile {} login", user.profile());
    user.does(&token, "").is(4, "", &again);
    user.does(&["token", "other.example", "--scope", PULL], "").is(3, "", "not logged in");
    drop(server);
    user.does(&token, "").is(7, "", "");
    user.keychain().delete(&host).unwrap();
    user.does(&token, "").is(3, "", "is gone from kernel");
}

#[test]
fn a_login_that_a_client_brought_finds_its_token_server_by_the_challenge() {
    let server = server().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    let token = server.issue_refresh_token("alice", "docker");
    user.store(&host, "<token>", &token).succeeded();
    user.does(&["token", &host, "--scope", PULL], "").succeeded();
}

#[test]
fn five_at_once_lose_no_rotated_token() {
    let server = TokenServer::builder()
        .profile(Profile::RotatingWithGrace)
        .rotation_grace(std::time::Duration::ZERO)
        .user("alice", PASSWORD)
        .start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    // Single-use from now on: each process must take what the one before it kept.
    let token = server.issue_refresh_token("alice", "docker");
    user.store(&host, "<token>", &token).succeeded();
    let runs: Vec<_> = (0..5)
        .map(|_| {
            let mut command = user.command();
            command.args(["token", &host, "--scope", PULL]);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_ne!(user.token(&host), token);
    user.does(&["token", &host, "--scope", PULL], "").succeeded();
}

#[test]
fn a_changed_token_that_cannot_be_kept_is_an_error() {
    // The keychain is locked between the refresh and the second look into it.
    thread_local! {
        static MEMORY: (Memory, Cell<usize>) = (Memory::new(), Cell::new(usize::MAX / 2));
    }
    fn open(name: &KeychainName, profile: &str, _: &Options) -> Result<Keychain, keychain::Error> {
        MEMORY.with(|(memory, opened)| {
            opened.set(opened.get() + 1);
            if opened.get() == 2 {
                memory.lock(Person::Absent);
            }
            Ok(memory.keychain(name.clone(), profile))
        })
    }
    with_logins(open, |logins, host| {
        MEMORY.with(|(_, opened)| opened.set(0));
        let record = logins.find_login(host).unwrap();
        let error = logins.refresh(&record, &[]).err().expect("the new token was lost");
        assert_eq!(error.kind, Kind::Keychain, "{error}");
    });
}

#[test]
fn a_changed_token_does_not_replace_that_of_a_login_that_came_meanwhile() {
    thread_local! {
        static MEMORY: (Memory, Cell<usize>) = (Memory::new(), Cell::new(usize::MAX / 2));
    }
    fn open(name: &KeychainName, profile: &str, _: &Options) -> Result<Keychain, keychain::Error> {
        MEMORY.with(|(memory, opened)| {
            opened.set(opened.get() + 1);
            let keychain = memory.keychain(name.clone(), profile);
            if opened.get() == 2 {
                for login in keychain.list().unwrap().logins {
                    let token = RefreshToken::new("token-of-the-new-login".to_owned());
                    keychain.put(&login.key, "alice", &token).unwrap();
                }
            }
            Ok(keychain)
        })
    }
    with_logins(open, |logins, host| {
        MEMORY.with(|(_, opened)| opened.set(0));
        let record = logins.find_login(host).unwrap();
        assert!(logins.refresh(&record, &[]).unwrap().access.is_some());
        assert_eq!(logins.item(&record).unwrap().token.expose(), "token-of-the-new-login");
    });
}

/// Somebody who is logged in where each refresh gives a new token, with keychains that are opened so.
fn with_logins(open: Open, then: impl FnOnce(&mut Logins<'_>, &str)) {
    let builder = TokenServer::builder().profile(Profile::RotatingWithGrace);
    let server = builder.user("alice", PASSWORD).start();
    let (host, user) = (server.registry_host(), User::trusting(&server));
    let kernel = [("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "kernel".into())];
    let mut notes = Vec::new();
    let mut logins = Logins {
        settings: Settings::load(user.home(), &Variables::of(kernel)).unwrap(),
        records: RecordStore::new(user.home().join("state")),
        certs_d: vec![user.home().join(".config/docker/certs.d")],
        notes: &mut notes,
        open_keychain: open,
        turn: std::rc::Weak::new(),
    };
    let secret = Password::new(PASSWORD.to_owned());
    let login = Credentials { server_url: host.clone(), username: "alice".to_owned(), secret };
    logins.store(login).unwrap();
    then(&mut logins, &host);
}
