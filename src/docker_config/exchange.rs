//! Putting a file over one that another program may replace at any moment.
//!
//! Between a comparison and a rename another program's file can come, and would be lost. So the two files
//! change names at once, and what was there is looked at afterwards: if it is not what was expected, it
//! goes back.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use super::read::read;
use crate::files::atomic::put_in_place;

/// How often something else may come in between.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const ATTEMPTS: usize = 100;

/// Whether a file was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It holds the new text.
    Yes,
    /// Somebody else wrote to it since it was read: nothing was done.
    ChangedMeanwhile,
}

/// Puts `new`, which holds `text`, over the file at `path` if that holds `former`.
///
/// A file that is a mount point of its own has no name that could be changed: it is written in place.
pub(super) fn put_over(
    new: NamedTempFile,
    path: &Path,
    former: &str,
    text: &str,
) -> io::Result<Replaced> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        // What is exchanged gets the name of a leftover: so it is locked as well. Not where nothing
        // is exchanged: Windows replaces no file that is open.
        let old = File::open(path)?;
        let _others_wait = old.try_lock();
        match exchange_names(new.path(), path) {
            Ok(()) => return look_again(new, path, former, text),
            Err(rustix::io::Errno::BUSY) => return write_in_place(path, former, text),
            // No file system has to know how: NFS, FUSE and others do not.
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP,
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match put_in_place(new, path) {
        Err(e) if e.kind() == io::ErrorKind::ResourceBusy => write_in_place(path, former, text),
        put => put.map(|()| Replaced::Yes),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange_names(one: &Path, other: &Path) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

/// `new` has the name of the temporary, and what was at `path` until now under it.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn look_again(new: NamedTempFile, path: &Path, former: &str, text: &str) -> io::Result<Replaced> {
    let taken = new.into_temp_path();
    let content = |result: io::Result<Option<Zeroizing<String>>>| result.ok().flatten();
    let mut found = content(read(&taken));
    if found.as_ref().is_some_and(|found| found.as_str() == former) {
        // An error, because a password may be left in it.
        return taken.close().map(|()| Replaced::Yes);
    }
    let mut put = Some(Zeroizing::new(text.to_owned()));
    for _ in 0..ATTEMPTS {
        exchange_names(&taken, path)?;
        let back = content(read(&taken));
        if back == put {
            return taken.close().map(|()| Replaced::ChangedMeanwhile);
        }
        // Yet another one came: it is newer than what was just put back.
        (put, found) = (found, back);
    }
    Err(io::Error::other("other programs keep writing to it"))
}

/// Not atomic for a reader at that moment. All goes in one write, as long as the old text, and what JSON
/// ends with may be white space: so a run that is killed leaves the old text or the new.
fn write_in_place(path: &Path, former: &str, text: &str) -> io::Result<Replaced> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut now = Zeroizing::new(Vec::with_capacity(former.len() + 1));
    file.read_to_end(&mut now)?;
    if *now != former.as_bytes() {
        return Ok(Replaced::ChangedMeanwhile);
    }
    let written = overwrite(&mut file, text, former.len());
    if written.is_err() {
        // As much as can be had of the old state.
        let _as_it_was = overwrite(&mut file, former, text.len());
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

    /// `path` holds `theirs` although `former` was read.
    fn put(theirs: &str) -> (Replaced, String, usize) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        fs::write(&path, theirs).unwrap();
        let mut new = NamedTempFile::new_in(home.path()).unwrap();
        new.write_all(b"new").unwrap();
        let replaced = put_over(new, &path, "former", "new").unwrap();
        let files = fs::read_dir(home.path()).unwrap().count();
        (replaced, fs::read_to_string(path).unwrap(), files)
    }

    #[test]
    fn what_came_after_the_comparison_stays() {
        assert_eq!(put("former"), (Replaced::Yes, "new".into(), 1));
        assert_eq!(put("theirs"), (Replaced::ChangedMeanwhile, "theirs".into(), 1));
    }

    #[test]
    fn a_mount_point_is_written_in_place_if_it_holds_what_was_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        for (former, text) in [("longer", "x"), ("x", "longer"), ("a", "a")] {
            fs::write(&path, former).unwrap();
            assert_eq!(write_in_place(&path, former, text).unwrap(), Replaced::Yes);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(write_in_place(&path, "b", "c").unwrap(), Replaced::ChangedMeanwhile);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
