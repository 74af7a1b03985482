//! One setting written into the file, comments and order kept.

use std::fmt;
use std::io::Write;
use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::file::read;
use super::{Settings, registry_key};
use crate::error::{Error, Kind, Result, Setting};
use crate::files::atomic::{put_in_place, start};
use crate::login_record::RecordStore;
use crate::origin::Origin;
use crate::server_url::ServerUrl;

/// A fixed name, so that the next run removes what a killed one left.
const NEW_NAME: &str = "config.toml.new";

impl Settings {
    /// Writes a trusted origin into the file, and leaves everything else in it as it is. The lock is next
    /// to the records.
    ///
    /// # Errors
    /// A file that cannot be locked, understood or replaced.
    pub fn save_trusted_realm(
        &self,
        server_url: &str,
        origin: &Origin,
        records: &RecordStore,
    ) -> Result<()> {
        let (key, origin) = (registry_key(server_url)?, origin.to_string());
        add_trusted_realm(&self.file, &key, &origin, records)
    }

    /// What the file says about a setting that `configure` changes, for one registry or for all.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn written(&self, setting: OwnSetting, registry: Option<&str>) -> Result<Option<String>> {
        written(&self.file, setting.name(), registry)
    }

    /// Writes such a setting into the file or takes it out, and leaves everything else in it as it is.
    /// The lock is next to the records.
    ///
    /// # Errors
    /// A file that cannot be locked, understood or replaced.
    pub fn save(
        &self,
        setting: OwnSetting,
        registry: Option<&str>,
        value: Option<&str>,
        records: &RecordStore,
    ) -> Result<()> {
        let _locked = records.lock_settings()?;
        save(&self.file, setting.name(), registry, value)
    }
}

/// A setting that `configure` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnSetting {
    /// The helper that takes logins that cannot be exchanged.
    Fallback,
    /// Whether personal tokens are kept.
    PersonalTokens,
    /// Whether, and by which API, tokens are minted.
    Mint,
}

impl OwnSetting {
    /// As it is called in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::PersonalTokens => "personal_tokens",
            Self::Mint => "mint",
        }
    }
}

/// Adds an origin to `trust_realm` of one registry, keeping comments and order.
fn add_trusted_realm(path: &Path, key: &str, origin: &str, records: &RecordStore) -> Result<()> {
    let cannot = |why: &dyn fmt::Display| {
        let setting = Setting::new(format!("trust_realm = [\"{origin}\"]"));
        let error = cannot_write(path, why);
        let fact = format!("{}; the login was stored", error.fact);
        Error { fact, ..error }.remedy(setting.of_registry(key).in_file(path))
    };
    let _locked = records.lock_settings().map_err(|e| cannot(&e.fact))?;
    let mut document = read_document(path).map_err(|_| cannot(&"it cannot be understood"))?;
    let registry = registry_table(&mut document, key).map_err(|why| cannot(&why))?;
    let trusted = registry.entry("trust_realm").or_insert_with(|| Array::new().into());
    if let Some(one) = trusted.as_str().map(str::to_owned) {
        *trusted = Array::from_iter([one]).into();
    }
    let trusted = trusted.as_array_mut().ok_or_else(|| cannot(&"trust_realm is not a list"))?;
    if trusted.iter().any(|known| known.as_str() == Some(origin)) {
        return Ok(());
    }
    trusted.push(Value::from(origin));
    replace(path, &document.to_string()).map_err(|e| cannot(&e))
}

/// What the file itself says about a setting, for one registry or for all.
fn written(path: &Path, setting: &str, key: Option<&str>) -> Result<Option<String>> {
    let document = read_document(path)?;
    let table = match key {
        None => Some(document.as_table() as &dyn TableLike),
        Some(key) => document.get("registry").and_then(Item::as_table_like).and_then(|all| {
            let name = spelling(all, key)?;
            all.get(&name)?.as_table_like()
        }),
    };
    Ok(table.and_then(|table| table.get(setting)?.as_str()).map(str::to_owned))
}

/// Writes a setting for one registry or for all, or takes it out; with nothing left, the file is
/// deleted.
fn save(path: &Path, setting: &str, key: Option<&str>, text: Option<&str>) -> Result<()> {
    let mut document = read_document(path)?;
    let table: &mut dyn TableLike = match key {
        None => document.as_table_mut(),
        Some(key) => registry_table(&mut document, key).map_err(|why| cannot_write(path, &why))?,
    };
    match (text, table.get_mut(setting).and_then(Item::as_value_mut)) {
        (Some(text), Some(value)) => {
            let decor = value.decor().clone();
            *value = Value::from(text);
            *value.decor_mut() = decor;
        }
        (Some(text), None) => drop(table.insert(setting, toml_edit::value(text))),
        (None, _) => drop(table.remove(setting)),
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

/// The user may have spelled the registry differently.
fn spelling(registries: &dyn TableLike, key: &str) -> Option<String> {
    let means_it = |name: &str| ServerUrl::parse(name).is_ok_and(|url| url.registry_key() == key);
    registries.iter().map(|(name, _)| name.to_owned()).find(|name| means_it(name))
}

/// The table of one registry, created if there is none.
fn registry_table<'d>(
    document: &'d mut DocumentMut,
    key: &str,
) -> std::result::Result<&'d mut dyn TableLike, &'static str> {
    let registries = document.entry("registry").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let registries = registries.as_table_like_mut().ok_or("registry is not a table")?;
    let spelled = spelling(registries, key);
    registries
        .entry(spelled.as_deref().unwrap_or(key))
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or("the registry's entry is not a table")
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

/// The caller holds the lock: another one would take the new file away, or put it in place half-written.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A symlink is kept: the file that it names is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = start(directory, NEW_NAME)?;
    if let Ok(previous) = std::fs::metadata(&path) {
        file.as_file().set_permissions(previous.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    put_in_place(file, &path)
}
