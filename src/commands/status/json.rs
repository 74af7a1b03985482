//! `--json`: every fact of each login, times exact (RFC 3339).

use jiff::Timestamp;
use serde::Serialize;

use super::row::Row;
use super::text;
use crate::keychain::Lifetime;
use crate::login_record::{Credential, LastCheck};
use crate::logins::survey::State;
use crate::token_api::MintedToken;

#[derive(Serialize)]
struct Answer<'a> {
    /// None where all are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    logins: Vec<Login<'a>>,
}

#[derive(Serialize)]
struct Login<'a> {
    /// None of a login in the fallback, which knows no profiles.
    profile: Option<&'a str>,
    server_url: &'a str,
    key: &'a str,
    account: &'a str,
    /// `refresh-token`, `personal-token` or `unknown`; of a login here.
    credential: Option<Credential>,
    /// Of a personal token that the registry's API made: `api`, `url`, `id` and `name`.
    minted: Option<&'a MintedToken>,
    keychain: Option<String>,
    /// The helper that has it, if it is not here.
    fallback: Option<String>,
    /// `logout`, `reboot`, `namespace`, or `unused` for long before Linux 5.3.
    kept_until: Option<&'static str>,
    /// `kept`, `gone`, `no-record`, `previous`, `unreadable` or `in-fallback`.
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
    last_check: Option<LastCheck>,
}

#[derive(Serialize)]
struct Check {
    /// `valid`, `rejected`, `unreachable` or `failed`.
    result: String,
    message: Option<String>,
}

pub(super) fn of<'a>(profile: Option<&'a str>, rows: &'a [Row]) -> impl Serialize + 'a {
    Answer { profile, logins: rows.iter().map(login).collect() }
}

fn login(row: &Row) -> Login<'_> {
    let record = &row.login.record;
    let (state, why) = match &row.login.state {
        State::Kept => ("kept", None),
        State::Gone => ("gone", None),
        State::Unrecorded => ("no-record", None),
        State::Previous(_) => ("previous", None),
        State::InFallback(_) => ("in-fallback", None),
        State::Unreadable(why) => ("unreadable", Some(why.to_string())),
    };
    let fallback = match &row.login.state {
        State::InFallback(helper) => Some(helper.to_string()),
        _ => None,
    };
    Login {
        profile: text::profile(row),
        server_url: &record.server_url,
        key: &record.key,
        account: &record.account,
        credential: fallback.is_none().then_some(record.credential),
        minted: record.minted.as_ref(),
        keychain: fallback.is_none().then(|| record.keychain.to_string()),
        fallback,
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
        last_check: record.checked,
    }
}
