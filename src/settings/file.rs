//! The settings file, read: each key by its name, and what is wrong with it by key and line.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike};

use super::value::{self, Parsed, Wrong};
use super::{RegistrySettings, Settings, Unknown};
use crate::error::{Error, Kind, Result};
use crate::external_helper::TokenCommand;
use crate::files::cannot;
use crate::nearest::nearest;
use crate::server_url::ServerUrl;

const MAX_FILE_BYTES: u64 = 1024 * 1024;
const KNOWN: [&str; 8] = [
    "keychain",
    "fallback",
    "personal_tokens",
    "mint",
    "revoke_on_erase",
    "profile",
    "secret_service_session",
    "registry",
];
const KNOWN_OF_REGISTRY: [&str; 9] = [
    "insecure",
    "trust_realm",
    "client_id",
    "ca_file",
    "fallback",
    "personal_tokens",
    "mint",
    "renew",
    "revocation_endpoint",
];

pub(super) fn read(file: &Path) -> Result<Option<String>> {
    let shown = file.display();
    match std::fs::metadata(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => {
            return Err(Error::new(Kind::Usage, format!("{shown} is not a file")));
        }
        Ok(found) if found.len() > MAX_FILE_BYTES => {
            return Err(Error::new(Kind::Usage, format!("{shown} is larger than 1 MiB")));
        }
        _ => {}
    }
    let text = std::fs::read_to_string(file);
    text.map(Some).map_err(|e| Error { kind: Kind::Usage, ..cannot("read", file, &e) })
}

pub(super) fn parse(path: PathBuf, text: &str) -> Result<Settings> {
    let shown = path.display().to_string();
    let file = File { shown: &shown, text };
    // The error as a whole quotes the file, which could contain a password; its message does not.
    let document = Document::parse(text).map_err(|e| {
        let line = file.line(e.span());
        let why = what_is_wrong(e.message(), text.lines().nth(line - 1).unwrap_or_default());
        Error::new(Kind::Usage, format!("cannot understand {shown}, line {line}: {why}"))
            .hint("correct that line, or move the file away")
    })?;
    let mut settings = Settings::empty(path.clone());
    let global = Section { file: &file, name: String::new(), table: document.as_table() };
    settings.warnings = global.unknown(&KNOWN);
    if let Some(keychain) = global.text("keychain", value::keychain)? {
        settings.keychain = keychain;
    }
    if let Some(fallback) = global.text("fallback", value::fallback)? {
        settings.fallback = fallback;
    }
    if let Some(keep) = global.text("personal_tokens", value::keep)? {
        settings.keep_personal_tokens = keep;
    }
    if let Some(mint) = global.text("mint", value::mint)? {
        settings.mint = mint;
    }
    if let Some(profile) = global.text("profile", value::profile)? {
        settings.profile = profile;
    }
    if let Some(session) = global.text("secret_service_session", value::session)? {
        settings.encrypted_session = session;
    }
    settings.revoke_on_erase = global.boolean("revoke_on_erase")?.unwrap_or_default();
    let Some(registries) = global.get("registry") else { return Ok(settings) };
    let no_table = |item: &Item| {
        let takes = "a table for each registry, such as [registry.\"registry.example.com\"]";
        global.wrong("registry", item, &Wrong::new(takes, kind(item)))
    };
    let all = registries.as_table_like().ok_or_else(|| no_table(registries))?;
    for (name, item) in all.iter() {
        let table = item.as_table_like().ok_or_else(|| no_table(item))?;
        let url = ServerUrl::parse(name)
            .map_err(|why| global.wrong("the name of a [registry] table", item, &why))?;
        let key = url.registry_key().to_owned();
        let own = Section { file: &file, name: format!("[registry.\"{key}\"] "), table };
        settings.warnings.extend(own.unknown(&KNOWN_OF_REGISTRY));
        if settings.registries.insert(key.clone(), own.registry()?).is_some() {
            let line = file.line(item.span());
            let what = format!("the other table for {key} before line {line} of {shown}");
            settings.warnings.push(Unknown::new(what, None::<String>));
        }
    }
    Ok(settings)
}

struct File<'a> {
    shown: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let start = span.map_or(0, |span| span.start.min(self.text.len()));
        self.text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1
    }
}

/// The two mistakes that are made most, with an example; the others in the words of the TOML library.
fn what_is_wrong(message: &str, line: &str) -> String {
    let line = line.trim();
    let has_bare_text = |(_, value): (&str, &str)| {
        value.trim_start().starts_with(|c: char| c.is_alphabetic() || "/~".contains(c))
    };
    if line.starts_with("[registry.") && !line.contains(['"', '\'']) {
        "a name with a dot or a port needs quotes, as in [registry.\"registry.example.com:5000\"]"
            .to_owned()
    } else if line.split_once('=').is_some_and(has_bare_text) {
        "text needs quotes, as in keychain = \"kernel\"".to_owned()
    } else {
        message.lines().collect::<Vec<_>>().join(", ")
    }
}

/// One table of the file, and how messages name it.
struct Section<'a> {
    file: &'a File<'a>,
    name: String,
    table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    fn get(&self, key: &str) -> Option<&'a Item> {
        self.table.get(key)
    }

    fn wrong(&self, key: &str, item: &Item, why: &dyn fmt::Display) -> Error {
        let (name, shown, line) = (&self.name, self.file.shown, self.file.line(item.span()));
        Error::new(Kind::Usage, format!("{name}{key} in {shown}, line {line}, {why}"))
    }

    fn text<T>(&self, key: &str, parse: fn(&str) -> Parsed<T>) -> Result<Option<T>> {
        let Some(item) = self.get(key) else { return Ok(None) };
        let text = item.as_str().ok_or_else(|| Wrong::new("a quoted string", kind(item)));
        text.and_then(parse).map(Some).map_err(|why| self.wrong(key, item, &why))
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let Some(item) = self.get(key) else { return Ok(None) };
        let value = item.as_bool().ok_or_else(|| {
            let number = item.as_integer().map(|number| number.to_string());
            value::not_boolean(kind(item), item.as_str().or(number.as_deref()))
        });
        value.map(Some).map_err(|why| self.wrong(key, item, &why))
    }

    /// One string, or a list of them.
    fn texts<T>(&self, key: &str, parse: fn(&str) -> Parsed<T>) -> Result<Vec<T>> {
        let Some(item) = self.get(key) else { return Ok(Vec::new()) };
        let Some(list) = item.as_array() else {
            if item.is_str() {
                return Ok(self.text(key, parse)?.into_iter().collect());
            }
            let wrong = Wrong::new("a list of quoted strings", kind(item));
            return Err(self.wrong(key, item, &wrong));
        };
        let each = list.iter().map(|value| {
            let text =
                value.as_str().ok_or_else(|| Wrong::new("only strings", "a list of other values"));
            text.and_then(parse).map_err(|why| self.wrong(key, item, &why))
        });
        each.collect()
    }

    /// A program and its arguments: never one string, which only a shell could take apart.
    fn command(&self, key: &str) -> Result<Option<TokenCommand>> {
        let Some(item) = self.get(key) else { return Ok(None) };
        let words = item.as_array().and_then(|list| {
            list.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        let program = words.as_ref().and_then(|words| words.first().cloned());
        match words.and_then(TokenCommand::new) {
            Some(command) => Ok(Some(command)),
            None => Err(self.wrong(key, item, &not_a_command(item, program.as_deref()))),
        }
    }

    fn registry(&self) -> Result<RegistrySettings> {
        Ok(RegistrySettings {
            insecure: self.boolean("insecure")?.unwrap_or_default(),
            trust_realm: self.texts("trust_realm", value::origin)?,
            client_id: self.text("client_id", value::text)?,
            ca_file: self.text("ca_file", value::file)?,
            fallback: self.text("fallback", value::fallback)?,
            keep_personal_tokens: self.text("personal_tokens", value::keep)?,
            mint: self.text("mint", value::mint)?,
            renew: self.command("renew")?,
            revocation_endpoint: self.text("revocation_endpoint", value::text)?,
        })
    }

    fn unknown(&self, known: &[&'static str]) -> Vec<Unknown> {
        let (name, shown) = (&self.name, self.file.shown);
        let keys = self.table.iter().map(|(key, _)| key).filter(|key| !known.contains(key));
        let told = keys.map(|key| {
            let what = format!("unknown setting {name}{key} in {shown}");
            Unknown::new(what, nearest(key, known.iter().copied()))
        });
        told.collect()
    }
}

/// Why it is not a program and its arguments.
fn not_a_command(item: &Item, program: Option<&str>) -> Wrong {
    let found = match program {
        _ if !item.is_array() => kind(item),
        Some(program) if program.starts_with('~') => {
            "a path that begins with ~, which is not expanded"
        }
        Some(program) if program.contains(['/', '\\']) => "a relative path",
        _ => "this list",
    };
    let takes =
        "a program (its name or absolute path) and its arguments, such as [\"az\", \"acr\"]";
    Wrong::new(takes, found).meant(program.and_then(value::in_home))
}

/// What a value is, in a sentence.
fn kind(item: &Item) -> &'static str {
    match item.type_name() {
        "string" => "a string",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" | "array of tables" => "a list",
        "table" | "inline table" => "a table",
        _ => "this value",
    }
}
