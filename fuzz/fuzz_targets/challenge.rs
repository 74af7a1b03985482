//! `WWW-Authenticate`, a header a line: what a strict reader of RFC 9110 takes is taken for the same,
//! what is taken means the same when it is written again, and another challenge changes nothing.
#![no_main]

use docker_credential_refresh::challenge::{BearerChallenge, Challenge, offers_basic};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let headers: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let read = Challenge::parse(headers.iter().copied());
    if let [header] = headers[..]
        && let Some(expected) = strict(header)
    {
        assert_eq!(read, Ok(Challenge::Bearer(expected)));
    }
    match read {
        Ok(Challenge::Bearer(bearer)) => {
            let BearerChallenge { realm, service, scope } = &bearer;
            assert!(!realm.is_empty());
            for value in [Some(realm), service.as_ref(), scope.as_ref()].into_iter().flatten() {
                assert!(value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)));
            }
            for header in [written(&bearer, false), written(&bearer, true)] {
                let beside: [&[&[u8]]; 4] = [
                    &[header.as_bytes()],
                    &[b"Basic realm=\"https://evil.example/\"", header.as_bytes()],
                    &[header.as_bytes(), b"Bearer realm=\"https://evil.example/\""],
                    &[b"Negotiate dGVzdA==", header.as_bytes(), b"Digest a=b, c=\"d\""],
                ];
                for headers in beside {
                    let again = Challenge::parse(headers.iter().copied());
                    assert_eq!(again, Ok(Challenge::Bearer(bearer.clone())), "{header}");
                }
            }
        }
        Ok(Challenge::Basic) => assert!(offers_basic(headers.iter().copied())),
        Err(_) => {}
    }
});

fn written(bearer: &BearerChallenge, all_escaped: bool) -> String {
    let quoted = |text: &str| -> String {
        let escaped = |c| all_escaped || matches!(c, '"' | '\\');
        text.chars().map(|c| if escaped(c) { format!("\\{c}") } else { c.into() }).collect()
    };
    let mut header = format!("Bearer realm=\"{}\"", quoted(&bearer.realm));
    for (name, value) in [("service", &bearer.service), ("scope", &bearer.scope)] {
        if let Some(value) = value {
            header += &format!(",{name}=\"{}\"", quoted(value));
        }
    }
    header
}

/// One Bearer challenge, by the letter: `Bearer a="b", c="d"`, no name twice, printable ASCII.
fn strict(header: &[u8]) -> Option<BearerChallenge> {
    let text = std::str::from_utf8(header).ok()?;
    (text.len() <= 16 * 1024 && text.bytes().all(|b| (b' '..=b'~').contains(&b))).then_some(())?;
    let mut rest = text.strip_prefix("Bearer ")?;
    let mut known: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        let name = name.to_ascii_lowercase();
        (is_name && known.iter().all(|(other, _)| *other != name)).then_some(())?;
        let mut value = String::new();
        let mut characters = after.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => value.push(characters.next()?),
                c => value.push(c),
            }
        }
        known.push((name, value));
        match characters.as_str() {
            "" => break,
            more => rest = more.strip_prefix(", ")?,
        }
    }
    let of = |wanted: &str| {
        let found = known.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.clone())
    };
    Some(BearerChallenge { realm: of("realm")?, service: of("service"), scope: of("scope") })
}
