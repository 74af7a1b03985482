//! The `WWW-Authenticate` grammar (RFC 9110 section 11.6.1), as far as registries use it.
//!
//! Several challenges may come in one header or in several. Values are taken quoted or, since some
//! registries leave the quotes out, bare up to the next comma or space.

/// The parameters that say where a client goes, and what it says there.
const THAT_COUNT: [&str; 3] = ["realm", "service", "scope"];

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// The distribution token specification.
    Bearer(BearerChallenge),
    /// HTTP Basic: there is nothing to exchange.
    Basic,
}

/// Where tokens are issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerChallenge {
    /// The URL of the token endpoint as the registry wrote it, not judged yet.
    pub realm: String,
    /// Sent along, if the registry names one.
    pub service: Option<String>,
    /// Only needed where a token server wants one to refresh.
    pub scope: Option<String>,
}

/// Why the headers cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No header at all.
    #[error("has no WWW-Authenticate header")]
    Missing,
    /// Broken quotes, control characters; a Bearer challenge in which a relevant parameter appears
    /// twice or is not ASCII.
    #[error("has a WWW-Authenticate header that cannot be understood")]
    Syntax,
    /// Neither Bearer nor Basic.
    #[error("asks for neither Bearer nor Basic authentication")]
    Scheme,
    /// A Bearer challenge that does not say where tokens are issued.
    #[error("asks for a Bearer token but names no realm")]
    NoRealm,
}

const MAX_HEADER_BYTES: usize = 16 * 1024;

struct Raw {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Picks from all `WWW-Authenticate` headers of one answer: the first Bearer, else Basic.
    ///
    /// # Errors
    /// [`Malformed`]. A header that cannot be parsed counts only if no other can be used.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Malformed> {
        let mut all = Vec::new();
        let mut problem = Malformed::Missing;
        for header in headers {
            match parse_header(header) {
                Some(challenges) => all.extend(challenges),
                None => problem = Malformed::Syntax,
            }
        }
        // One that only reports an error (RFC 6750 section 3) may come before the one to follow.
        let has_realm = |c: &Raw| c.parameters.iter().any(|(key, _)| key == "realm");
        all.sort_by_key(|c| !has_realm(c));
        if let Some(bearer) = all.iter_mut().find(|c| c.scheme.eq_ignore_ascii_case("bearer")) {
            let mut take = |name: &str| {
                let at = bearer.parameters.iter().position(|(key, _)| key == name)?;
                let value = bearer.parameters.swap_remove(at).1;
                (!value.is_empty()).then_some(value)
            };
            let realm = take("realm").ok_or(Malformed::NoRealm)?;
            let (service, scope) = (take("service"), take("scope"));
            return Ok(Self::Bearer(BearerChallenge { realm, service, scope }));
        }
        if all.iter().any(|c| c.scheme.eq_ignore_ascii_case("basic")) {
            return Ok(Self::Basic);
        }
        Err(if all.is_empty() { problem } else { Malformed::Scheme })
    }
}

/// Whether HTTP Basic is offered, alone or with something else.
pub fn offers_basic<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut all = headers.into_iter().filter_map(parse_header).flatten();
    all.any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"))
}

fn parse_header(header: &[u8]) -> Option<Vec<Raw>> {
    // RFC 9110 section 5.5: bytes beyond ASCII are opaque, and harmless where nothing is read.
    let text: &str = &header.iter().copied().map(char::from).collect::<String>();
    if header.len() > MAX_HEADER_BYTES || text.chars().any(|c| c.is_ascii_control() && c != '\t') {
        return None;
    }
    let mut challenges: Vec<Raw> = Vec::new();
    let mut rest = skip_separators(text);
    while !rest.is_empty() {
        let (word, after) = token(rest)?;
        let after_space = after.trim_start_matches([' ', '\t']);
        if let Some(value) = after_space.strip_prefix('=')
            && let Some(current) = challenges.last_mut()
            && !value.starts_with('=')
        {
            let (value, after) = parameter_value(value.trim_start_matches([' ', '\t']))?;
            let name = word.to_ascii_lowercase();
            if current.scheme.eq_ignore_ascii_case("bearer") && THAT_COUNT.contains(&&*name) {
                let is_second = current.parameters.iter().any(|(known, _)| *known == name);
                if is_second || !value.is_ascii() {
                    return None;
                }
                current.parameters.push((name, value));
            }
            rest = ends_here(after)?;
        } else {
            ends_here(after)?;
            challenges.push(Raw { scheme: word.to_owned(), parameters: Vec::new() });
            rest = skip_token68(after_space);
        }
        rest = skip_separators(rest);
    }
    Some(challenges)
}

/// A word or a value ends only at a separator or at the end.
fn ends_here(text: &str) -> Option<&str> {
    (text.is_empty() || text.starts_with([',', ' ', '\t'])).then_some(text)
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', ','])
}

fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !is_token_byte(b)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `Negotiate dGVzdA==` and its like: one blob in place of parameters.
fn skip_token68(text: &str) -> &str {
    let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
    let blob = &text[..end];
    let body = blob.trim_end_matches('=');
    let is_blob = !body.is_empty()
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
        && !text[end..].trim_start_matches([' ', '\t']).starts_with('=');
    // `Bearer realm=` is a parameter without a value, and `Basic, Bearer` a scheme alone.
    if is_blob && (blob.len() > body.len() || text[end..].is_empty()) { &text[end..] } else { text }
}

fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t', '"']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[&str]) -> Result<Challenge, Malformed> {
        Challenge::parse(headers.iter().map(|h| h.as_bytes()))
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |s: Option<&str>| s.map(str::to_owned);
        let (service, scope) = (owned(service), owned(scope));
        Challenge::Bearer(BearerChallenge { realm: realm.into(), service, scope })
    }

    #[test]
    fn what_registries_send() {
        assert_eq!(
            parse(&[r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#]),
            Ok(bearer("https://auth.docker.io/token", Some("registry.docker.io"), None))
        );
        // Gitea: two headers, and Bearer has no service.
        assert_eq!(
            parse(&[r#"Bearer realm="https://g/v2/token""#, r#"Basic realm="https://g""#]),
            Ok(bearer("https://g/v2/token", None, None))
        );
        assert_eq!(parse(&[r#"Basic realm="Sonatype Nexus""#]), Ok(Challenge::Basic));
        assert_eq!(parse(&["Basic"]), Ok(Challenge::Basic));
    }

    #[test]
    fn bearer_wins_over_basic_in_any_order_and_in_one_header() {
        let expected = Ok(bearer("https://a/t", Some("s"), Some("registry:catalog:*")));
        let b = r#"bearer realm="https://a/t" , service=s, scope="registry:catalog:*""#;
        assert_eq!(parse(&[&format!("Basic realm=\"x\", {b}")]), expected);
        assert_eq!(parse(&[&format!("{b}, Basic realm=\"x\"")]), expected);
        assert_eq!(parse(&[&format!("Basic, {b}")]), expected);
        assert_eq!(parse(&[&format!("Negotiate dGVzdA==, {b}")]), expected);
        assert_eq!(parse(&["Negotiate", b]), expected);
        assert_eq!(parse(&[&format!("Negotiate {b}")]), expected);
        assert_eq!(parse(&["\"broken", b]), expected);
    }

    #[test]
    fn escapes_commas_and_bare_values_are_understood() {
        assert_eq!(
            parse(&[r#"Bearer realm="https://a/t?x=1,2",service="a \"b\" \\""#]),
            Ok(bearer("https://a/t?x=1,2", Some(r#"a "b" \"#), None))
        );
        assert_eq!(
            parse(&["Bearer realm=https://a:5/t?x=1,service=s"]),
            Ok(bearer("https://a:5/t?x=1", Some("s"), None))
        );
        assert_eq!(
            parse(&[r#"Bearer realm="https://a",service="""#]),
            Ok(bearer("https://a", None, None))
        );
    }

    /// sentry-mcp#939 and its like: a parameter that nobody reads is not ambiguous.
    #[test]
    fn parameters_that_do_not_count_may_be_anything() {
        let expected = Ok(bearer("https://a/t", Some("s"), None));
        let counts = r#"Bearer realm="https://a/t",service="s""#;
        for other in [
            r#"error="a",error="b""#,
            r#"resource_metadata="a",error="invalid_token",resource_metadata="b""#,
            "error_description=\"Gr\u{fc}\u{df}e, \u{202e}\u{1f600}\"",
            "x=\u{e9}",
            "realm*=UTF-8''x",
            r#"error_uri="",error_uri=,x="a\"b""#,
        ] {
            assert_eq!(parse(&[&format!("{counts},{other}")]), expected, "{other}");
            // And before those that matter.
            let first = counts.replace("Bearer ", &format!("Bearer {other},"));
            assert_eq!(parse(&[&first]), expected, "{first}");
            assert_eq!(parse(&[&format!("Digest realm=\"x\",{other},{counts}")]), expected);
        }
        assert_eq!(parse(&["Bearer error=\"invalid_token\"", counts]), expected);
        assert_eq!(parse(&["Digest realm=\"a\",realm=\"b\"", counts]), expected);
        assert_eq!(parse(&["Basic realm=\"Gr\u{f6}\u{df}e\", realm=\"x\""]), Ok(Challenge::Basic));
        let raw: [&[u8]; 1] = [b"Bearer realm=\"https://a/t\",service=s,x=\"\xff\xfe\""];
        assert_eq!(Challenge::parse(raw), expected);
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        assert_eq!(parse(&[]), Err(Malformed::Missing));
        assert_eq!(parse(&["Bearer"]), Err(Malformed::NoRealm));
        assert_eq!(parse(&[r#"Bearer realm="""#]), Err(Malformed::NoRealm));
        assert_eq!(parse(&["Digest realm=\"x\""]), Err(Malformed::Scheme));
        for bad in [
            r#"Bearer realm="https://a"#,
            r#"Bearer realm="https://a",realm="https://evil""#,
            r#"Bearer realm="https://a"x"#,
            r#"Bearer realm="https://a",=x"#,
            "Bearer realm=\"https://a\u{1b}[2J\"",
            "Bearer realm=\"h\u{e9}\"",
            "Bearer realm=\"h\",service=\"\u{e9}\"",
            "Bearer realm=\"h\",scope=\"\u{e9}\"",
            r#"Bearer realm="h",service="a",x="y",SERVICE="b""#,
            r#"Bearer realm="h",scope="a",scope="a""#,
            "Bearer realm=\"h\",error_description=\"\u{7f}\"",
            "=x",
        ] {
            assert_eq!(parse(&[bad]), Err(Malformed::Syntax), "{bad}");
        }
    }

    #[test]
    fn a_header_may_have_16_kib() {
        let header = |length: usize| {
            let start = "Bearer realm=\"https://a/t\",x=";
            parse(&[&format!("{start}{}", "y".repeat(length - start.len()))])
        };
        assert_eq!(header(16 * 1024), Ok(bearer("https://a/t", None, None)));
        assert_eq!(header(16 * 1024 + 1), Err(Malformed::Syntax));
    }

    #[test]
    fn the_first_bearer_that_names_a_realm_is_followed() {
        let expected = Ok(bearer("https://a/t", None, None));
        for without in ["Bearer service=s", "Bearer error=x,scope=\"s\"", "Bearer"] {
            assert_eq!(parse(&[without, "Bearer realm=\"https://a/t\""]), expected, "{without}");
        }
        assert_eq!(parse(&["Bearer realm=\"https://a/t\"", "Bearer realm=\"b\""]), expected);
    }

    #[test]
    fn basic_is_seen_alone_and_beside_others() {
        let offers = |headers: &[&str]| offers_basic(headers.iter().map(|h| h.as_bytes()));
        assert!(offers(&["Basic realm=\"x\""]) && offers(&["Bearer realm=\"x\", bAsIc"]));
        assert!(offers(&["\"broken", "Basic"]));
        assert!(!offers(&[]) && !offers(&["Bearer realm=\"Basic\""]) && !offers(&["Basics"]));
    }
}
