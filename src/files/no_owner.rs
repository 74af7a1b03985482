//! Where files have no owner that matters here: nothing is another user's.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Remedy, Result};

pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) owner: String,
    pub(crate) remedy: Remedy,
}

pub(crate) fn remedy(_: &Path, _: &io::Error) -> Option<Remedy> {
    None
}

pub(crate) fn check_owner(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

pub(crate) fn this_user() -> String {
    String::new()
}

pub(crate) fn foreign_part(_: &Path) -> Option<Part> {
    None
}

pub(crate) fn foreign_home() -> Option<(PathBuf, String)> {
    None
}

pub(crate) fn before_writing() -> Result<Option<String>> {
    Ok(None)
}

pub(crate) fn warning_under_sudo() -> Option<String> {
    None
}
