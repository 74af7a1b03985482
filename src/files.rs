//! Files of ours: who may read them, and how one is replaced.

use std::io;
use std::path::Path;

use crate::error::{Error, Kind};
use crate::text::reason;

pub(crate) mod atomic;
pub(crate) mod private;

/// That a file or directory could not be read, written or whatever `what` says.
pub(crate) fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot {what} {}: {}", path.display(), reason(error)))
}
