//! The README and `docs/` are true: their commands run, their files are understood, their tables
//! are complete, and their links lead somewhere.

mod blocks;
mod commands;
mod demo;
mod developer;
mod links;
mod release;
mod tables;

use std::fs;
use std::path::Path;

use blocks::{Block, Kind};
use commands::Reader;

/// Each page, by its path.
const PAGES: [(&str, &str); 12] = [
    ("README.md", include_str!("../README.md")),
    ("docs/ci.md", include_str!("../docs/ci.md")),
    ("docs/clients.md", include_str!("../docs/clients.md")),
    ("docs/commands.md", include_str!("../docs/commands.md")),
    ("docs/development.md", include_str!("../docs/development.md")),
    ("docs/headless.md", include_str!("../docs/headless.md")),
    ("docs/keychains.md", include_str!("../docs/keychains.md")),
    ("docs/registries.md", include_str!("../docs/registries.md")),
    ("docs/security.md", include_str!("../docs/security.md")),
    ("docs/server.md", include_str!("../docs/server.md")),
    ("docs/settings.md", include_str!("../docs/settings.md")),
    ("docs/troubleshooting.md", include_str!("../docs/troubleshooting.md")),
];
/// What the pages call the registry; the bundled server in its place has another name.
const REGISTRY: &str = "registry.example.com";

/// Named for what it needs: a reader logs in where there is no desktop.
#[test]
fn what_a_reader_types_works_with_the_kernel_keyring() {
    let mut commands = 0;
    for (path, page) in PAGES {
        let blocks = blocks::of(page);
        if !blocks.iter().any(|block| matches!(block.kind, Kind::Commands | Kind::File(_))) {
            continue;
        }
        let reader = Reader::new();
        if path != "README.md" {
            reader.starts_as_the_readme_says();
        }
        let mut output = None;
        for block in &blocks {
            match &block.kind {
                Kind::Commands => {
                    commands += 1;
                    output = reader.run(block);
                }
                Kind::File(path) => reader.write(path, block),
                Kind::Output => output = check_output(block, output.take()),
                Kind::Transcript => {
                    let reader = Reader::new();
                    for (command, shown) in block.steps() {
                        check_output(&shown, reader.run(&command));
                    }
                }
                Kind::Recipe(_) => {}
            }
        }
    }
    assert!(commands > 15, "{commands} blocks of commands: are they still found?");
}

#[test]
fn every_page_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // What a reader of the code needs has nothing to run.
        let known = name == "architecture.md" || !name.ends_with(".md");
        assert!(known || PAGES.iter().any(|(path, _)| *path == format!("docs/{name}")), "{name}");
    }
}

#[test]
fn the_recipes_are_those_that_the_tests_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = Vec::new();
    for block in PAGES.iter().flat_map(|(_, page)| blocks::of(page)) {
        if let Kind::Recipe(path) = block.kind {
            assert_eq!(block.text, fs::read_to_string(root.join(&path)).unwrap(), "{path}");
            shown.push(root.join(path));
        }
    }
    let folders = ["tests/ci_recipes", "tests/headless"].map(|name| root.join(name));
    let all = folders.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut all: Vec<_> = all.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    shown.sort();
    assert_eq!(shown, all);
}

/// Each line that is shown was printed, in this order.
#[track_caller]
fn check_output(block: &Block, printed: Option<commands::Printed>) -> Option<commands::Printed> {
    let Some(printed) = printed else {
        assert!(commands::LEFT_OUT.get().is_some(), "nothing printed {:?}", block.text);
        return None;
    };
    if block.language == "json" {
        let keys = |text: &str| {
            let json: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
            json.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&block.text), keys(&printed.text));
        return None;
    }
    let shown: Vec<_> = block.text.lines().map(blocks::generalized).collect();
    let lines: Vec<_> = printed.text.lines().map(blocks::generalized).collect();
    if printed.whole {
        assert_eq!(shown, lines);
    }
    let mut rest = lines.iter();
    for line in &shown {
        assert!(rest.any(|printed| printed == line), "{line:?} was not printed in {lines:#?}");
    }
    None
}
