//! Our own folders and files: whose they are, and who else can use them.

use std::fs;
use std::path::Path;

use super::report::{LATER, Report};
use crate::docker_config::{ConfigFile, podman};
use crate::environment;
use crate::error::{Error, Kind};
use crate::files::owner;
use crate::keychain;
use crate::logins::Logins;

const CHECK: &str = "files";

pub(super) fn check(logins: &Logins<'_>, report: &mut Report) {
    let before = report.failed();
    let state = logins.records.directory();
    private(state, 0o077, "700", report);
    private(&logins.records.file(), 0o077, "600", report);
    // It says which origins are trusted: others may read it, but not write it.
    private(&logins.settings.file, 0o022, "600", report);
    if let Some(folder) = logins.settings.file.parent() {
        private(folder, 0o022, "700", report);
    }
    owners(logins, report);
    if owner::foreign_home().is_some() {
        // Said already; and nothing is tried that would leave a file of root's there.
        return;
    }
    // As every login does first; what is wrong with it may have been said above.
    if report.failed() == before
        && let Err(error) = logins.records.check_writable()
    {
        report.error(CHECK, &error, "try again later");
    }
    if report.failed() == before {
        report.ok(CHECK, "settings and records are the user's own");
    }
    for entry in fs::read_dir(state).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(".damaged-") {
            let message =
                format!("{} is a damaged file that was set aside", entry.path().display());
            report.warn(CHECK, message, "delete it if nothing is missing");
        }
    }
}

/// Files of root's, as a command under sudo leaves them: neither clients nor this helper can use them.
fn owners(logins: &Logins<'_>, report: &mut Report) {
    if owner::foreign_home().is_some() {
        return;
    }
    let settings = &logins.settings.file;
    let mut paths = vec![
        logins.records.file(),
        settings.clone(),
        keychain::identity_file(settings.parent().unwrap_or(settings)),
    ];
    // A client's file that lies elsewhere may well be the administrator's.
    let of_docker = ConfigFile::of_docker().ok().map(|file| file.path().to_owned());
    let clients = of_docker.into_iter().chain(podman::drop_in().ok());
    let home = environment::home().unwrap_or_default();
    paths.extend(clients.filter(|path| path.starts_with(&home)));
    let mut parts: Vec<_> = paths.iter().filter_map(|path| owner::foreign_part(path)).collect();
    parts.dedup_by(|a, b| a.path == b.path);
    for owner::Part { path, owner, remedy } in parts {
        let me = owner::this_user();
        let message = format!("{} belongs to {owner}, and this runs as {me}", path.display());
        report.error(CHECK, &Error::new(Kind::Other, message).remedy(remedy), LATER);
    }
}

#[cfg(unix)]
fn private(path: &Path, forbidden: u32, right: &str, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let Ok(found) = fs::symlink_metadata(path) else { return };
    // A symlink to one's settings is usual; what it names is looked at.
    let found = if found.is_symlink() { fs::metadata(path).unwrap_or(found) } else { found };
    let mode = found.permissions().mode();
    if mode & forbidden != 0 {
        let message = format!("other users can access {shown} (mode {:o})", mode & 0o777);
        report.fail(CHECK, message, format!("chmod {right} {shown}"));
    }
}

#[cfg(not(unix))]
fn private(_: &Path, _: u32, _: &str, _: &mut Report) {}
