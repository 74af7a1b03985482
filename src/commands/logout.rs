//! `logout`: removes logins here and in the fallback, and says which, and that this revokes nothing.

use super::login::registry_of;
use super::outcomes::{no_logins, worst};
use super::password::ask;
use super::revoke::{WORST, revoked};
use super::streams::Streams;
use crate::cli::Logout;
use crate::error::{Kind, Result};
use crate::external_helper::HelperName;
use crate::login_record::{Credential, LoginRecord};
use crate::logins::{Logins, where_revoked};
use crate::server_url::{DOCKER_HUB, DOCKER_HUB_OAUTH, ServerUrl};

pub(super) fn run(
    logout: &Logout,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let servers = if logout.all {
        logins.all()?.into_iter().map(|record| record.server_url).collect()
    } else {
        let typed = logout.server.as_deref().unwrap_or(DOCKER_HUB);
        // A path may have a login of its own.
        let is_own = logins.find_exact(typed).is_ok();
        let mut servers = vec![if is_own { typed.to_owned() } else { registry_of(typed) }];
        if ServerUrl::parse(&servers[0]).is_ok_and(|url| url.key() == DOCKER_HUB) {
            // What Docker's web login kept beside it.
            let pair = DOCKER_HUB_OAUTH.into_iter().filter(|key| logins.find_exact(key).is_ok());
            servers.extend(pair.map(str::to_owned));
        }
        servers
    };
    if servers.is_empty() {
        streams.print(&no_logins(logins)?)?;
    }
    let outcomes = servers.iter().map(|server| one(server, logout, logins, streams));
    let errors = outcomes.filter_map(Result::err).collect();
    if logout.all {
        say_what_is_left(logins);
    }
    worst(errors, WORST, logins)
}

fn one(
    server: &str,
    logout: &Logout,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let record = match logins.find_exact(server) {
        Ok(record) => record,
        Err(error) if error.kind == Kind::NotLoggedIn => {
            let elsewhere = logins.erase(server)?;
            let leftover = logins.erase_leftovers(server, true)?;
            if leftover {
                streams.print(&format!("Removed an unrecorded entry for {server}"))?;
                say_not_revoked(server, None, logins);
            }
            return match elsewhere {
                Some(fallback) => say_elsewhere(server, &fallback, streams),
                None if leftover => Ok(()),
                None => streams.print(&not_logged_in(server, logout, logins)?),
            };
        }
        Err(error) => return Err(error),
    };
    if logout.revoke {
        let mut password = |record: &_| ask(record, logout.password_stdin, streams);
        let outcome = logins.revoke_login(&record, &mut password)?;
        streams.print(&revoked(server, outcome))?;
    } else {
        let elsewhere = logins.erase(server);
        // The fallback may have failed after it was removed here.
        if elsewhere.is_ok() || logins.find_exact(server).is_err() {
            streams.print(&format!("Removed the login for {server}"))?;
            say_not_revoked(server, Some(&record), logins);
        }
        if let Some(fallback) = elsewhere? {
            say_elsewhere(server, &fallback, streams)?;
        }
    }
    // Of the removed login; the keychain in the settings may never have had it.
    if logins.erase_leftovers(server, false)? {
        streams.print(&format!("Removed an unrecorded entry for {server}"))?;
    }
    Ok(())
}

/// With what somebody may have meant: a login on the same host; any, if none was named.
fn not_logged_in(server: &str, logout: &Logout, logins: &mut Logins<'_>) -> Result<String> {
    let others = match &logout.server {
        Some(_) => logins.on_same_host(&ServerUrl::parse(server)?),
        None => logins.all()?.into_iter().map(|record| record.server_url).collect(),
    };
    let others = match &others[..] {
        [] => String::new(),
        others => format!("; logged in to {}", others.join(", ")),
    };
    Ok(format!("Not logged in to {server}{others}"))
}

fn say_elsewhere(server: &str, fallback: &HelperName, streams: &mut Streams<'_>) -> Result<()> {
    streams.print(&format!("Removed the login for {server} from {fallback}"))
}

/// What `--all` leaves: other programs may keep logins there as well.
fn say_what_is_left(logins: &mut Logins<'_>) {
    let left: Vec<String> = logins.in_fallbacks().into_keys().collect();
    if !left.is_empty() {
        let left = left.join(", ");
        logins.note(&format!(
            "--all does not log out of the fallback's logins; log out of each by name: {left}"
        ));
    }
}

fn say_not_revoked(server: &str, record: Option<&LoginRecord>, logins: &mut Logins<'_>) {
    if logins.settings.revoke_on_erase {
        return;
    }
    let next = match record.filter(|record| record.credential == Credential::PersonalToken) {
        Some(record) => where_revoked(record),
        None => {
            "next time, logout --revoke revokes it first, if the registry can do that".to_owned()
        }
    };
    logins.note(&format!(
        "the token of {server} was not revoked and may still be valid at the server; {next}"
    ));
}
