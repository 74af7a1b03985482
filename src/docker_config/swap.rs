//! Putting a file over one that another program may replace at any moment.
//!
//! Between a comparison and a rename another program could write its file, which would be lost. So
//! the two files swap names atomically, and what was there is checked afterwards: if it is not what
//! was expected, it is put back.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use super::read::read;
use crate::files::atomic::put_in_place;

/// How often another write may come in between.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const ATTEMPTS: usize = 100;

/// Whether a file was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It holds the new text.
    Yes,
    /// Somebody else wrote to it since it was read; nothing was done.
    ChangedMeanwhile,
}

/// Puts a file where there was none, and not over one that was written in the meantime.
pub(super) fn put_new(new: NamedTempFile, path: &Path) -> io::Result<Replaced> {
    match new.persist_noclobber(path) {
        Ok(file) => {
            drop(file);
            Ok(Replaced::Yes)
        }
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(Replaced::ChangedMeanwhile),
        Err(e) => Err(e.error),
    }
}

/// Puts `new`, which holds `text`, over the file at `path` if that holds `previous`.
///
/// A file that is a mount point cannot be renamed: it is written in place.
pub(super) fn put_over(
    new: NamedTempFile,
    path: &Path,
    previous: &str,
    text: &str,
) -> io::Result<Replaced> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        // The old file gets the name of a leftover, so it is locked as well. Not where names
        // are not swapped: Windows cannot replace an open file.
        let old = File::open(path)?;
        let _others_wait = old.try_lock();
        match exchange_names(new.path(), path) {
            Ok(()) => return look_again(new, path, previous, text),
            Err(rustix::io::Errno::BUSY) => return write_in_place(path, previous, text),
            // Not every file system can: NFS, FUSE and others cannot.
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP,
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match put_in_place(new, path) {
        Err(e) if e.kind() == io::ErrorKind::ResourceBusy => write_in_place(path, previous, text),
        put => put.map(|()| Replaced::Yes),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange_names(one: &Path, other: &Path) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

/// The temporary name now has what was at `path`.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn look_again(new: NamedTempFile, path: &Path, previous: &str, text: &str) -> io::Result<Replaced> {
    let taken = new.into_temp_path();
    let content = |result: io::Result<Option<Zeroizing<String>>>| result.ok().flatten();
    let mut found = content(read(&taken));
    if found.as_ref().is_some_and(|found| found.as_str() == previous) {
        // An error if that fails, because a password may be in it.
        return taken.close().map(|()| Replaced::Yes);
    }
    let mut put = Some(Zeroizing::new(text.to_owned()));
    for _ in 0..ATTEMPTS {
        exchange_names(&taken, path)?;
        let back = content(read(&taken));
        if back == put {
            return taken.close().map(|()| Replaced::ChangedMeanwhile);
        }
        // Yet another write came: it is newer than what was just put back.
        (put, found) = (found, back);
    }
    Err(io::Error::other("other programs keep writing to it"))
}

/// Not atomic for a reader at that moment. It is one write, padded to the length of the old text
/// with white space, which JSON may end with: so a killed run leaves the old text or the new.
fn write_in_place(path: &Path, previous: &str, text: &str) -> io::Result<Replaced> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut now = Zeroizing::new(Vec::with_capacity(previous.len() + 1));
    file.read_to_end(&mut now)?;
    if *now != previous.as_bytes() {
        return Ok(Replaced::ChangedMeanwhile);
    }
    let written = overwrite(&mut file, text, previous.len());
    if written.is_err() {
        // Restores as much of the old state as possible.
        let _as_it_was = overwrite(&mut file, previous, text.len());
    }
    written.map(|()| Replaced::Yes)
}

fn overwrite(file: &mut File, text: &str, at_least: usize) -> io::Result<()> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().max(at_least)));
    bytes.extend_from_slice(text.as_bytes());
    let padded = bytes.len().max(at_least);
    bytes.resize(padded, b'\n');
    file.rewind()?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    /// `path` holds `theirs` although `previous` was read.
    fn put(theirs: &str) -> (Replaced, String, usize) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        fs::write(&path, theirs).unwrap();
        let mut new = NamedTempFile::new_in(home.path()).unwrap();
        new.write_all(b"new").unwrap();
        let replaced = put_over(new, &path, "previous", "new").unwrap();
        let files = fs::read_dir(home.path()).unwrap().count();
        (replaced, fs::read_to_string(path).unwrap(), files)
    }

    #[test]
    fn what_came_after_the_comparison_stays() {
        assert_eq!(put("previous"), (Replaced::Yes, "new".into(), 1));
        assert_eq!(put("theirs"), (Replaced::ChangedMeanwhile, "theirs".into(), 1));
    }

    #[test]
    fn a_new_file_goes_over_none_that_came_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        let new = || {
            let mut new = NamedTempFile::new_in(home.path()).unwrap();
            new.write_all(b"new").unwrap();
            new
        };
        assert_eq!(put_new(new(), &path).unwrap(), Replaced::Yes);
        fs::write(&path, "theirs").unwrap();
        assert_eq!(put_new(new(), &path).unwrap(), Replaced::ChangedMeanwhile);
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert!(put_new(new(), &home.path().join("none/config.json")).is_err());
    }

    #[test]
    fn a_mount_point_is_written_in_place_if_it_holds_what_was_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        for (previous, text) in [("longer", "x"), ("x", "longer"), ("a", "a")] {
            fs::write(&path, previous).unwrap();
            assert_eq!(write_in_place(&path, previous, text).unwrap(), Replaced::Yes);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(write_in_place(&path, "b", "c").unwrap(), Replaced::ChangedMeanwhile);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
