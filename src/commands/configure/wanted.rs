//! Which of docker's names this helper will serve, and which settings say so.

use crate::cli::Configure;
use crate::docker_config::names::{registry_key, spellings};
use crate::docker_config::{Document, Previous, Setting};
use crate::error::{Error, Kind, Result};
use crate::protocol::HELPER_NAME;

/// A registry that was named, and the names under which clients look it up.
pub struct Named {
    key: String,
    names: Vec<String>,
}

/// What was asked for.
pub struct Wanted {
    /// `--registry`; all, if there is none.
    pub hosts: Vec<Named>,
    plain: Vec<Named>,
}

impl Wanted {
    /// Reads the options.
    ///
    /// # Errors
    /// A name that no registry has, or one that docker keeps in another helper.
    pub fn new(configure: &Configure, document: &Document) -> Result<Self> {
        let hosts = named(&configure.registry, document)?;
        let plain = named(&configure.keep_plain, document)?;
        for name in plain.iter().flat_map(|host| &host.names) {
            if let Some(helper) = document.helper(&Setting::Helper(name.clone())) {
                let message =
                    format!("docker keeps {name} in the helper {helper}, not in plain text");
                return Err(Error::new(Kind::Usage, message).hint("leave out --keep-plain for it"));
            }
        }
        Ok(Self { hosts, plain })
    }

    /// Whether no registry was named: all are wanted.
    pub fn is_all(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The keys of our settings for what is wanted: none stands for all.
    pub fn keys(&self) -> Vec<Option<String>> {
        if self.is_all() {
            return vec![None];
        }
        self.hosts.iter().map(|host| Some(host.key.clone())).collect()
    }

    /// Whether this registry is wanted, however it is spelled.
    pub fn has(&self, written: &str) -> bool {
        let key = registry_key(written);
        self.is_all() || self.hosts.iter().any(|host| Some(&host.key) == key.as_ref())
    }

    /// Whether docker should ask this helper for a name from now on.
    pub fn takes(&self, document: &Document, name: &str) -> bool {
        if !self.is_all() {
            return self.hosts.iter().any(|host| host.names.iter().any(|known| known == name));
        }
        let is_named = document.previous(&Setting::Helper(name.to_owned())) != Previous::Absent;
        !is_named && !self.keeps(name)
    }

    /// Whether `--keep-plain` is for this name.
    pub fn keeps(&self, name: &str) -> bool {
        self.plain.iter().any(|host| host.names.iter().any(|known| known == name))
    }

    /// Registries that had their own helper keep it as fallback, unless one is named.
    pub fn own_fallbacks(
        &self,
        configure: &Configure,
        document: &Document,
    ) -> Vec<(String, String)> {
        let previous = |host: &Named| {
            let helper = |name: &String| other_helper(document, &Setting::Helper(name.clone()));
            let helper = host.names.iter().find_map(helper)?;
            Some((host.key.clone(), configure.fallback.clone().unwrap_or(helper)))
        };
        self.hosts.iter().filter_map(previous).collect()
    }

    /// Docker's settings that are different now.
    pub fn settings(&self, document: &Document) -> Vec<(Setting, &'static str)> {
        let mut wanted: Vec<(Setting, &'static str)> = Vec::new();
        if self.is_all() {
            wanted.push((Setting::Store, HELPER_NAME));
        }
        let ours = self.hosts.iter().flat_map(|host| &host.names);
        wanted.extend(ours.map(|name| (Setting::Helper(name.clone()), HELPER_NAME)));
        // Only podman looks `docker.io` up, and fails at an empty name.
        let plain =
            self.plain.iter().flat_map(|host| &host.names).filter(|name| *name != "docker.io");
        wanted.extend(plain.map(|name| (Setting::Helper(name.clone()), "")));
        wanted.retain(|(setting, name)| match (document.previous(setting), *name) {
            (Previous::Null, "") => false,
            (previous, name) => previous != Previous::Text(name.to_owned()),
        });
        wanted
    }

    /// What to know about names that are matched exactly: other spellings would be kept in plain
    /// text.
    pub fn letter_by_letter(&self, document: &Document) -> Option<String> {
        if self.is_all() || document.helper(&Setting::Store).is_some() {
            return None;
        }
        let names: Vec<&str> =
            self.hosts.iter().flat_map(|host| &host.names).map(String::as_str).collect();
        Some(format!(
            "docker matches names exactly, and asks this helper for {}: a login under \
             another spelling, such as upper case, is stored in its file in plain text",
            names.join(", ")
        ))
    }
}

/// A helper that a setting names, other than this one.
pub fn other_helper(document: &Document, setting: &Setting) -> Option<String> {
    document.helper(setting).filter(|name| name != HELPER_NAME)
}

/// The helpers that podman gets its logins from, as fallbacks of their registries.
pub fn podmans_own(
    helpers: &[(String, String)],
    fallback: &Option<String>,
) -> Vec<(String, String)> {
    let others = helpers.iter().filter(|(_, helper)| fallback.as_ref() != Some(helper));
    others.filter_map(|(name, helper)| Some((registry_key(name)?, helper.clone()))).collect()
}

fn named(written: &[String], document: &Document) -> Result<Vec<Named>> {
    let (entries, helpers) = (document.entries(), document.helpers());
    let others = || {
        let entries = entries.iter().map(|entry| entry.server_url.as_str());
        entries.chain(helpers.iter().map(|(name, _)| name.as_str()))
    };
    let read = |host: &String| {
        let names = spellings(host, others());
        let key = registry_key(host).filter(|_| !names.is_empty()).ok_or_else(|| {
            Error::new(Kind::Usage, format!("{host:?} is not the name of a registry"))
        })?;
        Ok(Named { key, names })
    };
    written.iter().map(read).collect()
}
