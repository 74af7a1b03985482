//! What a server writes reaches a terminal (CVE-2024-50349 and its like).

use super::{PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::{Outcome, User};

/// Clears the screen, sets the title, turns the text around, hides it, and would run a command.
const TRICKS: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}evil\u{2066}\u{200b}`id`\r\u{8}";

/// One line of printable ASCII; what the server wrote takes 200 characters of it at most.
#[track_caller]
fn is_plain(what: &str, outcome: &Outcome) {
    for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
        assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'`'), "{what}: {line:?}");
        assert!(line.len() < 700, "{what}: {line:?}");
        assert!(line.matches('A').count() <= 200, "{what}: {line:?}");
    }
    assert_eq!(outcome.stdout.lines().count(), 1, "{what}: {outcome:?}");
}

fn raw(status: &str, header: &str) -> Fault {
    let text = format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\n\r\n");
    Fault::Raw(text.into_bytes())
}

fn json(status: u16, body: &serde_json::Value) -> Fault {
    let headers = vec![("Content-Type".into(), "application/json".into())];
    Fault::Answer { status, headers, body: body.to_string() }
}

#[test]
fn cve_2024_50349_control_sequences_in_the_challenge() {
    // A registry clears the screen and writes a prompt of its own where the error should be.
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let long = "A".repeat(8000);
    for header in [
        format!("WWW-Authenticate: Bearer realm=\"https://evil.example/{TRICKS}\""),
        format!("WWW-Authenticate: Bearer realm=\"{TRICKS}\",service=\"{TRICKS}\""),
        format!("WWW-Authenticate: Bearer realm=\"https://evil.example/`id`/{long}\""),
        format!("WWW-Authenticate: Bearer realm=\"https://{long}/\""),
        format!("WWW-Authenticate: Bearer realm=\"{long}\",service=\"{long}\""),
        format!("WWW-Authenticate: {TRICKS}"),
        format!("WWW-Authenticate: Basic realm=\"{TRICKS}\""),
        format!("WWW-Authenticate: {long} realm=\"{long}\""),
        format!("{TRICKS}: {TRICKS}"),
    ] {
        server.set_fault(At::Challenge, raw("401 Unauthorized", &header));
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        is_plain(&header, &outcome);
        outcome.failed_with(&[]);
    }
    for status in [302, 307] {
        for to in [
            format!("https://evil.example/{TRICKS}"),
            format!("https://evil.example/`id`/{long}"),
            TRICKS.to_owned(),
        ] {
            let header = format!("Location: {to}");
            server.set_fault(At::Challenge, raw(&format!("{status} Found"), &header));
            let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
            is_plain(&header, &outcome);
            outcome.failed_with(&[]);
        }
    }
    previous.survives(&user);
}

#[test]
fn cve_2024_50349_control_sequences_in_any_answer() {
    // A token server does the same with its error, its reason phrase or its Retry-After.
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let long = "A".repeat(8000);
    for at in [At::Challenge, At::Exchange, At::Proof] {
        for fault in [
            json(400, &serde_json::json!({"error": "invalid_grant", "error_description": TRICKS})),
            json(400, &serde_json::json!({"error": TRICKS, "error_description": long})),
            json(401, &serde_json::json!({"errors": [{"code": TRICKS, "message": long}]})),
            json(200, &serde_json::json!({"token_type": TRICKS, "access_token": "a"})),
            json(200, &serde_json::json!({"access_token": TRICKS, "refresh_token": TRICKS})),
            raw(&format!("503 {TRICKS}"), "X: y"),
            raw(&format!("503 {long}"), "X: y"),
            raw("503 Busy", &format!("Retry-After: {TRICKS}")),
            raw("503 Busy", &format!("Retry-After: {long}")),
            raw("503 Busy", "Retry-After: `id`"),
            raw("429 Busy", &format!("Retry-After: {}", "9".repeat(8000))),
            raw(TRICKS, "X: y"),
        ] {
            let what = format!("{at:?} {fault:?}");
            server.clear_faults();
            server.set_fault(at, fault);
            let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
            is_plain(&what, &outcome);
            outcome.failed_with(&[]);
        }
    }
    previous.survives(&user);
}

#[test]
fn a_realm_that_moved_is_shown_in_part() {
    // A realm within the site may carry any query, and the note that it moved repeats it.
    let server = server().start();
    let user = User::trusting(&server);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    server.set_realm(&format!("{}?x={}`id`", server.token_endpoint(), "A".repeat(8000)));
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    outcome.noted("now go to");
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    assert!(!outcome.stderr.contains("now go to"), "{outcome:?}");
    server.set_realm(&server.token_endpoint());
    let again = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    for line in again.noted("now go to").stderr.lines().chain(outcome.stderr.lines()) {
        assert!(line.matches('A').count() <= 200 && !line.contains('`'), "{} bytes", line.len());
    }
}
