//! What shells complete arguments with: servers, profiles, keychains and helpers, as they are found
//! now. No keychain is asked, and what cannot be read offers nothing.

use std::collections::BTreeSet;

use clap_complete::engine::CompletionCandidate;

use crate::docker_config::ConfigFile;
use crate::environment;
use crate::external_helper;
use crate::keychain::KeychainName;
use crate::login_record::{Found, LoginRecord, RecordStore};

/// The servers that have a login, in any profile.
pub(crate) fn servers() -> Vec<CompletionCandidate> {
    let help = |login: &LoginRecord| match &login.account[..] {
        "" => login.profile.clone(),
        account => format!("{account}, {}", login.profile),
    };
    let logins = logins();
    let mut seen = BTreeSet::new();
    let first = logins.iter().filter(|login| seen.insert(&login.server_url));
    first.map(|l| CompletionCandidate::new(&l.server_url).help(Some(help(l).into()))).collect()
}

/// The profiles that have logins.
pub(crate) fn profiles() -> Vec<CompletionCandidate> {
    candidates(logins().into_iter().map(|login| login.profile))
}

/// The keychains of this system, and the helpers on PATH that could be one.
pub(crate) fn keychains() -> Vec<CompletionCandidate> {
    let own = KeychainName::of_this_system().into_iter().map(|name| name.to_string());
    let others = external_helper::installed().into_iter().map(|name| format!("helper:{name}"));
    candidates(std::iter::once("auto".to_owned()).chain(own).chain(others))
}

/// What `--fallback` takes.
pub(crate) fn fallbacks() -> Vec<CompletionCandidate> {
    candidates(external_helper::installed().into_iter().chain(["none".to_owned()]))
}

/// What `import --from` takes.
pub(crate) fn sources() -> Vec<CompletionCandidate> {
    let files = ["docker-config", "podman"].map(str::to_owned);
    candidates(files.into_iter().chain(external_helper::installed()))
}

/// The registries that Docker's own file names.
pub(crate) fn registries() -> Vec<CompletionCandidate> {
    let document = ConfigFile::of_docker().and_then(|file| file.read());
    let entries = document.map(|document| document.entries()).unwrap_or_default();
    candidates(entries.into_iter().map(|entry| entry.server_url))
}

fn candidates(names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let names: BTreeSet<_> = names.collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn logins() -> Vec<LoginRecord> {
    let directories = environment::directories();
    let state = directories.as_ref().map(environment::state_directory);
    match state.map(|state| RecordStore::new(state.to_owned()).read()) {
        Some(Ok(Found::Records(records))) => records.all().cloned().collect(),
        _ => Vec::new(),
    }
}
