//! The body of a 200 from a token endpoint, beside a JSON reader that keeps members in order and twice.
#![no_main]

use docker_credential_refresh::scope::Scope;
use docker_credential_refresh::token::TokenResponse;
use docker_credential_refresh_fuzz::json::Json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let read = TokenResponse::read(body);
    let text = String::from_utf8_lossy(body);
    let json = Json::parse(text.as_bytes());
    let Ok(tokens) = read else {
        if let Some(json) = &json {
            assert!(!is_plain(json), "{text} is refused");
        }
        return;
    };
    let access = tokens.access.as_ref().map(|token| token.expose());
    let refresh = tokens.refresh.as_ref().map(|token| token.expose());
    for token in [access, refresh].into_iter().flatten() {
        assert!((1..=16 * 1024).contains(&token.len()));
        assert!(token.bytes().all(|b| (b' '..=b'~').contains(&b)));
    }
    assert!(tokens.expires_in >= 60);
    let asked: Scope = "repository:team/app:pull,push".parse().unwrap();
    let missing = tokens.missing(std::slice::from_ref(&asked));
    match &tokens.scopes {
        None => assert!(missing.is_empty()),
        Some(granted) => {
            let mut with_it = granted.clone();
            with_it.push(asked.clone());
            assert_eq!(asked.missing_from(&with_it), None);
            // What is missing is what was asked for, less what was granted.
            let left: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let left: Vec<_> =
                left.iter().map(|s| s.strip_prefix("repository:team/app:")).collect();
            assert!(matches!(left[..], [] | [Some("pull,push" | "pull" | "push")]), "{left:?}");
        }
    }
    let Some(json) = json else { return };
    let named = |name: &str| {
        let all = json.members().iter().filter(|(known, _)| known == name);
        let all: Vec<&Json> = all.map(|(_, value)| value).collect();
        all.last().copied().and_then(Json::text).filter(|text| !text.is_empty())
    };
    assert!(matches!(json, Json::Map(_)));
    assert_eq!(access, named("access_token").or(named("token")));
    assert_eq!(refresh, named("refresh_token"));
    let kind = named("token_type").unwrap_or_default().trim();
    assert!(kind.is_empty() || kind.eq_ignore_ascii_case("bearer"));
    // Of two tokens, nobody knows which one is meant.
    for name in ["access_token", "token", "refresh_token"] {
        let is_one = |value: &Json| value.text().is_some_and(|text| !text.is_empty());
        let all = json.members().iter().filter(|(known, value)| known == name && is_one(value));
        assert!(all.count() <= 1, "{text}");
    }
});

/// An object of one access token that could not be plainer.
fn is_plain(json: &Json) -> bool {
    match json.members() {
        [(name, Json::Text(token))] => {
            let is_plain = token.bytes().all(|b| b.is_ascii_alphanumeric());
            name == "access_token" && is_plain && (1..1000).contains(&token.len())
        }
        _ => false,
    }
}
