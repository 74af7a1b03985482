//! What `configure` is to change, found out without changing anything.

use crate::cli::Configure;
use crate::commands::clients::found_login::{self, FoundLogin};
use crate::commands::clients::registries;
use crate::docker_config::{ConfigFile, Document, Former, Setting, podman};
use crate::error::{Error, Kind, Result};
use crate::external_helper::{HelperName, HelperProgram, installed};
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;
use crate::settings::parse_fallback;

const NONE: &str = "none";

/// What is to be changed.
pub struct Plan {
    /// Settings of docker's that say something else now.
    pub settings: Vec<(Setting, &'static str)>,
    /// `fallback` for a registry, or for all: those that say something else now.
    pub fallbacks: Vec<(Option<String>, String)>,
    /// The fallback for all that will be set.
    pub fallback: Option<String>,
    /// Whether the drop-in for podman is to be written.
    pub podman: bool,
    /// The logins that clients read now, and would not afterwards.
    pub moving: Vec<FoundLogin>,
}

impl Plan {
    /// Finds it out.
    ///
    /// # Errors
    /// Above all: it is not known where logins go that cannot be exchanged.
    pub fn new(configure: &Configure, document: &Document, logins: &Logins<'_>) -> Result<Self> {
        let hosts = registries(&configure.registry)?;
        let plain = registries(&configure.keep_plain)?;
        let podman = (configure.podman || podman::is_installed()) && !podman::has_drop_in()?;
        let former_store = other_helper(document, &Setting::Store);
        let own = own_fallbacks(configure, document, &hosts);
        let needs_one = hosts.is_empty() || podman || own.len() < hosts.len();
        let written = logins.settings.written_fallback(None)?;
        let fallback = configure.fallback.clone().or(former_store).or_else(|| written.clone());
        if needs_one && fallback.is_none() {
            return Err(unknown_fallback());
        }
        let mut fallbacks = Vec::new();
        if fallback.is_some() && fallback != written {
            fallbacks.extend(fallback.clone().map(|name| (None, name)));
        }
        for (host, name) in own {
            if logins.settings.written_fallback(Some(&host))?.as_ref() != Some(&name) {
                fallbacks.push((Some(host), name));
            }
        }
        for (_, name) in &fallbacks {
            check_fallback(name, configure.force)?;
        }
        let settings = settings(&hosts, &plain, document)?;
        let mut moving = Vec::new();
        for found in found_login::in_file(&ConfigFile::of_docker()?)? {
            let goes = match found.registry() {
                Some(name) => {
                    is_plain(document, &name)
                        && !plain.contains(&name)
                        && (hosts.contains(&name) || hosts.is_empty() && !is_named(document, &name))
                }
                None => hosts.is_empty() && document.helper(&Setting::Store).is_none(),
            };
            if goes {
                moving.push(found);
            }
        }
        if podman && podman::other_helpers()?.is_empty() {
            moving.extend(found_login::in_auth_files()?);
        }
        Ok(Self { settings, fallbacks, fallback, podman, moving })
    }
}

/// Whether docker reads and writes this registry's logins in plain text.
pub fn is_plain(document: &Document, registry: &str) -> bool {
    match document.former(&Setting::Helper(registry.to_owned())) {
        Former::Text(helper) => helper.is_empty(),
        Former::Absent | Former::Null => document.helper(&Setting::Store).is_none(),
    }
}

/// A helper that a setting names, other than this one.
pub fn other_helper(document: &Document, setting: &Setting) -> Option<String> {
    document.helper(setting).filter(|name| name != HELPER_NAME)
}

fn is_named(document: &Document, registry: &str) -> bool {
    matches!(document.former(&Setting::Helper(registry.to_owned())), Former::Text(_))
}

/// A registry that has had a helper of its own keeps it as its fallback, unless one is named.
fn own_fallbacks(
    configure: &Configure,
    document: &Document,
    hosts: &[String],
) -> Vec<(String, String)> {
    let former = |host: &String| {
        let helper = other_helper(document, &Setting::Helper(host.clone()))?;
        Some((host.clone(), configure.fallback.clone().unwrap_or(helper)))
    };
    hosts.iter().filter_map(former).collect()
}

fn settings(
    hosts: &[String],
    plain: &[String],
    document: &Document,
) -> Result<Vec<(Setting, &'static str)>> {
    let mut wanted: Vec<(Setting, &'static str)> = Vec::new();
    if hosts.is_empty() {
        wanted.push((Setting::Store, HELPER_NAME));
    }
    wanted.extend(hosts.iter().map(|host| (Setting::Helper(host.clone()), HELPER_NAME)));
    for host in plain {
        let setting = Setting::Helper(host.clone());
        if let Some(helper) = document.helper(&setting) {
            let message = format!("docker keeps {host} in the helper {helper}, not in plain text");
            return Err(Error::new(Kind::Usage, message).hint("leave out --keep-plain for it"));
        }
        wanted.push((setting, ""));
    }
    wanted.retain(|(setting, name)| document.former(setting) != Former::Text((*name).to_owned()));
    wanted.dedup();
    Ok(wanted)
}

fn unknown_fallback() -> Error {
    let found = installed();
    let found = if found.is_empty() {
        "no helper was found on PATH".to_owned()
    } else {
        format!("found on PATH: {}", found.join(", "))
    };
    let message = "it is not known where logins go that cannot be exchanged; nothing was changed";
    Error::new(Kind::Usage, message).hint(format!(
        "{found}; name one with --fallback NAME, or refuse such logins with --fallback none"
    ))
}

fn check_fallback(name: &str, force: bool) -> Result<()> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Usage, format!("the fallback {name} {why}; nothing was changed"))
            .hint("name another one with --fallback NAME, or none")
    };
    if name == NONE {
        return Ok(());
    }
    let parsed: Option<HelperName> = parse_fallback(name).map_err(|why| wrong(&why))?;
    match parsed.map(|name| HelperProgram::find(&name)) {
        Some(Err(_)) if !force => Err(wrong(&"is not a helper on PATH")),
        _ => Ok(()),
    }
}
