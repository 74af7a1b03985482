//! Which proxy a request goes through, beside a port of Go's `httpproxy` to the letter. The lines are
//! `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, the host and the port.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use docker_credential_refresh::http::proxy::Proxies;
use docker_credential_refresh::server_url::Host;
use libfuzzer_sys::fuzz_target;
use url::Url;

/// A password that is shown nowhere.
const CANARY: &str = "hunter2";

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (https, http, except, host, port) = (line(), line(), line(), line(), line());
    let (Ok(host), Ok(port)) = (Host::parse(host), port.parse::<u16>()) else { return };
    if port == 0 || !except.is_ascii() {
        return;
    }
    let variables = [("HTTPS_PROXY", https), ("http_proxy", http), ("NO_PROXY", except)];
    let proxies = Proxies::read(&|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    for (scheme, value) in [("https", https), ("http", http)] {
        let Ok(url) = Url::parse(&format!("{scheme}://{host}:{port}/v2/")) else { return };
        // As the URL spells it: an address has several spellings, and the end of one may be excepted.
        let spelled = url.host_str().expect("a host");
        let is_excepted = !uses_proxy(except, spelled, &port.to_string());
        let proxy = proxies.of(&url);
        if value.is_empty() || is_excepted {
            assert!(matches!(proxy, Ok(None)), "{except:?} {url}");
            continue;
        }
        // Never a direct connection instead: a proxy, or an error that does not show the value.
        let value = value.trim();
        match proxy {
            Ok(proxy) => {
                let proxy = proxy.unwrap_or_else(|| panic!("{except:?} {url}"));
                let shown = proxy.to_string();
                let (scheme, authority) = shown.split_once("://").expect("a scheme");
                assert!(["http", "https", "socks5"].contains(&scheme), "{shown}");
                assert!(!authority.contains('@'), "{shown}");
                assert_eq!(proxy.is_tls(), scheme == "https");
                hides(&shown, value, &format!("{CANARY}@"));
            }
            Err(unusable) => {
                let shown = unusable.to_string();
                assert_eq!(shown.lines().count(), 1, "{shown}");
                hides(&shown, value, "://");
            }
        }
    }
});

/// Where the canary is in the part of a value that may hold a password, and nowhere else.
fn hides(shown: &str, value: &str, at: &str) {
    let value = value.to_ascii_lowercase();
    let is_secret = match at {
        "://" => value.split_once(at).is_some_and(|(scheme, _)| !scheme.contains(CANARY)),
        at => value.contains(at) && value.matches(CANARY).count() == 1,
    };
    assert!(!is_secret || !shown.contains(CANARY), "{shown}");
}

/// `useProxy` and `init` of `golang.org/x/net/http/httpproxy`, for hosts that need no IDNA.
fn uses_proxy(no_proxy: &str, host: &str, port: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let address = parse_ip(host);
    if host == "localhost" || address.is_some_and(|a| to_4(a).is_loopback()) {
        return false;
    }
    for entry in no_proxy.split(',') {
        let entry = entry.trim().to_ascii_lowercase();
        if entry.is_empty() {
            continue;
        }
        if entry == "*" {
            return false;
        }
        if let Some((network, bits)) = parse_cidr(&entry) {
            if address.is_some_and(|address| contains(network, bits, address)) {
                return false;
            }
            continue;
        }
        let (mut name, at) = match split_host_port(&entry) {
            Some((name, at)) if !name.is_empty() => (name, at),
            Some(_) => continue,
            None => (entry.as_str(), ""),
        };
        let is_at = at.is_empty() || at == port;
        if let Some(one) = parse_ip(name) {
            if address.is_some_and(|address| to_4(address) == to_4(one)) && is_at {
                return false;
            }
            continue;
        }
        if name.starts_with("*.") {
            name = &name[1..];
        }
        let itself = !name.starts_with('.');
        let domain = if itself { format!(".{name}") } else { name.to_owned() };
        if (host.ends_with(&domain) || (itself && host == name)) && is_at {
            return false;
        }
    }
    true
}

/// `net.SplitHostPort`.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let colon = text.rfind(':')?;
    let (host, from, to) = if text.starts_with('[') {
        let end = text.find(']')?;
        (end + 1 == colon).then_some((&text[1..end], 1, end + 1))?
    } else {
        (!text[..colon].contains(':')).then_some((&text[..colon], 0, 0))?
    };
    (!text[from..].contains('[') && !text[to..].contains(']')).then_some((host, &text[colon + 1..]))
}

/// `net.ParseIP`.
fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// `net.ParseCIDR`: the network is masked.
fn parse_cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address = parse_ip(address)?;
    let is_number = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    let bits: u32 = is_number.then(|| bits.parse().ok())??;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some((address, bits))
}

/// `IPNet.Contains`: both as IPv4 if they can be.
fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let mask = |value: u128, width: u32, bits: u32| {
        if bits == 0 { 0 } else { value & (u128::MAX << (width - bits)) }
    };
    let (network, bits) = match network {
        IpAddr::V6(six) => {
            let masked = IpAddr::V6(Ipv6Addr::from(mask(six.to_bits(), 128, bits)));
            let short = to_4(masked);
            // The mask of 16 bytes is cut as the address is.
            (short, if short.is_ipv4() { bits.saturating_sub(96) } else { bits })
        }
        four => (four, bits),
    };
    match (network, to_4(address)) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let cut = |value: u32| mask(value.into(), 32, bits) & u128::from(u32::MAX);
            cut(one.to_bits()) == cut(other.to_bits())
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            mask(one.to_bits(), 128, bits) == mask(other.to_bits(), 128, bits)
        }
        _ => false,
    }
}

/// `IP.To4`.
fn to_4(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
