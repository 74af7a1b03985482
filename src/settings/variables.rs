//! The environment variables: one for each global setting, and those for registries.

use std::ffi::OsString;

use super::value::{self, Parsed};
use super::{Settings, Unknown};
use crate::environment::{CALLS_A_HELPER, COMPLETE, PREFIX};
use crate::error::{Error, Kind, Result};
use crate::nearest::nearest;
use crate::server_url::ServerUrl;

/// What is set by them, each after the prefix.
const SETTINGS: [&str; 11] = [
    "KEYCHAIN",
    "FALLBACK",
    "PERSONAL_TOKENS",
    "MINT",
    "REVOKE_ON_ERASE",
    "PROFILE",
    "SECRET_SERVICE_SESSION",
    "INSECURE",
    "TRUST_REALM",
    "AGE_IDENTITY",
    "TRACE",
];
/// With this many wrong letters a name still looks like one of ours, also in the prefix.
const FEW: usize = 3;

/// The variables of a process that are ours by name, or look like it.
pub struct Variables(Vec<(String, OsString)>);

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    /// Of these, the ones that matter here.
    pub fn of(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let ours = |(name, value): (OsString, OsString)| {
            // One that is set to nothing is not set.
            let name = name.into_string().ok().filter(|_| !value.is_empty())?;
            // Windows does not distinguish them.
            let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name };
            // A secret, of which the name alone is looked at here.
            let value = if name.ends_with("AGE_IDENTITY") { OsString::new() } else { value };
            (name.to_ascii_uppercase().starts_with(PREFIX) || like(&name).is_some())
                .then_some((name, value))
        };
        Self(all.into_iter().filter_map(ours).collect())
    }

    /// Each name that sets nothing.
    pub(super) fn unknown(&self) -> impl Iterator<Item = Unknown> {
        self.0.iter().filter_map(|(name, _)| {
            let known = name.strip_prefix(PREFIX);
            let is_own = [CALLS_A_HELPER, COMPLETE].contains(&name.as_str());
            if is_own || known.is_some_and(|known| SETTINGS.contains(&known)) {
                return None;
            }
            let meant = like(name).or_else(|| nearest(known?, SETTINGS));
            let meant = meant.map(|it| format!("{PREFIX}{it}"));
            Some(Unknown::new(format!("unknown variable {name}"), meant))
        })
    }

    fn value(&self, name: &str) -> Result<Option<&str>> {
        let is_it = |found: &str| found.strip_prefix(PREFIX) == Some(name);
        let Some((name, value)) = self.0.iter().find(|(found, _)| is_it(found)) else {
            return Ok(None);
        };
        let text = value.to_str().map(Some);
        text.ok_or_else(|| Error::new(Kind::Usage, format!("{name} is not valid UTF-8")))
    }

    /// What a variable says, if it is set.
    fn parsed<T>(&self, name: &str, parse: fn(&str) -> Parsed<T>) -> Result<Option<T>> {
        self.value(name)?.map(|text| parse(text).map_err(|why| wrong(name, &why))).transpose()
    }
}

fn wrong(name: &str, why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Usage, format!("{PREFIX}{name} {why}"))
}

/// The setting whose variable has nearly this name.
fn like(name: &str) -> Option<&'static str> {
    // Each verb looks at every variable: most are too short, or have too few of the prefix's letters.
    let upper = name.to_ascii_uppercase();
    let mut letters = upper.clone().into_bytes();
    let is_missing = |letter: &u8| match letters.iter().position(|found| found == letter) {
        Some(at) => letters.swap_remove(at) != *letter,
        None => true,
    };
    if name.len() + FEW < PREFIX.len() || PREFIX.bytes().filter(is_missing).count() > FEW {
        return None;
    }
    let distance = |known: &&str| {
        let whole = PREFIX.len() + known.len();
        if name.len().abs_diff(whole) > FEW || !name.is_ascii() {
            return FEW + 1;
        }
        let known = format!("{PREFIX}{known}");
        strsim::damerau_levenshtein(&upper, &known)
    };
    SETTINGS
        .iter()
        .map(|known| (distance(known), *known))
        .filter(|(distance, _)| *distance <= FEW)
        .min()
        .map(|(_, known)| known)
}

impl Settings {
    pub(super) fn apply(&mut self, variables: &Variables) -> Result<()> {
        self.warnings.extend(variables.unknown());
        if let Some(keychain) = variables.parsed("KEYCHAIN", value::keychain)? {
            self.keychain = keychain;
        }
        if let Some(fallback) = variables.parsed("FALLBACK", value::fallback)? {
            self.fallback = fallback;
        }
        if let Some(keep) = variables.parsed("PERSONAL_TOKENS", value::keep)? {
            self.keep_personal_tokens = keep;
        }
        if let Some(mint) = variables.parsed("MINT", value::mint)? {
            self.mint = mint;
        }
        if let Some(revoke) = variables.parsed("REVOKE_ON_ERASE", value::boolean)? {
            self.revoke_on_erase = revoke;
        }
        if let Some(profile) = variables.parsed("PROFILE", value::profile)? {
            self.profile = profile;
        }
        if let Some(session) = variables.parsed("SECRET_SERVICE_SESSION", value::session)? {
            self.encrypted_session = session;
        }
        for host in variables.value("INSECURE")?.iter().flat_map(|list| list.split(',')) {
            let url = ServerUrl::parse(host.trim()).map_err(|why| {
                wrong("INSECURE", &format!("takes host,host: a server URL {why}"))
            })?;
            self.registries.entry(url.registry_key().into()).or_default().insecure = true;
        }
        for pair in variables.value("TRUST_REALM")?.iter().flat_map(|list| list.split(',')) {
            let wrong = |why: &dyn std::fmt::Display| {
                wrong("TRUST_REALM", &format!("takes host=https://origin,...: {why}"))
            };
            let (host, origin) =
                pair.trim().split_once('=').ok_or_else(|| wrong(&"an item has no ="))?;
            let url =
                ServerUrl::parse(host).map_err(|why| wrong(&format!("a server URL {why}")))?;
            let origin = value::origin(origin).map_err(|why| wrong(&format!("it {why}")))?;
            self.registries.entry(url.registry_key().into()).or_default().trust_realm.push(origin);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_nothing_is_set_by_is_named_with_the_nearest() {
        let unknown = |name: &str| {
            let variables = Variables::of([(name.into(), "1".into())]);
            variables.unknown().map(|it| it.ignored()).collect::<Vec<_>>()
        };
        let meant = |name: &str, known: &str| {
            let told = unknown(name);
            assert_eq!(
                told,
                [format!("unknown variable {name} is ignored; did you mean {PREFIX}{known}?")]
            );
        };
        meant("DOCKER_CREDENTIAL_REFRESH_KEYCHIAN", "KEYCHAIN");
        meant("DOCKER_CREDENTIALS_REFRESH_KEYCHAIN", "KEYCHAIN");
        meant("DOCKER_CREDENTIAL_REFRESH_REVOKE", "REVOKE_ON_ERASE");
        meant("DOCKER_CREDENTIAL_REFRESH_PROFIL", "PROFILE");
        meant("DOCKER_CREDENTIALREFRESH_PROFILE", "PROFILE");
        #[cfg(not(windows))]
        meant("docker_credential_refresh_trace", "TRACE");
        let far = "unknown variable DOCKER_CREDENTIAL_REFRESH_COLOUR is ignored";
        assert_eq!(unknown("DOCKER_CREDENTIAL_REFRESH_COLOUR"), [far]);
        for name in SETTINGS {
            assert_eq!(unknown(&format!("{PREFIX}{name}")), [""; 0], "{name}");
        }
        for other in
            [CALLS_A_HELPER, COMPLETE, "DOCKER_CONFIG", "DOCKER_CREDENTIAL_HELPER_CHAIN", "PATH"]
        {
            assert_eq!(unknown(other), [""; 0], "{other}");
        }
        let empty = Variables::of([(format!("{PREFIX}X").into(), "".into())]);
        assert_eq!(empty.unknown().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_an_error() {
        use std::os::unix::ffi::OsStringExt;
        let name = format!("{PREFIX}PROFILE");
        let variables = Variables::of([(name.into(), OsString::from_vec(vec![0xff]))]);
        assert!(variables.value("PROFILE").unwrap_err().fact.contains("is not valid UTF-8"));
    }
}
