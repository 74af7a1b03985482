//! Changes to a `config.json`. The first line says which helper is put where, the rest is the file:
//! all that was not to be changed is as it was, in its order, and each change can be undone to the byte.
#![no_main]

use docker_credential_refresh::docker_config::{Document, EntryKind, Previous, Setting};
use docker_credential_refresh_fuzz::json::Json;
use libfuzzer_sys::fuzz_target;

type Members = Vec<(String, Json)>;

fuzz_target!(|input: &str| {
    let (first, text) = input.split_once('\n').unwrap_or((input, ""));
    let (helper, host) = first.split_once(' ').unwrap_or((first, ""));
    let Ok(before) = Document::parse(text.to_owned(), "config.json", false) else { return };
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    assert!(is_json || text.trim().is_empty(), "{text}");
    let Some(said) = read(&before) else { return };
    for (name, value) in [("credsStore", Json::Text(String::new())), ("auths", Json::Map(vec![]))] {
        let all: Vec<_> = said.iter().filter(|(known, _)| is(known, name)).collect();
        let fits = |found: &Json| {
            *found == Json::Null || std::mem::discriminant(found) == std::mem::discriminant(&value)
        };
        assert!(all.len() <= 1 && all.iter().all(|(_, found)| fits(found)), "{text}");
    }

    sets(&before, &said, &Setting::Store, "credsStore", helper);
    sets(&before, &said, &Setting::Helper(host.to_owned()), "credHelpers", helper);
    removes(&before, &said);
});

/// What a document says; none if a number in it is beyond what can be compared.
fn read(document: &Document) -> Option<Members> {
    match document.text().trim() {
        "" => Some(Vec::new()),
        text => Json::parse(text.as_bytes()).map(|json| json.members().to_vec()),
    }
}

/// As Go compares the name of a field.
fn is(name: &str, field: &str) -> bool {
    let folded = name.replace('\u{17f}', "s").replace('\u{212a}', "k");
    folded.eq_ignore_ascii_case(field)
}

fn without(members: &[(String, Json)], field: &str) -> Members {
    members.iter().filter(|(name, _)| !is(name, field)).cloned().collect()
}

fn member<'a>(members: &'a [(String, Json)], field: &str) -> Option<&'a Json> {
    members.iter().find(|(name, _)| is(name, field)).map(|(_, value)| value)
}

fn sets(before: &Document, said: &Members, setting: &Setting, field: &str, helper: &str) {
    let mut changed = before.clone();
    let previous = before.previous(setting);
    let splices = changed.set(setting, helper).unwrap_or_else(|e| panic!("{e}"));
    let now = read(&changed).expect("JSON");
    assert_eq!(changed.previous(setting), Previous::Text(helper.to_owned()));
    assert_eq!(without(&now, field), without(said, field), "{}", changed.text());
    if let Setting::Helper(host) = setting {
        let others = |members: &Members| -> Members {
            let all = member(members, field).map_or(&[][..], Json::members);
            all.iter().filter(|(name, _)| name != host).cloned().collect()
        };
        assert_eq!(others(&now), others(said), "{}", changed.text());
    }

    let mut text = changed.text().to_owned();
    for splice in splices.iter().rev() {
        text = splice.undone(&text).expect("it is there").to_string();
    }
    assert_eq!(text, before.text());

    changed.restore(setting, &previous).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(changed.previous(setting), previous);
    let restored = read(&changed).expect("JSON");
    assert_eq!(without(&restored, field), without(said, field), "{}", changed.text());
}

fn removes(before: &Document, said: &Members) {
    let fields = ["auth", "username", "password", "identitytoken"];
    let mut changed = before.clone();
    for entry in before.entries() {
        if matches!(entry.kind, EntryKind::Damaged(_)) {
            continue;
        }
        // Of two with one name, the first is taken out, and the second may be another.
        let is_there = changed.entries().contains(&entry);
        let all = |document: &Document| -> Members {
            let members = read(document).expect("JSON");
            member(&members, "auths").map_or(&[][..], Json::members).to_vec()
        };
        let had = all(&changed);
        assert_eq!(changed.remove(&entry).unwrap_or_else(|e| panic!("{e}")), is_there);
        let has = all(&changed);
        if !is_there {
            assert_eq!(has, had);
            continue;
        }
        assert_eq!(without(&read(&changed).expect("JSON"), "auths"), without(said, "auths"));
        let name = &entry.server_url;
        if had.iter().filter(|(known, _)| known == name).count() != 1 {
            continue;
        }
        let mut expected = had.clone();
        for (_, value) in expected.iter_mut().filter(|(known, _)| known == name) {
            if let Json::Map(members) = value {
                members.retain(|(field, _)| !fields.iter().any(|login| is(field, login)));
            }
        }
        expected.retain(|(known, value)| known != name || !value.members().is_empty());
        assert_eq!(has, expected, "{}", changed.text());
    }
}
