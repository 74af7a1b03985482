//! Where a password may go. A line for the registry's origin, one for the origins that the settings
//! trust, and the rest is the realm: what is accepted passes a second reading of the rules, which splits
//! the URL by hand.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docker_credential_refresh::origin::{self, Origin};
use docker_credential_refresh::realm::{Realm, Refused, Registry};
use libfuzzer_sys::fuzz_target;

/// Some of the Public Suffix List: `tests/public_suffixes` compares all of it.
const SUFFIXES: [&str; 8] =
    ["azurecr.io", "co.jp", "co.uk", "com.au", "github.io", "gitlab.io", "herokuapp.com", "org.uk"];

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let Ok(registry) = line().parse::<Origin>() else { return };
    let trusted: Vec<Origin> = line().split(' ').filter_map(|o| o.parse().ok()).collect();
    let named = line();
    let judge = |trusted: &[Origin]| {
        let rules = Registry { origin: &registry, trusted, may_be_plain: &|_, _| false };
        Realm::judge(named, &rules)
    };
    assert_eq!(registry.to_string().parse::<Origin>().as_ref(), Ok(&registry));
    match judge(&trusted) {
        Ok(realm) => {
            let url = realm.url().as_str();
            check(named, &registry, &trusted);
            assert_eq!(origin::parse(url).map(|(_, origin)| origin).as_ref(), Ok(realm.origin()));
            assert_eq!(realm.url().query().is_some(), named.contains('?'));
            assert!(realm.is_same_site() || trusted.contains(realm.origin()));
        }
        // One setting allows it, and that alone.
        Err(refused @ (Refused::OtherSite(_) | Refused::PrivateAddress(_))) => {
            let origin = refused.trustable().expect("an origin").clone();
            let other = Origin { port: origin.port ^ 1, ..origin.clone() };
            assert!(judge(&[other]).is_err());
            assert!(judge(&[origin]).is_ok());
        }
        Err(Refused::PlainHttp) => assert!(named.to_ascii_lowercase().starts_with("http://")),
        Err(Refused::BadUrl(_)) => {}
    }
});

/// The rules once more, for a realm that was accepted.
fn check(named: &str, registry: &Origin, trusted: &[Origin]) {
    assert!(named.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'\\' && b != b'#'));
    let (scheme, rest) = named.split_once("://").expect("absolute");
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    assert!(!authority.contains(['@', '%']), "{named}");
    let https = scheme.eq_ignore_ascii_case("https");
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => (&authority[..at], &authority[at + 1..]),
        _ => (authority, ""),
    };
    let port = port.parse().unwrap_or(if https { 443 } else { 80 });
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let host = address.map_or(host, |address| address.to_string());
    let own = registry.host.to_string();
    let own = own.trim_matches(['[', ']']);
    let is_trusted = trusted.iter().any(|origin| {
        let other = origin.host.to_string();
        (origin.https, origin.port, other.trim_matches(['[', ']'])) == (https, port, &*host)
    });

    assert!(https || (!registry.https && (own == host || is_trusted)), "{named} without TLS");
    if is_trusted || own == host {
        return;
    }
    assert!(address.is_none(), "{named} is another address");
    assert!(host != "localhost" && !host.ends_with(".localhost"), "{named}");
    // What both end with, label by label, is more than a public suffix.
    let labels = |name: &str| name.rsplit('.').map(str::to_owned).collect::<Vec<_>>();
    let both = labels(&host).into_iter().zip(labels(own));
    let mut shared: Vec<_> =
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect();
    shared.reverse();
    assert!(shared.len() > 1 && !SUFFIXES.contains(&&*shared.join(".")), "{named} is elsewhere");
    assert!(own.parse::<Ipv4Addr>().is_err() && own.parse::<Ipv6Addr>().is_err());
}
