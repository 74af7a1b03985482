//! Docker's configuration.

use super::auth_file::AuthFile;
use super::report::Report;
use crate::commands::clients::command::{configure, fallback_option};
use crate::docker_config::ConfigFile;
use crate::docker_config::podman::is_installed;
use crate::environment::{PROGRAM, variable};
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;
use crate::server_url::ServerUrl;
use crate::text::shell_word;

const CHECK: &str = "docker config";
const PLAIN: &str = "passwords";

pub(super) fn check(server: Option<&ServerUrl>, logins: &Logins<'_>, report: &mut Report) {
    if variable("DOCKER_AUTH_CONFIG").is_some() {
        report.warn(
            CHECK,
            "DOCKER_AUTH_CONFIG is set: newer clients ask no helper for the registries in it",
            "unset it",
        );
    }
    // Without a home nothing runs at all.
    let Ok(config) = ConfigFile::of_docker() else { return };
    let path = config.path().to_owned();
    let from = if variable("DOCKER_CONFIG").is_some() { " (from DOCKER_CONFIG)" } else { "" };
    let shown = format!("{}{from}", path.display());
    let before = report.failed();
    let Some(file) = AuthFile::read(CHECK, config, report) else {
        if report.failed() == before {
            let message = format!("{shown} does not exist: docker uses no helper");
            report.warn(CHECK, message, configure("", logins));
        }
        return;
    };
    let hosts = file.hosts_of_ours();
    let elsewhere = server.and_then(|url| file.other_helper(url));
    if let (Some(url), Some(other)) = (server, elsewhere) {
        let name = url.registry_key();
        let message = format!("docker does not use this helper for {name}: {other} in {shown}");
        let registry = format!(" --registry {name}");
        let remedy = match file.named_for(url).filter(|other| !other.is_empty()) {
            // It goes on as the fallback for this registry; named, where podman wants one for all.
            Some(other) if is_installed() => {
                format!("{PROGRAM} configure{registry} --fallback {}", shell_word(&other))
            }
            Some(_) => format!("{PROGRAM} configure{registry}"),
            None => configure(&registry, logins),
        };
        report.warn(CHECK, message, remedy);
    } else if file.store().as_deref() == Some(HELPER_NAME) {
        report.ok(CHECK, format!("credsStore in {shown} is this helper"));
    } else if !hosts.is_empty() {
        let hosts = hosts.join(", ");
        report.ok(CHECK, format!("credHelpers in {shown} has this helper for {hosts}"));
    } else {
        let store = file.store().map_or("is not set".to_owned(), |name| format!("is {name}"));
        let message = format!("docker does not use this helper: credsStore {store} in {shown}");
        report.warn(CHECK, message, configure("", logins));
    }
    file.check_helpers(CHECK, report);
    file.check_writers(CHECK, report);
    file.check_plain(PLAIN, fallback_option(logins), report);
}
