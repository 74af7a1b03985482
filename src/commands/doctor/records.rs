//! Records against keychains.

use super::report::Report;
use crate::helper::Helper;
use crate::helper::survey::State;
use crate::keychain::{self, KeychainName, Listed};
use crate::login_record::Found;

const CHECK: &str = "logins";

pub(super) fn check(helper: &Helper<'_>, report: &mut Report) {
    let records = match helper.records.read() {
        Ok(Found::Records(records)) => records,
        Ok(Found::Missing) => {
            let message = format!("there are no records ({})", helper.records.file().display());
            report.skip(CHECK, message, "log in: docker-credential-refresh login SERVER");
            return;
        }
        Ok(Found::Damaged(why)) => {
            let message = format!("{} cannot be used: {why}", helper.records.file().display());
            report.fail(CHECK, message, "docker-credential-refresh status makes it again");
            return;
        }
        Err(error) => {
            report.fail(CHECK, error, "make it a file of your own, or delete it");
            return;
        }
    };
    let records: Vec<_> = records.of_profile(&helper.settings.profile).cloned().collect();
    let mut kept = 0;
    for login in helper.survey(&records) {
        let (server, keychain) = (&login.record.server_url, &login.record.keychain);
        let log_in = format!("docker-credential-refresh login {server}");
        match login.state {
            State::Kept => kept += 1,
            State::Gone => {
                report.warn(
                    CHECK,
                    format!("the login for {server} is gone from {keychain}"),
                    log_in,
                );
            }
            State::Unrecorded => {
                let message = format!("{keychain} has an entry for {server} without a record");
                report.warn(CHECK, message, log_in);
            }
            State::Unreadable(why) => report.warn(CHECK, format!("{server}: {why}"), "see above"),
        }
    }
    report.ok(CHECK, format!("{kept} of {} are in their keychain", records.len()));
    let mut names: Vec<_> = records.iter().map(|record| &record.keychain).collect();
    names.sort();
    names.dedup();
    names.into_iter().for_each(|name| duplicates(helper, name, report));
}

/// Another program may have put items with our attributes there; the newest is used.
fn duplicates(helper: &Helper<'_>, name: &KeychainName, report: &mut Report) {
    let options = keychain::Options { may_prompt: false, ..helper.options() };
    let opened = (helper.open_keychain)(name, &helper.settings.profile, &options);
    // Out of reach: said above.
    let Ok(items) = opened.and_then(|keychain| keychain.items()) else { return };
    for same in items.chunk_by(|a: &Listed, b: &Listed| a.key == b.key).filter(|s| s.len() > 1) {
        let key = &same[0].key;
        let message = format!("{name} has {} items for {key}; the newest is used", same.len());
        let remedy = format!("log out and in again, which removes all: logout {key}");
        report.warn(CHECK, message, remedy);
    }
}
