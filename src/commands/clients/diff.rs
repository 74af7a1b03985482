//! What was changed, as a small diff. It shows settings, never the text of a file: a password could
//! be on the same line.

use std::path::{Path, PathBuf};

use crate::commands::clients::found_login::FoundLogin;
use crate::docker_config::{Previous, Setting};
use crate::settings::OwnSetting;
use crate::text::printable;

/// The changed lines of each file, in the order of the changes.
#[derive(Debug, Default)]
pub struct Diff {
    files: Vec<(PathBuf, Vec<String>)>,
}

impl Diff {
    /// A setting of docker's.
    pub fn setting(&mut self, file: &Path, setting: &Setting, old: &Previous, new: &Previous) {
        let line = |said: &Previous| {
            let value = match said {
                Previous::Absent => return None,
                Previous::Null => "null".to_owned(),
                Previous::Text(text) => format!("{text:?}"),
            };
            Some(match setting {
                Setting::Store => format!("\"credsStore\": {value}"),
                Setting::Helper(host) => format!("\"credHelpers\": {{{host:?}: {value}}}"),
            })
        };
        self.replaced(file, line(old), line(new));
    }

    /// One of our own settings.
    pub fn own(
        &mut self,
        file: &Path,
        setting: OwnSetting,
        key: Option<&str>,
        old: Option<&str>,
        new: Option<&str>,
    ) {
        let section = key.map_or(String::new(), |key| format!("[registry.{key:?}] "));
        let line = |value: &str| format!("{section}{} = {value:?}", setting.name());
        self.replaced(file, old.map(line), new.map(line));
    }

    /// A login that was removed from a file.
    pub fn login_removed(&mut self, found: &FoundLogin) {
        let line = format!("\"auths\": {{{:?}: ...}}", found.server_url);
        self.replaced(Path::new(&found.place()), Some(line), None);
    }

    /// A line of a file that was created.
    pub fn added(&mut self, file: &Path, line: &str) {
        self.replaced(file, None, Some(line.to_owned()));
    }

    /// A line of a file that was deleted.
    pub fn deleted(&mut self, file: &Path, line: &str) {
        self.replaced(file, Some(line.to_owned()), None);
    }

    /// Drops what was said about a file.
    pub fn forget(&mut self, file: &Path) {
        self.files.retain(|(name, _)| name != file);
    }

    /// All of it, or `nothing` where nothing was changed.
    pub fn shown(&self, nothing: &str) -> String {
        let all = self.lines();
        if all.is_empty() { nothing.to_owned() } else { all.join("\n") }
    }

    /// The same, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (file, lines) in &self.files {
            all.push(printable(&file.display().to_string(), usize::MAX));
            all.extend(lines.iter().map(|line| printable(line, usize::MAX)));
        }
        all
    }

    fn replaced(&mut self, file: &Path, old: Option<String>, new: Option<String>) {
        if old == new {
            return;
        }
        let at = self.files.iter().position(|(name, _)| name == file).unwrap_or_else(|| {
            self.files.push((file.to_owned(), Vec::new()));
            self.files.len() - 1
        });
        let lines = &mut self.files[at].1;
        lines.extend(old.map(|line| format!("- {line}")));
        lines.extend(new.map(|line| format!("+ {line}")));
    }
}
