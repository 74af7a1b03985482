//! The logins in other helpers that no client would find any longer.

use super::plan::Plan;
use super::wanted::other_helper;
use crate::docker_config::names::registry_key;
use crate::docker_config::{Document, Setting, podman};
use crate::error::{Error, Kind, Result};
use crate::external_helper::HelperName;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;
use crate::settings::OwnSetting;

/// Makes sure that there are none, unless told not to.
///
/// # Errors
/// There are some, or a helper does not tell.
pub fn check(plan: &Plan, document: &Document, force: bool, logins: &mut Logins<'_>) -> Result<()> {
    for (previous, registry) in previous_helpers(plan, document, logins)? {
        let error = match logins_in(&previous, registry.as_deref(), logins) {
            Ok(logins) if logins.is_empty() => continue,
            Ok(logins) => lost(&previous, &logins),
            // What cannot be started gives nobody a login.
            Err(error) if error.kind == Kind::Usage => {
                logins.note(&error.fact);
                continue;
            }
            Err(error) => untold(&previous, &error),
        };
        if !force {
            return Err(error);
        }
        logins.note(&error.fact);
    }
    Ok(())
}

/// Helpers that would no longer be asked, for the registry with this key or for all.
type Previous = Vec<(String, Option<String>)>;

fn previous_helpers(plan: &Plan, document: &Document, logins: &Logins<'_>) -> Result<Previous> {
    let mut all: Previous = Vec::new();
    for (setting, set) in &plan.settings {
        let (previous, key) = match setting {
            _ if *set != HELPER_NAME => continue,
            Setting::Store => (other_helper(document, setting), None),
            Setting::Helper(name) => (
                other_helper(document, setting).or_else(|| other_helper(document, &Setting::Store)),
                registry_key(name),
            ),
        };
        if let Some(previous) = previous
            && fallback_after(plan, key.as_deref(), logins)?.as_ref() != Some(&previous)
            && !all.contains(&(previous.clone(), key.clone()))
        {
            all.push((previous, key));
        }
    }
    if plan.podman {
        for previous in podman::other_helpers()? {
            if plan.fallback.as_ref() != Some(&previous) {
                all.push((previous, None));
            }
        }
        for (name, previous) in &plan.podman_helpers {
            let key = registry_key(name);
            if fallback_after(plan, key.as_deref(), logins)?.as_ref() != Some(previous) {
                all.push((previous.clone(), key));
            }
        }
    }
    Ok(all)
}

/// The fallback that a registry will have.
fn fallback_after(plan: &Plan, key: Option<&str>, logins: &Logins<'_>) -> Result<Option<String>> {
    let planned = plan.fallbacks.iter().find(|(planned, _)| planned.as_deref() == key);
    if let Some((_, name)) = planned {
        return Ok(Some(name.clone()));
    }
    let own = match key {
        Some(_) => logins.settings.written(OwnSetting::Fallback, key)?,
        None => None,
    };
    Ok(own.or_else(|| plan.fallback.clone()))
}

/// One that is not installed has nothing to lose.
fn logins_in(previous: &str, key: Option<&str>, logins: &Logins<'_>) -> Result<Vec<String>> {
    let found =
        previous.parse::<HelperName>().ok().and_then(|name| logins.fallback_named(&name).ok());
    let Some(helper) = found else { return Ok(Vec::new()) };
    let mut logins: Vec<String> = helper.list()?.into_keys().collect();
    logins.retain(|login| key.is_none() || registry_key(login).as_deref() == key);
    Ok(logins)
}

/// Helpers need not be able to list, and then nobody knows what they have.
fn untold(previous: &str, error: &Error) -> Error {
    let message = format!("logins in {previous} may no longer be found: {}", error.fact);
    Error::new(error.kind, message).hint(format!(
        "nothing was changed; use it as fallback with --fallback {previous} --force, or leave its \
         logins behind with --force"
    ))
}

fn lost(previous: &str, logins: &[String]) -> Error {
    let shown = logins.join(", ");
    let message = format!("logins in {previous} would no longer be found: {shown}");
    Error::new(Kind::Other, message).hint(format!(
        "nothing was changed; use it as fallback with --fallback {previous}, after which \
         docker-credential-refresh import --from {previous} --yes can take them over, or add --force"
    ))
}
