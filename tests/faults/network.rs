//! Each fault at each step: one line, exit 1, and the previous login is as it was.

use serde_json::json;

use crate::attacks::{PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault, TokenServer};
use crate::support::user::{Outcome, User};

const STEPS: [At; 3] = [At::Challenge, At::Exchange, At::Proof];

/// How often a password is sent when this goes wrong at these steps: challenge, exchange, proof.
type Sent = [usize; 3];

/// Where there is no answer, the password is not sent again: it may have arrived.
const BROKEN: Sent = [0, 1, 1];
/// A 200 that is not a token response: at the exchange something in front may have answered POST,
/// and GET may reach the token server.
const UNREADABLE: Sent = [0, 2, 1];
/// An answer that settles nothing is tried the other way (GET), and a refused proof once more.
const REFUSED: Sent = [0, 2, 2];

fn faults() -> Vec<(Fault, Sent)> {
    let text = |fault: &str| fault.to_owned();
    let raw = |text: &str| Fault::Raw(text.as_bytes().to_vec());
    let mut all = vec![
        (Fault::Reset, BROKEN),
        (Fault::CloseWithoutBytes, BROKEN),
        (Fault::TruncatedBody, BROKEN),
        (Fault::OverlongBody, BROKEN),
        (Fault::EndlessBody, BROKEN),
        (Fault::HugeHeaders, BROKEN),
        (raw("garbage\r\n\r\n"), BROKEN),
        (raw("HTTP/9.9 200 OK\r\n\r\n"), BROKEN),
        (raw("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcde"), BROKEN),
        (raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), BROKEN),
        (raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), BROKEN),
        (raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), BROKEN),
        (raw("SSH-2.0-OpenSSH_9.2\r\n"), BROKEN),
        (Fault::CaptivePortal, UNREADABLE),
        (Fault::Redirect(302, text("/elsewhere")), BROKEN),
        (Fault::status(418), BROKEN),
        (Fault::status(500), BROKEN),
        (Fault::oauth(503, "temporarily_unavailable"), BROKEN),
        (Fault::status(204), BROKEN),
        (Fault::status(599), BROKEN),
        (Fault::status(429), BROKEN),
        (Fault::oauth(429, "slow_down"), BROKEN),
        (Fault::oauth(500, "server_error"), BROKEN),
        (Fault::status(400), REFUSED),
        (Fault::status(403), REFUSED),
        (Fault::status(404), REFUSED),
        (Fault::status(405), REFUSED),
        (Fault::status(415), REFUSED),
        (Fault::status(422), REFUSED),
        (Fault::status(501), REFUSED),
        (Fault::oauth(400, "unsupported_grant_type"), REFUSED),
        (Fault::oauth(400, "invalid_request"), REFUSED),
        (Fault::oauth(401, "invalid_client"), REFUSED),
        // Settled at once at the exchange: another attempt could lock the account.
        (Fault::oauth(400, "invalid_grant"), [0, 1, 2]),
        (Fault::oauth(403, "access_denied"), [0, 1, 2]),
    ];
    for wait in ["0", "5", "4294967296", "-1", "1.5", "", "Wed, 21 Oct 2065 07:28:00 GMT", "soon"] {
        all.push((Fault::retry_after(503, wait), BROKEN));
    }
    all
}

/// What is wrong with a token response; the challenge has no such body.
fn bodies() -> Vec<(Fault, Sent)> {
    let body = |text: &str| Fault::Body(text.to_owned());
    let set = |name: &str, value| Fault::SetField(name.to_owned(), value);
    vec![
        (Fault::InvalidJson, UNREADABLE),
        (Fault::JsonArray, UNREADABLE),
        (Fault::JsonNull, UNREADABLE),
        (Fault::DeepNesting, BROKEN),
        (Fault::DuplicateKeys, UNREADABLE),
        (Fault::WrongTypes, UNREADABLE),
        (Fault::GzipBomb, BROKEN),
        (Fault::Coding("gzip".into()), UNREADABLE),
        (Fault::Coding("deflate".into()), UNREADABLE),
        (Fault::Coding("br".into()), UNREADABLE),
        (Fault::Coding("gzip, gzip".into()), UNREADABLE),
        (Fault::UnprintableTokens, BROKEN),
        (Fault::OverlongTokens, BROKEN),
        (Fault::TokenType("mac".into()), BROKEN),
        (body(""), UNREADABLE),
        (body(" "), UNREADABLE),
        (body("\"token\""), UNREADABLE),
        (body("{\"access_token\":\"a\"}}"), UNREADABLE),
        (body("\u{feff}{\"access_token\":\"a\"}"), UNREADABLE),
        (body("{\"access_token\":\"\\ud800\"}"), UNREADABLE),
        (body("<html>{\"access_token\":\"a\"}"), UNREADABLE),
        (body("{\"access_token\":true,\"refresh_token\":\"a\"}"), UNREADABLE),
        (set("refresh_token", json!("line\nbreak")), BROKEN),
        // 200 without a token of use: the other way, or once more as the client that will use it.
        (Fault::NoTokens, REFUSED),
        (Fault::EmptyTokens, REFUSED),
        (body("{}"), REFUSED),
        (body("{\"access_token\":null,\"refresh_token\":null}"), REFUSED),
    ]
}

#[track_caller]
fn fails(
    server: &TokenServer,
    user: &User,
    previous: &Previous,
    what: &str,
    sent: usize,
) -> Outcome {
    let outcome = fails_with_a_note(server, user, previous, what, sent);
    assert_eq!(outcome.stderr, "", "{what}");
    outcome
}

#[track_caller]
fn fails_with_a_note(
    server: &TokenServer,
    user: &User,
    previous: &Previous,
    what: &str,
    sent: usize,
) -> Outcome {
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    assert_eq!(outcome.code, 1, "{what}: {outcome:?}");
    let journal = server.journal();
    assert_eq!(journal.passwords_sent(), sent, "{what}: {:?} {outcome:?}", journal.lines());
    previous.survives(user);
    outcome
}

/// Once the password is known to be right, the server's own trouble is no reason to send it again, nor
/// to take the login for one that cannot be exchanged.
#[test]
fn trouble_at_the_proof_that_is_told_by_a_refusal() {
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    for code in ["temporarily_unavailable", "server_error"] {
        server.clear_journal();
        server.set_fault(At::Proof, Fault::oauth(400, code));
        let outcome = fails(&server, &user, &previous, code, 1);
        outcome.failed_with(&[code, "try again later"]);
    }
}

/// The same server for all faults at one step.
fn sweep(at: At, faults: Vec<(Fault, Sent)>) {
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let step = STEPS.iter().position(|step| *step == at).unwrap();
    for (fault, sent) in faults {
        server.clear_faults();
        server.clear_journal();
        let what = format!("{fault:.60?} at {at:?}");
        server.set_fault(at, fault);
        fails(&server, &user, &previous, &what, sent[step]);
    }
    // It was the faults: without one the same login works.
    server.clear_faults();
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}

#[test]
fn at_the_challenge() {
    sweep(At::Challenge, faults());
}

#[test]
fn at_the_exchange() {
    sweep(At::Exchange, [faults(), bodies()].concat());
}

#[test]
fn at_the_proof() {
    sweep(At::Proof, [faults(), bodies()].concat());
}

#[test]
fn at_the_get_after_a_refused_post() {
    let server = server().post_status(404).start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    for (fault, _) in [faults(), bodies()].concat() {
        server.clear_journal();
        let what = format!("{fault:.60?}");
        server.set_fault(At::ExchangeGet, fault);
        // By POST and by GET; once more without `offline_token` only after a 401.
        let again = what.contains("401");
        fails(&server, &user, &previous, &what, if again { 3 } else { 2 });
    }
}

#[test]
fn with_the_connection() {
    // With a registry of its own, these hit the token server at its first request.
    for fault in [
        Fault::Refused,
        Fault::CloseOnAccept,
        Fault::AnswerHello(b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
        Fault::AnswerHello(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Fault::AnswerHello(b"\x16".to_vec()),
        Fault::TlsOff,
        Fault::ExpiredCertificate,
        Fault::WrongHostCertificate,
        Fault::UnknownCa,
    ] {
        for at in STEPS {
            // After an exchange its connection is used again: only a closed port shows at a proof.
            if at == At::Proof && fault != Fault::Refused {
                continue;
            }
            // A registry on this machine may do without TLS (attacks/plain_http.rs).
            let no_tls = fault == Fault::TlsOff
                || matches!(&fault, Fault::AnswerHello(bytes) if bytes.starts_with(b"HTTP"));
            if at == At::Challenge && no_tls {
                continue;
            }
            let server = server().separate_registry().start();
            let user = User::trusting(&server);
            let previous = Previous::login(&user, &server.registry_host());
            server.add_fault(at, fault.clone(), None);
            let what = format!("{fault:?} at {at:?}");
            let outcome = match at {
                // Nor is there anybody to revoke what was issued.
                At::Proof => fails_with_a_note(&server, &user, &previous, &what, 1)
                    .noted("may stay valid there until it expires"),
                _ => fails(&server, &user, &previous, &what, 0),
            };
            outcome.failed_with(&[super::was_doing(at)]);
        }
    }
}

#[test]
fn a_name_that_is_not_found() {
    let user = User::new();
    let previous = Previous::login(&user, "registry.invalid");
    let outcome = user.store("registry.invalid", "alice", PASSWORD);
    outcome.failed_with(&["cannot reach registry.invalid", "check the name"]);
    previous.survives(&user);
}

#[test]
fn what_is_odd_but_harmless_is_tolerated() {
    let text = |text: &str| text.to_owned();
    for fault in [
        Fault::ContentType(None),
        Fault::ContentType(Some(text("text/html"))),
        Fault::ContentType(Some(text("application/x-www-form-urlencoded"))),
        Fault::TokenType(text("bearer")),
        Fault::TokenType(text("Bearer")),
        Fault::TokenType(text("")),
        Fault::SetField(text("token_type"), json!(null)),
        Fault::SetField(text("token_type"), json!(["Bearer"])),
        Fault::SetField(text("scope"), json!([])),
        Fault::SetField(text("scope"), json!({"a": 1})),
        Fault::SetField(text("expires_in"), json!("300.5")),
        Fault::SetField(text("expires_in"), json!(1e300)),
        Fault::SetField(text("issued_at"), json!(1.5)),
        Fault::SetField(text("refresh_token_expires_in"), json!([])),
        Fault::OnlyToken,
        Fault::OnlyAccessToken,
        Fault::SetField(text("expires_in"), json!("soon")),
        Fault::SetField(text("expires_in"), json!(-1e300)),
        Fault::SetField(text("issued_at"), json!("yesterday")),
        Fault::SetField(text("unknown"), json!([[{}]])),
        Fault::RemoveField(text("expires_in")),
        Fault::Gzip("gzip".into()),
        Fault::Gzip("X-GZip".into()),
        Fault::Gzip("identity, gzip".into()),
        Fault::Coding("identity".into()),
        Fault::Coding(String::new()),
        // A clock that is ten years off says nothing about a token.
        Fault::DateOff(10),
        Fault::DateOff(-10),
    ] {
        for at in STEPS {
            let server = server().fault(at, fault.clone()).start();
            let user = User::trusting(&server);
            let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
            assert_eq!(outcome.code, 0, "{fault:?} at {at:?}: {outcome:?}");
            assert_eq!(server.journal().passwords_sent(), 1, "{fault:?} at {at:?}");
        }
    }
}

#[test]
fn retry_after_is_passed_on() {
    let server = server().start();
    let user = User::trusting(&server);
    for at in STEPS {
        for (wait, shown) in [
            ("17", Some("in 17 s")),
            ("Wed, 21 Oct 2065 07:28:00 GMT", Some("after 2065-10-21T07:28:00Z")),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            server.set_fault(at, Fault::retry_after(429, wait));
            let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
            let outcome = outcome.failed_with(&["status 429"]);
            let asks = outcome.stdout.contains("asks to try again");
            assert_eq!(asks, shown.is_some(), "{wait}: {outcome:?}");
            outcome.failed_with(&[shown.unwrap_or_default()]);
            server.set_fault(at, Fault::status(200));
            server.clear_faults();
        }
    }
}

#[test]
fn no_fault_hands_the_password_to_the_fallback() {
    // What anybody on the way can bring about must not move a login to where passwords are kept.
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let mark = user.home().join("handed-over");
    let script = "#!/bin/sh\n[ \"$1\" = store ] && cat > \"$HOME/handed-over\"\necho '{}'\n";
    user.program("docker-credential-other", script);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
    let evil = "https://evil.example/v2/".to_owned();
    let bad_realm = Fault::Challenge(vec!["Bearer realm=\"https://a\u{7}\"".into()]);
    for (at, fault) in [
        (At::Challenge, Fault::CaptivePortal),
        (At::Challenge, Fault::Redirect(302, evil.clone())),
        (At::Challenge, Fault::Reset),
        (At::Challenge, Fault::status(404)),
        (At::Challenge, Fault::status(503)),
        (At::Challenge, bad_realm),
        (At::Challenge, Fault::ExpiredCertificate),
        (At::Exchange, Fault::CaptivePortal),
        (At::Exchange, Fault::Redirect(307, evil)),
        (At::Exchange, Fault::Reset),
        (At::Exchange, Fault::status(404)),
        (At::Exchange, Fault::status(500)),
        (At::Exchange, Fault::oauth(400, "invalid_grant")),
        (At::Exchange, Fault::InvalidJson),
        (At::Proof, Fault::Reset),
        (At::Proof, Fault::status(500)),
        (At::Proof, Fault::CaptivePortal),
    ] {
        let what = format!("{fault:?} at {at:?}");
        server.clear_faults();
        server.set_fault(at, fault);
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        assert!(!mark.exists(), "{what}: {outcome:?}");
        assert_eq!(outcome.code, 1, "{what}: {outcome:?}");
        previous.survives(&user);
    }
    // A host without TLS, which is what a stranger on the way would be.
    let proxy = crate::attacks::no_tls_proxy(&user);
    let outcome = user.store("registry.example.com", "alice", PASSWORD);
    outcome.failed_with(&["does not speak TLS"]);
    assert!(!mark.exists() && !proxy.requests().is_empty());
    // Where there is nothing to exchange, the script would have taken it.
    server.clear_faults();
    server.set_challenge_headers(vec!["Basic realm=\"x\"".into()]);
    assert_eq!(user.store(&server.registry_host(), "alice", PASSWORD).code, 0);
    assert!(mark.exists());
    std::fs::remove_file(mark).unwrap();
}

#[test]
fn a_coding_that_was_not_asked_for_is_named() {
    let server = server().start();
    let user = User::trusting(&server);
    for (coding, shown) in [("br", "encoded as br"), ("gzip", "gzip data is damaged")] {
        server.set_fault(At::Exchange, Fault::Coding(coding.to_owned()));
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        outcome.failed_with(&["answered in a way that cannot be read", shown]);
    }
    server.set_fault(At::Exchange, Fault::GzipBomb);
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    outcome.failed_with(&["too large"]);
    // A refusal is understood in gzip, too: it settles the login at once.
    server.clear_journal();
    server.set_fault(At::Exchange, Fault::Gzip("gzip".to_owned()));
    let outcome = user.store(&server.registry_host(), "alice", "wrong horse battery");
    outcome.failed_with(&["refused the username or password"]);
    assert_eq!(server.journal().passwords_sent(), 1);
}
