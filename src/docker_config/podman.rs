//! podman, skopeo and buildah: `auth.json`, and one drop-in of ours.
//!
//! They ignore `credsStore`, and with `credHelpers` in docker's file alone they write the password
//! in base64 to `auth.json`: so this helper is named in `registries.conf.d`, on its own.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use super::{
    ConfigFile, Replaced, changed_meanwhile, check_writable, home, read, replace, variable,
};
use crate::error::{Error, Kind, Result};
use crate::files::cannot;
use crate::protocol::HELPER_NAME;

const DROP_IN: &str = "50-docker-credential-refresh.conf";
const DROP_IN_TEXT: &str = "\
# Written by docker-credential-refresh configure, deleted by docker-credential-refresh unconfigure.
credential-helpers = [\"refresh\"]
";
/// The clients that read them.
pub const PROGRAMS: [&str; 3] = ["podman", "skopeo", "buildah"];
/// What means `auth.json` in the list of helpers (containers-registries.conf(5)).
pub const AUTH_FILE: &str = "containers-auth.json";

/// Whether podman or buildah are installed for a user other than root: they call helpers from
/// inside a user namespace.
pub fn is_rootless() -> bool {
    #[cfg(unix)]
    let is_root = rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    let is_root = true;
    let has = |program| crate::external_helper::find_on_path(program).is_some();
    !is_root && (has("podman") || has("buildah"))
}

/// Whether one of them is on PATH.
pub fn is_installed() -> bool {
    PROGRAMS.iter().any(|program| crate::external_helper::find_on_path(program).is_some())
}

/// The files of their own that they read logins from, first the one they write to
/// (containers-auth.json(5)). Not each version stops at `REGISTRY_AUTH_FILE`: skopeo 1.9 reads on.
///
/// # Errors
/// There is no home directory.
pub fn auth_files() -> Result<Vec<ConfigFile>> {
    let mut files: Vec<ConfigFile> =
        variable("REGISTRY_AUTH_FILE").map(ConfigFile::at).into_iter().collect();
    let mut paths = Vec::new();
    #[cfg(target_os = "linux")]
    if let Some(directory) = variable("XDG_RUNTIME_DIR") {
        paths.push(directory.join("containers"));
    } else if closed_folder().is_none() {
        paths.push(default_folder());
    }
    let config =
        variable("XDG_CONFIG_HOME").map_or_else(|| home().map(|h| h.join(".config")), Ok)?;
    paths.push(config.join("containers"));
    files.extend(paths.into_iter().map(|path| ConfigFile::at(path.join("auth.json"))));
    Ok(without_repeats(files))
}

/// All files that they read logins from, in that order: theirs, docker's, and what docker wrote before
/// 2015. With `DOCKER_CONFIG`, docker's is the one that podman 4 reads first and writes to.
///
/// # Errors
/// There is no home directory.
pub fn files_read() -> Result<Vec<ConfigFile>> {
    let (mut files, docker) = (auth_files()?, ConfigFile::of_docker()?);
    files.insert(if writes_dockers_file() { 0 } else { files.len() }, docker);
    files.push(legacy_file()?);
    Ok(without_repeats(files))
}

/// What docker wrote before 2015, and docker 20.10 reads where it has no `config.json`.
///
/// # Errors
/// There is no home directory.
pub fn legacy_file() -> Result<ConfigFile> {
    Ok(ConfigFile::legacy_at(home()?.join(".dockercfg")))
}

/// Whether `podman login` and `podman logout` write docker's file, where they keep nothing but `auths` and
/// `credHelpers` (podman 4.3).
pub fn writes_dockers_file() -> bool {
    variable("DOCKER_CONFIG").is_some() && variable("REGISTRY_AUTH_FILE").is_none()
}

/// Whether they read these files at all, as they are set up now.
///
/// # Errors
/// As [`helpers`].
pub fn reads_files() -> Result<bool> {
    let helpers = helpers()?;
    Ok(helpers.is_empty() || helpers.iter().any(|name| name == AUTH_FILE))
}

/// The file that keeps our drop-in from having an effect: they take the last `credential-helpers`.
///
/// # Errors
/// As [`helpers`].
pub fn overruling() -> Result<Option<PathBuf>> {
    Ok(named(true)?.1.filter(|path| path.file_name().is_some_and(|name| name > DROP_IN)))
}

fn without_repeats(files: Vec<ConfigFile>) -> Vec<ConfigFile> {
    let mut all: Vec<ConfigFile> = Vec::new();
    for file in files {
        if all.iter().all(|known| known.path() != file.path()) {
            all.push(file);
        }
    }
    all
}

#[cfg(target_os = "linux")]
fn default_folder() -> PathBuf {
    PathBuf::from(format!("/run/containers/{}", rustix::process::geteuid().as_raw()))
}

/// Where `auth.json` would be, if this user has no access there: after root used podman,
/// `/run/containers` is root's alone. Podman cannot read it either, so no login is in it.
pub fn closed_folder() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    if variable("XDG_RUNTIME_DIR").is_none() {
        let folder = default_folder();
        let denied = |e: std::io::Error| e.kind() == std::io::ErrorKind::PermissionDenied;
        return fs::metadata(folder.join("auth.json")).is_err_and(denied).then_some(folder);
    }
    None
}

/// What to say about [`closed_folder`]: a fact, and a remedy.
pub fn closed(folder: &Path) -> (String, &'static str) {
    let message = format!(
        "{} is not accessible to this user, so podman has no login there",
        folder.display()
    );
    (message, "set XDG_RUNTIME_DIR to a directory of this user's if podman is to use one")
}

/// The drop-in; the same place for root (containers/image `sysregistriesv2`).
///
/// # Errors
/// There is no home directory.
pub fn drop_in() -> Result<PathBuf> {
    Ok(user_folder()?.join("registries.conf.d").join(DROP_IN))
}

/// Whether the drop-in is there and ours.
///
/// # Errors
/// There is no home directory, or the file cannot be read.
pub fn has_drop_in() -> Result<bool> {
    let path = drop_in()?;
    let text = read::read(&path).map_err(|e| cannot("read", &path, &e))?;
    Ok(text.is_some_and(|text| *text == DROP_IN_TEXT))
}

/// Whether the drop-in can be written. What is there under its name and is not ours is somebody's work.
///
/// # Errors
/// It cannot, or another file is there.
pub fn check_drop_in() -> Result<()> {
    let path = drop_in()?;
    let text = read::read(&path).map_err(|e| cannot("read", &path, &e))?;
    if text.is_some_and(|text| *text != DROP_IN_TEXT) {
        let message =
            format!("{} is not as configure writes it; nothing was changed", path.display());
        return Err(Error::new(Kind::Other, message).hint("move it away, and run this again"));
    }
    check_writable(&path).map(drop)
}

/// Writes the drop-in; answers with its path.
///
/// # Errors
/// It cannot be written, or another file came there after [`check_drop_in`].
pub fn write_drop_in() -> Result<PathBuf> {
    let path = drop_in()?;
    let written = read::read(&path).and_then(|previous| match previous {
        Some(text) if *text == DROP_IN_TEXT => Ok(Replaced::Yes),
        Some(_) => Ok(Replaced::ChangedMeanwhile),
        None => replace::replace(&path, None, Some(DROP_IN_TEXT)),
    });
    match written.map_err(|e| cannot("write", &path, &e))? {
        Replaced::Yes => Ok(path),
        Replaced::ChangedMeanwhile => Err(changed_meanwhile(&path)),
    }
}

/// What became of the drop-in.
pub enum Removed {
    /// It was not there.
    Absent,
    /// It was ours.
    Deleted(PathBuf),
    /// Another file is there, or it was changed: it stays.
    Changed(PathBuf),
}

/// Deletes the drop-in, if it is ours as it was written.
///
/// # Errors
/// It cannot be deleted.
pub fn delete_drop_in() -> Result<Removed> {
    let path = drop_in()?;
    match read::read(&path) {
        Ok(None) => return Ok(Removed::Absent),
        Ok(Some(text)) if *text == DROP_IN_TEXT => {}
        Ok(Some(_)) | Err(_) => return Ok(Removed::Changed(path)),
    }
    fs::remove_file(&path).map_err(|e| cannot("delete", &path, &e))?;
    Ok(Removed::Deleted(path))
}

/// The helpers that are set for them now, without our drop-in: `containers-auth.json` left out.
///
/// # Errors
/// There is no home directory, or a file cannot be read.
pub fn other_helpers() -> Result<Vec<String>> {
    let (mut helpers, _) = named(false)?;
    helpers.retain(|name| name != AUTH_FILE && name != HELPER_NAME);
    Ok(helpers)
}

/// All that is set for them now, our drop-in and `containers-auth.json` included.
///
/// # Errors
/// As [`other_helpers`].
pub fn helpers() -> Result<Vec<String>> {
    named(true).map(|(helpers, _)| helpers)
}

/// `credential-helpers`, and the last drop-in that sets it, if one does.
fn named(with_ours: bool) -> Result<(Vec<String>, Option<PathBuf>)> {
    let user = user_folder()?;
    let system = PathBuf::from("/etc/containers");
    let own = user.join("registries.conf");
    let main = if own.exists() { own.clone() } else { system.join("registries.conf") };
    let mut files = vec![main.clone()];
    // A user's own main file disables the system's drop-ins.
    let folders = if own.exists() { vec![user] } else { vec![system, user] };
    for folder in folders {
        let entries = fs::read_dir(folder.join("registries.conf.d")).into_iter().flatten();
        let mut drop_ins: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        drop_ins.retain(|path| {
            path.extension().is_some_and(|e| e == "conf") && (with_ours || !path.ends_with(DROP_IN))
        });
        drop_ins.sort();
        files.extend(drop_ins);
    }
    let (mut helpers, mut last) = (Vec::new(), None);
    for path in files {
        let text = read::read(&path).map_err(|e| cannot("read", &path, &e))?;
        // What they cannot read either does not count.
        let document = text.and_then(|text| text.parse::<DocumentMut>().ok());
        let named =
            document.as_ref().and_then(|document| document.get("credential-helpers")?.as_array());
        if let Some(named) = named {
            helpers = named.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
            last = (path != main).then_some(path);
        }
    }
    Ok((helpers, last))
}

fn user_folder() -> Result<PathBuf> {
    // Not XDG_CONFIG_HOME: they look here regardless of it.
    Ok(home()?.join(".config/containers"))
}
