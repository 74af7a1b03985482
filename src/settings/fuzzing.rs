//! The settings' file without the file, for the fuzz targets.

use std::path::PathBuf;

use super::{RegistrySettings, Settings, file};
use crate::error::Result;

/// What a file with this text says.
pub fn parse(text: &str) -> Result<Settings> {
    file::parse(PathBuf::from("config.toml"), text)
}

/// The registries that it names, by key.
pub fn registries(settings: &Settings) -> impl Iterator<Item = (&str, &RegistrySettings)> {
    settings.registries.iter().map(|(key, own)| (key.as_str(), own))
}
