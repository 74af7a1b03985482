//! What was found, and what to do about it.

use std::fmt::Display;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::text::printable;

/// A line is to be read; what a system says in more is cut.
const MAX_CHARS: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Ok,
    Warn,
    Fail,
    Skip,
}

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    message: String,
    remedy: Option<String>,
}

/// All findings, in the order in which they were made.
#[derive(Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    /// As it should be.
    pub(super) fn ok(&mut self, check: &'static str, message: impl Display) {
        self.add(check, Status::Ok, &message, None);
    }

    /// Works, but not as well as it could.
    pub(super) fn warn(
        &mut self,
        check: &'static str,
        message: impl Display,
        remedy: impl Display,
    ) {
        self.add(check, Status::Warn, &message, Some(&remedy));
    }

    /// Keeps a login from working, or a secret from being safe.
    pub(super) fn fail(
        &mut self,
        check: &'static str,
        message: impl Display,
        remedy: impl Display,
    ) {
        self.add(check, Status::Fail, &message, Some(&remedy));
    }

    /// Failed with an error, which may have a better remedy than this one.
    pub(super) fn error(&mut self, check: &'static str, error: &Error, remedy: &str) {
        match &error.remedy {
            Some(better) => self.fail(check, &error.fact, better),
            None => self.fail(check, &error.fact, remedy),
        }
    }

    /// Could not be looked at, or need not be.
    pub(super) fn skip(
        &mut self,
        check: &'static str,
        message: impl Display,
        remedy: impl Display,
    ) {
        self.add(check, Status::Skip, &message, Some(&remedy));
    }

    fn add(
        &mut self,
        check: &'static str,
        status: Status,
        message: &dyn Display,
        remedy: Option<&dyn Display>,
    ) {
        let shown = |text: &dyn Display| printable(&text.to_string(), MAX_CHARS);
        let (message, remedy) = (shown(message), remedy.map(shown));
        self.0.push(Finding { check, status, message, remedy });
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.count(Status::Fail)
    }

    fn count(&self, status: Status) -> usize {
        self.0.iter().filter(|finding| finding.status == status).count()
    }

    /// For a person: a line for each, and one more for the remedy.
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for Finding { check, status, message, remedy } in &self.0 {
            let word = match status {
                Status::Ok => "OK",
                Status::Warn => "WARN",
                Status::Fail => "FAIL",
                Status::Skip => "SKIP",
            };
            lines.push(format!("{word:<5} {check}: {message}"));
            lines.extend(remedy.as_ref().map(|remedy| format!("      -> {remedy}")));
        }
        lines.join("\n")
    }

    /// For a script.
    pub(super) fn json(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Answer<'a> {
            checks: &'a [Finding],
            failed: usize,
            warned: usize,
        }
        let (failed, warned) = (self.failed(), self.count(Status::Warn));
        serde_json::to_string(&Answer { checks: &self.0, failed, warned })
            .map_err(|e| Error::new(Kind::Other, format!("cannot write JSON: {e}")))
    }
}
