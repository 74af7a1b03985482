//! Settings: `config.toml`, and environment variables that win over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::external_helper::{BadName, HelperName};
use crate::keychain::{Choice, DEFAULT_PROFILE};
use crate::origin::Origin;
use crate::server_url::{Host, ServerUrl};

mod edit;
mod file;
mod value;
mod variables;

pub use variables::Variables;

const FILE_NAME: &str = "config.toml";

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where new logins are kept.
    pub keychain: Choice,
    /// Takes the logins that cannot be exchanged.
    pub fallback: Option<HelperName>,
    /// Whether `erase` also revokes the token at the server.
    pub revoke_on_erase: bool,
    /// Separates logins: two accounts for one registry, or CI jobs that share a machine.
    pub profile: String,
    /// Whether the Secret Service session is encrypted. The bus is a private socket, so by default
    /// it is not: that is four times faster.
    pub encrypted_session: bool,
    registries: BTreeMap<String, RegistrySettings>,
    /// Where these settings are read from, whether or not the file exists.
    pub file: PathBuf,
    /// What is odd but harmless: unknown keys, one line each.
    pub warnings: Vec<String>,
}

/// What can be set for one registry.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Plain http is allowed, once the host answered a TLS hello with something else.
    pub insecure: bool,
    /// Realm origins trusted beside the registry's own site.
    pub trust_realm: Vec<Origin>,
    /// The OAuth client id to log in with.
    pub client_id: Option<String>,
    /// A PEM file of CAs trusted for this registry.
    pub ca_file: Option<PathBuf>,
    /// Overrides the global fallback; the inner `None` switches it off.
    pub fallback: Option<Option<HelperName>>,
    /// The RFC 7009 endpoint, where no metadata names it.
    pub revocation_endpoint: Option<String>,
}

impl Settings {
    /// Reads the file, if there is one, and the environment.
    ///
    /// # Errors
    /// A file that cannot be read or understood, or a value that is none; naming the file and line
    /// or the variable, never quoting it.
    pub fn load(directory: &Path, variables: &Variables) -> Result<Self> {
        let file = directory.join(FILE_NAME);
        let mut settings = match file::read(&file)? {
            Some(text) => file::parse(file, &text)?,
            None => Self::empty(file),
        };
        settings.apply(variables)?;
        Ok(settings)
    }

    /// Nothing is set, and a warning says why: for what must go on where [`Settings::load`] failed.
    pub fn broken(error: &Error, directory: &Path) -> Self {
        let mut warnings = vec![error.to_string()];
        warnings.extend(Variables::of_process().unknown());
        Self { warnings, ..Self::empty(directory.join(FILE_NAME)) }
    }

    /// What is set for the registry that a server URL means.
    pub fn registry(&self, url: &ServerUrl) -> RegistrySettings {
        self.registries.get(url.registry_key()).cloned().unwrap_or_default()
    }

    /// Whether plain http is allowed to this host: loopback, or named insecure.
    pub fn may_be_plain(&self, host: &Host, port: u16) -> bool {
        let key = |text: String| ServerUrl::parse(&text).ok().map(|url| url.key().to_owned());
        host.is_loopback()
            || [key(format!("{host}:{port}")), key(format!("http://{host}:{port}"))]
                .into_iter()
                .flatten()
                .any(|key| self.registries.get(&key).is_some_and(|registry| registry.insecure))
    }

    /// The helper that takes this registry's logins when they cannot be exchanged.
    pub fn fallback_for(&self, url: &ServerUrl) -> Option<HelperName> {
        match self.registries.get(url.registry_key()).and_then(|r| r.fallback.clone()) {
            Some(own) => own,
            None => self.fallback.clone(),
        }
    }

    /// Changes the profile, as an option of a command does.
    ///
    /// # Errors
    /// A name that is none.
    pub fn set_profile(&mut self, name: &str) -> Result<()> {
        self.profile = value::profile(name)
            .map_err(|why| Error::new(Kind::Usage, format!("the option --profile {why}")))?;
        Ok(())
    }

    /// Trusts an origin with a registry's logins, until the process ends.
    ///
    /// # Errors
    /// A server URL that is none.
    pub fn trust_realm(&mut self, server_url: &str, origin: &Origin) -> Result<()> {
        let key = registry_key(server_url)?;
        self.registries.entry(key).or_default().trust_realm.push(origin.clone());
        Ok(())
    }

    /// Writes a trusted origin into the file, and leaves all else in it as it is.
    ///
    /// # Errors
    /// A file that cannot be understood or replaced.
    pub fn save_trusted_realm(&self, server_url: &str, origin: &Origin) -> Result<()> {
        edit::add_trusted_realm(&self.file, &registry_key(server_url)?, &origin.to_string())
    }

    /// Names the helper for one registry's logins or for all, until the process ends.
    pub fn set_fallback(&mut self, registry: Option<&str>, name: Option<HelperName>) {
        match registry {
            None => self.fallback = name,
            Some(key) => self.registries.entry(key.into()).or_default().fallback = Some(name),
        }
    }

    /// What the file says about `fallback` for one registry or for all: a helper's name, or `none`.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn written_fallback(&self, registry: Option<&str>) -> Result<Option<String>> {
        edit::written_fallback(&self.file, registry)
    }

    /// Writes `fallback` into the file or takes it out, and leaves all else in it as it is.
    ///
    /// # Errors
    /// A file that cannot be understood or replaced.
    pub fn save_fallback(&self, registry: Option<&str>, name: Option<&str>) -> Result<()> {
        edit::set_fallback(&self.file, registry, name)
    }

    /// All helpers that logins may be in.
    pub fn fallbacks(&self) -> Vec<HelperName> {
        let mut all: Vec<_> = self.fallback.iter().cloned().collect();
        for own in self.registries.values().filter_map(|r| r.fallback.clone().flatten()) {
            if !all.contains(&own) {
                all.push(own);
            }
        }
        all
    }

    fn empty(file: PathBuf) -> Self {
        Self {
            keychain: Choice::Auto,
            fallback: None,
            revoke_on_erase: false,
            profile: DEFAULT_PROFILE.into(),
            encrypted_session: false,
            registries: BTreeMap::new(),
            file,
            warnings: Vec::new(),
        }
    }
}

fn registry_key(server_url: &str) -> Result<String> {
    let url = ServerUrl::parse(server_url)
        .map_err(|why| Error::new(Kind::Usage, format!("the server URL {why}")))?;
    Ok(url.registry_key().to_owned())
}

/// A helper's name, or `none`.
///
/// # Errors
/// A name that is none.
pub fn parse_fallback(text: &str) -> std::result::Result<Option<HelperName>, BadName> {
    if text == "none" { Ok(None) } else { text.parse().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::PREFIX;

    fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Settings> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), toml).unwrap();
        let named = |(name, value): &(&str, &str)| (format!("{PREFIX}{name}").into(), value.into());
        Settings::load(directory.path(), &Variables::of(variables.iter().map(named)))
    }

    #[test]
    fn every_setting_is_read_and_the_environment_wins() {
        let toml = r#"
            keychain = "kernel"
            fallback = "pass"
            revoke_on_erase = true
            profile = "work"
            secret_service_session = "encrypted"
            [registry."https://r.example.com/"]
            insecure = true
            trust_realm = ["https://auth.other.example"]
            client_id = "docker"
            ca_file = "/ca.pem"
            fallback = "none"
            revocation_endpoint = "https://r.example.com/revoke"
        "#;
        let settings = load(toml, &[]).unwrap();
        assert_eq!(settings.keychain, "kernel".parse().unwrap());
        assert_eq!(settings.profile, "work");
        assert!(settings.revoke_on_erase && settings.encrypted_session);
        assert!(settings.warnings.is_empty());
        let url = ServerUrl::parse("r.example.com/team/app").unwrap();
        let registry = settings.registry(&url);
        assert!(registry.insecure);
        assert_eq!(registry.trust_realm, ["https://auth.other.example".parse().unwrap()]);
        assert_eq!(registry.client_id.as_deref(), Some("docker"));
        assert_eq!(settings.fallback_for(&url), None);
        let other = ServerUrl::parse("other.example").unwrap();
        assert_eq!(settings.fallback_for(&other), Some("pass".parse().unwrap()));

        let settings = load(
            toml,
            &[
                ("KEYCHAIN", "secret-service"),
                ("FALLBACK", "none"),
                ("REVOKE_ON_ERASE", "0"),
                ("PROFILE", "job-7"),
                ("SECRET_SERVICE_SESSION", "plain"),
                ("INSECURE", "a.example:5000, b.example"),
                (
                    "TRUST_REALM",
                    "a.example:5000=https://c.example,b.example=https://d.example:8443",
                ),
            ],
        )
        .unwrap();
        assert_eq!(settings.keychain, "secret-service".parse().unwrap());
        assert_eq!((settings.fallback.clone(), settings.revoke_on_erase), (None, false));
        assert_eq!((settings.profile.as_str(), settings.encrypted_session), ("job-7", false));
        let url = ServerUrl::parse("a.example:5000").unwrap();
        assert!(settings.registry(&url).insecure);
        assert_eq!(settings.registry(&url).trust_realm, ["https://c.example".parse().unwrap()]);
        let name = |host: &str| Host::parse(host).unwrap();
        assert!(settings.may_be_plain(&name("b.example"), 443));
        assert!(settings.may_be_plain(&name("127.0.0.9"), 1));
        assert!(!settings.may_be_plain(&name("a.example"), 5001));
        assert!(!settings.may_be_plain(&name("c.example"), 443));
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let settings = load("fallbak = 'x'\n[registry.h]\ninsecur = true", &[]).unwrap();
        assert_eq!(settings.warnings.len(), 2);
        assert!(settings.warnings[0].contains("did you mean fallback?"), "{:?}", settings.warnings);
        assert!(settings.warnings[1].contains("did you mean insecure?"), "{:?}", settings.warnings);
    }

    #[test]
    fn cve_2020_8564_a_broken_config_is_not_quoted() {
        for toml in ["x = 1\nprofile = \"hunter2", "profile = ['hunter2']", "profile = 'hunter2 x'"]
        {
            let error = load(toml, &[]).unwrap_err().to_string();
            assert!(error.contains("config.toml") && !error.contains("hunter2"), "{error}");
        }
        let error = load("x = 1\nprofile = \"hunter2", &[]).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn values_that_are_none_are_refused() {
        for toml in ["keychain = 'x'", "fallback = '../x'", "registry.'h h'.insecure = true"] {
            assert!(load(toml, &[]).is_err(), "{toml}");
        }
        for pair in [
            ("PROFILE", "../x"),
            ("INSECURE", "h h"),
            ("TRUST_REALM", "h"),
            ("REVOKE_ON_ERASE", "maybe"),
        ] {
            assert!(load("", &[pair]).is_err(), "{pair:?}");
        }
    }
}
