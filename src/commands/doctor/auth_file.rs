//! Docker's `config.json` and podman's `auth.json`: which helpers they name, and what is in them
//! in plain text.

use std::path::Path;

use super::report::Report;
use crate::commands::clients::asks::docker_asks;
use crate::commands::clients::found_login::{self, FoundLogin};
use crate::commands::clients::log_out::log_out;
use crate::docker_config::names::registry_key;
use crate::docker_config::{ConfigFile, Document, Setting, podman};
use crate::external_helper::find_on_path;
use crate::protocol::HELPER_NAME;
use crate::server_url::ServerUrl;

/// One such file, as far as logins go.
pub(super) struct AuthFile {
    file: ConfigFile,
    content: Document,
}

impl AuthFile {
    /// Reads it, if it is there; one that cannot be read is reported, by path and line alone.
    pub(super) fn read(check: &'static str, file: ConfigFile, report: &mut Report) -> Option<Self> {
        if !file.exists() {
            return None;
        }
        match file.read() {
            Ok(content) => Some(Self { file, content }),
            Err(error) => {
                report.error(check, &error, "correct it, or move the file away");
                None
            }
        }
    }

    /// The helper for all registries.
    pub(super) fn store(&self) -> Option<String> {
        self.content.helper(&Setting::Store)
    }

    /// The registries that this helper was set for, one by one.
    pub(super) fn hosts_of_ours(&self) -> Vec<String> {
        let ours = self.content.helpers().into_iter().filter(|(_, name)| name == HELPER_NAME);
        ours.map(|(host, _)| host).collect()
    }

    /// The helper that `credHelpers` names for this registry, in whatever spelling; it may be empty.
    pub(super) fn named_for(&self, url: &ServerUrl) -> Option<String> {
        let mut named = self.content.helpers().into_iter();
        let is_for = |host: &str| registry_key(host).is_some_and(|key| key == url.registry_key());
        named.find(|(host, _)| is_for(host)).map(|(_, name)| name)
    }

    /// What clients ask for this registry, where that is not this helper, which they ask for others.
    pub(super) fn other_helper(&self, url: &ServerUrl) -> Option<String> {
        match self.named_for(url).as_deref() {
            Some(HELPER_NAME) => None,
            Some("") => Some("credHelpers names no helper for it".to_owned()),
            Some(name) => Some(format!("credHelpers names {name} for it")),
            None if self.store().as_deref() == Some(HELPER_NAME) => None,
            None if self.hosts_of_ours().is_empty() => None,
            None => Some("credHelpers does not name it".to_owned()),
        }
    }

    /// Whether clients ask this helper for an entry's login.
    fn is_ours(&self, found: &FoundLogin) -> bool {
        if found.is_dockers() {
            return docker_asks(&self.content, &found.docker_name()).as_deref()
                == Some(HELPER_NAME);
        }
        let name = found.podman_helper_name();
        let is_named = |(named, helper): (String, String)| named == name && helper == HELPER_NAME;
        podman::helpers().is_ok_and(|helpers| helpers.iter().any(|helper| helper == HELPER_NAME))
            || self.content.helpers().into_iter().any(is_named)
    }

    /// Each helper that is named must be there.
    pub(super) fn check_helpers(&self, check: &'static str, report: &mut Report) {
        let mut names: Vec<String> =
            self.content.helpers().into_iter().map(|(_, name)| name).collect();
        names.extend(self.store());
        names.sort();
        names.dedup();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let program = format!("docker-credential-{name}");
            // Programs are not looked up by path.
            if name.contains(['/', '\\']) || find_on_path(&program).is_none() {
                report.fail(
                    check,
                    format!("{} names {program}, which is not on PATH", self.file.path().display()),
                    "install it, or remove it from the file",
                );
            }
        }
    }

    /// What anybody with a copy of the file can read.
    /// `fallback` is the option that import --configure needs.
    pub(super) fn check_plain(&self, check: &'static str, fallback: &str, report: &mut Report) {
        let shown = self.file.path().display();
        let found = found_login::in_document(&self.file, &self.content);
        let helpers = self.content.helpers();
        if found.is_empty() {
            report.ok(check, format!("{shown} has no password"));
            return;
        }
        for found in found {
            let (host, what) = (&found.server_url, found.noun());
            let message = format!("a {what} for {host} is in plain text in {shown}");
            // `credHelpers: {HOST: ""}` is how a user says so.
            if helpers.iter().any(|(named, helper)| named == host && helper.is_empty()) {
                let remedy = "credHelpers says so there; remove that entry to change it";
                report.warn(check, message, remedy);
            } else if found.is_path() && self.is_ours(&found) {
                // Neither import nor configure takes what no client asks for.
                report.fail(check, message, format!("{}; change the password", log_out(&found)));
            } else {
                // Docker's is what import looks into unless told otherwise.
                let from = if found.is_dockers() { "" } else { " --from podman" };
                let options = match self.is_ours(&found) {
                    true => from.to_owned(),
                    false => format!("{from} --configure{fallback}"),
                };
                let remedy = format!(
                    "docker-credential-refresh import{options} shows what would become of it, and \
                     does it with --yes; then change the password"
                );
                report.fail(check, message, remedy);
            }
        }
        let mode = mode(self.file.path());
        // What others can write as well is told by check_writers.
        if mode & 0o077 != 0 && mode & 0o022 == 0 {
            let message = format!("other users can read {shown} (mode {mode:o})");
            report.fail(check, message, format!("chmod 600 {shown}"));
        }
    }

    /// Whoever can write to the file, or replace it, can name a helper that is given every password.
    pub(super) fn check_writers(&self, check: &'static str, report: &mut Report) {
        let path = self.file.path();
        for (path, right) in [(path.parent().unwrap_or(path), "700"), (path, "600")] {
            let (mode, shown) = (mode(path), path.display());
            // A sticky folder's files are safe from others.
            if mode & 0o022 != 0 && mode & 0o1000 == 0 {
                let message = format!("other users can write to {shown} (mode {mode:o})");
                report.fail(check, message, format!("chmod {right} {shown}"));
            }
        }
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o1777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> u32 {
    0
}
