//! Records against keychains.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::report::{LATER, LOGIN, Report};
use crate::commands::check::next_step;
use crate::error::Remedy;
use crate::keychain::{self, KeychainName, Listed};
use crate::login_record::{Found, LoginRecord, Records};
use crate::logins::Logins;
use crate::logins::survey::State;
use crate::server_url::ServerUrl;
use crate::settings::to_type;
use crate::text::shell_word;

const CHECK: &str = "logins";

/// `unread` are the keychains that cannot be read, which the report says already.
pub(super) fn check(
    server: Option<&ServerUrl>,
    unread: &[KeychainName],
    logins: &Logins<'_>,
    report: &mut Report,
) {
    let records = match logins.records.read() {
        Ok(Found::Records(records)) => records,
        Ok(Found::Missing) => {
            let message = format!("there are no records ({})", logins.records.file().display());
            report.skip(CHECK, message, "log in: docker-credential-refresh login SERVER");
            return;
        }
        Ok(Found::Damaged(why)) => {
            let message = format!("{} cannot be used: {why}", logins.records.file().display());
            report.fail(CHECK, message, "docker-credential-refresh status rebuilds it");
            return;
        }
        Err(error) => {
            report.error(CHECK, &error, "make it a file of your own, or delete it");
            return;
        }
    };
    let records: Vec<_> = records.of_profile(&logins.settings.profile).cloned().collect();
    let (mut kept, mut unchecked) = (0, BTreeMap::<_, Vec<_>>::new());
    for login in logins.survey(&records) {
        let LoginRecord { server_url, key, keychain, .. } = &login.record;
        let Some(mut error) = login.trouble() else {
            kept += 1;
            continue;
        };
        if matches!(login.state, State::Unreadable(_)) && unread.contains(keychain) {
            unchecked.entry(keychain.clone()).or_default().push((key.clone(), server_url.clone()));
            continue;
        }
        if let State::Unreadable(_) = login.state {
            error.fact = format!("{server_url}: {}", error.fact);
            let log_in =
                Remedy::Run(to_type(&login.record.profile, &format!("login {server_url}")));
            error.remedy.get_or_insert(log_in);
        }
        // It is the answer where this login is asked about, and otherwise one fact of many.
        let is_asked = server.is_some_and(|url| url.keys().any(|asked| asked == key));
        if is_asked && login.state.is_recorded() {
            report.error(CHECK, &error, LATER);
        } else {
            report.warning(CHECK, &error);
        }
    }
    for (keychain, unchecked) in unchecked {
        let is_asked = |(key, _): &(String, String)| {
            server.is_some_and(|url| url.keys().any(|asked| asked == key))
        };
        let says = if unchecked.iter().any(is_asked) { Report::fail } else { Report::warn };
        let names: Vec<_> = unchecked.into_iter().map(|(_, name)| name).collect();
        let message = format!("cannot check {}, in the {keychain} keychain", names.join(", "));
        says(report, CHECK, message, "see keychain above");
    }
    let message = format!("{kept} of {} were found in their keychain", records.len());
    if kept == records.len() {
        report.ok(CHECK, message);
    } else {
        report.warn(CHECK, message, "docker-credential-refresh status shows which are not");
    }
    let mut names: Vec<_> = records.iter().map(|record| &record.keychain).collect();
    names.sort();
    names.dedup();
    names.into_iter().for_each(|name| duplicates(logins, name, report));
}

/// Whether there is a login for this registry, and whether the token server still takes it.
pub(super) fn of_server(
    url: &ServerUrl,
    reached: bool,
    logins: &mut Logins<'_>,
    report: &mut Report,
) {
    let records = match logins.records.read() {
        Ok(Found::Records(records)) => records,
        Ok(Found::Missing) => Records::default(),
        // Said above.
        Ok(Found::Damaged(_)) | Err(_) => return,
    };
    let profile = logins.settings.profile.clone();
    let log_in = to_type(&profile, &format!("login {}", url.registry_key()));
    let found = url.keys().find_map(|key| records.find(&profile, key));
    let name = url.registry_key();
    match found {
        None => {
            // Where a password is of no use, so is a plain login; the fallback takes any.
            let next = match logins.settings.fallback_for(url) {
                None if reached => next_step(url, logins).unwrap_or(log_in),
                _ => log_in,
            };
            report.skip(LOGIN, format!("not logged in to {name}"), next);
        }
        // Said above; asking for its token may ask a person to unlock it.
        Some(record) if !is_readable(record, logins) => {}
        Some(record) if !reached => {
            let remedy = to_type(&profile, &format!("status {} --check", record.server_url));
            report.skip(LOGIN, "cannot check right now whether the login still works", remedy);
        }
        Some(record) => match logins.check_login(record) {
            Ok(_) if record.expires.is_some_and(|at| at < Timestamp::now()) => {
                let message = format!(
                    "the login for {name} has expired by its own date; the token server still \
                     accepts it"
                );
                report.warn(LOGIN, message, log_in);
            }
            Ok(_) => report.ok(LOGIN, format!("the token server accepts the login for {name}")),
            Err(error) => report.error(LOGIN, &error, &log_in),
        },
    }
}

fn is_readable(record: &LoginRecord, logins: &Logins<'_>) -> bool {
    let one = std::slice::from_ref(record);
    let mut surveyed = logins.survey(one).into_iter();
    surveyed.any(|login| login.record == *record && matches!(login.state, State::Kept))
}

/// Another program may have put items with our attributes there; the newest is used.
fn duplicates(logins: &Logins<'_>, name: &KeychainName, report: &mut Report) {
    let options = keychain::Options { may_prompt: false, ..logins.options() };
    let opened = (logins.open_keychain)(name, &logins.settings.profile, &options);
    // Out of reach: said above.
    let Ok(listing) = opened.and_then(|keychain| keychain.list()) else { return };
    for older in listing.older.chunk_by(|a: &Listed, b: &Listed| a.key == b.key) {
        let (key, items) = (&older[0].key, older.len() + 1);
        let message = format!("{name} has {items} items for {key}; the newest is used");
        let log_out = to_type(&logins.settings.profile, &format!("logout {}", shell_word(key)));
        let remedy = Remedy::Run(log_out).when("to remove all of them before you log in again");
        report.warn(CHECK, message, remedy);
    }
}
