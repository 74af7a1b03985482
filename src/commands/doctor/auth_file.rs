//! Docker's `config.json` and podman's `auth.json`: which helpers they name, and what lies in them
//! in plain text.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::report::Report;
use crate::fallback::find_on_path;
use crate::protocol::HELPER_NAME;
use crate::secret::Password;

const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// One such file, as far as logins go.
pub(super) struct AuthFile {
    pub(super) path: PathBuf,
    content: Content,
}

#[derive(Default, Deserialize)]
struct Content {
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(rename = "credsStore")]
    creds_store: Option<String>,
    #[serde(rename = "credHelpers")]
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<Password>,
    password: Option<Password>,
    identitytoken: Option<Password>,
    registrytoken: Option<Password>,
}

impl AuthFile {
    /// Reads it, if it is there; one that cannot be read is reported, by path and line alone.
    pub(super) fn read(check: &'static str, path: &Path, report: &mut Report) -> Option<Self> {
        let shown = path.display();
        match fs::metadata(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return None,
            Ok(found) if !found.is_file() || found.len() > MAX_FILE_BYTES => {
                report.fail(check, format!("{shown} is no file of a sensible size"), "look at it");
                return None;
            }
            _ => {}
        }
        let text = match fs::read(path) {
            Ok(text) => Zeroizing::new(text),
            Err(e) => {
                let message = format!("cannot read {shown}: {}", e.kind());
                report.fail(check, message, "give yourself the right to read it");
                return None;
            }
        };
        // The error could quote a password: the line is enough.
        match serde_json::from_slice(&text) {
            Ok(content) => Some(Self { path: path.to_owned(), content }),
            Err(e) => {
                let message = format!("cannot understand {shown}, line {}", e.line());
                report.fail(check, message, "correct that line, or move the file away");
                None
            }
        }
    }

    /// The helper for all registries.
    pub(super) fn store(&self) -> Option<&str> {
        self.content.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// The helper of each registry that has one of its own; an empty name is a plain file.
    pub(super) fn helpers(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.content.cred_helpers.iter().flatten();
        all.map(|(host, name)| (host.as_str(), name.as_str()))
    }

    /// The registries that this helper was set for, one by one.
    pub(super) fn hosts_of_ours(&self) -> Vec<&str> {
        self.helpers().filter(|(_, name)| *name == HELPER_NAME).map(|(host, _)| host).collect()
    }

    /// Each helper that is named must be there.
    pub(super) fn check_helpers(&self, check: &'static str, report: &mut Report) {
        let mut names: Vec<&str> = self.helpers().map(|(_, name)| name).collect();
        names.extend(self.store());
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let program = format!("docker-credential-{name}");
            // No program is looked for by a path.
            if name.contains(['/', '\\']) || find_on_path(&program).is_none() {
                report.fail(
                    check,
                    format!("{} names {program}, which is not on PATH", self.path.display()),
                    "install it, or take it out of the file",
                );
            }
        }
    }

    /// What lies there for everybody with a copy of the file to read.
    pub(super) fn check_plain(&self, check: &'static str, report: &mut Report) {
        let shown = self.path.display();
        let mut secrets = false;
        for (host, entry) in self.content.auths.iter().flatten() {
            let Some(what) = entry.secret() else { continue };
            secrets = true;
            // `credHelpers: {HOST: ""}` is how a user says so.
            let meant = self.helpers().any(|(named, helper)| named == host && helper.is_empty());
            let message = format!("{what} for {host} lies in {shown} in plain text");
            if meant {
                let remedy = "that is what credHelpers says there; take it out to change that";
                report.warn(check, message, remedy);
            } else {
                // Docker's is what import looks into unless told otherwise.
                let docker = self.path.file_name().is_some_and(|name| name == "config.json");
                let from = if docker { "" } else { " --from podman" };
                let remedy = format!(
                    "docker-credential-refresh import{from} moves it; then change the password"
                );
                report.fail(check, message, remedy);
            }
        }
        if !secrets {
            report.ok(check, format!("no password lies in {shown}"));
            return;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&self.path).map_or(0, |found| found.permissions().mode());
            if mode & 0o077 != 0 {
                let message = format!("others may read {shown} (mode {:o})", mode & 0o777);
                report.fail(check, message, format!("chmod 600 {shown}"));
            }
        }
    }
}

impl Entry {
    /// What kind of secret it holds; Docker leaves empty entries where a helper keeps the login.
    fn secret(&self) -> Option<&'static str> {
        let given =
            |field: &Option<Password>| field.as_ref().is_some_and(|s| !s.expose().is_empty());
        if given(&self.password) || self.auth.as_ref().is_some_and(holds_password) {
            return Some("a password");
        }
        (given(&self.identitytoken) || given(&self.registrytoken)).then_some("a token")
    }
}

/// Base64 of `user:password`. What cannot be read so may be one all the same.
fn holds_password(auth: &Password) -> bool {
    if auth.expose().is_empty() {
        return false;
    }
    let Ok(decoded) = STANDARD.decode(auth.expose().trim()).map(Zeroizing::new) else {
        return true;
    };
    let end = decoded.iter().position(|byte| *byte == b':');
    // Docker pads with NUL.
    end.is_none_or(|at| decoded[at + 1..].iter().any(|byte| *byte != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_the_marks_that_docker_leaves() {
        let secret = |json: &str| serde_json::from_str::<Entry>(json).unwrap().secret();
        let auth = |text: &str| format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(text));
        assert_eq!(secret("{}"), None);
        assert_eq!(secret(r#"{"auth":"","email":"a@b"}"#), None);
        assert_eq!(secret(&auth("alice:")), None);
        assert_eq!(secret(&auth("alice:hunter2")), Some("a password"));
        assert_eq!(secret(r#"{"auth":"%%%"}"#), Some("a password"));
        assert_eq!(secret(r#"{"username":"a","password":"hunter2"}"#), Some("a password"));
        let token = auth("00000000-0000-0000-0000-000000000000:")
            .replace('}', r#","identitytoken":"eyJ"}"#);
        assert_eq!(secret(&token), Some("a token"));
    }
}
