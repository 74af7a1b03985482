//! Rootless podman calls helpers from inside a user namespace, which cannot see this user's kernel
//! keyring. Without a desktop, files are what both sides see.

use std::path::{Path, PathBuf};

use crate::commands::clients::diff::Diff;
use crate::commands::streams::Streams;
use crate::docker_config::podman;
use crate::error::Result;
use crate::keychain::{self, Choice, KeychainName};
use crate::login_record::{Found, LoginRecord};
use crate::logins::Logins;
use crate::settings::to_type;

const WHY: &str =
    "rootless podman calls helpers in a user namespace, which cannot see the kernel's keyring";

/// A new age identity, which is there before the first token that is kept by it.
pub struct NewIdentity(PathBuf);

/// Creates an age identity where new logins would go to the kernel's keyring, so that `auto` takes
/// files; on a terminal a person is asked.
///
/// # Errors
/// The identity cannot be written.
pub fn offer(logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<Option<NewIdentity>> {
    if !podman::is_rootless() {
        return Ok(None);
    }
    match &logins.settings.keychain {
        Choice::Named(KeychainName::Kernel) => {
            logins.note(&format!(
                "{WHY}: podman will find no login until keychain is set to auto or file"
            ));
            return Ok(None);
        }
        Choice::Named(_) => return Ok(None),
        Choice::Auto => {}
    }
    let options = keychain::Options { may_prompt: false, ..logins.options() };
    let chosen = keychain::choose(&logins.settings.profile, &options);
    if chosen.is_ok_and(|(keychain, _)| *keychain.name() != KeychainName::Kernel) {
        return Ok(None);
    }
    let question =
        format!("{WHY}. Keep logins in encrypted files, and create a key for them? [Y/n] ");
    if streams.interactive && !streams.agrees(&question, logins.notes)? {
        logins.note("logins go to the kernel's keyring, where podman will not find them");
        return Ok(None);
    }
    keychain::install_identity().map(|path| Some(NewIdentity(path)))
}

/// Nothing is changed after all, unless somebody logged in by it meanwhile.
pub fn take_back(identity: Option<&NewIdentity>, logins: &Logins<'_>) {
    if let Some(identity) = identity {
        identity.take_back(logins);
    }
}

impl NewIdentity {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn take_back(&self, logins: &Logins<'_>) {
        let is_file = |login: &LoginRecord| login.keychain == KeychainName::File;
        let is_unused = match logins.records.read() {
            Ok(Found::Records(records)) => !records.all().any(is_file),
            Ok(Found::Missing) => true,
            Ok(Found::Damaged(_)) | Err(_) => false,
        };
        if is_unused {
            // One more key harms nobody.
            let _left = std::fs::remove_file(&self.0);
        }
    }

    /// Says that it is there, and what follows.
    pub fn tell(&self, logins: &mut Logins<'_>, diff: &mut Diff) {
        let Self(path) = self;
        diff.added(path, "a new age identity");
        logins.note(&format!(
            "{WHY}: new logins are kept in encrypted files, whose key is in {}",
            path.display()
        ));
        let records = logins.all().unwrap_or_default();
        if records.iter().any(|login| login.keychain == KeychainName::Kernel) {
            let step = to_type(&logins.settings.profile, "migrate --all --to file");
            logins.note(&format!(
                "earlier logins are still in the kernel's keyring; move them with: {step}"
            ));
        }
    }
}
