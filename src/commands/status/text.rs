//! The table of all logins, and all facts of one.

use jiff::Timestamp;

use super::row::Row;
use super::times::relative;
use crate::error::{Kind, Result};
use crate::keychain::Lifetime;
use crate::logins::survey::State;
use crate::text::printable;
use crate::text::table::{cell, table_within};

/// The table's maximum width.
const WIDTH: usize = 100;
/// Server, account and keychain are shortened when it is too wide.
const GIVING_WAY: usize = 3;

/// One line for each login, after a heading.
pub(super) fn table(rows: &[Row], now: Timestamp) -> Vec<String> {
    if rows.is_empty() {
        return vec!["No logins".to_owned()];
    }
    let heading = ["SERVER", "ACCOUNT", "KEYCHAIN", "KEPT UNTIL", "SINCE", "EXPIRES", "STATE"];
    let mut cells = vec![heading.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        let record = &row.login.record;
        let recorded = row.login.state.is_recorded();
        [
            cell(&record.server_url),
            cell(&record.account),
            cell(&record.keychain.to_string()),
            cell(row.login.lifetime.map(Lifetime::word).unwrap_or_default()),
            cell(&if recorded { relative(record.since, now) } else { String::new() }),
            cell(&record.expires.map(|at| relative(at, now)).unwrap_or_default()),
            state(row, now).to_owned(),
        ]
    }));
    table_within(&cells, WIDTH, GIVING_WAY)
}

/// One fact per line, for each of the logins.
pub(super) fn details(rows: &[Row], now: Timestamp) -> Vec<String> {
    let exact = |at: Timestamp| format!("{} ({at:.0})", relative(at, now));
    let mut lines = Vec::new();
    for row in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let record = &row.login.record;
        let recorded = row.login.state.is_recorded();
        let facts = [
            ("Server", Some(record.server_url.clone())),
            ("Account", Some(record.account.clone())),
            ("Keychain", Some(record.keychain.to_string())),
            ("Kept until", row.login.lifetime.map(|lifetime| lifetime.word().to_owned())),
            ("State", Some(state(row, now).to_owned())),
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

/// One word for what the token server said.
pub(super) fn verdict(outcome: &Result<()>) -> &'static str {
    match outcome {
        Ok(()) => "valid",
        Err(error) => match error.kind {
            Kind::Rejected => "rejected",
            Kind::Network => "unreachable",
            _ => "failed",
        },
    }
}

fn state(row: &Row, now: Timestamp) -> &'static str {
    let record = &row.login.record;
    match (&row.login.state, &row.check) {
        (State::Gone, _) => "gone",
        (State::Unrecorded, _) => "no record",
        (State::Previous(_), _) => "previous token",
        (_, Some(outcome)) => verdict(outcome),
        (State::Unreadable(_), None) => "unreadable",
        (State::Kept, None) if record.expires.is_some_and(|at| at < now) => "expired",
        (State::Kept, None) if record.proven => "proven",
        (State::Kept, None) => "unproven",
    }
}
