//! Files of ours: who may read them, and how one is replaced.

use std::io;
use std::path::Path;

use crate::error::{Error, Kind};
use crate::text::reason;

pub(crate) mod atomic;
#[cfg(not(unix))]
#[path = "files/no_owner.rs"]
pub(crate) mod owner;
#[cfg(unix)]
pub(crate) mod owner;
pub(crate) mod private;

/// That a file or directory could not be read, written or whatever `what` says.
pub(crate) fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    let fact = format!("cannot {what} {}: {}", path.display(), reason(error));
    Error { remedy: owner::remedy(path, error), ..Error::new(Kind::Other, fact) }
}
