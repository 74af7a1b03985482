//! The settings file: read, and one setting written into it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::{RegistrySettings, Settings, check_profile, parse_fallback, parse_session};
use crate::error::{Error, Kind, Result};
use crate::server_url::ServerUrl;

const MAX_FILE_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct File {
    keychain: Option<String>,
    fallback: Option<String>,
    revoke_on_erase: Option<bool>,
    profile: Option<String>,
    secret_service_session: Option<String>,
    #[serde(default)]
    registry: BTreeMap<String, RegistryTable>,
    #[serde(flatten)]
    unknown: BTreeMap<String, serde::de::IgnoredAny>,
}
const KNOWN: [&str; 6] =
    ["keychain", "fallback", "revoke_on_erase", "profile", "secret_service_session", "registry"];

#[derive(Deserialize)]
struct RegistryTable {
    insecure: Option<bool>,
    trust_realm: Option<OneOrMany>,
    client_id: Option<String>,
    ca_file: Option<PathBuf>,
    fallback: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, serde::de::IgnoredAny>,
}
const KNOWN_OF_REGISTRY: [&str; 6] =
    ["insecure", "trust_realm", "client_id", "ca_file", "fallback", "revocation_endpoint"];

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

pub(super) fn read(file: &Path) -> Result<Option<String>> {
    let shown = file.display();
    match std::fs::metadata(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => {
            return Err(Error::new(Kind::Usage, format!("{shown} is no file")));
        }
        Ok(found) if found.len() > MAX_FILE_BYTES => {
            return Err(Error::new(Kind::Usage, format!("{shown} is larger than 1 MiB")));
        }
        _ => {}
    }
    std::fs::read_to_string(file)
        .map(Some)
        .map_err(|e| Error::new(Kind::Usage, format!("cannot read {shown}: {}", e.kind())))
}

pub(super) fn parse(path: PathBuf, text: &str) -> Result<Settings> {
    let shown = path.display().to_string();
    // A syntax error quotes the file, and a password could stand in it: path and line only.
    let file: File = toml_edit::de::from_str(text).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1;
        Error::new(Kind::Usage, format!("cannot understand {shown}, line {line}"))
            .hint("correct that line, or move the file away")
    })?;
    let wrong = |key: &str, why: &dyn fmt::Display| {
        Error::new(Kind::Usage, format!("{key} in {shown} {why}"))
    };
    let mut settings = Settings::empty(path.clone());
    let mut warnings: Vec<_> =
        file.unknown.keys().map(|key| unknown_key(&shown, "", key, &KNOWN)).collect();
    if let Some(value) = file.keychain {
        settings.keychain = value.parse().map_err(|e| wrong("keychain", &e))?;
    }
    if let Some(value) = file.fallback {
        settings.fallback = parse_fallback(&value).map_err(|e| wrong("fallback", &e))?;
    }
    if let Some(value) = file.profile {
        settings.profile = check_profile(value).map_err(|e| wrong("profile", &e))?;
    }
    if let Some(value) = file.secret_service_session {
        let session = parse_session(&value);
        settings.encrypted_session = session.map_err(|e| wrong("secret_service_session", &e))?;
    }
    settings.revoke_on_erase = file.revoke_on_erase.unwrap_or_default();
    for (name, table) in file.registry {
        let url = ServerUrl::parse(&name).map_err(|e| wrong("a [registry] table's name", &e))?;
        let section = format!("[registry.\"{}\"] ", url.registry_key());
        warnings.extend(
            table.unknown.keys().map(|key| unknown_key(&shown, &section, key, &KNOWN_OF_REGISTRY)),
        );
        let origins = match table.trust_realm {
            None => Vec::new(),
            Some(OneOrMany::One(origin)) => vec![origin],
            Some(OneOrMany::Many(origins)) => origins,
        };
        let trust_realm: std::result::Result<_, _> = origins.iter().map(|o| o.parse()).collect();
        let fallback = table.fallback.map(|name| parse_fallback(&name)).transpose();
        settings.registries.insert(
            url.registry_key().to_owned(),
            RegistrySettings {
                insecure: table.insecure.unwrap_or_default(),
                trust_realm: trust_realm
                    .map_err(|e| wrong(&format!("{section}trust_realm"), &e))?,
                client_id: table.client_id,
                ca_file: table.ca_file,
                fallback: fallback.map_err(|e| wrong(&format!("{section}fallback"), &e))?,
                revocation_endpoint: table.revocation_endpoint,
            },
        );
    }
    settings.warnings = warnings;
    Ok(settings)
}

fn unknown_key(file: &str, section: &str, key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(key, name), name))
        .filter(|(distance, _)| *distance <= 4)
        .min();
    let meant = nearest.map_or(String::new(), |(_, name)| format!("; did you mean {name}?"));
    format!("unknown setting {section}{key} in {file} is ignored{meant}")
}

/// Adds an origin to `trust_realm` of one registry, keeping comments and order.
pub(super) fn add_trusted_realm(path: &Path, key: &str, origin: &str) -> Result<()> {
    let cannot = |e: &dyn fmt::Display| {
        Error::new(Kind::Other, format!("cannot write {}: {e}", path.display()))
            .hint("the login was kept; set trust_realm there by hand")
    };
    let text = read(path)?.unwrap_or_default();
    let mut document: DocumentMut = text.parse().map_err(|_| cannot(&"it cannot be understood"))?;
    let registries = document.entry("registry").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let registries =
        registries.as_table_like_mut().ok_or_else(|| cannot(&"registry is no table"))?;
    // The user may have spelled the registry in another way.
    let means_it = |name: &str| ServerUrl::parse(name).is_ok_and(|url| url.registry_key() == key);
    let spelled = registries.iter().map(|(name, _)| name.to_owned()).find(|name| means_it(name));
    let registry = registries
        .entry(spelled.as_deref().unwrap_or(key))
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| cannot(&"the registry's entry is no table"))?;
    let trusted = registry.entry("trust_realm").or_insert_with(|| Array::new().into());
    if let Some(one) = trusted.as_str().map(str::to_owned) {
        *trusted = Array::from_iter([one]).into();
    }
    let trusted = trusted.as_array_mut().ok_or_else(|| cannot(&"trust_realm is no list"))?;
    if trusted.iter().any(|known| known.as_str() == Some(origin)) {
        return Ok(());
    }
    trusted.push(Value::from(origin));
    replace(path, &document.to_string()).map_err(|e| cannot(&e))
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A symlink is kept: the file that it names is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    if let Ok(former) = std::fs::metadata(&path) {
        file.as_file().set_permissions(former.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|e| e.error)
}
