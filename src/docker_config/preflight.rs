//! Whether a file can be replaced, found out before anything depends on it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use super::replace::{behind_links, temporary_beside};

/// What to know about a file before it is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// It is a mount point of its own: it can only be written in place.
    pub is_mount_point: bool,
    /// How many other names (hard links) it has; they keep what it holds now.
    pub other_names: u64,
}

/// Does everything that replacing a file takes, short of replacing it.
///
/// # Errors
/// Why it cannot be replaced.
pub fn check(path: &Path) -> io::Result<Place> {
    let path = &behind_links(path)?;
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    temporary_beside(path, found.is_some())?.close()?;
    let Some(found) = found else { return Ok(Place::default()) };
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let is_mount_point = is_mount_point(path);
    match OpenOptions::new().write(true).open(path) {
        // A file that its owner cannot write can still be replaced.
        Err(e) if !is_mount_point && is_mode(&e) => {}
        opened => drop(opened?),
    }
    #[cfg(unix)]
    let other_names = std::os::unix::fs::MetadataExt::nlink(&found).saturating_sub(1);
    #[cfg(not(unix))]
    let other_names = 0;
    Ok(Place { is_mount_point, other_names })
}

/// EACCES, but not EPERM: an immutable file cannot be replaced either.
fn is_mode(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error());
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::PermissionDenied;
}

/// As `/proc/self/mountinfo` has it (proc(5)): white space and backslashes are octal there.
#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let (Ok(path), Ok(mounts)) = (path.canonicalize(), fs::read("/proc/self/mountinfo")) else {
        return false;
    };
    let escaped: Vec<u8> = path
        .as_os_str()
        .as_bytes()
        .iter()
        .flat_map(|byte| match byte {
            b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
            _ => vec![*byte],
        })
        .collect();
    let mut points = mounts.split(|b| *b == b'\n').filter_map(|l| l.split(|b| *b == b' ').nth(4));
    points.any(|point| point == escaped)
}

#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_can_be_replaced_or_it_is_said_why_not() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        assert_eq!(check(&at("none/at/all.json")).unwrap(), Place::default());
        fs::write(at("a"), "x").unwrap();
        fs::hard_link(at("a"), at("b")).unwrap();
        assert_eq!(check(&at("a")).unwrap().other_names, 1);
        fs::create_dir(at("folder")).unwrap();
        assert!(check(&at("folder")).is_err() && check(&at("a/below")).is_err());
        assert!(check(Path::new("/proc/self/config.json")).is_err());
        assert!(is_mount_point(Path::new("/proc")) && !is_mount_point(&at("a")));
        // Nobody can write to a program that runs, not even root, unless the kernel lets them.
        let program = std::env::current_exe().unwrap();
        if fs::OpenOptions::new().write(true).open(&program).is_err() {
            let refused = check(&program).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ExecutableFileBusy);
        }
        let mut left: Vec<_> = fs::read_dir(home.path()).unwrap().flatten().collect();
        left.retain(|entry| entry.file_name().to_string_lossy().starts_with('.'));
        assert!(left.is_empty());
    }
}
