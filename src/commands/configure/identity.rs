//! Rootless podman calls helpers from inside a user namespace, which cannot see this user's kernel
//! keyring. Without a desktop, files are what both sides see.

use crate::commands::clients::diff::Diff;
use crate::commands::streams::Streams;
use crate::docker_config::podman;
use crate::error::Result;
use crate::keychain::{self, Choice, KeychainName};
use crate::logins::Logins;

/// Creates an age identity where new logins would go to the kernel's keyring, so that `auto` takes
/// files; on a terminal a person is asked.
///
/// # Errors
/// The identity cannot be written.
pub fn offer(logins: &mut Logins<'_>, streams: &mut Streams<'_>, diff: &mut Diff) -> Result<()> {
    if !podman::is_rootless() {
        return Ok(());
    }
    let why =
        "rootless podman calls helpers in a user namespace, which cannot see the kernel's keyring";
    match &logins.settings.keychain {
        Choice::Named(KeychainName::Kernel) => {
            logins.note(&format!(
                "{why}: podman will find no login until keychain is set to auto or file"
            ));
            return Ok(());
        }
        Choice::Named(_) => return Ok(()),
        Choice::Auto => {}
    }
    let options = keychain::Options { may_prompt: false, ..logins.options() };
    let chosen = keychain::choose(&logins.settings.profile, &options);
    if chosen.is_ok_and(|(keychain, _)| *keychain.name() != KeychainName::Kernel) {
        return Ok(());
    }
    let question =
        format!("{why}. Keep logins in encrypted files, and create a key for them? [Y/n] ");
    if streams.interactive && !streams.agrees(&question, logins.notes)? {
        logins.note("logins go to the kernel's keyring, where podman will not find them");
        return Ok(());
    }
    let path = keychain::install_identity()?;
    diff.added(&path, "a new age identity");
    logins.note(&format!(
        "{why}: new logins are kept in encrypted files, whose key is in {}",
        path.display()
    ));
    let records = logins.all().unwrap_or_default();
    if records.iter().any(|login| login.keychain == KeychainName::Kernel) {
        logins.note(
            "earlier logins are still in the kernel's keyring; move them with: \
             docker-credential-refresh migrate --all --to file",
        );
    }
    Ok(())
}
