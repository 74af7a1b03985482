//! A token response, as servers write it. What must be there is judged strictly; a member that may
//! be left out counts as absent where it is empty or of a type that nobody could use.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::jwt;
use super::seconds::seconds;
use crate::scope::Scope;
use crate::secret::{AccessToken, RefreshToken, check_token};

/// A 200 with the tokens that came.
pub struct TokenResponse {
    /// The access token, if there is one.
    pub access: Option<AccessToken>,
    /// Seconds that it lasts; 60 if the server does not say, and never less.
    pub expires_in: u64,
    /// When it was issued; now if the server does not say.
    pub issued_at: Timestamp,
    /// What it is good for, if the token itself or else the server tells.
    pub scopes: Option<Vec<Scope>>,
    /// Whose it is, if the token itself tells.
    pub account: Option<String>,
    /// The refresh token, if there is one.
    pub refresh: Option<RefreshToken>,
    /// When the refresh token expires, if the server or the token says.
    pub refresh_expires: Option<Timestamp>,
}

/// What is wrong with a 200, without its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Odd {
    /// A web page, or JSON that is not a token response.
    #[error("something that is not a token response")]
    NotTokens,
    /// A content coding that is not read.
    #[error("in a way that cannot be read: {0}")]
    Coding(String),
    /// RFC 6749 section 7.1: such a token must not be used.
    #[error("with a token type other than Bearer")]
    Type,
    /// No token has such bytes, or so many.
    #[error("with a token that is too long or not printable")]
    Shape,
}

/// The members that are read.
#[derive(Default)]
struct Members {
    access_token: Member<AccessToken>,
    token: Member<AccessToken>,
    refresh_token: Member<RefreshToken>,
    hints: Vec<(Hint, Value)>,
}

/// Members that never fail a login, whatever they hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    TokenType,
    Scope,
    ExpiresIn,
    IssuedAt,
    // Not in RFC 6749; Keycloak and GitLab name them so.
    RefreshTokenExpiresIn,
    RefreshExpiresIn,
}

#[derive(Default)]
enum Member<T> {
    #[default]
    Absent,
    Text(T),
    OtherType,
}

impl TokenResponse {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// `Odd`.
    pub fn read(body: &[u8]) -> Result<Self, Odd> {
        let text = String::from_utf8_lossy(body);
        let members: Members = serde_json::from_str(&text).map_err(|_| Odd::NotTokens)?;
        let hint = |name: Hint| {
            // Of two, the last one, as Go does.
            let found = members.hints.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, value)| value)
        };
        let kind = hint(Hint::TokenType).and_then(Value::as_str).map(str::trim);
        if kind.is_some_and(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Odd::Type);
        }
        let refresh_expires = hint(Hint::RefreshTokenExpiresIn)
            .and_then(seconds)
            .or_else(|| hint(Hint::RefreshExpiresIn).and_then(seconds))
            .filter(|seconds| *seconds > 0)
            .and_then(|n| Timestamp::now().checked_add(SignedDuration::from_secs(n)).ok());
        // Distribution token specification: absent means 60 s, and now.
        let expires_in = hint(Hint::ExpiresIn).and_then(seconds);
        let expires_in = expires_in.and_then(|n| u32::try_from(n).ok()).map_or(60, |n| n.max(60));
        let issued_at = hint(Hint::IssuedAt).and_then(|at| at.as_str()?.parse().ok());
        // Go's zero time means none.
        let issued_at = issued_at.filter(|at: &Timestamp| at.as_second() > 0);
        let told = hint(Hint::Scope).and_then(scopes);

        // Both are names for the same token.
        let access = match (members.access_token, members.token) {
            (Member::Text(token), _) | (_, Member::Text(token)) => Some(token),
            (Member::Absent, Member::Absent) => None,
            _ => return Err(Odd::NotTokens),
        };
        let refresh = match members.refresh_token {
            Member::Text(token) => Some(token),
            Member::Absent | Member::OtherType => None,
        };
        let shaped = |text: Option<&str>| text.is_none_or(|text| check_token(text).is_ok());
        if !shaped(access.as_ref().map(AccessToken::expose))
            || !shaped(refresh.as_ref().map(RefreshToken::expose))
        {
            return Err(Odd::Shape);
        }
        Ok(Self {
            expires_in: expires_in.into(),
            issued_at: issued_at.unwrap_or_else(Timestamp::now),
            scopes: access.as_ref().and_then(|token| jwt::access(token.expose())).or(told),
            account: access.as_ref().and_then(|token| jwt::account(token.expose())),
            refresh_expires: refresh_expires
                .or_else(|| refresh.as_ref().and_then(|token| jwt::expiry(token.expose()))),
            access,
            refresh,
        })
    }

    /// What of the scopes asked for was not granted; nothing, if nobody says (RFC 6749
    /// section 5.1).
    pub fn missing(&self, asked: &[Scope]) -> Vec<Scope> {
        let Some(granted) = &self.scopes else { return Vec::new() };
        asked.iter().filter_map(|scope| scope.missing_from(granted)).collect()
    }

    /// For the trace: what came, not what it was.
    pub fn describe(&self) -> String {
        let came = |there: bool| if there { "came" } else { "did not come" };
        let (access, refresh) = (came(self.access.is_some()), came(self.refresh.is_some()));
        let seconds = self.expires_in;
        format!("token server: access token {access} ({seconds} s), refresh token {refresh}")
    }
}

/// A list in one string, or several strings.
fn scopes(told: &Value) -> Option<Vec<Scope>> {
    match told {
        Value::String(text) => Scope::parse_list(text),
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            Scope::parse_list(&texts.join(" "))
        }
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token response")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                let twice = || A::Error::custom("a token twice");
                while let Some(name) = map.next_key::<String>()? {
                    let hint = match name.as_str() {
                        "access_token" | "token" | "refresh_token" => {
                            let raw: &RawValue = map.next_value()?;
                            let new = match name.as_str() {
                                "access_token" => members.access_token.set(raw, AccessToken::new),
                                "token" => members.token.set(raw, AccessToken::new),
                                _ => members.refresh_token.set(raw, RefreshToken::new),
                            };
                            if !new {
                                return Err(twice());
                            }
                            continue;
                        }
                        "token_type" => Hint::TokenType,
                        "scope" => Hint::Scope,
                        "expires_in" => Hint::ExpiresIn,
                        "issued_at" => Hint::IssuedAt,
                        "refresh_token_expires_in" => Hint::RefreshTokenExpiresIn,
                        "refresh_expires_in" => Hint::RefreshExpiresIn,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    // Raw first: a number that no type here can hold is no reason to fail.
                    let raw: &RawValue = map.next_value()?;
                    if let Ok(value) = serde_json::from_str(raw.get()) {
                        members.hints.push((hint, value));
                    }
                }
                Ok(members)
            }
        }

        from.deserialize_map(Reader)
    }
}

impl<T> Member<T> {
    /// Sets it; whether it was the first time. Go servers write an absent member as empty or null.
    fn set(&mut self, raw: &RawValue, secret: fn(String) -> T) -> bool {
        let is_new = matches!(self, Self::Absent);
        *self = match serde_json::from_str(raw.get()) {
            Ok(Value::Null) => Self::Absent,
            Ok(Value::String(text)) if text.is_empty() => Self::Absent,
            Ok(Value::String(text)) => Self::Text(secret(text)),
            _ => Self::OtherType,
        };
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> TokenResponse {
        TokenResponse::read(json.as_bytes()).unwrap_or_else(|odd| panic!("{json}: {odd}"))
    }

    #[test]
    fn token_responses_as_servers_write_them() {
        let both =
            read(r#"{"token":"a","access_token":"a","refresh_token":"r","scope":"","x":{}}"#);
        assert_eq!(both.access.unwrap().expose(), "a");
        assert_eq!(both.refresh.unwrap().expose(), "r");
        let none = read(r#"{"token":"a","refresh_token":"","token_type":"bearer"}"#);
        assert!(none.refresh.is_none() && none.access.is_some());
        let null = read(r#"{"access_token":null,"refresh_token":null}"#);
        assert!(null.refresh.is_none() && null.access.is_none());
        assert_eq!(read(r#"{"access_token":"","token":"t"}"#).access.unwrap().expose(), "t");
        assert_eq!(read(r#"{"access_token":"a","token":7}"#).access.unwrap().expose(), "a");
        assert_eq!(
            read(r#"{"access_token":"a","expires_in":300}"#).describe(),
            "token server: access token came (300 s), refresh token did not come"
        );
    }

    #[test]
    fn odd_token_responses_are_refused_without_being_quoted() {
        let long = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(16 * 1024 + 1));
        for json in [
            "",
            "<html>",
            "[]",
            "null",
            "\"t\"",
            r#"{"access_token":1}"#,
            r#"{"token":["a"]}"#,
            r#"{"access_token":"a"}x"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":"a","refresh_token":"b","refresh_token":"c"}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"refresh_token":"\u00e9"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            &long,
        ] {
            assert!(TokenResponse::read(json.as_bytes()).is_err(), "{json:.40}");
        }
        assert!(TokenResponse::read(b"{\"access_token\":\"\xff\"}").is_err());
    }

    /// casdoor#611 and its like: what may be left out counts as left out.
    #[test]
    fn an_optional_member_of_any_shape_fails_nothing() {
        let values = [
            "null",
            "\"\"",
            "\" \"",
            "0",
            "-1",
            "1.5",
            "1e400",
            "99999999999999999999",
            "true",
            "[]",
            "{}",
            "[[1]]",
            "{\"a\":{}}",
            "\"\\ud800\"",
            "\"soon\"",
            "\"\\u0000\"",
        ];
        for name in [
            "scope",
            "expires_in",
            "issued_at",
            "refresh_token_expires_in",
            "refresh_expires_in",
            "unknown",
        ] {
            for value in values {
                let json =
                    format!(r#"{{"access_token":"a","refresh_token":"r","{name}":{value}}}"#);
                let granted = read(&json);
                assert!(granted.access.is_some() && granted.refresh.is_some(), "{json}");
                assert!(granted.expires_in == 60 && granted.missing(&[]).is_empty(), "{json}");
                // Twice is as harmless.
                read(&format!(r#"{{"access_token":"a","{name}":{value},"{name}":1}}"#));
            }
        }
        for kind in ["null", "\"\"", "\"BEARER\"", "\" bearer \"", "1", "[]", "{}", "false"] {
            read(&format!(r#"{{"access_token":"a","token_type":{kind}}}"#));
        }
        for refresh in ["null", "\"\"", "7", "false", "[\"r\"]", "{\"r\":1}"] {
            let granted = read(&format!(r#"{{"access_token":"a","refresh_token":{refresh}}}"#));
            assert!(granted.refresh.is_none(), "{refresh}");
        }
        assert!(read("{\"access_token\":\"a\",\"scope\":1}").scopes.is_none());
    }

    #[test]
    fn the_token_itself_says_what_was_granted_before_the_text_does() {
        use base64::Engine;
        let jwt = |claims: &str| {
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            format!("e30.{claims}.sig")
        };
        let asked: Vec<Scope> = vec!["repository:a/b:pull,push".parse().unwrap()];
        let missing = |token: &str, scope: &str| {
            let json = format!(r#"{{"access_token":"{token}","scope":{scope}}}"#);
            let missing = read(&json).missing(&asked);
            missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let all = r#"{"access":[{"type":"repository","name":"a/b","actions":["push","pull"]}]}"#;
        let none = jwt(r#"{"access":[]}"#);
        let text = "\"repository:a/b:pull,push\"";
        assert_eq!(missing(&jwt(all), "\"repository:x:pull\""), "");
        assert_eq!(missing(&none, text), "repository:a/b:pull,push");
        assert_eq!(missing(&jwt(r#"{"access":null}"#), text), "repository:a/b:pull,push");
        // A claim that cannot be read says nothing, and an opaque token has none.
        for token in [jwt(r#"{"access":"all"}"#), jwt("{}"), "opaque".to_owned()] {
            assert_eq!(missing(&token, text), "", "{token}");
            assert_eq!(missing(&token, "\"repository:a/b:pull\""), "repository:a/b:push");
            assert_eq!(missing(&token, r#"["repository:a/b:pull","repository:a/b:push"]"#), "");
            assert_eq!(missing(&token, r#"["repository:a/b:push"]"#), "repository:a/b:pull");
            for silent in ["null", "\"\"", "[]", "\"openid profile\"", "{}", "5"] {
                assert_eq!(missing(&token, silent), "", "{silent}");
            }
        }
    }

    #[test]
    fn seconds_in_any_notation() {
        for (json, expected) in [
            ("300", 300),
            ("300.9", 300),
            ("3e2", 300),
            ("\"300\"", 300),
            ("\"300.5\"", 300),
            ("10", 60),
            ("-5", 60),
            ("1e30", 60),
            ("\"never\"", 60),
        ] {
            let granted = read(&format!(r#"{{"access_token":"a","expires_in":{json}}}"#));
            assert_eq!(granted.expires_in, expected, "{json}");
        }
        let expires = |json: &str| {
            read(&format!(r#"{{"refresh_token":"r","refresh_expires_in":{json}}}"#)).refresh_expires
        };
        assert!(
            expires("60").is_some() && expires("60.5").is_some() && expires("\"60\"").is_some()
        );
        let json = r#"{"refresh_token":"r","refresh_token_expires_in":60}"#;
        assert!(read(json).refresh_expires.is_some());
        for none in ["0", "-1", "1e300", "1e14", "null"] {
            assert!(expires(none).is_none(), "{none}");
        }
        let issued = |json: &str| read(&format!(r#"{{"token":"a","issued_at":{json}}}"#)).issued_at;
        assert_eq!(issued("\"2020-01-01T00:00:00Z\"").as_second(), 1_577_836_800);
        let start = Timestamp::now();
        let epoch = "\"1970-01-01T00:00:00Z\"";
        for now in ["\"0001-01-01T00:00:00Z\"", epoch, "1577836800", "\"yesterday\"", "-1e99"] {
            assert!(issued(now) >= start, "{now}");
        }
    }
}
