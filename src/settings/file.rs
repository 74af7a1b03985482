//! The settings file: read, and one setting written into it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

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
    let cannot = |why: &dyn fmt::Display| {
        cannot_write(path, why).hint("the login was kept; set trust_realm there by hand")
    };
    let mut document = read_document(path).map_err(|_| cannot(&"it cannot be understood"))?;
    let registry = registry_table(&mut document, key).map_err(|why| cannot(&why))?;
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

/// What the file itself says about `fallback`, for one registry or for all.
pub(super) fn written_fallback(path: &Path, key: Option<&str>) -> Result<Option<String>> {
    let document = read_document(path)?;
    let table = match key {
        None => Some(document.as_table() as &dyn TableLike),
        Some(key) => document.get("registry").and_then(Item::as_table_like).and_then(|all| {
            let name = spelling(all, key)?;
            all.get(&name)?.as_table_like()
        }),
    };
    Ok(table.and_then(|table| table.get("fallback")?.as_str()).map(str::to_owned))
}

/// Writes `fallback` for one registry or for all, or takes it out; with nothing left, the file goes.
pub(super) fn set_fallback(path: &Path, key: Option<&str>, name: Option<&str>) -> Result<()> {
    let mut document = read_document(path)?;
    let table: &mut dyn TableLike = match key {
        None => document.as_table_mut(),
        Some(key) => registry_table(&mut document, key).map_err(|why| cannot_write(path, &why))?,
    };
    match (name, table.get_mut("fallback").and_then(Item::as_value_mut)) {
        (Some(name), Some(value)) => {
            let decor = value.decor().clone();
            *value = Value::from(name);
            *value.decor_mut() = decor;
        }
        (Some(name), None) => drop(table.insert("fallback", toml_edit::value(name))),
        (None, _) => drop(table.remove("fallback")),
    }
    if let (Some(key), true) = (key, table.is_empty()) {
        remove_registry(&mut document, key);
    }
    let text = document.to_string();
    let written =
        if text.trim().is_empty() { std::fs::remove_file(path) } else { replace(path, &text) };
    written.map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, why: &dyn fmt::Display) -> Error {
    Error::new(Kind::Other, format!("cannot write {}: {why}", path.display()))
}

fn read_document(path: &Path) -> Result<DocumentMut> {
    let text = read(path)?.unwrap_or_default();
    text.parse()
        .map_err(|_| Error::new(Kind::Usage, format!("cannot understand {}", path.display())))
}

/// The user may have spelled the registry in another way.
fn spelling(registries: &dyn TableLike, key: &str) -> Option<String> {
    let means_it = |name: &str| ServerUrl::parse(name).is_ok_and(|url| url.registry_key() == key);
    registries.iter().map(|(name, _)| name.to_owned()).find(|name| means_it(name))
}

/// The table of one registry, made if there is none.
fn registry_table<'d>(
    document: &'d mut DocumentMut,
    key: &str,
) -> std::result::Result<&'d mut dyn TableLike, &'static str> {
    let registries = document.entry("registry").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let registries = registries.as_table_like_mut().ok_or("registry is no table")?;
    let spelled = spelling(registries, key);
    registries
        .entry(spelled.as_deref().unwrap_or(key))
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or("the registry's entry is no table")
}

fn remove_registry(document: &mut DocumentMut, key: &str) {
    let Some(registries) = document.get_mut("registry").and_then(Item::as_table_like_mut) else {
        return;
    };
    if let Some(name) = spelling(registries, key) {
        registries.remove(&name);
    }
    if registries.is_empty() {
        document.remove("registry");
    }
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
