//! Programs made by tests.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes a program of a text, by another process: a test that starts a program at this moment would
/// hold ours open for writing, and then it cannot be run (ETXTBSY).
pub fn make(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).unwrap();
    let made = Command::new("install").args(["-m", "755"]).arg(&draft).arg(path).status();
    assert!(made.unwrap().success());
    fs::remove_file(draft).unwrap();
}
