//! Replacing another program's file: whole or not at all, and never over what that program wrote in
//! the meantime.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::read::read;
use super::swap::{self, Replaced};
use crate::files::atomic::create_in;

const TEMPORARY_PREFIX: &str = ".docker-credential-refresh-";
const MAX_LINKS: usize = 40;

/// Replaces `previous` with `new` (none: there was no file, or there should be none). A symlink, the
/// mode and the owner stay; a new file is for its owner alone.
pub fn replace(path: &Path, previous: Option<&str>, new: Option<&str>) -> io::Result<Replaced> {
    let path = &behind_links(path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let unchanged = || read(path).map(|now| now.as_ref().map(|text| text.as_str()) == previous);
    let Some(new) = new else {
        if !unchanged()? {
            return Ok(Replaced::ChangedMeanwhile);
        }
        return fs::remove_file(path).map(|()| Replaced::Yes);
    };
    make_directory(directory)?;
    remove_leftovers(directory)?;
    let mut file = temporary_beside(path, previous.is_some())?;
    file.write_all(new.as_bytes())?;
    file.as_file().sync_all()?;
    if !unchanged()? {
        return Ok(Replaced::ChangedMeanwhile);
    }
    let replaced = match previous {
        Some(previous) => swap::put_over(file, path, previous, new)?,
        None => swap::put_new(file, path)?,
    };
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(replaced)
}

/// A new file next to one, with its mode and owner; locked, so that another run knows that it is not
/// a leftover.
pub(super) fn temporary_beside(path: &Path, exists: bool) -> io::Result<NamedTempFile> {
    let directory = existing_directory(path);
    let file = create_in(directory, tempfile::Builder::new().prefix(TEMPORARY_PREFIX))?;
    file.as_file().lock()?;
    if exists {
        take_after(&file, &fs::metadata(path)?)?;
    }
    Ok(file)
}

/// The folder of a file, or the nearest one above that exists.
pub(super) fn existing_directory(path: &Path) -> &Path {
    let above = path.ancestors().skip(1).map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    });
    above.into_iter().find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

/// Deletes what a killed run left next to a file.
///
/// # Errors
/// It is still there, or it cannot be looked for, and may hold passwords.
pub fn tidy(path: &Path) -> io::Result<()> {
    let path = behind_links(path)?;
    match path.parent() {
        Some(directory) => remove_leftovers(directory),
        None => Ok(()),
    }
}

/// The file that a symlink points to, even if that does not exist yet.
pub(super) fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            // Not a link, or nothing at all.
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("its symlinks form a loop"))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Mode and owner of the file that is replaced.
fn take_after(file: &NamedTempFile, previous: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let mine = file.as_file().metadata()?;
        if (mine.uid(), mine.gid()) != (previous.uid(), previous.gid()) {
            fchown(file.as_file(), Some(previous.uid()), Some(previous.gid()))?;
        }
    }
    // After the owner: changing that clears bits of the mode.
    file.as_file().set_permissions(previous.permissions())
}

/// What a killed run left: it may hold passwords. One that is locked is being written.
fn remove_leftovers(directory: &Path) -> io::Result<()> {
    let ours = |name: &OsStr| name.to_str().is_some_and(|n| n.starts_with(TEMPORARY_PREFIX));
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let stale = ours(&entry.file_name())
            && entry.file_type()?.is_file()
            && match File::open(entry.path()) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => false,
                file => file?.try_lock().is_ok(),
            };
        if stale {
            match fs::remove_file(entry.path()) {
                // Another run may have deleted it.
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn mode_owner_and_symlink_stay() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real.json"), home.path().join("config.json"));
        fs::write(&real, "a").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        let chowned = std::os::unix::fs::chown(&real, Some(1234), Some(4321)).is_ok();
        symlink("real.json", &link).unwrap();
        assert_eq!(replace(&link, Some("a"), Some("b")).unwrap(), Replaced::Yes);
        let found = fs::metadata(&real).unwrap();
        assert_eq!(
            (fs::read_to_string(&real).unwrap().as_str(), found.mode() & 0o777),
            ("b", 0o640)
        );
        if chowned {
            assert_eq!((found.uid(), found.gid()), (1234, 4321));
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_to_nothing_makes_the_file_it_names() {
        let home = tempfile::tempdir().unwrap();
        symlink("sub/real.json", home.path().join("config.json")).unwrap();
        replace(&home.path().join("config.json"), None, Some("b")).unwrap();
        let made = home.path().join("sub/real.json");
        assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o600);
        symlink("loop", home.path().join("loop")).unwrap();
        assert!(replace(&home.path().join("loop"), None, Some("b")).is_err());
    }

    #[test]
    fn what_another_program_wrote_meanwhile_is_not_lost() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        for previous in [Some("a"), None] {
            fs::write(&path, "theirs").unwrap();
            assert_eq!(replace(&path, previous, Some("b")).unwrap(), Replaced::ChangedMeanwhile);
            assert_eq!(replace(&path, previous, None).unwrap(), Replaced::ChangedMeanwhile);
            assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert_eq!(replace(&path, Some("theirs"), None).unwrap(), Replaced::Yes);
        assert!(!path.exists());
    }

    #[test]
    fn leftovers_of_a_killed_run_go_and_those_being_written_stay() {
        let home = tempfile::tempdir().unwrap();
        let (stale, live) = (format!("{TEMPORARY_PREFIX}a"), format!("{TEMPORARY_PREFIX}b"));
        fs::write(home.path().join(&stale), "x").unwrap();
        let writing = File::create(home.path().join(&live)).unwrap();
        writing.lock().unwrap();
        replace(&home.path().join("config.json"), None, Some("b")).unwrap();
        assert!(!home.path().join(stale).exists() && home.path().join(live).exists());
    }
}
