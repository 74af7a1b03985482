//! The logins that podman, skopeo and buildah find in files, as they are set up now.

use super::found_login::{self, FoundLogin};
use crate::docker_config::podman;
use crate::error::Result;
use crate::external_helper::HelperName;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

/// What they find.
#[derive(Default)]
pub struct PodmanLogins {
    /// Logins that they use, and whether they use it: they take the first they find for a registry.
    entries: Vec<(FoundLogin, bool)>,
    /// Registries whose logins they get from another helper (`credHelpers`).
    pub helpers: Vec<(String, String)>,
}

impl PodmanLogins {
    /// Looks for them; there are none where these clients read no files, or are neither installed
    /// nor to be set up.
    ///
    /// # Errors
    /// A file cannot be read or understood.
    pub fn find(logins: &Logins<'_>) -> Result<Self> {
        let mut all = Self::default();
        if !podman::reads_files()? {
            return Ok(all);
        }
        let mut found_for: Vec<String> = Vec::new();
        for file in podman::files_read()? {
            let document = file.read()?;
            for (registry, helper) in document.helpers() {
                if found_for.contains(&registry) {
                    continue;
                }
                // With an empty name they fail, and look no further.
                if helper == HELPER_NAME || helper.is_empty() {
                    found_for.push(registry);
                } else if has_login(&helper, &registry, logins) {
                    all.helpers.push((registry.clone(), helper));
                    found_for.push(registry);
                }
            }
            let mut here = Vec::new();
            for found in found_login::in_document(&file, &document) {
                let name = found.podman_name();
                all.entries.push((found, !found_for.contains(&name)));
                here.push(name);
            }
            found_for.extend(here);
        }
        // From the last one that they read to the first, so that the first is kept last.
        all.entries.reverse();
        Ok(all)
    }

    /// Whether they use a login in another client's file.
    pub fn use_entry(&self, found: &FoundLogin) -> bool {
        self.entries.iter().any(|(known, is_used)| *is_used && known.is(found))
    }

    /// The helper that gives them the logins of this registry.
    pub fn helper_for(&self, key: Option<&String>) -> Option<&str> {
        let means_it = |name: &str| crate::docker_config::names::registry_key(name).as_ref() == key;
        self.helpers.iter().find(|(name, _)| means_it(name)).map(|(_, helper)| helper.as_str())
    }

    /// The logins that they use.
    pub fn used(&self) -> impl Iterator<Item = &FoundLogin> {
        self.entries().filter(|(_, is_used)| *is_used).map(|(found, _)| found)
    }

    /// All logins, in the order to take them over, and whether each is used.
    pub fn entries(&self) -> impl Iterator<Item = (&FoundLogin, bool)> {
        self.entries.iter().map(|(found, is_used)| (found, *is_used))
    }
}

/// A helper that is not installed has none; one that does not say may have it.
fn has_login(helper: &str, registry: &str, logins: &Logins<'_>) -> bool {
    let found =
        helper.parse::<HelperName>().ok().and_then(|name| logins.fallback_named(&name).ok());
    found.is_some_and(|helper| helper.list().map_or(true, |listed| listed.contains_key(registry)))
}
