//! `status`: what is logged in where, until when, and whether it still works.

use jiff::Timestamp;

use super::outcomes::{no_logins, note_new, worst};
use super::streams::Streams;
use crate::cli::Status;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::logins::survey::Surveyed;
use crate::server_url::ServerUrl;

mod check;
mod json;
mod renew;
mod row;
mod text;
mod times;

use row::Row;

pub(super) fn run(
    status: &Status,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let not_renewed = match status.renew {
        true => renew::all(status.server.as_deref(), logins)?,
        false => Vec::new(),
    };
    let surveyed = match &status.server {
        Some(server) => of_server(server, status, logins)?,
        None => {
            let mut ours = of_profiles(status, logins, |all, _| Ok(all))?;
            let (others, _) = logins.survey_fallbacks(&ours);
            ours.extend(others);
            ours
        }
    };
    let mut rows: Vec<Row> = surveyed.into_iter().map(|login| Row { login, check: None }).collect();
    if status.check {
        check::all(&mut rows, logins);
    }
    if status.json {
        let profile = (!status.all_profiles).then_some(logins.settings.profile.as_str());
        streams.print_json(&json::of(profile, &rows))?;
    } else {
        let now = Timestamp::now();
        let lines = match &status.server {
            Some(_) => text::details(&rows, status.all_profiles, now),
            None if rows.is_empty() && !status.all_profiles => vec![no_logins(logins)?],
            None => text::table(&rows, status.all_profiles, now),
        };
        streams.print(&lines.join("\n"))?;
    }
    let soon = expiring(status, &rows);
    conclude(status, rows, not_renewed, logins)?;
    soon.map_or(Ok(()), Err)
}

/// What is known of the logins of one profile, or of all, each as it is chosen from.
fn of_profiles(
    status: &Status,
    logins: &mut Logins<'_>,
    choose: impl Fn(Vec<Surveyed>, &Logins<'_>) -> Result<Vec<Surveyed>>,
) -> Result<Vec<Surveyed>> {
    let own = logins.settings.profile.clone();
    let profiles = if status.all_profiles { logins.profiles()? } else { [own.clone()].into() };
    let mut surveyed = Vec::new();
    for profile in profiles {
        logins.settings.profile = profile;
        let records = logins.all()?;
        surveyed.extend(choose(logins.survey(&records), logins)?);
    }
    logins.settings.profile = own;
    Ok(surveyed)
}

/// The logins that a `get` for this server URL would answer; in the fallback, where none is here.
fn of_server(server: &str, status: &Status, logins: &mut Logins<'_>) -> Result<Vec<Surveyed>> {
    let url = ServerUrl::parse(server)?;
    let found =
        of_profiles(status, logins, |all, logins| match logins.surveyed_login(all, server) {
            Err(none) if none.kind == Kind::NotLoggedIn => Ok(Vec::new()),
            found => found,
        })?;
    if !found.is_empty() {
        return Ok(found);
    }
    let (mut others, unread) = logins.survey_fallbacks(&[]);
    others.retain(|login| login.record.key == url.key());
    if !others.is_empty() {
        return Ok(others);
    }
    let error = logins.find_login(server).err();
    let error = error.unwrap_or_else(|| {
        Error::new(Kind::NotLoggedIn, format!("the login for {server} was just removed"))
    });
    let error = match error.kind {
        Kind::NotLoggedIn => logins.name_others(&url, error),
        _ => error,
    };
    match logins.settings.fallback_for(&url).filter(|name| unread.contains(name)) {
        // A login that was handed to the fallback succeeded, and clients find it: it must not look
        // lost.
        Some(name) if error.kind == Kind::NotLoggedIn => {
            let fact = format!("{} here; {name} may have it", error.fact);
            Err(Error { fact, ..error })
        }
        _ => Err(error),
    }
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
    Some(Error::new(Kind::Other, fact).log_in_again())
}

/// Problems go to stderr; the exit status is that of the worst that was asked for.
fn conclude(
    status: &Status,
    rows: Vec<Row>,
    mut asked: Vec<Error>,
    logins: &mut Logins<'_>,
) -> Result<()> {
    let mut noted = Vec::new();
    let own = logins.settings.profile.clone();
    for (at, Row { login, check }) in rows.into_iter().enumerate() {
        // Of all logins, one that is gone is a fact to show; of the one that was named it is the
        // answer, and so is what a token server said.
        let is_answer = check.is_some() || (status.server.is_some() && at == 0);
        let Some(error) = check.map_or_else(|| login.trouble(), Result::err) else { continue };
        let profile = &login.record.profile;
        let error = match *profile == own {
            true => error,
            false => Error { fact: format!("profile {profile}: {}", error.fact), ..error },
        };
        if is_answer { asked.push(error) } else { noted.push(error.to_string()) }
    }
    // What is the answer as well is said as that.
    let mut said: Vec<String> = asked.iter().map(ToString::to_string).collect();
    note_new(noted.into_iter(), &mut said, logins);
    worst(asked, &[Kind::Rejected, Kind::Network], logins)
}
