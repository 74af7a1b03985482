//! What became of each login, where a command works on several.

use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::text::table::{cell, table};

/// All were tried; the exit status is that of the worst, in this order, and the others are noted.
pub(super) fn worst(mut errors: Vec<Error>, order: &[Kind], logins: &mut Logins<'_>) -> Result<()> {
    let rank = |error: &Error| order.iter().position(|kind| *kind == error.kind);
    errors.sort_by_key(|error| rank(error).unwrap_or(order.len()));
    let mut errors = errors.into_iter();
    let Some(worst) = errors.next() else { return Ok(()) };
    for other in errors {
        logins.note(&other.to_string());
    }
    Err(worst)
}

/// In columns under a heading.
pub(super) fn outcome_table<'a>(rows: impl Iterator<Item = [&'a str; 3]>) -> String {
    let rows = std::iter::once(["SERVER", "ACCOUNT", "OUTCOME"]).chain(rows);
    let rows: Vec<_> = rows.map(|row| row.map(cell)).collect();
    table(&rows).join("\n")
}
