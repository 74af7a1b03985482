//! Replacing a file: readers see the old one or the new one, never a mix.

#[cfg(windows)]
use std::fs;
use std::io;
use std::path::Path;
#[cfg(windows)]
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// For another program that has a file open.
#[cfg(windows)]
const BUSY_DEADLINE: Duration = Duration::from_secs(2);

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
