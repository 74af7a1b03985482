//! A realm that exists only if the trust rules allowed it.
//!
//! The registry names the URL that the password is sent to; a registry that was broken into, or a
//! proxy, could name its own. CVE-2026-33540 and its like are clients that did not check.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::origin::{BadUrl, Origin, parse, same_site};
use crate::server_url::Host;

mod trusted_url;

pub use trusted_url::TrustedUrl;

/// What the rules need to know of the registry.
pub struct Registry<'a> {
    /// The host of the server URL, and how it was reached.
    pub origin: &'a Origin,
    /// Origins that the settings trust for this registry.
    pub trusted: &'a [Origin],
    /// Whether the settings allow plain http to a host and port.
    pub may_be_plain: &'a dyn Fn(&Host, u16) -> bool,
}

/// The token endpoint, judged.
#[derive(Debug, Clone)]
pub struct Realm {
    url: TrustedUrl,
    same_site: bool,
}

/// Why credentials do not go there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a URL that can be judged.
    #[error(transparent)]
    BadUrl(#[from] BadUrl),
    /// http, although the registry itself was not reached over http, or on another host.
    #[error("would send the credentials without TLS")]
    PlainHttp,
    /// Another site; a setting can trust it.
    #[error("is on another site ({0})")]
    OtherSite(Origin),
    /// A literal address of a private, link-local, loopback or unspecified network.
    #[error("is at a private address ({0})")]
    PrivateAddress(Origin),
}

impl Refused {
    /// The origin that a setting could trust.
    pub fn trustable(&self) -> Option<&Origin> {
        match self {
            Self::OtherSite(origin) | Self::PrivateAddress(origin) => Some(origin),
            _ => None,
        }
    }
}

impl Realm {
    /// Judges what a challenge named against the registry that was asked.
    ///
    /// # Errors
    /// [`Refused`]: nothing may be sent there.
    pub fn judge(named: &str, registry: &Registry<'_>) -> Result<Self, Refused> {
        let (url, origin) = parse(named)?;
        let same_site = same_site(&registry.origin.host, &origin.host);
        let own_host = registry.origin.host == origin.host;
        let trusted = registry.trusted.contains(&origin);
        if !origin.https {
            // `insecure` never spreads: over http only to the registry's own host, or to one that
            // the settings name as well.
            let named = trusted || (registry.may_be_plain)(&origin.host, origin.port);
            if registry.origin.https || !(own_host || named) {
                return Err(Refused::PlainHttp);
            }
        }
        if !trusted && !own_host && is_private(&origin.host) {
            return Err(Refused::PrivateAddress(origin));
        }
        if !trusted && !same_site {
            return Err(Refused::OtherSite(origin));
        }
        Ok(Self { url: TrustedUrl::judged(url, origin), same_site })
    }

    /// Where credentials may be sent, with its own query.
    pub fn trusted(&self) -> &TrustedUrl {
        &self.url
    }

    /// The token endpoint, with its own query.
    pub fn url(&self) -> &Url {
        self.url.url()
    }

    /// Where the credentials go.
    pub fn origin(&self) -> &Origin {
        self.url.origin()
    }

    /// On the registry's own site, rather than trusted by a setting.
    pub fn is_same_site(&self) -> bool {
        self.same_site
    }
}

/// A literal address that only means something inside some network (RFC 6890).
fn is_private(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::V4(address) => is_private_v4(*address),
        Host::V6(address) => is_private_v6(*address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let shared = matches!(address.octets(), [100, 64..=127, ..]);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.octets()[0] == 0
        || shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    // IPv4 inside IPv6: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056).
    let v4 = |octets: &[u8]| octets.first_chunk::<4>().copied().map(Ipv4Addr::from);
    let embedded = match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            v4(&address.octets()[12..])
        }
        [0x2002, ..] => v4(&address.octets()[2..]),
        _ => None,
    };
    // `::1` and `::` are 0.0.0.1 and 0.0.0.0 there.
    address.is_unique_local()
        || address.is_unicast_link_local()
        || embedded.is_some_and(is_private_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(registry: &str, realm: &str, trusted: &[&str]) -> Result<Realm, Refused> {
        let trusted: Vec<Origin> = trusted.iter().map(|o| o.parse().unwrap()).collect();
        let origin: Origin = registry.parse().unwrap();
        Realm::judge(
            realm,
            &Registry { origin: &origin, trusted: &trusted, may_be_plain: &|_, _| false },
        )
    }

    #[test]
    fn the_same_site_is_allowed_and_the_query_kept() {
        let realm = judge("https://registry.gitlab.com", "https://gitlab.com/jwt/auth?x=1", &[]);
        assert_eq!(realm.unwrap().url().as_str(), "https://gitlab.com/jwt/auth?x=1");
        for (registry, realm) in [
            ("https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("https://r.example.co.uk", "https://auth.example.co.uk/t"),
            ("https://r.example.com:5000", "https://r.example.com/t"),
            ("https://10.0.0.1:5000", "https://10.0.0.1:5001/t"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/t"),
            ("http://127.0.0.1:5000", "https://127.0.0.1:5001/t"),
            ("https://localhost", "https://localhost/t"),
            ("https://[::1]:5000", "https://[0:0::1]:5001/t"),
        ] {
            assert!(judge(registry, realm, &[]).is_ok(), "{registry} {realm}");
        }
    }

    #[test]
    fn cve_2026_33540_a_realm_on_another_site_is_refused() {
        for (registry, realm) in [
            ("https://a.github.io", "https://b.github.io/t"),
            ("https://r.example.com", "https://r.example.com.evil.net/t"),
            ("https://r.example.com", "https://evilexample.com/t"),
            ("https://a.co.uk", "https://b.co.uk/t"),
            ("https://one", "https://two/t"),
            ("https://8.8.8.8", "https://8.8.4.4/t"),
            ("https://registry.local", "https://auth.local/t"),
        ] {
            let refused = judge(registry, realm, &[]).unwrap_err();
            assert!(matches!(refused, Refused::OtherSite(_)), "{registry} {realm}: {refused}");
        }
    }

    #[test]
    fn cve_2026_48978_private_addresses_in_any_spelling_are_refused() {
        for address in [
            "127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::ffff:a9fe:a9fe]",
            "localhost",
            "a.localhost",
            "127.0.0.1.",
            "①②⑦.0.0.1",
            "%31%32%37.0.0.1",
        ] {
            let realm = format!("https://{address}/t");
            let refused = judge("https://registry.example.com", &realm, &[]).unwrap_err();
            assert!(
                matches!(refused, Refused::PrivateAddress(_) | Refused::BadUrl(_)),
                "{address}: {refused}"
            );
        }
    }

    #[test]
    fn userinfo_fragments_and_odd_spellings_are_refused() {
        for realm in [
            "",
            "/token",
            "//r.example.com/t",
            "token",
            "https:/r.example.com/t",
            "https:r.example.com/t",
            "https:///t",
            "ftp://r.example.com/t",
            "javascript://r.example.com/t",
            "https://u@r.example.com/t",
            "https://@r.example.com/t",
            "https://u:p@r.example.com/t",
            "https://r.example.com/t#f",
            "https://r.example.com\\@evil.net/t",
            "https://evil.net\\.r.example.com/t",
            "https://r.example.com /t",
            "https://r.example.com\t/t",
            "https://r.example.com/t\\x",
            "https://r.example.com/t x",
            "https://r.example.com/t?\u{e9}",
            "https://%72.example.com/t",
            "https://r.example.com:0/t",
            "https://r.example.com:99999/t",
            "https://r.example.com./t",
            "https://ｒ.example.com/t",
        ] {
            assert!(judge("https://r.example.com", realm, &[]).is_err(), "{realm}");
        }
    }

    #[test]
    fn cve_2019_10214_credentials_do_not_fall_back_to_http() {
        for (registry, realm) in [
            ("https://r.example.com", "http://r.example.com/t"),
            ("https://127.0.0.1", "http://127.0.0.1/t"),
            ("http://r.example.com:5000", "http://auth.example.com/t"),
        ] {
            assert_eq!(judge(registry, realm, &[]).unwrap_err(), Refused::PlainHttp, "{realm}");
        }
        let trusted = ["http://r.example.com"];
        let refused = judge("https://r.example.com", "http://r.example.com/t", &trusted);
        assert_eq!(refused.unwrap_err(), Refused::PlainHttp);
    }

    #[test]
    fn only_another_site_or_a_private_address_can_be_trusted() {
        let trustable = |realm: &str| {
            let refused = judge("https://r.example.com", realm, &[]).unwrap_err();
            refused.trustable().map(ToString::to_string)
        };
        for (realm, origin) in [
            ("https://auth.other.example:8443/t", Some("https://auth.other.example:8443")),
            ("https://10.0.0.5/t", Some("https://10.0.0.5")),
            ("http://r.example.com/t", None),
            ("https://u@r.example.com/t", None),
        ] {
            assert_eq!(trustable(realm).as_deref(), origin, "{realm}");
        }
        let own = judge("https://r.example.com", "https://auth.example.com/t", &[]).unwrap();
        assert!(own.is_same_site() && own.origin().to_string() == "https://auth.example.com");
        let other = ["https://auth.other.example"];
        let trusted = judge("https://r.example.com", "https://auth.other.example/t", &other);
        assert!(!trusted.unwrap().is_same_site());
    }

    #[test]
    fn over_http_only_a_host_that_the_settings_name_is_another_one() {
        let (registry, realm) = ("http://r.example.com:5000", "http://auth.example.com:81/t");
        let origin: Origin = registry.parse().unwrap();
        let judge_with = |may_be_plain: &dyn Fn(&Host, u16) -> bool| {
            let rules = Registry { origin: &origin, trusted: &[], may_be_plain };
            Realm::judge(realm, &rules).map(drop)
        };
        let named = |host: &Host, port| host.to_string() == "auth.example.com" && port == 81;
        assert_eq!(judge_with(&named), Ok(()));
        assert_eq!(judge_with(&|_, port| port == 5000), Err(Refused::PlainHttp));
        assert!(judge(registry, realm, &["http://auth.example.com:81"]).is_ok());
        assert!(judge(registry, realm, &["https://auth.example.com:81"]).is_err());
        assert!(judge(registry, "http://r.example.com/t", &[]).is_ok());
    }

    #[test]
    fn private_addresses_end_where_their_networks_do() {
        let private = |text: &str| is_private(&Host::parse(text).unwrap());
        for address in [
            "127.255.255.255",
            "10.255.255.255",
            "172.31.255.255",
            "169.254.0.0",
            "255.255.255.255",
            "0.255.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "[fdff::]",
            "[febf::1]",
            "[::ffff:a00:1]",
            "[::a00:1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:c0a8:1::1]",
            "localhost",
            "a.b.localhost",
        ] {
            assert!(private(address), "{address}");
        }
        for address in [
            "128.0.0.1",
            "11.0.0.1",
            "172.32.0.1",
            "169.255.0.1",
            "255.255.255.254",
            "1.0.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "101.64.0.1",
            "[fec0::1]",
            "[fe00::1]",
            "[2001:db8::1]",
            "[::ffff:808:808]",
            "[::808:808]",
            "[64:ff9b::808:808]",
            "[64:ff9b:0:1::a00:1]",
            "[2002:808:808::a00:1]",
            "[2003:a00:1::]",
            "[1::a00:1]",
            "[::fffe:a00:1]",
            "localhosts",
            "notlocalhost",
        ] {
            assert!(!private(address), "{address}");
        }
    }

    #[test]
    fn a_setting_trusts_one_origin_only() {
        let registry = "https://registry.example.com";
        let trusted = ["https://auth.other.example", "https://10.0.0.5:8443"];
        assert!(judge(registry, "https://auth.other.example/t", &trusted).is_ok());
        assert!(judge(registry, "https://10.0.0.5:8443/t", &trusted).is_ok());
        assert!(judge(registry, "https://auth.other.example:8443/t", &trusted).is_err());
        assert!(judge(registry, "https://x.auth.other.example/t", &trusted).is_err());
        assert!("https://a.example/path".parse::<Origin>().is_err());
        assert_eq!(
            "https://a.example:443".parse::<Origin>().unwrap().to_string(),
            "https://a.example"
        );
    }
}
