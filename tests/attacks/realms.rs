//! Realms that would send the password elsewhere: CVE-2026-33540, CVE-2026-48978, and in
//! go-containerregistry #2243 and #2302.

use super::{Attacker, PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::User;

/// Each of these is tried with PORT as the attacker's, who listens on every address.
const ELSEWHERE: &[&str] = &[
    // Another site, by name and by address.
    "https://evil.example:PORT/token",
    "https://127.0.0.1.evil.example:PORT/token",
    "https://8.8.8.8:PORT/token",
    // Private literal addresses, in every spelling that some parser takes for one.
    "https://127.0.0.2:PORT/token",
    "https://127.1:PORT/token",
    "https://127.0.1:PORT/token",
    "https://0:PORT/token",
    "https://0.0.0.0:PORT/token",
    "https://2130706434:PORT/token",
    "https://0x7f.0.0.2:PORT/token",
    "https://0x7f000002:PORT/token",
    "https://0177.0.0.2:PORT/token",
    "https://127.0.0.02:PORT/token",
    "https://localhost:PORT/token",
    "https://LOCALHOST:PORT/token",
    "https://localhost.:PORT/token",
    "https://x.localhost:PORT/token",
    "https://127.0.0.1.:PORT/token",
    "https://[::1]:PORT/token",
    "https://[::]:PORT/token",
    "https://[::ffff:127.0.0.2]:PORT/token",
    "https://[::ffff:7f00:2]:PORT/token",
    "https://[::127.0.0.2]:PORT/token",
    "https://[64:ff9b::127.0.0.2]:PORT/token",
    "https://[fe80::1%25lo]:PORT/token",
    "https://10.0.0.1:PORT/token",
    "https://169.254.169.254:PORT/token",
    "https://[fd00:ec2::254]:PORT/token",
    "https://127%2e0.0.2:PORT/token",
    "https://%31%32%37.0.0.2:PORT/token",
    // One reader sees the registry, another the attacker.
    "https://127.0.0.1@127.0.0.2:PORT/token",
    "https://127.0.0.1:1@127.0.0.2:PORT/token",
    "https://alice:secret@127.0.0.1:PORT/token",
    "https://127.0.0.2:PORT#@127.0.0.1/token",
    "https://127.0.0.2:PORT\\\\@127.0.0.1/token",
    "https:\\\\\\\\127.0.0.1:PORT/token",
    "https://127.0.0.1:PORT\\\\.evil.example/token",
    "https://127.0.0.1:PORT/token#fragment",
    // Not absolute, or not of the web.
    "/token",
    "token",
    "//127.0.0.1:PORT/token",
    "https:127.0.0.1:PORT/token",
    "https:/127.0.0.1:PORT/token",
    "https://",
    "https:///token",
    "https://:PORT/token",
    "ftp://127.0.0.1:PORT/token",
    "file:///etc/passwd",
    "javascript://127.0.0.1:PORT/%0aalert(1)",
    "unix:///run/token.sock",
    "https://127.0.0.1:0/token",
    "https://127.0.0.1:99999/token",
    // Without TLS, though the registry has it.
    "http://127.0.0.1:PORT/token",
    "HTTP://127.0.0.1:PORT/token",
    "http://127.0.0.2:PORT/token",
];

#[test]
fn cve_2026_33540_a_realm_elsewhere_gets_nothing() {
    // A registry that was broken into names a realm of the attacker's, and waits for passwords.
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    for realm in ELSEWHERE {
        let realm = realm.replace("PORT", &attacker.port().to_string());
        server.set_challenge_headers(vec![format!("Bearer realm=\"{realm}\",service=\"s\"")]);
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        assert!(outcome.stdout.contains("nothing was sent"), "{realm}: {outcome:?}");
        outcome.failed_with(&["sends its logins to"]);
        attacker.saw_nothing(&realm);
        previous.survives(&user);
    }
    assert_eq!(server.journal().passwords_sent(), 0);
}

#[test]
fn a_realm_in_odd_bytes_is_no_challenge() {
    // Full-width digits and ideographic dots become ASCII in some URL parsers (UTS 46).
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let port = attacker.port();
    for host in ["\u{ff11}27.0.0.2", "127\u{3002}0\u{3002}0\u{3002}2", "l\u{f6}calhost", "\u{2460}"]
    {
        server.set_challenge_headers(vec![format!("Bearer realm=\"https://{host}:{port}/t\"")]);
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        outcome.failed_with(&["WWW-Authenticate header that cannot be understood"]);
        attacker.saw_nothing(host);
    }
}

#[test]
fn cve_2026_48978_the_first_of_two_realms_is_not_overruled() {
    // A proxy appends a second realm, and the parser that takes the last one obeys it.
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let (good, port) = (server.token_endpoint(), attacker.port());
    let evil = format!("https://127.0.0.2:{port}/token");
    for headers in [
        vec![format!("Bearer realm=\"{evil}\",service=\"mock-registry\",realm=\"{good}\"")],
        vec![format!("Bearer realm=\"{good}\",realm=\"{evil}\",service=\"mock-registry\"")],
        vec![format!("Bearer realm=\"{good}\",Realm=\"{evil}\"")],
    ] {
        server.set_challenge_headers(headers);
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        outcome.failed_with(&["cannot be understood"]);
    }
    server.set_challenge_headers(vec![
        format!("Bearer realm=\"{good}\",service=\"mock-registry\""),
        format!("Bearer realm=\"{evil}\",service=\"mock-registry\""),
    ]);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    attacker.saw_nothing("two challenges");
}

#[test]
fn a_trusted_realm_is_trusted_for_that_registry_and_origin_alone() {
    // Trust given for one registry, or for one port, must not be trust for all.
    let server = server().separate_registry().start();
    let attacker = Attacker::listen();
    let user = User::trusting(&server);
    let registry = server.registry_host();
    let trusted = server.token_origin().replace("127.0.0.1", "localhost");
    user.trust(trusted.strip_prefix("https://").unwrap(), &server);
    server.set_realm(&server.token_endpoint().replace("127.0.0.1", "localhost"));

    let refused = user.store(&registry, "alice", PASSWORD);
    // The error names the very setting that the next step uses.
    let setting = format!("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM={registry}={trusted}");
    refused.failed_with(&["at a private address", "nothing was sent", &setting]);
    assert_eq!(server.journal().passwords_sent(), 0);

    for other in [
        format!("other.example={trusted}"),
        format!("{registry}=https://localhost:{}", attacker.port()),
        format!("{registry}=https://localhost"),
        format!("{registry}={}", trusted.replace("https", "http")),
    ] {
        let user = User::trusting(&server);
        user.set("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM", &other);
        user.store(&registry, "alice", PASSWORD).failed_with(&["nothing was sent"]);
    }
    assert_eq!(server.journal().passwords_sent(), 0);

    user.set("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM", &format!("{registry}={trusted}"));
    user.store(&registry, "alice", PASSWORD).succeeded();
    assert_eq!(server.journal().passwords_sent(), 1);
    attacker.saw_nothing("another port");
}

#[test]
fn a_trusted_realm_still_has_to_prove_who_it_is() {
    // Trust in an origin is trust in its certificate, not in whoever answers there.
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let origin = format!("https://127.0.0.2:{}", attacker.port());
    server.set_realm(&format!("{origin}/token"));
    let pair = format!("{}={origin}", server.registry_host());
    user.set("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM", &pair);
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&[&origin]);
    // The attacker would have seen it: the hello came, and nothing else.
    let seen = attacker.seen();
    assert!(!seen.is_empty() && seen.iter().all(|bytes| bytes.first() == Some(&0x16)));
    assert!(!seen.concat().windows(8).any(|w| w == &PASSWORD.as_bytes()[..8]));
}

#[test]
fn cve_2020_15157_only_the_registry_asked_names_the_realm() {
    // A 401 of the token endpoint, or of a host that a redirect led to, names another realm.
    let attacker = Attacker::listen();
    let evil = format!("Bearer realm=\"https://127.0.0.2:{}/token\"", attacker.port());
    for at in [At::Exchange, At::Proof] {
        let server = server().fault(at, Fault::Challenge(vec![evil.clone()])).start();
        let user = User::trusting(&server);
        let previous = Previous::login(&user, &server.registry_host());
        user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&[]);
        previous.survives(&user);
        attacker.saw_nothing(&format!("{at:?}"));
    }
}

#[test]
fn nothing_secret_goes_with_the_challenge_request() {
    // The first request goes to whatever the user typed: it must be worth nothing to a stranger.
    let server = server().start();
    let user = User::trusting(&server);
    Previous::login(&user, &server.registry_host());
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    let journal = server.journal();
    assert!(!journal[0].has_credential() && journal[0].parameters.is_empty());
    for request in journal.iter() {
        assert_eq!(request.referer, None);
        assert!(!request.header_names.contains(&"cookie".to_owned()));
        // Only a form or a Basic header has it; never a query.
        let in_query = request.parameters.iter().filter(|parameter| !parameter.in_form);
        assert!(in_query.map(|p| p.name.as_str()).all(|name| name != "password"));
    }
}
