//! The commands that renew logins: the one thing that may make a `get` slow.

use super::report::Report;
use crate::logins::renew::RENEW_DEADLINE;
use crate::settings::Settings;

const CHECK: &str = "renew";

pub(super) fn check(settings: &Settings, report: &mut Report) {
    for (registry, command) in settings.renewals() {
        let (program, seconds) = (command.program(), RENEW_DEADLINE.as_secs());
        match command.find().filter(|path| path.is_file()) {
            Some(_) => report.ok(
                CHECK,
                format!(
                    "{program} renews the login for {registry} once it has expired: a pull or push may \
                     then wait for it, {seconds} s at most, and for the token server"
                ),
            ),
            None => report.fail(
                CHECK,
                format!("{program}, which is to renew the login for {registry}, is not there"),
                "install it, put it on the PATH of docker and podman, or name its absolute path",
            ),
        }
    }
}
