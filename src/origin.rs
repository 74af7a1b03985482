//! Scheme, host and port of a URL, and which of them are on one site.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::server_url::Host;

pub mod public_suffix;
mod tenants;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether it is reached over TLS.
    pub https: bool,
    /// The host as the rules compare it.
    pub host: Host,
    /// The port, also where it is the scheme's own.
    pub port: u16,
}

/// Why a URL is not one that the trust rules can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Relative, malformed, or in a spelling that parsers read differently.
    #[error("is not an absolute http or https URL, such as https://auth.example.net")]
    Malformed,
    /// A username or password before the host.
    #[error("has a username in it")]
    Userinfo,
    /// A fragment.
    #[error("has a fragment")]
    Fragment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for Origin {
    type Err = BadUrl;

    /// Reads `https://auth.example.com` or `https://auth.example.com:8443`, with nothing after it.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (url, origin) = parse(text)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(BadUrl::Malformed);
        }
        Ok(origin)
    }
}

/// Reads an absolute http or https URL, refusing what two parsers could read differently.
///
/// # Errors
/// [`BadUrl::Malformed`], [`BadUrl::Userinfo`] or [`BadUrl::Fragment`].
pub fn parse(named: &str) -> Result<(Url, Origin), BadUrl> {
    let (scheme, rest) = named.split_once("://").ok_or(BadUrl::Malformed)?;
    if !named.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'\\') {
        return Err(BadUrl::Malformed);
    }
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(BadUrl::Malformed),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(BadUrl::Userinfo);
    }
    if named.contains('#') {
        return Err(BadUrl::Fragment);
    }
    let written = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| if port.contains(']') { authority } else { host });
    // Before the URL library sees it: that takes names in other alphabets through code which is not
    // made for having no Unicode tables.
    let host = Host::parse(written).map_err(|_| BadUrl::Malformed)?;
    // The library also reads `%61`, `0x7f.1` and full-width letters; the host rules here do not, and
    // both must have read the same host.
    let url = Url::parse(named).map_err(|_| BadUrl::Malformed)?;
    let port = url.port_or_known_default().ok_or(BadUrl::Malformed)?;
    if url.host_str().and_then(|read| Host::parse(read).ok()).as_ref() != Some(&host) || port == 0 {
        return Err(BadUrl::Malformed);
    }
    Ok((url, Origin { https, host, port }))
}

/// The same host, or the same registrable domain by the Public Suffix List and the suffixes that it
/// lacks. Addresses and single-label names only match themselves.
pub fn same_site(one: &Host, other: &Host) -> bool {
    one == other || domain(one).is_some_and(|domain| Some(domain) == self::domain(other))
}

fn domain(host: &Host) -> Option<&str> {
    match host {
        Host::Name(name) if !tenants::is_of_its_own(name) => {
            public_suffix::registrable_domain(name)
        }
        Host::Name(_) | Host::V4(_) | Host::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, BadUrl> {
        text.parse()
    }

    #[test]
    fn an_origin_is_written_as_it_is_read() {
        for text in ["https://h", "http://h", "https://h:80", "http://h:443", "https://[::1]:5000"]
        {
            assert_eq!(origin(text).unwrap().to_string(), text);
        }
        for (text, written) in [
            ("HTTPS://H.example:443/", "https://h.example"),
            ("http://h:80", "http://h"),
            ("https://h:", "https://h"),
            ("https://[0::1]", "https://[::1]"),
        ] {
            assert_eq!(origin(text).unwrap().to_string(), written, "{text}");
        }
        for more in ["https://h/x", "https://h?x", "https://h/?", "https://h//"] {
            assert_eq!(origin(more), Err(BadUrl::Malformed), "{more}");
        }
    }

    #[test]
    fn each_refusal_says_why() {
        for (text, why) in [
            ("h", BadUrl::Malformed),
            ("ftp://h", BadUrl::Malformed),
            ("https://h:0", BadUrl::Malformed),
            ("https://h\\x", BadUrl::Malformed),
            ("https://xn--a%2f", BadUrl::Malformed),
            ("https://@h", BadUrl::Userinfo),
            ("https://u:p@h#f", BadUrl::Userinfo),
            ("https://h/@#f", BadUrl::Fragment),
            ("https://h?@#", BadUrl::Fragment),
        ] {
            assert_eq!(parse(text).err(), Some(why), "{text}");
        }
        assert!(parse("https://h/@?@").is_ok());
    }

    #[test]
    fn a_site_is_a_registrable_domain_or_a_host() {
        let host = |text: &str| Host::parse(text).unwrap();
        for (one, other, expected) in [
            ("h.example.com", "example.com", true),
            ("a.example.com", "b.example.com", true),
            ("localhost", "localhost", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("example.com", "example.net", false),
            ("com", "net", false),
            ("one", "two", false),
            ("10.0.0.1", "10.0.0.2", false),
            ("[::1]", "[::2]", false),
            ("[::1]", "localhost", false),
        ] {
            assert_eq!(same_site(&host(one), &host(other)), expected, "{one} {other}");
        }
    }
}
