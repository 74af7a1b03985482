//! Takes the logins over that lie in plain text, all of them or none.

use super::plan::Plan;
use crate::commands::clients::found_login::{FoundLogin, Way};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::logins::store::{Exchange, Exchanged};
use crate::protocol::Credentials;
use crate::server_url::ServerUrl;

#[expect(clippy::large_enum_variant, reason = "there are a few, and they live for one call")]
enum Ready {
    Keep(Exchanged),
    HandOver(Credentials, Error),
}

/// Exchanges every password, then keeps the tokens and hands the rest to the fallback; answers
/// with the logins that have a new place.
///
/// # Errors
/// One can be neither exchanged nor handed over: then none is.
pub fn take_over<'p>(
    plan: &'p Plan,
    force: bool,
    logins: &mut Logins<'_>,
) -> Result<Vec<&'p FoundLogin>> {
    let mut ready = Vec::new();
    let mut stuck = Vec::new();
    for found in &plan.moving {
        match prepare(found, logins) {
            Ok(prepared) => ready.push((found, prepared)),
            Err(error) => stuck.push((found, error)),
        }
    }
    for (found, error) in &stuck {
        let (name, place) = (&found.server_url, found.place());
        logins.note(&format!("{name} in {place} cannot be taken over: {error}"));
    }
    if let Some((_, first)) = stuck.first()
        && !force
    {
        for (_, prepared) in &ready {
            if let Ready::Keep(exchanged) = prepared {
                logins.give_up(exchanged);
            }
        }
        return Err(refused(first.kind, stuck.len()));
    }
    let mut moved = Vec::new();
    for (found, prepared) in ready {
        match prepared {
            Ready::Keep(exchanged) => logins.keep_exchanged(&exchanged)?,
            Ready::HandOver(credentials, why) => logins.hand_over(&credentials, why)?,
        }
        moved.push(found);
    }
    Ok(moved)
}

fn prepare(found: &FoundLogin, logins: &mut Logins<'_>) -> Result<Ready> {
    if let Way::Stays(why) = &found.way {
        return Err(Error::new(Kind::Other, why.clone()));
    }
    let credentials = found.credentials(logins)?;
    match logins.exchange(&credentials)? {
        Exchange::Done(exchanged) => Ok(Ready::Keep(exchanged)),
        Exchange::Impossible(why) => {
            let has_fallback = ServerUrl::parse(&found.server_url)
                .is_ok_and(|url| logins.settings.fallback_for(&url).is_some());
            if has_fallback { Ok(Ready::HandOver(credentials, why)) } else { Err(why) }
        }
    }
}

fn refused(kind: Kind, count: usize) -> Error {
    let message = format!("{count} of the logins would no longer be found; nothing was changed");
    Error::new(kind, message).hint(
        "leave them to docker with --keep-plain HOST, name a --fallback, log out there, or go on \
         with --force",
    )
}
