//! A server URL: the key is what a plain reading of the rules makes of it, means itself, and does not
//! depend on how the same server is spelled.
#![no_main]

use docker_credential_refresh::server_url::{DOCKER_HUB, Host, ServerUrl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sent: &str| {
    let Ok(url) = ServerUrl::parse(sent) else {
        assert!(!is_plain(sent), "{sent:?} is refused");
        return;
    };
    let asked = url.asked();
    assert!(asked.len() <= 2048 && asked.bytes().all(|b| (b'!'..=b'~').contains(&b)));
    assert!(!asked.contains(['%', '\\', '`']), "{asked}");
    assert_eq!(sent.trim_end_matches(['\r', '\n']), asked);
    assert_eq!(ServerUrl::parse(url.key()).as_ref().map(ServerUrl::key), Ok(url.key()));
    assert_eq!(url.keys().next(), Some(url.key()));
    if url.is_docker_hub_oauth() {
        assert!(url.key() == asked && url.keys().count() == 1 && url.registry().is_none());
        return;
    }
    assert!(!asked.contains(['?', '#']), "{asked}");
    assert_eq!(url.key(), key_of(asked), "{asked}");
    assert_eq!(url.keys().last(), Some(url.registry_key()));
    for (child, parent) in url.keys().zip(url.keys().skip(1)) {
        assert!(parent == DOCKER_HUB || child.starts_with(parent), "{child} under {parent}");
    }
    // Another spelling of the same server.
    let (host, port) = url.registry().expect("a registry");
    assert!(port > 0 && Host::parse(&host.to_string()) == Ok(host));
    let (authority, path) = authority_and_path(asked);
    let shouted = asked.replacen(authority, &authority.to_uppercase(), 1);
    let slash = if path.is_empty() || path.ends_with('/') { "" } else { "/" };
    for other in [shouted, format!("{asked}\n"), format!("{asked}\r\n"), format!("{asked}{slash}")]
    {
        assert_eq!(ServerUrl::parse(&other).unwrap().key(), url.key(), "{other:?}");
    }
});

fn authority_and_path(asked: &str) -> (&str, &str) {
    let rest = asked.split_once("://").map_or(asked, |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}

/// The key of something that was accepted, by the design's list of aliases.
fn key_of(asked: &str) -> String {
    let is_http = asked.to_ascii_lowercase().starts_with("http://");
    let (authority, path) = authority_and_path(asked);
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => {
            (&authority[..at], authority[at + 1..].parse::<u16>().ok())
        }
        _ => (authority, None),
    };
    let host = match host.strip_prefix('[') {
        Some(inner) => {
            let inner: std::net::Ipv6Addr = inner.trim_end_matches(']').parse().unwrap();
            format!("[{inner}]")
        }
        None => host.to_ascii_lowercase(),
    };
    let port = port.filter(|port| *port != if is_http { 80 } else { 443 });
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = if path == "v1" || path == "v2" { "" } else { path };
    let is_hub = ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(&&*host);
    let root = match port {
        None if is_hub && path.is_empty() => return DOCKER_HUB.to_owned(),
        None if is_hub => "docker.io".to_owned(),
        None => host,
        Some(443) => format!("http://{host}:443"),
        Some(port) => format!("{host}:{port}"),
    };
    if path.is_empty() { root } else { format!("{root}/{path}") }
}

/// What nobody could object to: short names, an optional port, a plain path.
fn is_plain(sent: &str) -> bool {
    let rest = sent.strip_prefix("https://").or(sent.strip_prefix("http://")).unwrap_or(sent);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "1"));
    let is_word =
        |word: &str| (1..=63).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    sent.len() <= 200
        && host.split('.').all(is_word)
        && port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
        && (path.is_empty() || path.split('/').all(is_word))
}
