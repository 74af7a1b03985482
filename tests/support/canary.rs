//! A canary: a secret that must not turn up anywhere, in any form, after a scenario.
//!
//! ```ignore
//! let canary = Canary::new(password);
//! let watch = canary.watch(); // arguments and environment of every process from here on
//! // ... the scenario ...
//! canary.scan().processes(watch).root(home).text("docker login", &output).assert_clean();
//! ```

#[path = "canary/forms.rs"]
mod forms;
#[path = "canary/processes.rs"]
mod processes;
#[cfg(test)]
#[path = "canary/tests.rs"]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use forms::Forms;
pub use processes::Watch;

/// How much of a file is in memory at a time.
const CHUNK: usize = 256 * 1024;

/// The secret, in all the forms in which a program might have written it down.
pub struct Canary(Arc<Forms>);

/// A place where the secret was found, and in which form; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// A file, a process or a named text.
    pub place: String,
    /// How it was written: `plain`, `base64 of ...`.
    pub form: String,
}

/// One search over files, texts and processes.
pub struct Scan {
    forms: Arc<Forms>,
    report: Report,
}

/// What was searched, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Regular files that were read to their end.
    pub files: usize,
    /// Bytes of those files, of the texts, and of arguments and environments.
    pub bytes: u64,
    /// Processes whose arguments and environment were read.
    pub processes: usize,
    /// Every copy.
    pub hits: Vec<Hit>,
    /// What could not be searched: as bad as a hit.
    pub unread: Vec<String>,
}

impl Canary {
    /// Makes every form of `secret`, which must be long enough not to occur by chance.
    pub fn new(secret: &str) -> Self {
        assert!(secret.len() >= 8, "a canary of under 8 bytes would be found everywhere");
        Self(Arc::new(Forms::of(secret)))
    }

    /// Begins to sample the arguments and the environment of every process of the machine.
    pub fn watch(&self) -> Watch {
        Watch::start(self.0.clone())
    }

    /// Begins a search.
    pub fn scan(&self) -> Scan {
        Scan { forms: self.0.clone(), report: Report::default() }
    }
}

impl Scan {
    /// Searches a file, or all files under a directory, names and link targets included.
    /// Links are not followed; sockets, pipes and devices are left out.
    pub fn root(mut self, root: &Path) -> Self {
        if let Err(error) = fs::symlink_metadata(root) {
            self.report.unread.push(format!("{}: {error}", root.display()));
        } else {
            self.visit(root);
        }
        self
    }

    /// Searches something that a program said: an output, a log, a journal.
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.report.bytes += text.len() as u64;
        self.search(name, text.as_bytes());
        self
    }

    /// Takes in what the watch has seen so far, and ends it.
    pub fn processes(mut self, watch: Watch) -> Self {
        let seen = watch.finish();
        self.report.processes += seen.processes;
        self.report.bytes += seen.bytes;
        self.report.hits.extend(seen.hits);
        self
    }

    /// What was found.
    pub fn report(self) -> Report {
        self.report
    }

    /// Panics, naming the places, unless all was searched and nothing found.
    #[track_caller]
    pub fn assert_clean(self) -> Report {
        let report = self.report;
        assert!(report.hits.is_empty() && report.unread.is_empty(), "{report}: {report:?}");
        assert!(report.bytes > 0, "the canary scan was given nothing to search");
        report
    }

    fn visit(&mut self, path: &Path) {
        self.search(&format!("the name {}", path.display()), path.as_os_str().as_bytes());
        if let Err(error) = self.read(path)
            // What is deleted meanwhile is no trace; all else that cannot be read might be one.
            && error.kind() != ErrorKind::NotFound
        {
            self.report.unread.push(format!("{}: {error}", path.display()));
        }
    }

    fn read(&mut self, path: &Path) -> io::Result<()> {
        let kind = fs::symlink_metadata(path)?.file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(path)? {
                self.visit(&entry?.path());
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(path)?;
            self.search(&format!("the link {}", path.display()), target.as_os_str().as_bytes());
        } else if kind.is_file() {
            self.report.bytes += self.search_stream(path)?;
            self.report.files += 1;
        }
        Ok(())
    }

    fn search_stream(&mut self, path: &Path) -> io::Result<u64> {
        let (mut file, mut total) = (File::open(path)?, 0);
        let mut buffer = Vec::new();
        loop {
            let kept = buffer.len();
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut buffer)?;
            if read == 0 {
                return Ok(total);
            }
            total += read as u64;
            let place = path.display().to_string();
            // A copy that ends in the part kept from before has been counted already.
            self.forms.find(&buffer, kept, |form| self.report.hits.push(Hit::new(&place, form)));
            buffer.drain(..buffer.len().saturating_sub(self.forms.longest() - 1));
        }
    }

    fn search(&mut self, place: &str, bytes: &[u8]) {
        self.forms.find(bytes, 0, |form| self.report.hits.push(Hit::new(place, form)));
    }
}

impl Hit {
    fn new(place: &str, form: &str) -> Self {
        Self { place: place.to_owned(), form: form.to_owned() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, processes, hits, unread } = self;
        write!(
            f,
            "{} copies in {files} files, {processes} processes, {bytes} bytes; {} not searched",
            hits.len(),
            unread.len()
        )
    }
}
