//! podman, skopeo and buildah: they ignore `credsStore`, and write what no helper takes to `auth.json`
//! in plain text.

use super::auth_file::AuthFile;
use super::report::Report;
use crate::commands::clients::command::{configure, fallback_option};
use crate::docker_config::ConfigFile;
use crate::docker_config::podman::{
    AUTH_FILE, PROGRAMS, auth_files, closed, closed_folder, helpers, legacy_file,
};
use crate::external_helper::find_on_path;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

const CHECK: &str = "podman";
const PLAIN: &str = "passwords";

pub(super) fn check(logins: &Logins<'_>, report: &mut Report) {
    let mut found = auth_files().unwrap_or_default();
    found.extend(legacy_file());
    let files: Vec<AuthFile> =
        found.into_iter().filter_map(|file| AuthFile::read(CHECK, file, report)).collect();
    for file in &files {
        file.check_helpers(CHECK, report);
        file.check_writers(CHECK, report);
        file.check_plain(PLAIN, fallback_option(logins), report);
    }
    if let Some(folder) = closed_folder() {
        let (message, remedy) = closed(&folder);
        report.skip(CHECK, message, remedy);
    }
    let Some(client) = PROGRAMS.into_iter().find(|c| find_on_path(c).is_some()) else {
        return;
    };
    let helpers = match helpers() {
        Ok(helpers) => helpers,
        Err(error) => return report.error(CHECK, &error, "correct it, or remove it"),
    };
    let named = |name: &str| helpers.iter().any(|helper| helper == name);
    let plain = helpers.is_empty() || named(AUTH_FILE);
    let mut unused = Report::default();
    let docker =
        ConfigFile::of_docker().ok().and_then(|file| AuthFile::read(CHECK, file, &mut unused));
    let only_in_docker = docker.as_ref().is_some_and(|file| {
        file.hosts_of_ours()
            .iter()
            .any(|host| files.iter().all(|f| !f.hosts_of_ours().contains(host)))
    });
    let per_host = files.iter().any(|file| !file.hosts_of_ours().is_empty());
    if named(HELPER_NAME) && !plain {
        report.ok(CHECK, format!("{client} keeps its logins with this helper"));
    } else if named(HELPER_NAME) {
        let message = format!("{client} login writes the password to auth.json as well");
        report.fail(CHECK, message, format!("remove {AUTH_FILE} from credential-helpers"));
    } else if only_in_docker && plain {
        // Seen with podman 4.3 and skopeo 1.9: the entry in docker's file is read, never written.
        let message = format!(
            "credHelpers names this helper in docker's config.json only: {client} login writes the \
             password in plain text to auth.json"
        );
        report.fail(CHECK, message, configure(" --podman", logins));
    } else if per_host {
        report.ok(CHECK, format!("{client} keeps some of its logins with this helper"));
    } else {
        let message = format!(
            "{client} does not use this helper: {client} login writes passwords in plain text"
        );
        report.warn(CHECK, message, configure(" --podman", logins));
    }
}
