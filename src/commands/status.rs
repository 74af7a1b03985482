//! `status`: what is logged in where, until when, and whether it still works.

use jiff::Timestamp;

use super::{Streams, worst};
use crate::cli::Status;
use crate::error::{Error, Kind, Result};
use crate::keychain::KeychainName;
use crate::logins::Logins;
use crate::logins::survey::{State, Surveyed};
use crate::server_url::ServerUrl;
use crate::text::shell_word;

mod check;
mod json;
mod text;
mod times;

/// One login as it is shown.
struct Row {
    login: Surveyed,
    /// What the token server said, if it was asked.
    check: Option<Result<()>>,
}

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
        streams.print(&json::of(&logins.settings.profile, &rows)?)?;
    } else {
        let now = Timestamp::now();
        let lines = match &status.server {
            Some(_) => text::details(&rows, now),
            None => text::table(&rows, now),
        };
        streams.print(&lines.join("\n"))?;
    }
    conclude(status, rows, logins)
}

/// What is wrong goes to stderr; the exit status is that of the worst that was asked for.
fn conclude(status: &Status, rows: Vec<Row>, logins: &mut Logins<'_>) -> Result<()> {
    let (mut asked, mut noted) = (Vec::new(), Vec::new());
    for (at, Row { login, check }) in rows.into_iter().enumerate() {
        // Of all logins, one that is gone is a fact to show; of the one that was named it is the
        // answer, and so is what a token server said.
        let is_answer = check.is_some() || (status.server.is_some() && at == 0);
        let Some(error) = check.map_or_else(|| trouble(&login), Result::err) else { continue };
        if is_answer { asked.push(error) } else { noted.push(error.to_string()) }
    }
    // One locked keychain has many logins.
    noted.dedup();
    for note in noted {
        logins.note(&note);
    }
    worst(asked, &[Kind::Rejected, Kind::Network], logins)
}

/// A login that was handed on succeeded, and clients find it: it must not look lost.
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

/// What a move left behind, and the command that ends it.
pub(super) fn former(login: &Surveyed, now: &KeychainName) -> (String, String) {
    let (server, keychain) = (&login.record.server_url, &login.record.keychain);
    let message = format!("{keychain} still has a former token of {server}, now in {now}");
    let server = shell_word(server);
    (message, format!("docker-credential-refresh migrate --to {now} {server}"))
}

/// What is wrong with a login as far as this machine knows.
fn trouble(login: &Surveyed) -> Option<Error> {
    let (server, keychain) = (&login.record.server_url, &login.record.keychain);
    let log_in = format!("log in again with: docker-credential-refresh login {server}");
    match &login.state {
        State::Kept => None,
        State::Gone => {
            let message = format!("the login for {server} is gone from {keychain}");
            Some(Error::new(Kind::NotLoggedIn, message).hint(log_in))
        }
        State::Unrecorded => {
            let message = format!(
                "{keychain} has an entry for {server} without a record; no client finds it"
            );
            Some(Error::new(Kind::NotLoggedIn, message).hint(log_in))
        }
        State::Former(now) => {
            let (message, finish) = former(login, now);
            Some(Error::new(Kind::Other, message).hint(format!("finish with: {finish}")))
        }
        State::Unreadable(why) => Some(Error::new(Kind::Keychain, why.clone())),
    }
}
