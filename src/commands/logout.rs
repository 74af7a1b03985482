//! `logout`: removes logins here, and says that this ends nothing at the server.

use super::revoke::WORST;
use super::{Streams, worst};
use crate::cli::Logout;
use crate::error::{Kind, Result};
use crate::helper::Helper;
use crate::server_url::DOCKER_HUB;

pub(super) fn run(
    logout: &Logout,
    helper: &mut Helper<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let servers = if logout.all {
        helper.logins()?.into_iter().map(|record| record.server_url).collect()
    } else {
        vec![logout.server.clone().unwrap_or_else(|| DOCKER_HUB.to_owned())]
    };
    let outcomes = servers.iter().map(|server| one(server, logout.revoke, helper, streams));
    worst(outcomes.filter_map(Result::err).collect(), WORST, helper)
}

fn one(
    server: &str,
    revoke: bool,
    helper: &mut Helper<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let record = match helper.find_exact(server) {
        Ok(record) => record,
        Err(error) if error.kind == Kind::NotLoggedIn => {
            // It may be in the fallback.
            helper.erase(server)?;
            if helper.erase_leftovers(server, true)? {
                streams.print(&format!("Removed an entry without a record for {server}"))?;
                say_not_revoked(server, helper);
                return Ok(());
            }
            return streams.print(&format!("Not logged in to {server}"));
        }
        Err(error) => return Err(error),
    };
    if revoke {
        helper.revoke_login(&record)?;
        streams.print(&format!("Revoked and removed the login for {server}"))?;
    } else {
        helper.erase(server)?;
        streams.print(&format!("Removed the login for {server}"))?;
        say_not_revoked(server, helper);
    }
    // Of the login that is gone; the keychain that is set may be none that it was ever in.
    if helper.erase_leftovers(server, false)? {
        streams.print(&format!("Removed an entry without a record for {server}"))?;
    }
    Ok(())
}

fn say_not_revoked(server: &str, helper: &mut Helper<'_>) {
    if !helper.settings.revoke_on_erase {
        helper.note(&format!(
            "the token of {server} was not revoked and may be valid at the server; \
             the next time, logout --revoke ends it first"
        ));
    }
}
