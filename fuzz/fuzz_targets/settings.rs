//! `config.toml`: what is taken is what a plain reading of the TOML says, and no error or warning quotes
//! a value, which could be a password in the wrong place.
#![no_main]

use docker_credential_refresh::server_url::ServerUrl;
use docker_credential_refresh::settings::fuzzing::{parse, registries};
use libfuzzer_sys::fuzz_target;
use toml_edit::{DocumentMut, Item, TableLike};

/// A value with this in it is never shown, unless a part of it is offered as what was meant: a helper's
/// name, a path, the origin of a URL.
const CANARY: &str = "hunter2";

fuzz_target!(|text: &str| {
    let document = text.parse::<DocumentMut>();
    let settings = match parse(text) {
        Ok(settings) => settings,
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.lines().count() == 1 && shown.contains("config.toml"), "{shown}");
            match document {
                Err(_) => is_line_alone(&shown, text),
                Ok(document) => is_not_quoted(&shown, document.as_table()),
            }
            return;
        }
    };
    let document = document.expect("TOML");
    for warning in &settings.warnings {
        is_not_quoted(&warning.ignored(), document.as_table());
        is_not_quoted(&warning.refused().to_string(), document.as_table());
    }
    let text_of = |table: &dyn TableLike, name: &str| {
        table.get(name).and_then(Item::as_str).map(str::to_owned)
    };
    let root = document.as_table();
    assert_eq!(settings.profile, text_of(root, "profile").unwrap_or("default".into()));
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    assert!((1..=64).contains(&settings.profile.len()) && settings.profile.bytes().all(is_plain));
    let revoke = root.get("revoke_on_erase").and_then(Item::as_bool);
    assert_eq!(settings.revoke_on_erase, revoke.unwrap_or_default());
    let session = text_of(root, "secret_service_session");
    assert_eq!(settings.encrypted_session, session.as_deref() == Some("encrypted"));
    let keep = text_of(root, "personal_tokens");
    assert_eq!(settings.keep_personal_tokens, keep.as_deref() == Some("keep"));
    let fallback = text_of(root, "fallback").filter(|name| name != "none");
    assert_eq!(settings.fallback.as_ref().map(|name| name.as_str()), fallback.as_deref());

    let tables = root.get("registry").and_then(Item::as_table_like);
    for (name, own) in tables.into_iter().flat_map(TableLike::iter) {
        assert!(own.as_table_like().is_some() && ServerUrl::parse(name).is_ok(), "{name}");
    }
    for (key, own) in registries(&settings) {
        // The last table for it counts.
        let means_it =
            |name: &str| ServerUrl::parse(name).is_ok_and(|url| url.registry_key() == key);
        let found = tables.into_iter().flat_map(TableLike::iter);
        let (_, table) = found.filter(|(name, _)| means_it(name)).last().expect("a table");
        let table = table.as_table_like().expect("a table");
        assert_eq!(own.insecure, table.get("insecure").and_then(Item::as_bool).unwrap_or(false));
        assert_eq!(own.client_id, text_of(table, "client_id"));
        let written = match table.get("trust_realm") {
            Some(list) if list.is_array() => list.as_array().map_or(0, |list| list.len()),
            one => one.iter().count(),
        };
        assert_eq!(own.trust_realm.len(), written);
        assert!(own.ca_file.as_ref().is_none_or(|file| file.is_absolute()));
    }
});

/// Which line it is, and nothing that is in it.
fn is_line_alone(shown: &str, text: &str) {
    let line = shown.strip_prefix("cannot understand config.toml, line ").expect("a line");
    let number: String = line.chars().take_while(char::is_ascii_digit).collect();
    assert!((1..=text.lines().count().max(1) + 1).contains(&number.parse().unwrap()), "{shown}");
    let rest = line[number.len()..].strip_prefix(": ").expect("what is wrong");
    assert!(rest.ends_with("; correct that line, or move the file away"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
}

fn is_not_quoted(shown: &str, table: &dyn TableLike) {
    // The text of a key is shown, to tell which one it is; that of a registry in lower case.
    fn may_be_shown(table: &dyn TableLike) -> bool {
        table.iter().any(|(key, item)| {
            let is_shown = key.to_ascii_lowercase().contains(CANARY);
            is_shown || item.as_table_like().map_or(is_offered(item), may_be_shown)
        })
    }
    fn is_offered(item: &Item) -> bool {
        let text = item.to_string();
        let is_name =
            text.contains("docker-credential-") || text.contains(|c: char| c.is_uppercase());
        is_name || text.contains(['/', '\\'])
    }
    assert!(!shown.contains(CANARY) || may_be_shown(table), "{shown}");
}
