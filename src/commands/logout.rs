//! `logout`: removes logins here, and says that this ends nothing at the server.

use super::outcomes::worst;
use super::revoke::WORST;
use super::streams::Streams;
use crate::cli::Logout;
use crate::error::{Kind, Result};
use crate::logins::Logins;
use crate::server_url::DOCKER_HUB;

pub(super) fn run(
    logout: &Logout,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let servers = if logout.all {
        logins.all()?.into_iter().map(|record| record.server_url).collect()
    } else {
        vec![logout.server.clone().unwrap_or_else(|| DOCKER_HUB.to_owned())]
    };
    let outcomes = servers.iter().map(|server| one(server, logout.revoke, logins, streams));
    worst(outcomes.filter_map(Result::err).collect(), WORST, logins)
}

fn one(
    server: &str,
    revoke: bool,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let record = match logins.find_exact(server) {
        Ok(record) => record,
        Err(error) if error.kind == Kind::NotLoggedIn => {
            // It may be in the fallback.
            logins.erase(server)?;
            if logins.erase_leftovers(server, true)? {
                streams.print(&format!("Removed an entry without a record for {server}"))?;
                say_not_revoked(server, logins);
                return Ok(());
            }
            return streams.print(&format!("Not logged in to {server}"));
        }
        Err(error) => return Err(error),
    };
    if revoke {
        logins.revoke_login(&record)?;
        streams.print(&format!("Revoked and removed the login for {server}"))?;
    } else {
        logins.erase(server)?;
        streams.print(&format!("Removed the login for {server}"))?;
        say_not_revoked(server, logins);
    }
    // Of the login that is gone; the keychain that is set may be none that it was ever in.
    if logins.erase_leftovers(server, false)? {
        streams.print(&format!("Removed an entry without a record for {server}"))?;
    }
    Ok(())
}

fn say_not_revoked(server: &str, logins: &mut Logins<'_>) {
    if !logins.settings.revoke_on_erase {
        logins.note(&format!(
            "the token of {server} was not revoked and may be valid at the server; \
             the next time, logout --revoke ends it first"
        ));
    }
}
