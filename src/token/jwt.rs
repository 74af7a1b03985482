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

/// A longer name is none that anybody has.
const MAX_ACCOUNT_CHARS: usize = 255;

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

/// The account that a token is for: by the name that people know (OpenID Connect Core section 5.1, and
/// Azure's `unique_name`), else by `sub`, which the distribution specification makes the account.
/// A number or a GUID names nobody.
pub fn account(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        preferred_username: Option<Value>,
        unique_name: Option<Value>,
        sub: Option<Value>,
    }
    let Claims { preferred_username, unique_name, sub } = claims(token)?;
    let is_name = |text: &&str| {
        let is_hidden = |c: char| c.is_whitespace() || c.is_control();
        (1..=MAX_ACCOUNT_CHARS).contains(&text.chars().count())
            && !text.contains(is_hidden)
            && !text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
    };
    let all = [preferred_username, unique_name, sub].into_iter().flatten();
    all.filter_map(|claim| claim.as_str().filter(is_name).map(str::to_owned)).next()
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

/// Whether Microsoft Entra says that it issued the token, in any of its clouds (Microsoft identity
/// platform, "Access token claims reference" and "National clouds"). It only decides who is asked.
pub fn is_of_entra(token: &str) -> bool {
    const ISSUERS: [&str; 6] = [
        "https://sts.windows.net/",
        "https://login.microsoftonline.com/",
        "https://login.microsoftonline.us/",
        "https://login.partner.microsoftonline.cn/",
        "https://sts.chinacloudapi.cn/",
        "https://login.chinacloudapi.cn/",
    ];
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    claims(token).is_some_and(|Claims { iss }| ISSUERS.iter().any(|known| iss.starts_with(known)))
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
    fn an_account_is_a_name() {
        let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        let told = |claims: &str| account(&jwt(claims));
        assert_eq!(told(r#"{"sub":"alice","exp":1}"#).as_deref(), Some("alice"));
        let both = r#"{"sub":"6c1d","preferred_username":"bob","unique_name":"carol"}"#;
        assert_eq!(told(both).as_deref(), Some("bob"));
        let azure = r#"{"sub":"6f0c2a51-3bd5-4c0e-a7d5-7d5c27a5b4a1","unique_name":"a@b.example"}"#;
        assert_eq!(told(azure).as_deref(), Some("a@b.example"));
        for claims in [
            "{}",
            r#"{"sub":""}"#,
            r#"{"sub":7}"#,
            r#"{"sub":null,"preferred_username":["x"]}"#,
            r#"{"sub":"1234"}"#,
            r#"{"sub":"6f0c2a51-3bd5-4c0e-a7d5-7d5c27a5b4a1"}"#,
            r#"{"sub":"two words"}"#,
            r#"{"sub":"a\u001b[2J"}"#,
            &format!(r#"{{"sub":"{}"}}"#, "x".repeat(256)),
        ] {
            assert_eq!(told(claims), None, "{claims}");
        }
        assert_eq!(account("opaque"), None);
    }

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
