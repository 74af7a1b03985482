//! http where there should be TLS (docker/for-win #13344, CVE-2019-10214).

use super::proxy::{Proxy, Tunnel};
use super::{Attacker, PASSWORD, Previous, server};
use crate::support::user::User;

const REGISTRY: &str = "registry.example.com";
/// A fatal alert: handshake failure.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

fn challenge(realm: &str) -> String {
    format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{realm}\"\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

fn user(proxy: &Proxy, insecure: &str) -> (User, Previous) {
    let user = User::new();
    proxy.set(&user);
    user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", insecure);
    let previous = Previous::login(&user, REGISTRY);
    (user, previous)
}

#[test]
fn docker_for_win_13344_http_is_never_tried_after_https_failed() {
    // Whoever can break a TLS connection gets the password by http, if there is a second try.
    let tls = server().start();
    let address = tls.registry_host().parse().unwrap();
    for (what, tunnel) in [
        ("an alert", Tunnel::Answers(ALERT.to_vec())),
        ("a close without bytes", Tunnel::Answers(Vec::new())),
        ("half of a record's head", Tunnel::Answers(b"\x16\x03".to_vec())),
        ("a certificate of nobody", Tunnel::To(address)),
        ("a proxy without a way", Tunnel::Refused),
    ] {
        let proxy = Proxy::start(tunnel, &challenge("http://registry.example.com:443/token"));
        // Even where http would be allowed.
        let (user, previous) = user(&proxy, REGISTRY);
        user.store(REGISTRY, "alice", PASSWORD).failed_with(&["cannot reach"]);
        assert!(!proxy.requests().is_empty() && proxy.plain().is_empty(), "{what}");
        previous.survives(&user);
    }
    assert!(tls.journal().is_empty());
}

#[test]
fn a_host_without_tls_gets_nothing_unless_it_is_named() {
    // A stranger on the way answers the TLS hello in plain text to be spoken to without TLS.
    for named in
        ["", "other.example", "example.com", "registry.example.com:5000", "b.registry.example.com"]
    {
        let proxy = Proxy::start(Tunnel::Answers(NO_TLS.to_vec()), &challenge("http://x/"));
        let (user, previous) = user(&proxy, named);
        let outcome = user.store(REGISTRY, "alice", PASSWORD);
        outcome.failed_with(&["does not speak TLS, and nothing is sent without it", "INSECURE="]);
        assert!(proxy.plain().is_empty(), "{named}");
        previous.survives(&user);
    }
}

#[test]
fn insecure_does_not_spread_to_another_host() {
    // A registry that may be plain sends the password, without TLS, to another host of its site.
    for (realm, allowed) in [
        ("http://auth.example.com/token", false),
        ("http://example.com/token", false),
        ("http://127.0.0.1/token", false),
        ("http://registry.example.com:443/token", true),
    ] {
        let proxy = Proxy::start(Tunnel::Answers(NO_TLS.to_vec()), &challenge(realm));
        let (user, previous) = user(&proxy, REGISTRY);
        let outcome = user.store(REGISTRY, "alice", PASSWORD);
        assert_eq!(proxy.plain()[0], "GET http://registry.example.com:443/v2/ HTTP/1.1");
        let posted = proxy.plain().iter().any(|line| line.starts_with("POST "));
        assert_eq!(posted, allowed, "{realm}: {outcome:?}");
        outcome.failed_with(&[if allowed { "refused the username" } else { "nothing was sent" }]);
        previous.survives(&user);
    }
}

#[test]
fn a_plain_loopback_host_is_asked_in_tls_first() {
    // A loopback port that somebody else took over gets no plain request before it showed itself.
    for (answer, plain_follows) in [(ALERT, false), (b"".as_slice(), false), (NO_TLS, true)] {
        let host = Attacker::answering(answer);
        let user = User::new();
        let name = format!("127.0.0.1:{}", host.port());
        user.store(&name, "alice", PASSWORD).failed_with(&[&name]);
        let seen = host.seen();
        assert_eq!(seen[0][0], 0x16, "the first bytes are a TLS hello");
        assert_eq!(seen.iter().any(|bytes| bytes.starts_with(b"GET /v2/")), plain_follows);
        assert!(!seen.concat().windows(8).any(|w| w == &PASSWORD.as_bytes()[..8]));
    }
}

#[test]
fn a_plain_registry_does_not_make_its_realm_plain() {
    // On this machine http is allowed: still not to another address of it than the one typed.
    let (server, attacker) = (server().plain_http().start(), Attacker::listen());
    let user = User::new();
    for host in ["127.0.0.2", "localhost", "[::1]", "evil.example"] {
        server.set_realm(&format!("http://{host}:{}/token", attacker.port()));
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        outcome.failed_with(&["nothing was sent"]);
        attacker.saw_nothing(host);
    }
    server.set_realm(&server.token_endpoint());
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}
