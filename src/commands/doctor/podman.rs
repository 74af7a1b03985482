//! podman, skopeo and buildah: they ignore `credsStore`, and write what no helper takes in plain
//! text to `auth.json`.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use super::auth_file::AuthFile;
use super::docker;
use super::report::Report;
use crate::fallback::find_on_path;
use crate::protocol::HELPER_NAME;

const CHECK: &str = "podman";
const PLAIN: &str = "passwords";
const CONFIGURE: &str = "docker-credential-refresh configure --podman";
/// Their own plain file, in a list of helpers.
const AUTH_FILE: &str = "containers-auth.json";

pub(super) fn check(report: &mut Report) {
    let files: Vec<AuthFile> =
        auth_files().iter().filter_map(|path| AuthFile::read(CHECK, path, report)).collect();
    for file in &files {
        file.check_helpers(CHECK, report);
        file.check_plain(PLAIN, report);
    }
    let Some(client) =
        ["podman", "skopeo", "buildah"].into_iter().find(|c| find_on_path(c).is_some())
    else {
        report.skip(CHECK, "neither podman nor skopeo nor buildah is on PATH", "nothing to do");
        return;
    };
    let helpers = credential_helpers(report);
    let named = |name: &str| helpers.iter().any(|helper| helper == name);
    let plain = helpers.is_empty() || named(AUTH_FILE);
    let mut unused = Report::default();
    let docker = docker::path().and_then(|path| AuthFile::read(CHECK, &path, &mut unused));
    let only_in_docker = docker.as_ref().is_some_and(|file| {
        file.hosts_of_ours()
            .iter()
            .any(|host| files.iter().all(|f| !f.hosts_of_ours().contains(host)))
    });
    let per_host = files.iter().any(|file| !file.hosts_of_ours().is_empty());
    if named(HELPER_NAME) && !plain {
        report.ok(CHECK, format!("{client} keeps its logins by this helper"));
    } else if named(HELPER_NAME) {
        let message = format!("{client} login writes the password to auth.json beside the helper");
        report.fail(CHECK, message, format!("take {AUTH_FILE} out of credential-helpers"));
    } else if only_in_docker && plain {
        // Seen with podman 4.3 and skopeo 1.9: the entry in docker's file is read, never written.
        let message = format!(
            "credHelpers names this helper in docker's config.json only: {client} login writes the \
             password in plain text to auth.json"
        );
        report.fail(CHECK, message, CONFIGURE);
    } else if per_host {
        report.ok(CHECK, format!("{client} keeps some of its logins by this helper"));
    } else {
        let message = format!("{client} does not use this helper: its passwords lie in plain text");
        report.warn(CHECK, message, CONFIGURE);
    }
}

fn auth_files() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let mut all: Vec<PathBuf> = set("REGISTRY_AUTH_FILE").into_iter().collect();
    all.extend(set("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")));
    all.extend(user_folder().map(|dir| dir.join("auth.json")));
    all.dedup();
    all
}

/// `~/.config/containers`.
fn user_folder() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|dirs| dirs.config_dir().join("containers"))
}

/// `credential-helpers` as containers-registries.conf(5) finds it: the user's file in the place of
/// the system's, then the drop-ins by name, the last one wins.
fn credential_helpers(report: &mut Report) -> Vec<String> {
    let system = PathBuf::from("/etc/containers");
    let folders: Vec<PathBuf> = std::iter::once(system).chain(user_folder()).collect();
    let own =
        folders.iter().rev().map(|dir| dir.join("registries.conf")).find(|file| file.exists());
    let set = std::env::var_os("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from);
    let mut drop_ins: Vec<PathBuf> = Vec::new();
    for folder in &folders {
        let entries = fs::read_dir(folder.join("registries.conf.d")).into_iter().flatten();
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        drop_ins.extend(files.filter(|file| file.extension().is_some_and(|e| e == "conf")));
    }
    drop_ins.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let files = set.or(own).into_iter().chain(drop_ins);
    files.filter_map(|file| helpers_in(&file, report)).next_back().unwrap_or_default()
}

fn helpers_in(file: &Path, report: &mut Report) -> Option<Vec<String>> {
    let text = fs::read_to_string(file).ok()?;
    let Ok(document) = text.parse::<DocumentMut>() else {
        let message = format!("cannot understand {}", file.display());
        report.warn(CHECK, message, "correct it; podman refuses it too");
        return None;
    };
    let helpers = document.get("credential-helpers")?.as_array()?;
    Some(helpers.iter().filter_map(|helper| helper.as_str().map(str::to_owned)).collect())
}
