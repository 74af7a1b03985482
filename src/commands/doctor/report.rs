//! What was found, and what to do about it.

use std::fmt::Display;

use serde::Serialize;

use crate::error::{Error, Remedy};
use crate::text::printable;

/// A line should be readable; a longer system message is cut.
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

/// Whether the login of the registry that was named works.
pub(super) const LOGIN: &str = "login";

/// Where an error has no remedy of its own.
pub(super) const LATER: &str = "try again later";

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

    /// What an error says, where it does not keep a login from working.
    pub(super) fn warning(&mut self, check: &'static str, error: &Error) {
        self.warn(check, &error.fact, worded(error, LATER));
    }

    /// Failed with an error, which may have a better remedy than this one.
    pub(super) fn error(&mut self, check: &'static str, error: &Error, remedy: &str) {
        self.fail(check, &error.fact, worded(error, remedy));
    }

    /// Could not be checked, or need not be.
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

    /// The first thing to do: about what fails, else about what could be better, else to log in.
    fn next(&self) -> Option<&Finding> {
        let first = |status| self.0.iter().find(|finding| finding.status == status);
        let log_in = || {
            self.0.iter().find(|finding| finding.check == LOGIN && finding.status == Status::Skip)
        };
        first(Status::Fail).or_else(|| first(Status::Warn)).or_else(log_in)
    }

    /// For a person: a line for each, one more for the remedy, and what to do first.
    pub(super) fn text(&self, colour: bool) -> String {
        let mut lines = Vec::new();
        for Finding { check, status, message, remedy } in &self.0 {
            let word = match status {
                Status::Ok => "OK",
                Status::Warn => "WARN",
                Status::Fail => "FAIL",
                Status::Skip => "SKIP",
            };
            let word = format!("{word:<5}");
            let word = if colour { painted(*status, &word) } else { word };
            lines.push(format!("{word} {check}: {message}"));
            lines.extend(remedy.as_ref().map(|remedy| format!("      -> {remedy}")));
        }
        lines.push(match self.next() {
            Some(Finding { check, remedy, .. }) => {
                format!("First: {} ({check})", remedy.as_deref().unwrap_or(LATER))
            }
            None => "Nothing to do".to_owned(),
        });
        lines.join("\n")
    }

    /// For a script.
    pub(super) fn json(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Answer<'a> {
            checks: &'a [Finding],
            failed: usize,
            warned: usize,
            /// The first thing to do.
            first: Option<&'a str>,
        }
        let (failed, warned) = (self.failed(), self.count(Status::Warn));
        let first = self.next().and_then(|finding| finding.remedy.as_deref());
        Answer { checks: &self.0, failed, warned, first }
    }
}

/// In the colours that terminals have by number (ECMA-48, select graphic rendition).
fn painted(status: Status, word: &str) -> String {
    let colour = match status {
        Status::Ok => 32,
        Status::Warn => 33,
        Status::Fail => 31,
        Status::Skip => 2,
    };
    format!("\u{1b}[{colour}m{word}\u{1b}[0m")
}

/// A remedy is on a line of its own, so that a command can be copied as it is.
fn worded(error: &Error, otherwise: &str) -> String {
    match &error.remedy {
        None => otherwise.to_owned(),
        Some(Remedy::Run(command)) => command.clone(),
        Some(remedy) => remedy.to_string(),
    }
}
