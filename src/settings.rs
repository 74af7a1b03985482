//! Settings: `config.toml`, and environment variables that win over it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::environment::PROGRAM;
use crate::error::{Error, Kind, Result};
use crate::external_helper::{HelperName, TokenCommand};
use crate::keychain::{Choice, DEFAULT_PROFILE};
use crate::origin::Origin;
use crate::server_url::{Host, ServerUrl};
use crate::text::shell_word;
use crate::token_api::Minting;

mod edit;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod load;
mod unknown;
mod value;
mod variables;

pub use edit::OwnSetting;
pub use unknown::Unknown;
pub use value::{KEEP, parse_fallback};
pub use variables::Variables;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where new logins are kept.
    pub keychain: Choice,
    /// Takes the logins that cannot be exchanged.
    pub fallback: Option<HelperName>,
    /// Whether personal tokens are kept where there is nothing to exchange them for.
    pub keep_personal_tokens: bool,
    /// Whether a password becomes a token of the registry's own where there are no refresh tokens.
    pub mint: Minting,
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
    /// Harmless mistakes: unknown keys, one line each.
    pub warnings: Vec<Unknown>,
    /// Why nothing is set here, for what goes on all the same.
    pub broken: Option<Error>,
}

/// What can be set for one registry.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Plain http is allowed, once the host answered a TLS hello with something else.
    pub insecure: bool,
    /// Realm origins trusted besides the registry's own site.
    pub trust_realm: Vec<Origin>,
    /// The OAuth client id to log in with.
    pub client_id: Option<String>,
    /// A PEM file of CAs trusted for this registry.
    pub ca_file: Option<PathBuf>,
    /// Overrides the global fallback; the inner `None` switches it off.
    pub fallback: Option<Option<HelperName>>,
    /// Overrides the global setting of this name.
    pub keep_personal_tokens: Option<bool>,
    /// Overrides the global setting of this name.
    pub mint: Option<Minting>,
    /// Prints a new token where a login has expired.
    pub renew: Option<TokenCommand>,
    /// The RFC 7009 endpoint, where no metadata names it.
    pub revocation_endpoint: Option<String>,
}

/// What to type to run this program for the logins of one profile.
pub fn to_type(profile: &str, words: &str) -> String {
    match profile {
        DEFAULT_PROFILE => format!("{PROGRAM} {words}"),
        name => format!("{PROGRAM} --profile {} {words}", shell_word(name)),
    }
}

impl Settings {
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

    /// Whether a personal token for this registry is kept.
    pub fn keeps_personal_tokens(&self, url: &ServerUrl) -> bool {
        let own = self.registries.get(url.registry_key()).and_then(|r| r.keep_personal_tokens);
        own.unwrap_or(self.keep_personal_tokens)
    }

    /// Whether, and by which API, a password for this registry becomes a token of its own.
    pub fn minting(&self, url: &ServerUrl) -> Minting {
        self.registries.get(url.registry_key()).and_then(|r| r.mint).unwrap_or(self.mint)
    }

    /// The registries whose logins a command renews.
    pub fn renewals(&self) -> impl Iterator<Item = (&str, &TokenCommand)> {
        self.registries.iter().filter_map(|(key, own)| Some((key.as_str(), own.renew.as_ref()?)))
    }

    /// Changes the profile, for the option of a command.
    ///
    /// # Errors
    /// It is not a valid name.
    pub fn set_profile(&mut self, name: &str) -> Result<()> {
        self.profile = value::profile(name)
            .map_err(|why| Error::new(Kind::Usage, format!("the option --profile {why}")))?;
        Ok(())
    }

    /// Trusts an origin with a registry's logins, until the process ends.
    ///
    /// # Errors
    /// It is not a server URL.
    pub fn trust_realm(&mut self, server_url: &str, origin: &Origin) -> Result<()> {
        let key = registry_key(server_url)?;
        self.registries.entry(key).or_default().trust_realm.push(origin.clone());
        Ok(())
    }

    /// Names the helper for one registry's logins or for all, until the process ends.
    pub fn set_fallback(&mut self, registry: Option<&str>, name: Option<HelperName>) {
        match registry {
            None => self.fallback = name,
            Some(key) => self.registries.entry(key.into()).or_default().fallback = Some(name),
        }
    }

    /// Has personal tokens kept, for one registry or for all, until the process ends.
    pub fn set_keep_personal_tokens(&mut self, registry: Option<&str>) {
        match registry {
            None => self.keep_personal_tokens = true,
            Some(key) => {
                self.registries.entry(key.into()).or_default().keep_personal_tokens = Some(true);
            }
        }
    }

    /// Has tokens minted, for one registry or for all, until the process ends.
    pub fn set_mint(&mut self, registry: Option<&str>, minting: Minting) {
        match registry {
            None => self.mint = minting,
            Some(key) => self.registries.entry(key.into()).or_default().mint = Some(minting),
        }
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
            keep_personal_tokens: false,
            mint: Minting::Off,
            revoke_on_erase: false,
            profile: DEFAULT_PROFILE.into(),
            encrypted_session: false,
            registries: BTreeMap::new(),
            file,
            warnings: Vec::new(),
            broken: None,
        }
    }
}

fn registry_key(server_url: &str) -> Result<String> {
    let url = ServerUrl::parse(server_url)?;
    Ok(url.registry_key().to_owned())
}
