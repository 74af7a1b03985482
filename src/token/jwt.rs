//! What tokens that are JWTs say about themselves: hints to show, on which nothing depends, so that
//! nothing is verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::seconds::seconds;
use crate::scope::Scope;

/// The `exp` claim (RFC 7519 section 4.1.4), where the token is a JWT and has one that is a date.
pub fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Value,
    }
    let Claims { exp } = claims(token)?;
    // Zero is how some issuers write "never".
    let seconds = seconds(&exp).filter(|seconds| *seconds > 0)?;
    Timestamp::from_second(seconds).ok()
}

/// The `access` claim (distribution specification, "Token Authentication Implementation"). Go reads
/// the names of members in any case, and Azure was seen to write them with capitals.
pub fn access(token: &str) -> Option<Vec<Scope>> {
    #[derive(Deserialize)]
    struct Claims {
        // Go writes an empty list as null.
        #[serde(deserialize_with = "Option::deserialize")]
        access: Option<Vec<Access>>,
    }
    #[derive(Deserialize)]
    struct Access {
        #[serde(alias = "Type")]
        r#type: String,
        #[serde(alias = "Name")]
        name: String,
        #[serde(alias = "Actions")]
        actions: Option<Vec<String>>,
    }
    let Claims { access } = claims(token)?;
    let scope = |a: Access| Scope::new(&a.r#type, &a.name, a.actions.unwrap_or_default());
    Some(access.unwrap_or_default().into_iter().map(scope).collect())
}

fn claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?);
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_jwt_tells_its_expiry() {
        let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(
            expiry(&jwt(r#"{"exp":1700000000}"#)),
            Timestamp::from_second(1_700_000_000).ok()
        );
        for token in [
            "opaque",
            "a.b.c",
            "a.b.c.d",
            &jwt("{}"),
            &jwt(r#"{"exp":"x"}"#),
            &jwt(r#"{"exp":1e99}"#),
            &jwt(r#"{"exp":1e999}"#),
            &jwt(r#"{"exp":-1700000000}"#),
            &jwt(r#"{"exp":0}"#),
            &jwt(r#"{"exp":null}"#),
            &jwt(r#"{"exp":[1700000000]}"#),
        ] {
            assert_eq!(expiry(token), None, "{token}");
        }
        // kubelogin #1653, pomerium #2248, libjwt #188: a NumericDate may have a fraction.
        for exp in ["1700000000.5", "1.7e9", "1.7000000000e+09", "\"1700000000\""] {
            let token = jwt(&format!(r#"{{"exp":{exp},"iat":1e400}}"#));
            assert_eq!(expiry(&token), Timestamp::from_second(1_700_000_000).ok(), "{exp}");
        }
    }

    #[test]
    fn the_access_claim_is_read_as_go_writes_it() {
        let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        let read = |claims: &str| -> Option<Vec<String>> {
            Some(access(&jwt(claims))?.iter().map(ToString::to_string).collect())
        };
        let lower =
            r#"{"access":[{"type":"repository","class":"","name":"a","actions":["pull"]}]}"#;
        let upper = r#"{"access":[{"Type":"repository","Name":"a","Actions":["pull"]}]}"#;
        assert_eq!(read(lower), Some(vec!["repository:a:pull".to_owned()]));
        assert_eq!(read(upper), read(lower));
        assert_eq!(read(r#"{"access":null}"#), Some(vec![]));
        assert_eq!(read(r#"{"access":[]}"#), Some(vec![]));
        for nothing in ["{}", r#"{"access":"x"}"#, r#"{"access":[1]}"#, r#"{"access":{"a":1}}"#] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
