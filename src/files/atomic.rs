//! Replacing a file: readers see the old one or the new one, never a mix.
//!
//! A new file gets a fixed name next to the old one ([`start`]), is written and synced, and takes
//! the old one's name ([`put_in_place`]). Files of another program's need more care: see
//! `docker_config::replace`.

#[cfg(unix)]
use std::fs::File;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
#[cfg(windows)]
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::private::make_private;

/// For another program that has a file open.
#[cfg(windows)]
const BUSY_DEADLINE: Duration = Duration::from_secs(2);

/// A new file of the owner's alone, which is removed if it is dropped. Its name is fixed, so that
/// what a killed run left is found without listing the directory; the caller holds a lock.
pub(crate) fn start(directory: &Path, name: &str) -> io::Result<NamedTempFile> {
    match fs::remove_file(directory.join(name)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    create_in(directory, tempfile::Builder::new().prefix(name).rand_bytes(0))
}

/// A new file of the owner's alone, which is removed if it is dropped. An error does not name it, since
/// nobody knows it.
pub(crate) fn create_in(
    directory: &Path,
    name: &mut tempfile::Builder<'_, '_>,
) -> io::Result<NamedTempFile> {
    let file = name.make_in(directory, |path| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    })?;
    make_private(file.as_file())?;
    Ok(file)
}

/// After a change that everybody can see by now, so an error would be wrong: the only question is
/// whether it survives a power cut.
pub(crate) fn sync_directory(directory: &Path) {
    #[cfg(unix)]
    let _unsynced = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _cannot_be_synced = directory;
}

/// Replaces a file that others may be reading.
pub(crate) fn put_in_place(new: NamedTempFile, path: &Path) -> io::Result<()> {
    #[cfg(not(windows))]
    return new.persist(path).map(drop).map_err(|e| e.error);
    #[cfg(windows)]
    {
        // What `persist` calls refuses while a reader has the file open.
        let (file, new) = new.keep().map_err(|e| e.error)?;
        drop(file);
        let give_up = Instant::now() + BUSY_DEADLINE;
        loop {
            match fs::rename(&new, path) {
                // So does a virus scanner that looks at the new one.
                Err(e)
                    if e.kind() == io::ErrorKind::PermissionDenied && Instant::now() < give_up =>
                {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(e) => {
                    let _left = fs::remove_file(&new);
                    return Err(e);
                }
                Ok(()) => return Ok(()),
            }
        }
    }
}
