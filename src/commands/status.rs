//! `status`: what is logged in where, until when, and whether it still works.

use jiff::Timestamp;

use super::outcomes::worst;
use super::streams::Streams;
use crate::cli::Status;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::server_url::ServerUrl;

mod check;
mod json;
mod row;
mod text;
mod times;

use row::Row;

pub(super) fn run(
    status: &Status,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let records = logins.all()?;
    let mut surveyed = logins.survey(&records);
    if let Some(server) = &status.server {
        surveyed = logins
            .surveyed_login(surveyed, server)
            .map_err(|error| or_in_fallback(error, server, logins))?;
    }
    let mut rows: Vec<Row> = surveyed.into_iter().map(|login| Row { login, check: None }).collect();
    if status.check {
        check::all(&mut rows, logins);
    }
    if status.json {
        streams.print_json(&json::of(&logins.settings.profile, &rows))?;
    } else {
        let now = Timestamp::now();
        let lines = match &status.server {
            Some(_) => text::details(&rows, now),
            None => text::table(&rows, now),
        };
        streams.print(&lines.join("\n"))?;
    }
    let soon = expiring(status, &rows);
    conclude(status, rows, logins)?;
    soon.map_or(Ok(()), Err)
}

/// Which logins expire within the time that was asked about, or have expired.
fn expiring(status: &Status, rows: &[Row]) -> Option<Error> {
    let within = status.expires_within?;
    let records = rows.iter().filter(|row| row.login.state.is_recorded()).map(|r| &r.login.record);
    let is_soon = |at: Timestamp| at.duration_since(Timestamp::now()) <= within;
    let soon: Vec<_> = records
        .filter(|record| record.expires.is_some_and(is_soon))
        .map(|record| record.server_url.as_str())
        .collect();
    if soon.is_empty() {
        return None;
    }
    let fact = format!("logins that expire within that time: {}", soon.join(", "));
    Some(Error::new(Kind::Other, fact).hint("log in again"))
}

/// Problems go to stderr; the exit status is that of the worst that was asked for.
fn conclude(status: &Status, rows: Vec<Row>, logins: &mut Logins<'_>) -> Result<()> {
    let (mut asked, mut noted) = (Vec::new(), Vec::new());
    for (at, Row { login, check }) in rows.into_iter().enumerate() {
        // Of all logins, one that is gone is a fact to show; of the one that was named it is the
        // answer, and so is what a token server said.
        let is_answer = check.is_some() || (status.server.is_some() && at == 0);
        let Some(error) = check.map_or_else(|| login.trouble(), Result::err) else { continue };
        if is_answer { asked.push(error) } else { noted.push(error.to_string()) }
    }
    // One locked keychain has many logins.
    noted.dedup();
    for note in noted {
        logins.note(&note);
    }
    worst(asked, &[Kind::Rejected, Kind::Network], logins)
}

/// A login that was handed to the fallback succeeded, and clients find it: it must not look lost.
fn or_in_fallback(error: Error, server: &str, logins: &Logins<'_>) -> Error {
    let url = ServerUrl::parse(server).ok();
    match url.and_then(|url| logins.settings.fallback_for(&url)) {
        Some(name) if error.kind == Kind::NotLoggedIn => {
            let message = format!("{} here; {name} may have it", error.fact);
            Error { fact: message, ..error }
        }
        _ => error,
    }
}
