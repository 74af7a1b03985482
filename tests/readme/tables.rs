//! The pages' tables against the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use docker_credential_refresh::environment::PREFIX;
use docker_credential_refresh::error::Kind;
use docker_credential_refresh::keychain::KeychainName;
use docker_credential_refresh::settings::{Settings, Variables};

use super::PAGES;

const SETTINGS: &str = concat!(
    include_str!("../../src/settings/file.rs"),
    include_str!("../../src/settings/variables.rs")
);

fn page(path: &str) -> &'static str {
    PAGES.iter().find(|(name, _)| *name == path).unwrap().1
}

/// The rows of the tables below a heading of a page, as cells.
fn tables(path: &str, heading: &str) -> Vec<Vec<Vec<&'static str>>> {
    let section = page(path).split(&format!("{heading}\n")).nth(1).unwrap();
    let end = if heading.starts_with("## ") { "\n## " } else { "\n# " };
    let section = section.split(end).next().unwrap();
    let mut tables = Vec::new();
    for line in section.lines() {
        match line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) {
            Some(row) => {
                let cells: Vec<_> = row.split(" | ").map(str::trim).collect();
                match tables.last_mut() {
                    Some(Some(table)) => Vec::push(table, cells),
                    _ => tables.push(Some(vec![cells])),
                }
            }
            None if line.starts_with("|--") => {}
            None => tables.push(None),
        }
    }
    tables.into_iter().flatten().map(|table| table[1..].to_vec()).collect()
}

/// The texts in quotation marks between two marks of the source.
fn quoted(from: &str, to: &str) -> BTreeSet<&'static str> {
    let part = SETTINGS.split(from).nth(1).unwrap().split(to).next().unwrap();
    part.split('"').skip(1).step_by(2).collect()
}

fn in_code(cell: &'static str) -> Option<&'static str> {
    cell.split('`').nth(1)
}

#[test]
fn the_settings_are_all_there_and_no_others() {
    let tables = tables("docs/settings.md", "# Settings");
    let [global, of_registry, _stored] = &tables[..] else { panic!("{} tables", tables.len()) };
    let names = |table: &[Vec<&'static str>]| -> BTreeSet<_> {
        table.iter().filter_map(|row| in_code(row[0])).collect()
    };
    let mut known = quoted("const KNOWN: [&str; ", ";\n");
    assert!(known.remove("registry"));
    assert_eq!(names(global), known);
    assert_eq!(names(of_registry), quoted("const KNOWN_OF_REGISTRY: [&str; ", ";\n"));

    let shown: BTreeSet<_> = [global, of_registry]
        .into_iter()
        .flatten()
        .filter_map(|row| in_code(row[1])?.strip_prefix(PREFIX))
        .collect();
    let reads = |call: &'static str| {
        SETTINGS.split(call).skip(1).map(|rest| rest.split('"').next().unwrap())
    };
    assert_eq!(shown, reads("variables.parsed(\"").chain(reads("variables.value(\"")).collect());
    let without = BTreeSet::from(["AGE_IDENTITY", "TRACE"]);
    let all = shown.union(&without).copied().collect();
    assert_eq!(quoted("const SETTINGS: [&str; ", ";\n"), all);
}

#[test]
fn the_settings_defaults_are_what_is_set_without_a_file() {
    let without = Settings::load(Path::new("/nonexistent"), &Variables::of([])).unwrap();
    let default = |name: &str| {
        let tables = tables("docs/settings.md", "# Settings");
        let row = tables[0].iter().find(|row| in_code(row[0]) == Some(name)).unwrap();
        in_code(row[2]).unwrap()
    };
    assert_eq!(default("keychain"), without.keychain.to_string());
    assert_eq!(default("profile"), without.profile);
    assert_eq!(default("revoke_on_erase"), without.revoke_on_erase.to_string());
    assert_eq!((default("fallback"), without.fallback), ("none", None));
    assert_eq!((default("secret_service_session"), without.encrypted_session), ("plain", false));
}

#[test]
fn the_exit_statuses_are_those_of_the_errors() {
    let readme = page("docs/commands.md").replace('\n', " ");
    let statuses = readme.split(" 0 done, ").nth(1).unwrap().split('.').next().unwrap();
    for (kind, meaning) in [
        (Kind::Other, "any other failure"),
        (Kind::Usage, "wrong arguments or settings"),
        (Kind::NotLoggedIn, "not logged in"),
        (Kind::Rejected, "rejected by the token server"),
        (Kind::NoRefreshToken, "no refresh token available"),
        (Kind::Keychain, "the keychain is locked or cannot be used"),
        (Kind::Network, "network or TLS"),
        (Kind::Trust, "refused by a trust rule"),
        (Kind::RevocationUnconfirmed, "the token may still be valid at the server"),
    ] {
        let status = format!("{} {meaning}", kind as u8);
        assert!(statuses.split(", ").any(|shown| shown == status), "{status} not in {statuses}");
    }
}

/// The sources as one text, without the line ends inside their texts.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    let mut parts = all.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

#[test]
fn the_messages_of_the_troubleshooting_list_are_the_helpers_own() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let tables = tables("docs/troubleshooting.md", "# Troubleshooting");
    let rows: Vec<_> = tables.iter().flatten().collect();
    assert!(rows.len() > 30, "{} rows", rows.len());
    for row in rows {
        let message = in_code(row[0]).unwrap();
        for part in message.split('…').map(|part| part.trim_matches([' ', ';', ':'])) {
            assert!(sources.contains(part), "{part:?} of {message:?} is in no source");
        }
    }
}

/// Behind each row of the support table that has faults: its tests, what of their names says which
/// faults, and what docker's test calls it.
#[rustfmt::skip] // a table
const BEHIND: [(&str, &[&str], &str); 7] = [
    ("keychain::gnome_keyring",
        &["locked", "dismissed", "nobody_answers", "killed", "hangs", "without_a_bus"], "gnome_keyring"),
    ("keychain::keepassxc", &["locked", "dismissed", "never_answered", "killed"], "keepassxc"),
    ("keychain::kwallet",
        &["is_locked", "dismissed", "nobody_answers", "killed", "switched_off"], "kwallet"),
    ("keychain::kernel", &["full_quota", "revoked", "damaged", "seccomp", "out_of_reach"], "kernel_keyring"),
    ("keychain::age_file", &["full_disk", "read_only", "killed", "damaged", "missing"], "age_files"),
    ("keychain::pass", &["locked"], "helper_pass"),
    ("keychain::helper::secretservice", &["locked_or_killed"], "helper_secretservice"),
];

/// What the support table claims to run is there: tests of its own, of each kind.
#[test]
fn the_support_table_has_every_keychain_and_its_tests_are_there() {
    let listed = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let clients = include_str!("../clients/docker.rs");
    let table = &tables("docs/keychains.md", "## What was tested")[0];
    for row in table {
        let [keychain, claims @ .., tests] = &row[..] else { panic!("{row:?}") };
        in_code(keychain).unwrap().parse::<KeychainName>().unwrap();
        let tests = in_code(tests).unwrap();
        let has = |part: &str| listed.lines().any(|test| name_in(test, tests).contains(part));
        let behind = BEHIND.iter().find(|(of, ..)| *of == tests);
        let runs = [
            has("keeps_the_contract") || in_folder(tests, "keychain::contract::holds"),
            behind.is_some_and(|(_, faults, _)| faults.iter().all(|fault| has(fault))),
            behind.is_some_and(|(_, _, word)| {
                clients.contains(&format!("#[test]\nfn docker_with_a_daemon_and_{word}_by_post()"))
            }),
        ];
        for (claim, runs) in claims.iter().zip(runs) {
            assert_eq!(claim.starts_with("yes"), runs, "{keychain}: {claim}");
        }
        if claims[0].contains("encrypted") {
            assert!(has("keeps_the_contract_over_an_encrypted_session"), "{keychain}");
        }
    }
    for name in every_keychain() {
        let there = table.iter().any(|row| in_code(row[0]) == Some(&name.to_string()));
        assert!(there, "{name} is not in the table");
    }
}

/// The name of a listed test in such a module (or in the one of its faults, or after such a start
/// of a name); empty if it is elsewhere.
fn name_in<'a>(test: &'a str, tests: &str) -> &'a str {
    let rest = test.strip_prefix(tests).unwrap_or_default();
    ["::", "_faults::", "_on_"].iter().find_map(|next| rest.strip_prefix(next)).unwrap_or_default()
}

/// Tests that run elsewhere than in this program.
fn in_folder(folder: &str, text: &str) -> bool {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let files = files.into_iter().flatten().map(|entry| entry.unwrap().path());
    files.into_iter().any(|file| fs::read_to_string(file).is_ok_and(|all| all.contains(text)))
}

/// A name for each kind; one more kind has no place in the list, and does not compile.
fn every_keychain() -> Vec<KeychainName> {
    use KeychainName::{File, Helper, Kernel, Macos, SecretService, Windows};
    let all = vec![SecretService, Kernel, File, Helper("pass".parse().unwrap()), Macos, Windows];
    all.iter().for_each(|name| match name {
        SecretService | Kernel | File | Helper(_) | Macos | Windows => {}
    });
    all
}

/// Each way to serve a registry names its tests: modules of this program, or files.
#[test]
fn the_ways_to_serve_a_registry_name_tests_that_are_there() {
    let listed = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let ways = &tables("docs/registries.md", "# Registries")[2];
    assert!(ways.len() > 5, "{ways:?}");
    for row in ways {
        let [way, _, tried, tests] = &row[..] else { panic!("{row:?}") };
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{way}");
        for name in &names {
            let is_there = match name.ends_with(".rs") {
                true => folder.join(name).is_file(),
                false => listed.lines().any(|test| test.starts_with(&format!("{name}::"))),
            };
            assert!(is_there, "{way}: {name}");
        }
        let with_docker = names.iter().any(|name| name.starts_with("clients/"));
        assert_eq!(tried.contains("Docker Engine"), with_docker, "{way}");
    }
}
