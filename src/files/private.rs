//! Files that belong to this user alone: the login records, and the files of the `file` keychain.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::owner::check_owner;

/// Waits for the lock on a file, which is created if there is none; dropping the file releases it.
///
/// # Errors
/// `TimedOut` if another process holds it all the time, and those of [`open_own`].
pub(crate) fn lock(path: &Path, deadline: Duration) -> io::Result<File> {
    let lock =
        open_own(OpenOptions::new().read(true).write(true).create(true).truncate(false), path)?;
    make_private(&lock)?;
    match lock.try_lock() {
        Ok(()) => return Ok(lock),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(e)) => return Err(e),
    }
    // The system serves waiters in the order they came, while one that polls may never get it. Such a
    // wait has no time limit, but the thread that does it can be left behind.
    let (outcome, waited) = mpsc::channel();
    let waiting = lock.try_clone()?;
    thread::Builder::new().spawn(move || outcome.send(waiting.lock()))?;
    match waited.recv_timeout(deadline) {
        Ok(outcome) => outcome.map(|()| lock),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Opens a regular file of our own; a symlink, FIFO, directory or another owner's file is refused.
pub(crate) fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path).map_err(|e| match path.symlink_metadata() {
        // The system reports too many levels of them.
        Ok(found) if found.is_symlink() => io::Error::other("it is a symbolic link"),
        _ => e,
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    check_owner(path, &found)?;
    Ok(file)
}

/// Creates a directory that only this user can access, or restricts an existing one.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Some(parent) = path.parent() {
        builder.recursive(true).create(parent)?;
    }
    let made = match builder.recursive(false).create(path) {
        Ok(()) => true,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => false,
        Err(e) => return Err(e),
    };
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::other("it is not a directory"));
    }
    check_owner(path, &found)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A umask may take away the owner's own rights; and an existing one may have given others some.
        if made || found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    #[cfg(not(unix))]
    let _unused = made;
    Ok(())
}

/// Gives only the owner access to a file, whatever the umask made of its mode.
pub(crate) fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _unused = file;
    Ok(())
}
