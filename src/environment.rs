//! The process's environment: our own variables, and the user's directories.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

/// This program's name: of its file, its folders and its items in keychains.
pub const PROGRAM: &str = "docker-credential-refresh";
/// What our environment variables begin with.
pub const PREFIX: &str = "DOCKER_CREDENTIAL_REFRESH_";
/// The key of the `file` keychain.
pub const AGE_IDENTITY: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
/// Says where to write a trace.
pub const TRACE: &str = "DOCKER_CREDENTIAL_REFRESH_TRACE";
/// Set by the scripts of `completions`: the shell that asks.
pub const COMPLETE: &str = "DOCKER_CREDENTIAL_REFRESH_COMPLETE";
/// Set for the helpers that we start: one that starts us again would loop.
pub const CALLS_A_HELPER: &str = "DOCKER_CREDENTIAL_REFRESH_CALLS_A_HELPER";

/// A variable that is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The user's home directory.
pub fn home() -> Option<PathBuf> {
    BaseDirs::new().map(|base| base.home_dir().to_owned())
}

/// Where our settings, records and files are; none without a home directory.
pub fn directories() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", PROGRAM)
}

/// Where the login records are.
pub fn state_directory(directories: &ProjectDirs) -> &Path {
    directories.state_dir().unwrap_or_else(|| directories.data_local_dir())
}

/// What this machine is called: letters, digits, dots, dashes and underscores.
pub fn host_name() -> String {
    const LONGEST: usize = 63;
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = variable("COMPUTERNAME").unwrap_or_default().to_string_lossy().into_owned();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let name: String = name.chars().filter(is_plain).take(LONGEST).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// What tells this installation of Linux from others of the same name (machine-id(5)).
pub fn machine_id() -> Option<String> {
    std::fs::read_to_string("/etc/machine-id").ok()
}
