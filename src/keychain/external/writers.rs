//! Writers to another helper, one at a time: Debian's `-pass` 0.6.4 damages an entry that two store at once,
//! and what is erased is looked for again. Readers hold no lock, since a helper may wait for a person; but one
//! that failed while somebody wrote reads again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::environment;
use crate::error::Remedy;
use crate::external_helper::HelperName;
use crate::files::private::{lock, make_private_directory, open_own};
use crate::keychain::error::Error;
use crate::keychain::name::KeychainName;
use crate::text::reason;

/// Those of this user to one helper.
pub(super) struct Writers {
    /// What they lock, and touch when they begin and end; none without a home directory.
    file: Option<PathBuf>,
    helper: HelperName,
    /// For a writer, which may wait for one that waits for a person.
    limit: Duration,
    /// For a reader.
    read_limit: Duration,
}

/// For as long as it is there, nobody else writes.
pub(super) struct Turn(Option<File>);

impl Writers {
    pub(super) fn to(helper: &HelperName, limit: Duration, read_limit: Duration) -> Self {
        // Next to the login records, which a writer changes as well.
        let directories = environment::directories();
        let directory = directories.as_ref().map(environment::state_directory);
        let file = directory.map(|directory| directory.join(format!("helper-{helper}.lock")));
        Self { file, helper: helper.clone(), limit, read_limit }
    }

    /// Waits for the others.
    ///
    /// # Errors
    /// `Unavailable` if they take too long, or if the file cannot be locked.
    pub(super) fn turn(&self) -> Result<Turn, Error> {
        let turn = Turn(self.lock(self.limit)?);
        turn.touch();
        Ok(turn)
    }

    /// Reads once more, while nobody writes, if it failed while somebody did.
    pub(super) fn read<T>(&self, read: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let before = self.last_touch();
        let outcome = read();
        let is_failure = matches!(outcome, Err(Error::Failed { .. }));
        if is_failure && (self.is_held() || self.last_touch() != before) {
            // Without a turn it would fail the same way.
            let Ok(_lock) = self.lock(self.read_limit) else { return outcome };
            return read();
        }
        outcome
    }

    fn lock(&self, limit: Duration) -> Result<Option<File>, Error> {
        let Some(file) = &self.file else { return Ok(None) };
        let directory = file.parent().expect("it is in a directory");
        let locked = make_private_directory(directory).and_then(|()| lock(file, limit));
        locked.map(Some).map_err(|e| {
            let why = match e.kind() {
                io::ErrorKind::TimedOut => {
                    format!("another process has written to it for {} s", limit.as_secs())
                }
                _ => format!("cannot lock {}: {}", file.display(), reason(&e)),
            };
            let keychain = KeychainName::Helper(self.helper.clone());
            Error::unavailable(&keychain, &why, Remedy::from("try again later"))
        })
    }

    fn last_touch(&self) -> Option<SystemTime> {
        fs::metadata(self.file.as_ref()?).and_then(|found| found.modified()).ok()
    }

    fn is_held(&self) -> bool {
        let opened = self.file.as_ref().map(|file| open_own(OpenOptions::new().read(true), file));
        let Some(Ok(file)) = opened else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

impl Turn {
    fn touch(&self) {
        // Otherwise a reader that fails does not read again.
        let _best_effort = self.0.as_ref().map(|file| file.set_modified(SystemTime::now()));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.touch();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn writers(folder: &tempfile::TempDir, limit: Duration) -> Writers {
        let helper = "odd".parse().unwrap();
        let file = Some(folder.path().join("made/odd.lock"));
        Writers { file, helper, limit, read_limit: limit }
    }

    #[test]
    fn what_fails_while_somebody_writes_is_read_once_more_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let writers = writers(&folder, Duration::from_secs(10));
        let failed = || Error::failed(&KeychainName::Kernel, "it is half written", "wait");
        let times = Cell::new(0);
        let read = |works_at: u32, meanwhile: &dyn Fn()| {
            times.set(0);
            let outcome = writers.read(|| {
                times.set(times.get() + 1);
                meanwhile();
                if times.get() >= works_at { Ok(()) } else { Err(failed()) }
            });
            (outcome.is_ok(), times.get())
        };
        assert_eq!(read(2, &|| ()), (false, 1), "nobody ever wrote");
        drop(writers.turn().unwrap());
        assert_eq!(read(2, &|| ()), (false, 1), "nobody writes");
        let wrote = || {
            if times.get() == 1 {
                drop(writers.turn().unwrap())
            }
        };
        assert_eq!(read(2, &wrote), (true, 2), "somebody wrote");
        assert_eq!(read(3, &wrote), (false, 2), "once more, and that is all");
        assert_eq!(read(1, &wrote), (true, 1));
        let turn = Cell::new(Some(writers.turn().unwrap()));
        std::thread::scope(|scope| {
            let ends = turn.take();
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                drop(ends);
            });
            assert_eq!(read(2, &|| ()), (true, 2), "it waits for one that writes");
        });
        let absent = writers.read(|| {
            drop(writers.turn().unwrap());
            Err::<(), _>(Error::Absent)
        });
        assert!(matches!(absent, Err(Error::Absent)));
    }

    #[test]
    fn a_writer_that_waits_too_long_says_so_and_a_reader_says_what_it_saw() {
        let folder = tempfile::tempdir().unwrap();
        let writers = writers(&folder, Duration::from_millis(50));
        let _turn = writers.turn().unwrap();
        let error = writers.turn().err().unwrap();
        assert!(
            error.is_out_of_reach() && error.to_string().contains("has written to it"),
            "{error}"
        );
        let saw =
            writers.read(|| Err::<(), _>(Error::failed(&KeychainName::Kernel, "odd", "wait")));
        assert!(saw.unwrap_err().to_string().contains("odd"));
        let none = Writers { file: None, ..writers };
        assert!(none.turn().is_ok(), "without a home there is nothing to wait for");
    }
}
