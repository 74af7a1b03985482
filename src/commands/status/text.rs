//! The table of all logins, and all facts of one.

use jiff::Timestamp;

use super::Row;
use super::times::relative;
use crate::error::{Kind, Result};
use crate::keychain::Lifetime;
use crate::logins::survey::State;
use crate::text::printable;

/// The table's width at most.
const WIDTH: usize = 100;
/// Server, account and keychain give way when it is too wide, the widest first.
const GIVING_WAY: usize = 3;
const GAP: usize = 2;

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
            text(&record.server_url),
            text(&record.account),
            text(&record.keychain.to_string()),
            text(row.login.lifetime.map(Lifetime::word).unwrap_or_default()),
            text(&if recorded { relative(record.since, now) } else { String::new() }),
            text(&record.expires.map(|at| relative(at, now)).unwrap_or_default()),
            state(row, now).to_owned(),
        ]
    }));
    align(&cells)
}

/// A fact a line, for each of the logins.
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
        (State::Former(_), _) => "former token",
        (_, Some(outcome)) => verdict(outcome),
        (State::Unreadable(_), None) => "unreadable",
        (State::Kept, None) if record.expires.is_some_and(|at| at < now) => "expired",
        (State::Kept, None) if record.proven => "proven",
        (State::Kept, None) => "unproven",
    }
}

fn text(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { printable(cell, usize::MAX) }
}

fn align<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = std::array::from_fn::<usize, N, _>(|at| {
        rows.iter().map(|r| r[at].len()).max().unwrap_or(0)
    });
    while widths.iter().sum::<usize>() + GAP * (N - 1) > WIDTH {
        let widest = (0..GIVING_WAY).max_by_key(|at| widths[*at]).unwrap_or_default();
        widths[widest] -= 1;
    }
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{:<width$}{:GAP$}", shortened(cell, width), ""));
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

/// Both ends tell more than the middle: a host's first label, and its port or path.
fn shortened(cell: &str, width: usize) -> String {
    if cell.len() <= width {
        return cell.to_owned();
    }
    let kept = width.saturating_sub(2);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    format!("{}..{}", &cell[..head], &cell[cell.len() - tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_100_columns_whatever_is_in_it() {
        let long = |text: &str| text.repeat(40);
        let rows = [
            ["SERVER", "ACCOUNT", "KEYCHAIN", "KEPT UNTIL", "SINCE", "EXPIRES", "STATE"]
                .map(str::to_owned),
            [
                long("registry."),
                long("alice"),
                "secret-service".into(),
                "deleted".into(),
                "12 months ago".into(),
                "in 12 months".into(),
                "unreachable".into(),
            ],
        ];
        let lines = align(&rows);
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{lines:?}");
        assert!(
            lines[1]
                .contains("secret-service  deleted     12 months ago  in 12 months  unreachable")
        );
        assert!(lines[1].starts_with("regist") && lines[1].contains(".."), "{lines:?}");
        assert_eq!(shortened("registry.example.com:5000", 15), "registr..m:5000");
    }
}
