//! Our own folders and files: whose they are, and who else can use them.

use std::fs;
use std::path::Path;

use super::report::Report;
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

#[cfg(unix)]
fn private(path: &Path, forbidden: u32, right: &str, report: &mut Report) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let shown = path.display();
    let Ok(found) = fs::symlink_metadata(path) else { return };
    // A symlink to one's settings is usual; what it names is looked at.
    let found = if found.is_symlink() { fs::metadata(path).unwrap_or(found) } else { found };
    let me = rustix::process::geteuid().as_raw();
    if found.uid() != me {
        let message = format!("{shown} belongs to uid {}, this runs as uid {me}", found.uid());
        report.fail(CHECK, message, format!("chown {me} {shown}, or run as that user"));
    }
    let mode = found.permissions().mode();
    if mode & forbidden != 0 {
        let message = format!("other users can access {shown} (mode {:o})", mode & 0o777);
        report.fail(CHECK, message, format!("chmod {right} {shown}"));
    }
}

#[cfg(not(unix))]
fn private(_: &Path, _: u32, _: &str, _: &mut Report) {}
