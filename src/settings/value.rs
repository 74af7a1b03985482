//! The values that settings take, in the file and in the environment alike.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::external_helper::{BadName, HelperName};
use crate::keychain::{Choice, KeychainName, UnknownKeychain};
use crate::nearest::nearest;
use crate::origin::{self, Origin};
use crate::token_api::Minting;

/// A value that a setting does not take: what it takes, and what was probably meant. The value
/// itself is left out, because it may be anything (CVE-2020-8564).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    takes: String,
    found: &'static str,
    meant: Option<String>,
}

pub(super) type Parsed<T> = std::result::Result<T, Wrong>;

impl Wrong {
    pub(super) fn new(takes: impl Into<String>, found: &'static str) -> Self {
        Self { takes: takes.into(), found, meant: None }
    }

    fn text(takes: impl Into<String>) -> Self {
        Self::new(takes, "this value")
    }

    pub(super) fn meant(self, meant: Option<impl Into<String>>) -> Self {
        Self { meant: meant.map(Into::into), ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "takes {}, not {}", self.takes, self.found)?;
        self.meant.as_ref().map_or(Ok(()), |meant| write!(f, "; did you mean {meant}?"))
    }
}

const TRUE_OR_FALSE: &str = "true or false";

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(not_boolean("this value", Some(text))),
    }
}

/// What else means yes and no elsewhere.
pub(super) fn not_boolean(found: &'static str, text: Option<&str>) -> Wrong {
    let meant = text.and_then(|text| match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "on" | "t" => Some("true"),
        "0" | "no" | "n" | "off" | "f" => Some("false"),
        text => nearest(text, ["true", "false"]),
    });
    Wrong::new(TRUE_OR_FALSE, found).meant(meant)
}

pub(super) fn keychain(text: &str) -> Parsed<Choice> {
    text.parse().map_err(|why| {
        if why == UnknownKeychain::Helper(BadName::Itself) {
            return Wrong::new(
                "helper:NAME of another helper",
                "one that names this helper itself",
            );
        }
        let mut known = vec!["auto".to_owned()];
        known.extend(KeychainName::of_this_system().iter().map(ToString::to_string));
        let takes = format!("{} or helper:NAME", known.join(", "));
        let helper = text.strip_prefix("helper:").and_then(helper_meant);
        let meant = helper.map(|name| format!("helper:{name}"));
        let near = || nearest(text, known.iter().map(String::as_str)).map(str::to_owned);
        Wrong::text(takes).meant(meant.or_else(near))
    })
}

/// A helper's name, or `none`.
///
/// # Errors
/// It is not a valid name.
pub fn parse_fallback(text: &str) -> std::result::Result<Option<HelperName>, BadName> {
    if text == "none" { Ok(None) } else { text.parse().map(Some) }
}

/// A helper's name, or `none`.
pub(super) fn fallback(text: &str) -> Parsed<Option<HelperName>> {
    parse_fallback(text).map_err(|why| match why {
        BadName::Itself => {
            Wrong::new("the name of another helper, or none", "one that names this helper itself")
        }
        _ => {
            let takes = "the name of a helper as in docker-credential-NAME (lower-case letters, \
                         digits, dots, dashes and underscores), or none";
            Wrong::text(takes).meant(helper_meant(text))
        }
    })
}

/// The name as clients write it, from one written in full, as a path or in capitals.
fn helper_meant(text: &str) -> Option<String> {
    let name = text.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let name = name.strip_prefix("docker-credential-").unwrap_or(&name);
    (name != text && name.parse::<HelperName>().is_ok()).then(|| name.to_owned())
}

/// Whether the session is encrypted.
pub(super) fn session(text: &str) -> Parsed<bool> {
    match text {
        "plain" => Ok(false),
        "encrypted" => Ok(true),
        _ => Err(Wrong::text("plain or encrypted").meant(nearest(text, ["plain", "encrypted"]))),
    }
}

/// The word that has personal tokens kept.
pub const KEEP: &str = "keep";

/// Whether personal tokens are kept.
pub(super) fn keep(text: &str) -> Parsed<bool> {
    match text {
        KEEP => Ok(true),
        "refuse" => Ok(false),
        _ => Err(Wrong::text("keep or refuse").meant(nearest(text, [KEEP, "refuse"]))),
    }
}

/// Whether tokens are minted, and by which API.
pub(super) fn mint(text: &str) -> Parsed<Minting> {
    text.parse()
        .map_err(|_| Wrong::text(Minting::WORDS.join(", ")).meant(nearest(text, Minting::WORDS)))
}

pub(super) fn profile(text: &str) -> Parsed<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let valid = (1..=64).contains(&text.len())
        && text.bytes().all(is_plain)
        && !text.starts_with(['-', '.']);
    let takes =
        "1 to 64 letters, digits, dots, dashes or underscores, not starting with a dot or dash";
    if valid { Ok(text.to_owned()) } else { Err(Wrong::text(takes)) }
}

pub(super) fn origin(text: &str) -> Parsed<Origin> {
    text.parse().map_err(|_| {
        // Of a realm's whole URL alone: any other text could be a password, and is not repeated
        // (CVE-2020-8564).
        let meant = Some(text).filter(|text| text.contains("://"));
        let meant = meant.and_then(|text| origin::parse(text).ok());
        let meant = meant.map(|(_, origin)| origin.to_string());
        Wrong::text("an origin such as https://auth.example.com").meant(meant)
    })
}

pub(super) fn file(text: &str) -> Parsed<PathBuf> {
    let path = Path::new(text);
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    Err(Wrong::text("an absolute path").meant(in_home(text)))
}

/// What a shell makes of `~/`.
pub(super) fn in_home(text: &str) -> Option<String> {
    let path = crate::environment::home()?.join(text.strip_prefix("~/")?);
    Some(path.display().to_string())
}

pub(super) fn text(text: &str) -> Parsed<String> {
    if text.is_empty() { Err(Wrong::new("a string", "an empty one")) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_taken_is_told_with_what_is_and_the_nearest() {
        let told = |wrong: Option<Wrong>| wrong.map(|w| w.to_string()).unwrap_or_default();
        for (wrong, parts) in [
            (keychain("kernal").err(), &["auto, ", "helper:NAME, not", "mean kernel?"][..]),
            (keychain("helper:docker-credential-pass").err(), &["did you mean helper:pass?"]),
            (keychain("hunter2").err(), &["helper:NAME, not this value"]),
            (fallback("docker-credential-pass").err(), &["did you mean pass?"]),
            (fallback("/usr/bin/docker-credential-Pass").err(), &["did you mean pass?"]),
            (fallback("refresh").err(), &["another helper"]),
            (boolean("Yes").err(), &["true or false", "did you mean true?"]),
            (boolean("flase").err(), &["did you mean false?"]),
            (session("encryptd").err(), &["plain or encrypted", "did you mean encrypted?"]),
            (keep("kep").err(), &["keep or refuse, not this value", "did you mean keep?"]),
            (mint("gitae").err(), &["off, auto, gitea, ", "did you mean gitea?"]),
            (profile("a b").err(), &["1 to 64 letters"]),
            (origin("hunter.2").err(), &["such as https://auth.example.com, not this value"]),
            (origin("https://auth.example/token").err(), &["did you mean https://auth.example?"]),
            (file("~/ca.pem").err(), &["an absolute path", "did you mean /", "/ca.pem?"]),
        ] {
            let told = told(wrong);
            assert!(parts.iter().all(|part| told.contains(part)), "{parts:?}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        let told = told(origin("https://alice:hunter2@auth.example").err());
        assert!(!told.contains("hunter2"), "{told}");
    }
}
