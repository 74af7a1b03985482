//! The challenge grammar: any bytes are read or refused, and what is quoted is read as it was.

use docker_credential_refresh::challenge::{BearerChallenge, Challenge};
use proptest::prelude::*;

/// RFC 9110 section 5.6.4: a quoted string, every character that needs it escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The same, with every character escaped.
fn escaped(text: &str) -> String {
    text.chars().fold("\"".to_owned(), |all, c| format!("{all}\\{c}")) + "\""
}

const PRINTABLE: &str = "[ -~]{1,40}";
const TOKEN: &str = "[a-zA-Z0-9!#$&'*+.^_`|~-]{1,12}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_bytes_are_read_or_refused(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4)
    ) {
        let _no_panic = Challenge::parse(headers.iter().map(Vec::as_slice));
    }

    #[test]
    fn what_looks_like_a_challenge_is_read_or_refused(
        headers in prop::collection::vec(
            r#"((Bearer|Basic|bearer|Negotiate|realm|service|scope|x|=|"|\\|,| |\t|é|https://a/t|dGVzdA==)){0,16}"#,
            0..3,
        )
    ) {
        let _no_panic = Challenge::parse(headers.iter().map(String::as_bytes));
    }

    #[test]
    fn a_quoted_realm_is_read_as_it_was(
        realm in PRINTABLE,
        service in PRINTABLE,
        scope in PRINTABLE,
        scheme in "[bB][eE][aA][rR][eE][rR]",
        space in "[ \t]{0,2}",
        order in Just(vec![0, 1, 2]).prop_shuffle(),
        all_escaped in any::<bool>(),
    ) {
        let write = if all_escaped { escaped } else { quoted };
        let parts = [("realm", &realm), ("SERVICE", &service), ("Scope", &scope)];
        let parts: Vec<_> = order
            .iter()
            .map(|at| format!("{}{space}={space}{}", parts[*at].0, write(parts[*at].1)))
            .collect();
        let header = format!("{scheme} {}", parts.join(&format!("{space},{space}")));
        let read = Challenge::parse([header.as_bytes()]);
        let (service, scope) = (Some(service), Some(scope));
        let expected = Challenge::Bearer(BearerChallenge { realm, service, scope });
        prop_assert_eq!(read, Ok(expected), "{}", header);
    }

    #[test]
    fn another_challenge_beside_it_changes_nothing(
        realm in PRINTABLE,
        other in TOKEN,
        name in TOKEN,
        value in PRINTABLE,
        before in any::<bool>(),
        together in any::<bool>(),
    ) {
        prop_assume!(!other.eq_ignore_ascii_case("bearer"));
        let bearer = format!("Bearer realm={}", quoted(&realm));
        let other = format!("{other} {name}={}", quoted(&value));
        let both = if before { [other, bearer] } else { [bearer, other] };
        let headers = if together { vec![both.join(", ")] } else { both.to_vec() };
        let read = Challenge::parse(headers.iter().map(String::as_bytes));
        let expected = Challenge::Bearer(BearerChallenge { realm, service: None, scope: None });
        prop_assert_eq!(read, Ok(expected), "{:?}", headers);
    }

    #[test]
    fn two_realms_in_one_challenge_are_refused(one in PRINTABLE, two in PRINTABLE) {
        let header = format!("Bearer realm={},Realm={}", quoted(&one), quoted(&two));
        prop_assert!(Challenge::parse([header.as_bytes()]).is_err());
    }
}
