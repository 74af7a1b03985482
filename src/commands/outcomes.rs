//! What became of each login, where a command works on several.

use crate::error::{Error, Kind, Result};
use crate::keychain::DEFAULT_PROFILE;
use crate::logins::Logins;
use crate::text::table::{cell, table};

/// All were tried; the exit status is that of the worst, in this order, and the others are noted. What
/// several logins have in common, such as a locked keychain, is said once.
pub(super) fn worst(mut errors: Vec<Error>, order: &[Kind], logins: &mut Logins<'_>) -> Result<()> {
    let rank = |error: &Error| order.iter().position(|kind| *kind == error.kind);
    errors.sort_by_key(|error| rank(error).unwrap_or(order.len()));
    let mut errors = errors.into_iter();
    let Some(worst) = errors.next() else { return Ok(()) };
    let mut said = vec![worst.to_string()];
    note_new(errors.map(|error| error.to_string()), &mut said, logins);
    Err(worst)
}

/// Tells what has not been said yet.
pub(super) fn note_new(
    notes: impl Iterator<Item = String>,
    said: &mut Vec<String>,
    logins: &mut Logins<'_>,
) {
    for note in notes {
        if !said.contains(&note) {
            logins.note(&note);
            said.push(note);
        }
    }
}

/// That the profile has no logins, and which ones have some: its name may be mistyped.
pub(super) fn no_logins(logins: &mut Logins<'_>) -> Result<String> {
    let mut others = logins.profiles()?;
    let own = &logins.settings.profile;
    others.remove(own);
    let others = Vec::from_iter(others);
    Ok(match (own.as_str(), &others[..]) {
        (DEFAULT_PROFILE, []) => "No logins".to_owned(),
        (own, []) => format!("Profile {own} has no logins"),
        (own, others) => {
            format!("Profile {own} has no logins; there are some in: {}", others.join(", "))
        }
    })
}

/// In columns under a heading.
pub(super) fn outcome_table<'a>(rows: impl Iterator<Item = [&'a str; 3]>) -> String {
    let rows = std::iter::once(["SERVER", "ACCOUNT", "OUTCOME"]).chain(rows);
    let rows: Vec<_> = rows.map(|row| row.map(cell)).collect();
    table(&rows).join("\n")
}
