//! `--json`: every fact of each login, times exact (RFC 3339).

use jiff::Timestamp;
use serde::Serialize;

use super::row::Row;
use super::text;
use crate::keychain::Lifetime;
use crate::logins::survey::State;

#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    logins: Vec<Login<'a>>,
}

#[derive(Serialize)]
struct Login<'a> {
    server_url: &'a str,
    key: &'a str,
    account: &'a str,
    keychain: String,
    /// `deleted`, `reboot`, `namespace`, or `unused` for long before Linux 5.3.
    kept_until: Option<&'static str>,
    /// `kept`, `gone`, `no-record`, `previous` or `unreadable`.
    state: &'static str,
    /// Of `unreadable`.
    why: Option<String>,
    proven: bool,
    realm: Option<&'a str>,
    service: Option<&'a str>,
    obtained_as: Option<&'a str>,
    proven_as: Option<&'a str>,
    since: Option<Timestamp>,
    expires: Option<Timestamp>,
    check: Option<Check>,
}

#[derive(Serialize)]
struct Check {
    /// `valid`, `rejected`, `unreachable` or `failed`.
    result: &'static str,
    message: Option<String>,
}

pub(super) fn of<'a>(profile: &'a str, rows: &'a [Row]) -> impl Serialize + 'a {
    Answer { profile, logins: rows.iter().map(login).collect() }
}

fn login(row: &Row) -> Login<'_> {
    let record = &row.login.record;
    let (state, why) = match &row.login.state {
        State::Kept => ("kept", None),
        State::Gone => ("gone", None),
        State::Unrecorded => ("no-record", None),
        State::Previous(_) => ("previous", None),
        State::Unreadable(why) => ("unreadable", Some(why.to_string())),
    };
    Login {
        server_url: &record.server_url,
        key: &record.key,
        account: &record.account,
        keychain: record.keychain.to_string(),
        kept_until: row.login.lifetime.map(Lifetime::word),
        state,
        why,
        proven: record.proven,
        realm: record.realm.as_deref(),
        service: record.service.as_deref(),
        obtained_as: record.obtained_as.as_deref(),
        proven_as: record.proven_as.as_deref(),
        since: row.login.state.is_recorded().then_some(record.since),
        expires: record.expires,
        check: row.check.as_ref().map(|outcome| Check {
            result: text::verdict(outcome),
            message: outcome.as_ref().err().map(ToString::to_string),
        }),
    }
}
