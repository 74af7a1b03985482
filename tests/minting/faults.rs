//! What goes wrong on the way leaves no login half made, and no token that the next login does not find.

use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::attacks::attacker::Attacker;
use crate::support::injection::{Call, Run};

#[test]
fn a_token_that_cannot_be_kept_is_deleted_at_the_server() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    log_in(&user, &server);
    keychain_that_fails(&user);
    user.store(&host, "alice", PASSWORD).failed_with(&["no space left in the vault"]);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    only_one(&user, &server);
    // If that fails as well, it is said, and the next login does it.
    keychain_that_fails(&user);
    server.set_fault(At::ApiDelete, Fault::status(503));
    let failed = user.store(&host, "alice", PASSWORD);
    failed.failed_with(&["no space left"]).noted("was not kept, and stays valid: ");
    assert_eq!(server.minted_tokens().len(), 2);
    server.clear_faults();
    // That is not the one in use, although it is newer.
    user.store(&host, "alice", PASSWORD).failed_with(&["no space left in the vault"]);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    only_one(&user, &server);
    log_in(&user, &server);
}

#[test]
fn a_previous_token_that_cannot_be_deleted_is_told_and_the_next_login_does_it() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    log_in(&user, &server);
    server.set_fault(At::ApiDelete, Fault::status(500));
    let stored = user.store(&host, "alice", PASSWORD).succeeded();
    stored.noted("the previous minted token stays valid: ").noted("the next login deletes it");
    assert_eq!(server.minted_tokens().len(), 2);
    server.clear_faults();
    log_in(&user, &server);
}

#[test]
fn faults_of_the_api_keep_nothing_and_leave_the_former_login() {
    for (at, fault, part) in [
        (At::ApiVersion, Fault::Reset, "about the tokens of"),
        (At::ApiVersion, Fault::status(503), "status 503"),
        (At::ApiList, Fault::status(503), "status 503"),
        (At::ApiList, Fault::CaptivePortal, "captive portal"),
        (At::ApiList, Fault::OverlongBody, "too large"),
        (At::ApiList, Fault::status(404), "makes no tokens by the API of gitea"),
        (At::ApiCreate, Fault::status(500), "status 500"),
        (At::ApiCreate, Fault::status(400), "did not make a token (status 400)"),
        (At::ApiCreate, Fault::retry_after(429, "7"), "asks to try again in 7 s"),
        (At::ApiCreate, Fault::CaptivePortal, "captive portal"),
    ] {
        let server = with_user(Profile::Gitea).fault(at, fault).start();
        let user = minting(&server);
        let stored = user.store(&server.registry_host(), "alice", PASSWORD);
        nothing(&user, &server, stored, &[part]);
    }
    let server = with_user(Profile::Gitea).start();
    let user = minting(&server);
    log_in(&user, &server);
    server.set_fault(At::ApiCreate, Fault::status(500));
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["status 500"]);
    only_one(&user, &server);
}

/// An answer that is lost is a token that is there: the next login finds it by its name.
#[test]
fn what_a_lost_answer_leaves_is_found_by_its_name() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    for fault in [Fault::TruncatedBody, Fault::RemoveField("sha1".into())] {
        server.set_fault(At::ApiCreate, fault);
        assert_eq!(user.store(&host, "alice", PASSWORD).code, 1);
        assert_eq!(server.minted_tokens().len(), 1);
        server.clear_faults();
        log_in(&user, &server);
        user.does(&["revoke", "--password-stdin", &host], PASSWORD).succeeded();
    }
}

#[test]
fn a_token_that_is_no_good_is_not_kept() {
    // Of no use at the token server; the password, come back as the token; what no token is.
    for sha1 in ["0123456789abcdef", PASSWORD, "", "a\nb"] {
        let fault = Fault::SetField("sha1".into(), json!(sha1));
        let server = with_user(Profile::Gitea).fault(At::ApiCreate, fault).start();
        let user = minting(&server);
        let stored = user.store(&server.registry_host(), "alice", PASSWORD);
        nothing(&user, &server, stored, &["127.0.0.1 made a token that cannot be used at"]);
    }
}

/// CVE-2023-45289 and its like: the password would be the prize.
#[test]
fn no_request_with_a_credential_follows_a_redirect() {
    for at in [At::ApiVersion, At::ApiList, At::ApiCreate, At::ApiDelete] {
        let attacker = Attacker::listen();
        let server = with_user(Profile::Gitea).start();
        let host = server.registry_host();
        let user = minting(&server);
        log_in(&user, &server);
        for status in [301, 302, 303, 307, 308] {
            let target = format!("https://127.0.0.1:{}/", attacker.port());
            server.set_fault(at, Fault::Redirect(status, target));
            user.store(&host, "alice", PASSWORD);
            user.does(&["revoke", "--password-stdin", &host], PASSWORD);
            server.clear_faults();
            user.store(&host, "alice", PASSWORD).succeeded();
            only_one(&user, &server);
        }
        assert!(attacker.seen().is_empty(), "{at:?}");
    }
}

/// The realm decides where the API is: what a trust rule refuses there gets no password here either.
#[test]
fn cve_2026_33540_an_api_on_another_site_gets_nothing() {
    let attacker = Attacker::listen();
    let server = with_user(Profile::Gitea).start();
    server.set_realm(&format!("https://localhost:{}/v2/token", attacker.port()));
    let user = minting(&server);
    let stored = user.store(&server.registry_host(), "alice", PASSWORD);
    nothing(&user, &server, stored, &["--trust-realm"]);
    assert!(attacker.seen().is_empty());
    assert_eq!(server.journal().passwords_sent(), 0);
}

const CHANGES: [&str; 6] = ["write", "fsync", "rename", "unlink", "keyctl", "add_key"];

/// Each system call on files and keys of a login fails once, and is once the last thing that happens: at
/// most one token is left besides the one that is kept, and the next login replaces it.
fn sweep(place: &Place, calls_of: impl Fn(&Call, bool) -> bool) {
    let Place { server, user, host, .. } = place;
    place.log_in();
    let arguments = ["login", "-u", "alice", "--password-stdin", host];
    let run = Run { user, arguments: &arguments, stdin: PASSWORD };
    let known = |outcome: &Outcome| {
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let kept = hash(answer["Secret"].as_str().unwrap());
        server.minted_tokens().iter().any(|token| token.hash == kept)
    };
    for is_first in [true, false] {
        let prepare = || match is_first {
            true => drop(user.does(&["revoke", "--password-stdin", host], PASSWORD)),
            false => drop(place.log_in()),
        };
        prepare();
        let calls = run.some_calls();
        let (mut left, mut failed) = (0, 0);
        for call in calls.iter().filter(|call| calls_of(call, is_first)) {
            prepare();
            run.killed_at(call);
            let (kept, now) = (user.get(host), server.minted_tokens().len());
            match kept.code {
                0 => assert!(known(&kept), "killed at {call:?}: {kept:?}"),
                _ => assert!(is_first, "killed at {call:?}: {kept:?}"),
            }
            let of_nobody = now - usize::from(kept.code == 0);
            assert!(of_nobody <= 1, "killed at {call:?}: {now} tokens");
            left += of_nobody;
            place.log_in();
            for error in call.errors().iter().filter(|_| !is_first) {
                prepare();
                let outcome = run.with_error(call, error);
                let (kept, now) = (user.get(host), server.minted_tokens().len());
                let what = format!("{error} at {call:?}: {outcome:?} {kept:?}");
                assert!(now == 1 && known(&kept), "{now} tokens: {what}");
                failed += usize::from(outcome.code != 0);
            }
        }
        println!("{} calls, {left} kills left one, {failed} errors failed it", calls.len());
        // Otherwise nothing was injected.
        let enough = left > 2 && (is_first || failed > 2);
        assert!(calls.len() > 10 && enough, "{left} {failed}: {calls:?}");
    }
}

fn changes(call: &Call) -> bool {
    CHANGES.contains(&call.name.as_str())
}

#[test]
fn killed_anywhere_at_most_one_is_left_which_the_next_login_replaces() {
    // What only reads leaves nothing behind: where there was no login yet, the rest will do.
    sweep(&of_gitea(), |call, is_first| !is_first || changes(call));
}

/// The calls are the same; what is left, and how it is found, is not.
#[test]
fn killed_at_any_change_at_most_one_is_left_at_docker_hub() {
    sweep(&of_docker_hub(), |call, _| changes(call));
}

#[test]
fn killed_at_any_change_at_most_one_is_left_at_artifactory() {
    sweep(&of_artifactory(), |call, _| changes(call));
}

/// While the API is asked, or before its answer has come.
#[test]
fn killed_while_the_api_answers_at_most_one_is_left_which_the_next_login_replaces() {
    for place in everywhere() {
        let mut left = 0;
        for (at, fault) in [
            (At::ApiList, Fault::BlackHole),
            (At::ApiCreate, Fault::BlackHole),
            (At::ApiCreate, Fault::OneByteASecond),
            (At::ApiDelete, Fault::BlackHole),
            (At::ApiDelete, Fault::OneByteASecond),
        ] {
            let kept = place.log_in();
            let step = |lines: &[String]| {
                let verb = match at {
                    At::ApiCreate => "POST ",
                    At::ApiDelete => "DELETE ",
                    _ => "GET ",
                };
                lines
                    .iter()
                    .filter(|line| line.starts_with(verb) && line.contains("tokens"))
                    .count()
            };
            place.server.clear_journal();
            place.server.set_fault(at, fault.clone());
            let mut child = at_once::start(&place);
            let end = Instant::now() + Duration::from_secs(20);
            while step(&place.server.journal().lines()) == 0 {
                assert!(Instant::now() < end, "{}: {at:?} {fault:?}", place.name);
                thread::sleep(Duration::from_millis(20));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            place.server.clear_faults();
            let tokens = place.server.minted_tokens();
            let now = hash(&place.kept());
            let known = tokens.iter().any(|token| token.hash == now);
            assert!(known && tokens.len() <= 2, "{}: {at:?} {fault:?} {tokens:?}", place.name);
            assert!(at == At::ApiDelete || now == hash(&kept), "{}: {at:?}", place.name);
            left += tokens.len() - 1;
            place.log_in();
        }
        assert!(left > 0, "{}", place.name);
    }
}

/// What one `configure` has had made is given up if it fails: where another login is stuck, and where the
/// keychain takes none.
#[test]
fn a_configure_that_fails_leaves_no_token() {
    use base64::Engine;
    let servers = [with_user(Profile::Gitea).start(), with_user(Profile::Artifactory).start()];
    let without_api = with_user(Profile::Quay).start();
    let user = minting(&servers[0]);
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
    let docker = user.home().join(".docker/config.json");
    fs::create_dir_all(docker.parent().unwrap()).unwrap();
    let write = |all: &[&TokenServer]| {
        let auths: serde_json::Map<_, _> =
            all.iter().map(|server| (server.registry_host(), json!({"auth": auth}))).collect();
        fs::write(&docker, json!({"auths": auths}).to_string()).unwrap();
    };
    for server in servers.iter().chain([&without_api]) {
        user.trust(&server.registry_host(), server);
    }
    on_path(&user);
    let configure = ["configure", "--fallback", "none"];
    let is_made = |server: &TokenServer| {
        server.journal().lines().iter().any(|line| line.starts_with("DELETE "))
    };
    write(&[&servers[0], &servers[1], &without_api]);
    user.does(&configure, "").code_is(5).noted("nothing was changed");
    for server in &servers {
        assert!(is_made(server));
        assert_eq!(server.minted_tokens(), []);
        server.clear_journal();
    }
    write(&[&servers[0], &servers[1]]);
    keychain_that_fails(&user);
    user.does(&configure, "").code_is(6).noted("no space left in the vault");
    for server in &servers {
        assert!(is_made(server));
        assert_eq!(server.minted_tokens(), []);
    }
    assert!(fs::read_to_string(&docker).unwrap().contains(&auth) && user.records().is_empty());
}
