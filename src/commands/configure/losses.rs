//! The logins in other helpers that no client would find any more.

use super::plan::{Plan, other_helper};
use crate::docker_config::{Document, Setting, podman, registry_name};
use crate::error::{Error, Kind, Result};
use crate::external_helper::HelperName;
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;

/// Makes sure that there are none, unless told not to.
///
/// # Errors
/// There are some, or a helper does not tell.
pub fn check(plan: &Plan, document: &Document, force: bool, logins: &mut Logins<'_>) -> Result<()> {
    for (former, registries) in former_helpers(plan, document, logins)? {
        let error = match logins_in(&former, registries.as_deref(), logins) {
            Ok(logins) if logins.is_empty() => continue,
            Ok(logins) => lost(&former, &logins),
            Err(error) => error,
        };
        if !force {
            return Err(error);
        }
        logins.note(&error.fact);
    }
    Ok(())
}

/// Helpers that would not be asked any more; for these registries, or for all.
type Formers = Vec<(String, Option<Vec<String>>)>;

fn former_helpers(plan: &Plan, document: &Document, logins: &Logins<'_>) -> Result<Formers> {
    let mut formers: Formers = Vec::new();
    for (setting, set) in &plan.settings {
        let former = match setting {
            _ if *set != HELPER_NAME => None,
            Setting::Store => other_helper(document, setting).map(|former| (former, None, None)),
            Setting::Helper(host) => other_helper(document, setting)
                .or_else(|| other_helper(document, &Setting::Store))
                .map(|former| (former, Some(host.as_str()), Some(vec![host.clone()]))),
        };
        if let Some((former, host, registries)) = former
            && fallback_after(plan, host, logins)?.as_ref() != Some(&former)
        {
            formers.push((former, registries));
        }
    }
    if plan.podman {
        for former in podman::other_helpers()? {
            if plan.fallback.as_ref() != Some(&former) {
                formers.push((former, None));
            }
        }
        for file in podman::auth_files()? {
            for (host, former) in file.read()?.helpers() {
                let stays = former.is_empty() || former == HELPER_NAME;
                if !stays && plan.fallback.as_ref() != Some(&former) {
                    formers.push((former, registry_name(&host).map(|host| vec![host])));
                }
            }
        }
    }
    Ok(formers)
}

/// The fallback that a registry will have.
fn fallback_after(plan: &Plan, host: Option<&str>, logins: &Logins<'_>) -> Result<Option<String>> {
    let planned = plan.fallbacks.iter().find(|(key, _)| key.as_deref() == host);
    if let Some((_, name)) = planned {
        return Ok(Some(name.clone()));
    }
    let own = match host {
        Some(_) => logins.settings.written_fallback(host)?,
        None => None,
    };
    Ok(own.or_else(|| plan.fallback.clone()))
}

/// One that is not installed has none to lose.
fn logins_in(
    former: &str,
    registries: Option<&[String]>,
    logins: &Logins<'_>,
) -> Result<Vec<String>> {
    let found =
        former.parse::<HelperName>().ok().and_then(|name| logins.fallback_named(&name).ok());
    let Some(fallback) = found else { return Ok(Vec::new()) };
    let mut logins: Vec<String> = fallback.list()?.into_keys().collect();
    logins.retain(|login| match (registries, registry_name(login)) {
        (Some(wanted), Some(registry)) => wanted.contains(&registry),
        (wanted, _) => wanted.is_none(),
    });
    Ok(logins)
}

fn lost(former: &str, logins: &[String]) -> Error {
    let shown = logins.join(", ");
    let message = format!("logins in {former} would no longer be found: {shown}");
    Error::new(Kind::Other, message).hint(format!(
        "nothing was changed; use it as fallback with --fallback {former}, or take them over with \
         docker-credential-refresh import --from {former} --yes, or add --force"
    ))
}
