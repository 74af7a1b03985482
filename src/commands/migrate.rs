//! `migrate`: moves logins to another keychain, and says where new ones go.

use serde::Serialize;

use super::outcomes::{no_logins, outcome_table, worst};
use super::streams::Streams;
use crate::cli::Migrate;
use crate::environment::PREFIX;
use crate::error::{Error, Kind, Result};
use crate::keychain::{self, Choice, KeychainName};
use crate::login_record::LoginRecord;
use crate::logins::Logins;
use crate::logins::migrate::{Migrated, stays};

/// In order of weight: a keychain (worth another try) first, a login that is gone last.
const WORST: &[Kind] = &[Kind::Keychain, Kind::Other];

/// What became of one login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Moved,
    AlreadyThere,
    /// It is there and works, and in the old place too.
    Copied,
    /// The old place does not have it.
    Gone,
    /// It is where it was.
    Failed,
}

#[derive(Serialize)]
struct Row<'a> {
    server: &'a str,
    account: &'a str,
    from: &'a KeychainName,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) fn run(
    migrate: &Migrate,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let mut records = match &migrate.server {
        Some(server) => vec![logins.find_exact(server)?],
        None => logins.all()?,
    };
    records.sort_by(|a, b| a.server_url.cmp(&b.server_url));
    let opened = logins.ready_to_migrate(&records, &migrate.to);
    let to = opened.map_err(|error| match (&migrate.server, &records[..]) {
        (Some(_), [record]) => stays(record, error),
        (_, []) => error,
        // Once, and not for each of them.
        _ => Error { fact: format!("no login was moved: {}", error.fact), ..error },
    })?;
    let (name, lifetime) = (to.keychain.name(), to.keychain.lifetime());
    if let Some(why) = &to.why {
        logins.note(&format!("auto chose {name} ({why})"));
    }
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for record in &records {
        let outcome = logins.migrate(record, &to);
        if let Ok(Migrated::Moved) = &outcome {
            let LoginRecord { server_url, keychain, .. } = record;
            logins.note(&format!(
                "{server_url} was moved from {keychain} to {name}, which keeps it {lifetime}"
            ));
        }
        let (outcome, error) = told(outcome);
        let reason = error.as_ref().map(ToString::to_string);
        errors.extend(error);
        let LoginRecord { server_url: server, account, keychain: from, .. } = record;
        rows.push(Row { server, account, from, outcome, reason });
    }
    print(&rows, name, migrate, logins, streams)?;
    if rows.iter().any(|row| !matches!(row.outcome, Outcome::Gone | Outcome::Failed)) {
        say_where_new_ones_go(name, logins);
    }
    worst(errors, WORST, logins)
}

fn told(outcome: Result<Migrated>) -> (Outcome, Option<Error>) {
    match outcome {
        Ok(Migrated::Moved) => (Outcome::Moved, None),
        Ok(Migrated::AlreadyThere) => (Outcome::AlreadyThere, None),
        Ok(Migrated::Copied(left)) => (Outcome::Copied, Some(left)),
        Err(error) if error.kind == Kind::NotLoggedIn => (Outcome::Gone, Some(error)),
        Err(error) => (Outcome::Failed, Some(error)),
    }
}

fn print(
    rows: &[Row<'_>],
    keychain: &KeychainName,
    migrate: &Migrate,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        keychain: &'a KeychainName,
        logins: &'a [Row<'a>],
    }
    if migrate.json {
        return streams.print_json(&Report { keychain, logins: rows });
    }
    if rows.is_empty() {
        return streams.print(&no_logins(logins)?);
    }
    let shown = |outcome| match outcome {
        Outcome::Moved => "moved",
        Outcome::AlreadyThere => "already there",
        Outcome::Copied => "copied",
        Outcome::Gone => "gone",
        Outcome::Failed => "failed",
    };
    let cells = rows.iter().map(|row| [row.server, row.account, shown(row.outcome)]);
    streams.print(&outcome_table(cells))
}

/// The setting is for new logins: the next one would move a login back.
fn say_where_new_ones_go(to: &KeychainName, logins: &mut Logins<'_>) {
    let next = match &logins.settings.keychain {
        Choice::Named(name) => name.clone(),
        Choice::Auto => match keychain::choose(&logins.settings.profile, &logins.options()) {
            Ok((keychain, _)) => keychain.name().clone(),
            // The next login says so.
            Err(_) => return,
        },
    };
    if next != *to {
        let file = logins.settings.file.display();
        logins.note(&format!(
            "the next login goes to {next}, unless you set keychain = \"{to}\" in {file} \
             or {PREFIX}KEYCHAIN={to}"
        ));
    }
}
