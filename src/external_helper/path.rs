//! Programs on PATH.

use std::path::{Path, PathBuf};

use super::HelperName;

/// How a program's file name may end; clients on Windows start scripts as well.
const SUFFIXES: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };

/// These return tokens of their own cloud, and store none.
const STORING_NOTHING: [&str; 4] = ["acr-env", "ecr-login", "gcloud", "gcr"];

/// The helpers on PATH that logins can be handed to, sorted; not this one.
pub fn installed() -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries = std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| std::fs::read_dir(directory).into_iter().flatten().flatten());
    let name = |entry: std::fs::DirEntry| {
        let mut file = entry.file_name().into_string().ok()?;
        if cfg!(windows) {
            file.make_ascii_lowercase();
        }
        let file = SUFFIXES.iter().find_map(|suffix| file.strip_suffix(suffix))?;
        let name = file.strip_prefix("docker-credential-")?;
        let stores = !STORING_NOTHING.contains(&name);
        (stores && name.parse::<HelperName>().is_ok() && is_executable(&entry.path()))
            .then(|| name.to_owned())
    };
    let names: std::collections::BTreeSet<_> = entries.filter_map(name).collect();
    names.into_iter().collect()
}

/// Absolute PATH entries only: an empty one or `.` depends on where the client was started.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| {
            SUFFIXES.iter().map(move |suffix| directory.join(format!("{program}{suffix}")))
        })
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    return path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    return path.is_file();
}
