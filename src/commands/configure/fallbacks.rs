//! Whether the fallback that `configure` is to set is one.

use std::fmt::Display;

use super::moved_login::Moving;
use crate::commands::clients::found_login::Way;
use crate::error::{Error, Kind, Result};
use crate::external_helper::{HelperName, HelperProgram, installed};
use crate::logins::Logins;
use crate::server_url::ServerUrl;
use crate::settings::parse_fallback;

/// What refuses logins that cannot be exchanged.
const NONE: &str = "none";

/// That none is named.
pub fn unknown_fallback() -> Error {
    let found = installed();
    let found = if found.is_empty() {
        "no helper was found on PATH".to_owned()
    } else {
        format!("found on PATH: {}", found.join(", "))
    };
    let message = "no fallback is set for logins that cannot be exchanged; nothing was changed";
    Error::new(Kind::Usage, message).hint(format!(
        "{found}; name one with --fallback NAME, or refuse such logins with --fallback none; with \
         --keep-tokens, personal tokens of a known form, such as GitHub's and GitLab's, are kept; \
         with --mint auto, passwords become tokens where the registry makes tokens"
    ))
}

/// Makes sure, before a password is sent, that each helper takes logins which may have to be handed to it.
///
/// # Errors
/// One does not.
pub fn try_out(moving: &[Moving], logins: &Logins<'_>) -> Result<()> {
    let mut tried = Vec::new();
    for found in moving.iter().map(|moving| &moving.found) {
        // A token is kept here without asking anybody.
        if found.way != Way::Exchange {
            continue;
        }
        let Ok(url) = ServerUrl::parse(&found.docker_name()) else { continue };
        let Some(helper) = logins.settings.fallback_for(&url) else { continue };
        if tried.contains(&helper) {
            continue;
        }
        logins.fallback_named(&helper)?.try_out().map_err(|error| {
            let message =
                format!("the fallback {helper} takes no logins: {}; nothing was changed", error.fact);
            Error::new(Kind::Usage, message).hint(format!(
                "make {helper} store work here, or name another one with --fallback NAME, or none; if \
                 every login can be exchanged, add --force"
            ))
        })?;
        tried.push(helper);
    }
    Ok(())
}

/// Makes sure that a helper is there and answers, unless told to go on. Every `get` for a registry that
/// is not logged in to would fail otherwise.
///
/// # Errors
/// It is not a name, not on PATH, or it cannot list its logins.
pub fn check(name: &str, force: bool, logins: &Logins<'_>) -> Result<()> {
    const ANOTHER: &str = "name another one with --fallback NAME, or none";
    let wrong = |why: &dyn Display| {
        Error::new(Kind::Usage, format!("the fallback {name} {why}; nothing was changed"))
    };
    if name == NONE {
        return Ok(());
    }
    let parsed: Option<HelperName> =
        parse_fallback(name).map_err(|why| wrong(&why).hint(ANOTHER))?;
    let Some(helper) = parsed.filter(|_| !force) else { return Ok(()) };
    if HelperProgram::find(&helper).is_err() {
        return Err(wrong(&"is not a helper on PATH").hint(ANOTHER));
    }
    let listed = logins.fallback_named(&helper).and_then(|fallback| fallback.list());
    listed.map(drop).map_err(|error| {
        let does_not = format!("does not work: {}", error.fact);
        wrong(&does_not).hint(format!(
            "make {helper} list work here, or {ANOTHER}; if it is a helper that cannot list, add --force"
        ))
    })
}
