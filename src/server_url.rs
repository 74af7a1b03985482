//! What a client sends as server URL, and the one key it means.
//!
//! Clients spell one registry in many ways; two spellings share a key only if they are listed
//! here, and nothing is matched by prefix, suffix or pattern.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Kind};

/// Docker Hub's key, as Docker itself spells it.
pub const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// Where Docker Hub's registry answers.
const DOCKER_HUB_REGISTRY: &str = "registry-1.docker.io";
/// The hosts that mean Docker Hub.
pub const DOCKER_HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", DOCKER_HUB_REGISTRY];
/// Docker's web login keeps its OAuth tokens under these two, and reads them back (docker/cli
/// `internal/oauth/manager`): opaque pairs that are neither exchanged nor normalised.
pub const DOCKER_HUB_OAUTH: [&str; 2] =
    ["https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token"];

const MAX_BYTES: usize = 2048;

/// A host as the trust rules compare it: an ASCII name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A host name; internationalised ones as A-labels.
    Name(String),
    /// An IPv4 literal in dotted decimal.
    V4(Ipv4Addr),
    /// An IPv6 literal, in brackets on the wire.
    V6(Ipv6Addr),
}

/// A server URL that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    asked: String,
    key: String,
    target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    DockerHubOAuth,
    Registry { host: Host, port: u16, docker_hub: bool, parents: Vec<String> },
}

/// Why a server URL is refused; shown to the user, so no part of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing, or white space only.
    #[error("is empty")]
    Empty,
    /// More than 2,048 bytes.
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// Control characters, white space, percent signs, backslashes, anything not ASCII.
    #[error(
        "has a character that no registry has (only plain ASCII, no spaces, percent signs or backslashes)"
    )]
    Character,
    /// A scheme other than https or http.
    #[error("has a scheme other than https or http")]
    Scheme,
    /// A username or password before the host.
    #[error("has a username in it; give it with the login instead")]
    Userinfo,
    /// A query or a fragment.
    #[error("has a query or a fragment")]
    Query,
    /// An empty host, a label that no host name has, or an address in an odd spelling.
    #[error("has no valid host name")]
    Host,
    /// Not a number from 1 to 65535, or one with leading zeros.
    #[error("has a port outside 1 to 65535")]
    Port,
    /// A colon, and no port after it.
    #[error("has no port after the colon")]
    NoPort,
    /// An IPv6 address without brackets.
    #[error("has an IPv6 address without brackets; it needs them, as in [::1]:5000")]
    Brackets,
    /// An empty or dot segment, or a character outside RFC 3986 `pchar`.
    #[error("has an empty, dot or odd segment in its path")]
    Path,
}

impl From<Refused> for Error {
    fn from(why: Refused) -> Self {
        Self::new(Kind::Usage, format!("the server URL {why}"))
    }
}

impl ServerUrl {
    /// Understands what a client sent; one trailing line end is ignored (testcontainers sends one).
    ///
    /// # Errors
    /// [`Refused`]; never a guess.
    pub fn parse(sent: &str) -> Result<Self, Refused> {
        let asked = sent.strip_suffix('\n').map_or(sent, |s| s.strip_suffix('\r').unwrap_or(s));
        if asked.trim().is_empty() {
            return Err(Refused::Empty);
        }
        if asked.len() > MAX_BYTES {
            return Err(Refused::TooLong);
        }
        if asked.bytes().any(|b| !(b'!'..=b'~').contains(&b) || matches!(b, b'%' | b'\\' | b'`')) {
            return Err(Refused::Character);
        }
        if is_docker_hub_oauth(asked) {
            let (asked, key) = (asked.to_owned(), asked.to_owned());
            return Ok(Self { asked, key, target: Target::DockerHubOAuth });
        }
        if asked.contains(['?', '#']) {
            return Err(Refused::Query);
        }
        let (plain_http, rest) = match asked.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (true, rest),
            Some(_) => return Err(Refused::Scheme),
            None => (false, asked),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, written_port) = split_authority(authority)?;
        let segments = split_path(path)?;

        let port = written_port.unwrap_or(443);
        let implied = written_port.is_none_or(|port| port == if plain_http { 80 } else { 443 });
        let docker_hub = implied
            && matches!(&host, Host::Name(name) if DOCKER_HUB_HOSTS.contains(&name.as_str()));
        let site = match (docker_hub, implied, plain_http, port) {
            (true, ..) => "docker.io".to_owned(),
            (_, true, ..) => host.to_string(),
            // Not the same server as `h`, which is port 443 under https.
            (_, _, true, 443) => format!("http://{host}:443"),
            _ => format!("{host}:{port}"),
        };
        let root = if docker_hub { DOCKER_HUB.to_owned() } else { site.clone() };
        let mut parents = vec![root];
        let mut key = site;
        for segment in segments {
            key = format!("{key}/{segment}");
            parents.push(key.clone());
        }
        let key = parents.pop().unwrap_or_default();
        parents.reverse();
        let port = if implied { 443 } else { port };
        let target = Target::Registry { host, port, docker_hub, parents };
        Ok(Self { asked: asked.to_owned(), key, target })
    }

    /// As the client sent it, without the line end.
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The one key that all its spellings share; which parses to itself.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Keys to look under, nearest first: its own, then each parent of a repository path, last
    /// the host's.
    pub fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        let parents: &[String] = match &self.target {
            Target::DockerHubOAuth => &[],
            Target::Registry { parents, .. } => parents,
        };
        std::iter::once(self.key.as_str()).chain(parents.iter().map(String::as_str))
    }

    /// The host's own key: settings are kept under it.
    pub fn registry_key(&self) -> &str {
        self.keys().last().unwrap_or(&self.key)
    }

    /// One of the two keys under which Docker Hub's web login keeps OAuth tokens.
    pub fn is_docker_hub_oauth(&self) -> bool {
        self.target == Target::DockerHubOAuth
    }

    /// Host and port of the registry to ask for a challenge; none for [`Self::is_docker_hub_oauth`].
    pub fn registry(&self) -> Option<(Host, u16)> {
        match &self.target {
            Target::DockerHubOAuth => None,
            Target::Registry { docker_hub: true, .. } => {
                Some((Host::Name(DOCKER_HUB_REGISTRY.into()), 443))
            }
            Target::Registry { host, port, .. } => Some((host.clone(), *port)),
        }
    }
}

/// Whether a key is one of the two under which Docker Hub's web login keeps OAuth tokens.
pub fn is_docker_hub_oauth(key: &str) -> bool {
    DOCKER_HUB_OAUTH.contains(&key)
}

impl Host {
    /// Reads a host in lower or upper case; addresses only in their canonical spelling.
    ///
    /// # Errors
    /// [`Refused::Host`].
    pub fn parse(text: &str) -> Result<Self, Refused> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(Refused::Host)?;
            return inner.parse().map(Self::V6).map_err(|_| Refused::Host);
        }
        let name = text.to_ascii_lowercase();
        let valid_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(valid_label) {
            return Err(Refused::Host);
        }
        // `127.1`, `0x7f.0.0.1` and `2130706433` are addresses to some parsers (WHATWG URL, "ends
        // in a number"): only the plain spelling is taken.
        let last = name.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|b| b.is_ascii_digit())
            || last
                .strip_prefix("0x")
                .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if numeric {
            return name.parse().map(Self::V4).map_err(|_| Refused::Host);
        }
        Ok(Self::Name(name))
    }

    /// `localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::V4(address) => address.is_loopback(),
            Self::V6(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

fn split_authority(authority: &str) -> Result<(Host, Option<u16>), Refused> {
    if authority.contains('@') {
        return Err(Refused::Userinfo);
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Err(Refused::Brackets);
    }
    let bracket = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority[bracket..].split_once(':') {
        Some((tail, port)) => (&authority[..bracket + tail.len()], Some(port)),
        None => (authority, None),
    };
    let port = port.map(parse_port).transpose()?;
    Ok((Host::parse(host)?, port))
}

fn parse_port(digits: &str) -> Result<u16, Refused> {
    if digits.is_empty() {
        return Err(Refused::NoPort);
    }
    if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refused::Port);
    }
    digits.parse().map_err(|_| Refused::Port)
}

/// The segments of a repository path; the API roots `/v1/` and `/v2/` are none.
fn split_path(path: &str) -> Result<Vec<&str>, Refused> {
    if path == "/" {
        return Err(Refused::Path);
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    if matches!(path, "" | "v1" | "v2") {
        return Ok(Vec::new());
    }
    let segments: Vec<&str> = path.split('/').collect();
    let valid = |segment: &&str| {
        !matches!(*segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b))
    };
    if segments.iter().all(valid) { Ok(segments) } else { Err(Refused::Path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sent: &str) -> String {
        ServerUrl::parse(sent).unwrap_or_else(|e| panic!("{sent}: {e}")).key().to_owned()
    }

    #[test]
    fn the_spellings_of_one_registry_share_a_key() {
        for sent in [
            "registry.example.com",
            "REGISTRY.Example.com",
            "registry.example.com/",
            "https://registry.example.com",
            "HTTPS://registry.example.com/",
            "http://registry.example.com",
            "https://registry.example.com/v2/",
            "https://registry.example.com/v1",
            "registry.example.com:443",
            "https://registry.example.com:443/v2",
            "http://registry.example.com:80",
            "registry.example.com\n",
            "registry.example.com\r\n",
        ] {
            assert_eq!(key(sent), "registry.example.com", "{sent}");
        }
    }

    #[test]
    fn other_ports_are_other_logins() {
        assert_eq!(key("h:80"), "h:80");
        assert_eq!(key("https://h:80"), "h:80");
        assert_eq!(key("http://h:443"), "http://h:443");
        assert_eq!(key("http://h:5000"), "h:5000");
        assert_eq!(key("[::1]:5000"), "[::1]:5000");
        assert_eq!(key("[::]:5000"), "[::]:5000");
        assert_eq!(key("https://[0:0::1]"), "[::1]");
    }

    #[test]
    fn docker_hub_has_one_key_and_two_that_are_not_its_own() {
        for sent in ["docker.io", "index.docker.io", "registry-1.docker.io", DOCKER_HUB] {
            assert_eq!(key(sent), DOCKER_HUB);
        }
        for sent in DOCKER_HUB_OAUTH {
            let url = ServerUrl::parse(sent).unwrap();
            assert!(url.is_docker_hub_oauth());
            assert_eq!(url.keys().collect::<Vec<_>>(), [sent]);
        }
        for sent in ["docker.io:5000", "auth.docker.io", "hub.docker.com", "xdocker.io"] {
            assert_ne!(key(sent), DOCKER_HUB);
        }
        assert_eq!(
            ServerUrl::parse("docker.io").unwrap().registry(),
            Some((Host::Name("registry-1.docker.io".into()), 443))
        );
    }

    #[test]
    fn a_repository_path_falls_back_to_its_parents() {
        let url = ServerUrl::parse("registry.example.com/Team/app").unwrap();
        let keys: Vec<_> = url.keys().collect();
        assert_eq!(
            keys,
            ["registry.example.com/Team/app", "registry.example.com/Team", "registry.example.com"]
        );
        let hub = ServerUrl::parse("index.docker.io/library/alpine").unwrap();
        let keys: Vec<_> = hub.keys().collect();
        assert_eq!(keys, ["docker.io/library/alpine", "docker.io/library", DOCKER_HUB]);
        assert_eq!(hub.registry_key(), DOCKER_HUB);
    }

    #[test]
    fn cve_2020_5260_line_breaks_and_control_characters_are_refused() {
        for sent in ["h\nhost=x", "h\n\n", "\nh", "h\r", "h\0", "h%0a", "h\t", "h x", "h\u{7f}"] {
            assert!(ServerUrl::parse(sent).is_err(), "{sent:?}");
        }
    }

    #[test]
    fn cve_2020_11008_empty_and_odd_hosts_are_refused() {
        for sent in [
            "",
            " ",
            "\n",
            "https://",
            "https:///x",
            ":5000",
            "//",
            "/",
            "//h",
            ".",
            "h.",
            ".h",
            "a..b",
            "-h",
            "h-.x",
            "h_x",
            "h:",
            "h:0",
            "h:00443",
            "h:65536",
            "h:+80",
            "[::1",
            "[::1]x:5000",
            "::1",
            "[h]",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "1.2.3.256",
            "127.0.0.01",
            "0x7f000001",
            "0x",
        ] {
            assert!(ServerUrl::parse(sent).is_err(), "{sent:?}");
        }
    }

    #[test]
    fn rustsec_2024_0421_host_tricks_are_refused() {
        for sent in [
            "https://docker.io@evil.example",
            "docker.io\\@evil.example",
            "dоcker.io",
            "ｄocker.io",
            "%64ocker.io",
            "ftp://h",
            "h?x",
            "h#x",
            "h//x",
            "h/./x",
            "h/../x",
            "h//",
            "https://h//",
            "h/x//",
            "h/a%2fb",
            "h/a`b",
            "file:///etc/passwd",
        ] {
            assert!(ServerUrl::parse(sent).is_err(), "{sent:?}");
        }
    }

    #[test]
    fn a_key_parses_to_itself() {
        for sent in ["h", "http://h:443/x", "h:80/a/b", DOCKER_HUB, "docker.io/a/b", "[::1]:5"] {
            let once = key(sent);
            assert_eq!(key(&once), once);
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let why = |sent: &str| ServerUrl::parse(sent).err();
        for (sent, expected) in [
            (" \r\n", Refused::Empty),
            ("h%41", Refused::Character),
            ("h\\x", Refused::Character),
            ("h`x", Refused::Character),
            ("ftp://h", Refused::Scheme),
            ("u@h", Refused::Userinfo),
            ("h?x", Refused::Query),
            ("h#x", Refused::Query),
            ("h_x", Refused::Host),
            ("h:01", Refused::Port),
            ("127.0.0.1:", Refused::NoPort),
            ("[::1]:/x", Refused::NoPort),
            ("::1", Refused::Brackets),
            ("https://fe80::1:5000/x", Refused::Brackets),
            ("a:b:c", Refused::Port),
            ("h:8x", Refused::Port),
            ("h/a^b", Refused::Path),
            ("h/./a", Refused::Path),
        ] {
            assert_eq!(why(sent), Some(expected), "{sent:?}");
        }
        for path in ["h/-._~!$&'()*+,;=:@", "h/v2/v2", "h/v3"] {
            assert_eq!(key(path), path);
        }
    }

    #[test]
    fn lengths_have_a_limit() {
        let of = |length: usize| ServerUrl::parse(&format!("h/{}", "a".repeat(length - 2)));
        assert!(of(2048).is_ok());
        assert_eq!(of(2049), Err(Refused::TooLong));
        let label = "a".repeat(63);
        assert!(Host::parse(&label).is_ok() && Host::parse(&format!("{label}a")).is_err());
        let three = [label.as_str(); 3].join(".");
        let longest = format!("{three}.{}", "b".repeat(61));
        assert_eq!(longest.len(), 253);
        assert!(Host::parse(&longest).is_ok() && Host::parse(&format!("{longest}b")).is_err());
    }

    #[test]
    fn only_this_machines_own_names_are_loopback() {
        let is_loopback = |host: &str| Host::parse(host).unwrap().is_loopback();
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["h", "a.localhost", "128.0.0.1", "0.0.0.0", "[::2]", "[::ffff:127.0.0.1]"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_registry_is_where_the_challenge_is_asked_for() {
        let registry = |sent: &str| {
            let url = ServerUrl::parse(sent).unwrap();
            url.registry().map(|(host, port)| format!("{host} {port}"))
        };
        for (sent, expected) in [
            ("https://h/team", "h 443"),
            ("http://h", "h 443"),
            ("http://h:443", "h 443"),
            ("http://h:5000", "h 5000"),
            ("h:80", "h 80"),
            ("[0::1]:5000", "[::1] 5000"),
            ("docker.io/library/alpine", "registry-1.docker.io 443"),
            ("docker.io:5000", "docker.io 5000"),
        ] {
            assert_eq!(registry(sent).as_deref(), Some(expected), "{sent}");
        }
        for key in DOCKER_HUB_OAUTH {
            assert!(registry(key).is_none() && is_docker_hub_oauth(key), "{key}");
        }
        assert!(!is_docker_hub_oauth(DOCKER_HUB));
        assert_eq!(ServerUrl::parse("h\r\n").unwrap().asked(), "h");
        assert!(!ServerUrl::parse("h").unwrap().is_docker_hub_oauth());
    }
}
