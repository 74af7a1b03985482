//! The folders of PATH and the helpers in them: who else could replace a program there.

use std::path::Path;

use super::report::Report;
use crate::environment::PROGRAM;
use crate::external_helper::find_on_path;
use crate::settings::Settings;

const CHECK: &str = "path";

/// Clients start helpers by name: whoever can write to a folder before them, or to them, is given
/// every password.
pub(super) fn check(settings: &Settings, report: &mut Report) {
    let mut programs: Vec<String> = settings.fallbacks().iter().map(ToString::to_string).collect();
    programs.push(PROGRAM.to_owned());
    let mut found: Vec<_> = programs.iter().filter_map(|name| find_on_path(name)).collect();
    found.extend(settings.renewals().filter_map(|(_, command)| command.find()));
    for program in &found {
        if is_open(program) {
            let shown = program.display();
            report.fail(
                CHECK,
                format!("other users can write to {shown}"),
                format!("chmod go-w {shown}"),
            );
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    let holds = |folder: &Path| found.iter().any(|program| program.parent() == Some(folder));
    let Some(last) = folders.iter().rposition(|folder| holds(folder)) else { return };
    for folder in folders.iter().take(last + 1).filter(|folder| is_open(folder)) {
        let shown = folder.display();
        let what = if holds(folder) { "holds a helper" } else { "comes before a helper's in PATH" };
        let message =
            format!("other users can write to {shown}, which {what}: they could replace it");
        report.fail(CHECK, message, format!("chmod go-w {shown}, or take it out of PATH"));
    }
}

/// Whether anybody may write to it.
#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}
