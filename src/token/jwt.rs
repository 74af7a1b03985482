//! What tokens that are JWTs tell of themselves: hints to show, never decided upon, so that nothing
//! is verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::scope::Scope;

/// The `exp` claim (RFC 7519 section 4.1.4), where the token is a JWT and has one.
pub fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: serde_json::Number,
    }
    let Claims { exp } = claims(token)?;
    Timestamp::from_second(exp.as_i64()?).ok()
}

/// The `access` claim (distribution specification, "Token Authentication Implementation").
pub fn access(token: &str) -> Option<Vec<Scope>> {
    #[derive(Deserialize)]
    struct Claims {
        access: Vec<Access>,
    }
    #[derive(Deserialize)]
    struct Access {
        r#type: String,
        name: String,
        actions: Vec<String>,
    }
    let Claims { access } = claims(token)?;
    Some(access.into_iter().map(|a| Scope::new(&a.r#type, &a.name, a.actions)).collect())
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
        ] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
