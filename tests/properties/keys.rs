//! Two server URLs share a key only if they mean one registry (CVE-2026-5222).

use std::collections::BTreeMap;

use docker_credential_refresh::server_url::ServerUrl;
use proptest::prelude::*;

/// A server URL in its parts, as a client would put it together.
#[derive(Debug, Clone)]
struct Parts {
    scheme: &'static str,
    host: &'static str,
    upper: bool,
    port: Option<u16>,
    path: &'static str,
    line_end: &'static str,
}

/// What a server URL means, by the list in the design and by nothing else.
type Meaning = (String, Option<(bool, u16)>, Vec<&'static str>);

impl Parts {
    fn text(&self) -> String {
        let host = if self.upper { self.host.to_uppercase() } else { self.host.to_owned() };
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        format!("{}{host}{port}{}{}", self.scheme, self.path, self.line_end)
    }

    fn meaning(&self) -> Meaning {
        let http = self.scheme.eq_ignore_ascii_case("http://");
        let port = match self.port {
            None => None,
            Some(80) if http => None,
            Some(443) if !http => None,
            // `http://h:443` is a server of its own.
            Some(443) => Some((true, 443)),
            Some(port) => Some((false, port)),
        };
        let hub = ["docker.io", "index.docker.io", "registry-1.docker.io"];
        let host = if port.is_none() && hub.contains(&self.host) { "docker.io" } else { self.host };
        let path = self.path.trim_matches('/');
        let path = if matches!(path, "v1" | "v2") { "" } else { path };
        let host = if host == "[0:0::1]" { "[::1]" } else { host };
        (host.to_owned(), port, path.split('/').filter(|segment| !segment.is_empty()).collect())
    }

    /// Docker's web login: opaque, whatever they look like.
    fn is_oauth_key(&self) -> bool {
        self.text().starts_with("https://index.docker.io/v1/") && self.path.ends_with("-token")
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let scheme = prop::sample::select(vec!["", "https://", "http://", "HTTPS://", "Http://"]);
    let host = prop::sample::select(vec![
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "auth.docker.io",
        "xdocker.io",
        "docker.io.example",
        "h",
        "h.example",
        "a.h.example",
        "xn--bcher-kva.example",
        "127.0.0.1",
        "127.0.0.2",
        "[::1]",
        "[0:0::1]",
        "[::ffff:7f00:1]",
        "v1",
        "http",
    ]);
    let port = prop::sample::select(vec![
        None,
        None,
        Some(80),
        Some(443),
        Some(4430),
        Some(1),
        Some(65535),
    ]);
    let path = prop::sample::select(vec![
        "",
        "/",
        "/v1",
        "/v1/",
        "/v2",
        "/v2/",
        "/v3",
        "/V2/",
        "/v2/v2",
        "/v1/team",
        "/team",
        "/team/",
        "/Team",
        "/team/app",
        "/team/app/",
        "/team:443",
        "/v1/access-token",
        "/v1/refresh-token",
        "/h/team",
        "/docker.io",
    ]);
    let line_end = prop::sample::select(vec!["", "", "\n", "\r\n"]);
    (scheme, host, any::<bool>(), port, path, line_end).prop_map(
        |(scheme, host, upper, port, path, line_end)| Parts {
            scheme,
            host,
            upper,
            port,
            path,
            line_end,
        },
    )
}

fn key(text: &str) -> String {
    let url = ServerUrl::parse(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    url.key().to_owned()
}

#[test]
fn distinct_servers_never_share_a_key_and_one_server_has_one() {
    // Every pair at once: a few thousand different URLs, grouped by key and by meaning.
    let mut meanings: BTreeMap<String, (Meaning, String)> = BTreeMap::new();
    let mut keys: BTreeMap<Meaning, (String, String)> = BTreeMap::new();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(8000));
    for _ in 0..8000 {
        let tree = parts().new_tree(&mut runner).unwrap();
        let parts = proptest::strategy::ValueTree::current(&tree);
        if parts.is_oauth_key() && !parts.upper && parts.port.is_none() {
            continue;
        }
        let (text, meaning) = (parts.text(), parts.meaning());
        let key = key(&text);
        let (known, by) = meanings.entry(key.clone()).or_insert((meaning.clone(), text.clone()));
        assert_eq!(*known, meaning, "{by:?} and {text:?} share {key:?}");
        let (known, by) = keys.entry(meaning).or_insert((key.clone(), text.clone()));
        assert_eq!(*known, key, "{by:?} and {text:?} mean one server");
    }
    assert!(meanings.len() > 500, "{}", meanings.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_key_means_itself_and_so_do_its_parents(parts in parts()) {
        let url = ServerUrl::parse(&parts.text()).unwrap();
        for parent in url.keys() {
            // `h/v2` is a parent of `h/v2/team`, and means the host: nothing is ever kept under it.
            let means = key(parent);
            prop_assert!(means == parent || means == url.registry_key(), "{parent} is {means}");
        }
        prop_assert_eq!(key(url.key()), url.key());
        prop_assert_eq!(url.keys().next(), Some(url.key()));
        prop_assert_eq!(url.keys().last(), Some(url.registry_key()));
        // The parents of the key are those of the URL.
        let of_key = ServerUrl::parse(url.key()).unwrap();
        prop_assert!(of_key.keys().eq(url.keys()));
        prop_assert_eq!(of_key.registry(), url.registry());
    }

    #[test]
    fn anything_at_all_is_understood_or_refused(text in any::<String>()) {
        let _no_panic = ServerUrl::parse(&text).map(|url| assert_eq!(key(url.key()), url.key()));
    }

    #[test]
    fn what_looks_like_a_url_is_understood_or_refused(
        text in r#"(https?|HTTP|ftp)?(:?//)?[a-z0-9A-Z.@:\[\]%_\\-]{0,20}(:[0-9+]{0,6})?(/[a-z0-9./%?#~@:-]{0,12}){0,3}[\r\n]{0,2}"#
    ) {
        if let Ok(url) = ServerUrl::parse(&text) {
            // Nothing that a second reader could take for another host.
            prop_assert!(!url.key().contains(['\\', '%', '?', '#', '\n', '\r']));
            prop_assert!(!url.registry_key().contains('@'));
            prop_assert_eq!(key(url.key()), url.key());
            prop_assert!(!url.key().contains("//") || url.key().matches("://").count() == 1);
        }
    }
}
