//! The table of all logins, and all facts of one.

use jiff::Timestamp;

use super::row::Row;
use super::times::relative;
use crate::error::Result;
use crate::keychain::Lifetime;
use crate::login_record::{Credential, LoginRecord, Verdict};
use crate::logins;
use crate::logins::survey::State;
use crate::text::printable;
use crate::text::table::{cell, table_within};
use crate::token_api::MintedToken;

/// The table's maximum width.
const WIDTH: usize = 100;
/// Server, account and keychain are shortened when it is too wide.
const GIVING_WAY: usize = 3;

/// One line for each login, after a heading; with its profile, where all are shown.
pub(super) fn table(rows: &[Row], all_profiles: bool, now: Timestamp) -> Vec<String> {
    if rows.is_empty() {
        return vec!["No logins".to_owned()];
    }
    let heading = ["SERVER", "ACCOUNT", "KEYCHAIN", "KEPT UNTIL", "SINCE", "EXPIRES", "STATE"];
    let cells = rows.iter().map(|row| {
        let record = &row.login.record;
        let recorded = row.login.state.is_recorded();
        [
            cell(&record.server_url),
            cell(&record.account),
            cell(&place(row)),
            cell(row.login.lifetime.map(Lifetime::until).unwrap_or_default()),
            cell(&if recorded { relative(record.since, now) } else { String::new() }),
            cell(&record.expires.map(|at| relative(at, now)).unwrap_or_default()),
            state(row, now),
        ]
    });
    let lines: Vec<[String; 7]> = [heading.map(str::to_owned)].into_iter().chain(cells).collect();
    if !all_profiles {
        return table_within(&lines, WIDTH, GIVING_WAY);
    }
    let profiles = rows.iter().map(|row| cell(profile(row).unwrap_or_default()));
    let profiles = ["PROFILE".to_owned()].into_iter().chain(profiles);
    let lines: Vec<[String; 8]> = profiles
        .zip(lines)
        .map(|(profile, [a, b, c, d, e, f, g])| [profile, a, b, c, d, e, f, g])
        .collect();
    table_within(&lines, WIDTH, GIVING_WAY + 1)
}

/// The fallback knows no profiles.
pub(super) fn profile(row: &Row) -> Option<&str> {
    match row.login.state {
        State::InFallback(_) => None,
        _ => Some(&row.login.record.profile),
    }
}

/// The keychain, or the fallback.
fn place(row: &Row) -> String {
    match &row.login.state {
        State::InFallback(helper) => helper.to_string(),
        _ => row.login.record.keychain.to_string(),
    }
}

/// One fact per line, for each of the logins.
pub(super) fn details(rows: &[Row], all_profiles: bool, now: Timestamp) -> Vec<String> {
    let exact = |at: Timestamp| format!("{} ({at:.0})", relative(at, now));
    let mut lines = Vec::new();
    for row in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let record = &row.login.record;
        let recorded = row.login.state.is_recorded();
        let facts = [
            ("Profile", profile(row).filter(|_| all_profiles).map(str::to_owned)),
            ("Server", Some(record.server_url.clone())),
            ("Account", Some(record.account.clone())),
            ("Kind", Some(kind(row).to_owned())),
            ("Minted by", record.minted.as_ref().map(minted_by)),
            ("Keychain", Some(place(row))),
            ("Kept until", row.login.lifetime.map(|lifetime| lifetime.until().to_owned())),
            ("State", Some(state(row, now))),
            (
                "Last check",
                record.checked.map(|last| format!("{}, {}", last.result, exact(last.at))),
            ),
            ("Since", recorded.then(|| exact(record.since))),
            ("Expires", record.expires.map(exact)),
            ("Realm", record.realm.clone()),
            ("Service", record.service.clone()),
            ("Obtained as", record.obtained_as.clone()),
            ("Proven as", record.proven_as.clone()),
        ];
        for (name, value) in facts {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                lines.push(format!("{:<13}{}", format!("{name}:"), printable(&value, 2048)));
            }
        }
    }
    lines
}

/// What kind of secret it is, where that is known.
fn kind(row: &Row) -> &'static str {
    let record = &row.login.record;
    match record.credential {
        _ if matches!(row.login.state, State::InFallback(_)) => "",
        Credential::RefreshToken if record.is_docker_hub_oauth() => "Docker's own OAuth token",
        Credential::RefreshToken => "refresh token",
        Credential::PersonalToken if record.minted.is_some() => "minted token",
        Credential::PersonalToken => "personal token",
        Credential::Unknown => "",
    }
}

/// By which API, where it is, and what to look for on the registry's page.
fn minted_by(token: &MintedToken) -> String {
    let MintedToken { api, url, id, name } = token;
    format!("the API of {api} at {url}, as {name:?} (id {id})")
}

/// One word for what the token server said.
pub(super) fn verdict(outcome: &Result<()>) -> String {
    let word = match outcome {
        Ok(()) => Some(Verdict::Valid),
        Err(error) => logins::verdict(error),
    };
    word.map_or_else(|| "failed".to_owned(), |word| word.to_string())
}

fn state(row: &Row, now: Timestamp) -> String {
    let record = &row.login.record;
    let word = match (&row.login.state, &row.check) {
        (State::Gone, _) => "gone",
        (State::Unrecorded, _) => "no record",
        (State::Previous(_), _) => "previous token",
        (State::InFallback(_), _) => "in fallback",
        (State::Unreadable(_), Some(Err(error))) if logins::verdict(error).is_none() => {
            "unreadable"
        }
        (_, Some(outcome)) => return verdict(outcome),
        (State::Unreadable(_), None) => "unreadable",
        (State::Kept, None) => return last_known(record, now),
    };
    word.to_owned()
}

/// Of a login that nobody has asked about now.
fn last_known(record: &LoginRecord, now: Timestamp) -> String {
    let is_expired = record.expires.is_some_and(|at| at < now);
    match record.checked {
        // By its own date it may be dead since, and cannot have come to life.
        Some(last) if !is_expired || last.result == Verdict::Rejected => {
            format!("{} {}", last.result, relative(last.at, now))
        }
        _ if is_expired => "expired".to_owned(),
        _ if record.minted.is_some() => "minted token".to_owned(),
        _ if record.credential == Credential::PersonalToken => "personal token".to_owned(),
        _ if record.proven => "proven".to_owned(),
        _ => "unproven".to_owned(),
    }
}
