//! The README is true: its commands run, its files are understood, its tables are complete.

mod blocks;
mod commands;
mod demo;
mod tables;

use std::fs;
use std::path::Path;

use blocks::{Block, Kind};
use commands::Reader;

const README: &str = include_str!("../README.md");
/// What the README calls the registry; the bundled server in its place has another name.
const REGISTRY: &str = "registry.example.com";

/// Named for what it needs: a reader logs in where there is no desktop.
#[test]
fn what_a_reader_types_works_with_the_kernel_keyring() {
    let reader = Reader::new();
    let mut output = None;
    for block in blocks::of(README) {
        match &block.kind {
            Kind::Commands => output = reader.run(&block),
            Kind::File(path) => reader.write(path, &block),
            Kind::Output => output = check_output(&block, output.take()),
            Kind::Recipe(_) => {}
        }
    }
}

#[test]
fn the_recipes_are_those_that_the_tests_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = Vec::new();
    for block in blocks::of(README) {
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
