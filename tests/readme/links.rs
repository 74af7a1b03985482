//! Every link of the pages leads to a file of this repository, and every anchor to a heading there.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::PAGES;

#[test]
fn every_link_and_anchor_resolves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    let more = ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "tests/README.md"]
        .map(|page| (page, fs::read_to_string(root.join(page)).unwrap()));
    let more = more.iter().map(|(page, text)| (*page, text.as_str()));
    for (page, text) in PAGES.into_iter().chain(more) {
        for target in targets(text).filter(|target| !target.contains("://")) {
            seen += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(page).parent().unwrap();
            let file =
                if file.is_empty() { PathBuf::from(page) } else { plain(&folder.join(file)) };
            let linked = fs::read_to_string(root.join(&file))
                .unwrap_or_else(|error| panic!("{page} links to {target}: {error}"));
            let there = anchor.is_empty() || headings(&linked).any(|heading| heading == anchor);
            assert!(there, "{page} links to {target}, and there is no such heading");
        }
    }
    assert!(seen > 20, "{seen} links: are they still found?");
}

/// What stands in `](…)`, outside of fenced blocks.
fn targets(page: &str) -> impl Iterator<Item = &str> {
    let prose = page.split("\n```").step_by(2);
    prose.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next())
}

/// The anchors that forges make of headings.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let lines = page.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                assert!(plain.pop(), "{} leaves this repository", path.display());
            }
            part => plain.push(part),
        }
    }
    plain
}

/// What the pages for contributors say is in a file, is there.
#[test]
fn every_path_in_the_pages_for_contributors_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for page in ["CONTRIBUTING.md", "docs/architecture.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let prose: String = text.split("\n```").step_by(2).collect();
        for path in prose.split('`').skip(1).step_by(2) {
            if path.starts_with("src/") || path.starts_with("tests/") {
                seen += 1;
                assert!(root.join(path).exists(), "{page} speaks of {path}");
            }
        }
    }
    assert!(seen > 20, "{seen} paths: are they still found?");
}
