//! How the modules of `src` stand to each other.
//!
//! A module is a file. It imports another one if it names something that is defined there, through
//! whatever re-export. Two things hold:
//!
//! 1. Files form no circle.
//! 2. No import runs back up: taken each with its folder, the modules of one folder form no circle
//!    either. So what is in a folder may import what its parent's neighbours lie on, and not what
//!    lies on the parent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::graph::{Graph, Module};

mod graph;

fn graph() -> Graph {
    Graph::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The nodes of `edges` that lie on a circle, one circle a line.
fn circles<N: Ord + Clone + std::fmt::Debug>(edges: &BTreeMap<N, BTreeSet<N>>) -> Vec<String> {
    let reach = |from: &N| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&N> = edges.get(from).into_iter().flatten().collect();
        while let Some(node) = next.pop() {
            if seen.insert(node.clone()) {
                next.extend(edges.get(node).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&N, BTreeSet<N>> = edges.keys().map(|node| (node, reach(node))).collect();
    let mut found = BTreeSet::new();
    for (node, all) in &reached {
        if all.contains(node) {
            let circle: Vec<_> = all.iter().filter(|other| reached[other].contains(node)).collect();
            let steps = circle.iter().flat_map(|from| {
                let to = edges[from].iter().filter(|to| circle.contains(to));
                to.map(move |to| format!("{from:?} -> {to:?}"))
            });
            found.insert(steps.collect::<Vec<_>>().join(", "));
        }
    }
    found.into_iter().collect()
}

#[test]
fn files_form_no_circle() {
    let graph = graph();
    let named = |module: &Module| module.join("::");
    let edges = graph.imports();
    let edges =
        edges.iter().map(|(from, to)| (named(from), to.iter().map(|to| named(to)).collect()));
    let circles = circles(&edges.collect());
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn no_import_runs_back_up() {
    let graph = graph();
    let imports = graph.imports();
    let folders: BTreeSet<Module> =
        graph.sources.keys().filter(|m| !m.is_empty()).map(|m| m[..m.len() - 1].to_vec()).collect();
    for folder in folders {
        // The module of the folder that another one is, or is somewhere in.
        let within = |module: &Module| {
            module.starts_with(&folder).then(|| module.get(folder.len()).cloned()).flatten()
        };
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in &imports {
            let Some(from) = within(from) else { continue };
            let to = to.iter().filter_map(|to| within(to)).filter(|to| *to != from);
            edges.entry(from.clone()).or_default().extend(to);
        }
        let circles = circles(&edges);
        assert!(circles.is_empty(), "in {folder:?}: {}", circles.join("\n"));
    }
}

#[test]
fn the_http_client_is_named_in_http_alone() {
    named_alone(&["reqwest", "hyper"], |module| module.first().is_some_and(|m| m == "http"));
}

#[test]
fn keyring_core_is_named_in_one_file_alone() {
    named_alone(&["keyring_core"], |module| *module == ["keychain", "keyring"]);
}

/// What is after the exchange knows tokens alone.
#[test]
fn keychains_and_records_know_no_password() {
    named_alone(&["Password", "EntraToken"], |module| {
        module.first().is_none_or(|m| m != "keychain" && m != "login_record")
    });
}

/// The one way from the type of a password to that of a token is taken in two places: where the name
/// beside it says that it is a token, and where its form does.
#[test]
fn a_password_is_called_a_token_in_two_files_alone() {
    named_alone(&["as_token"], |module| {
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        matches!(module[..], ["secret" | "personal_token"] | ["logins", "exchange"])
    });
}

/// Where other files name a crate, one is not done with replacing it; so with a type.
fn named_alone(names: &[&str], allowed: fn(&Module) -> bool) {
    for (_, source) in graph().sources.iter().filter(|(module, _)| !allowed(module)) {
        let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let named = source.code.split(word).find(|word| names.contains(word));
        assert_eq!(named, None, "in {}", source.file.display());
    }
}

#[test]
fn no_file_is_longer_than_300_lines_without_its_unit_tests() {
    let graph = graph();
    let lines: Vec<usize> = graph.sources.values().map(|source| source.lines).collect();
    for source in graph.sources.values() {
        assert!(source.lines <= 300, "{}: {}", source.file.display(), source.lines);
    }
    let median = {
        let mut sorted = lines.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    assert!(median <= 130, "{median}");
}

/// The Secret Service keychain seeds `fastrand`, which `dbus-secret-service` makes keys by: of two
/// versions it would seed the wrong one.
#[test]
fn there_is_one_version_of_the_generator_that_is_seeded() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    assert_eq!(lock.matches("name = \"fastrand\"\n").count(), 1);
}

/// Where data flows from one module to another, one of them imports the other.
#[test]
fn every_arrow_in_the_picture_of_the_architecture_is_an_import() {
    let page = include_str!("../docs/architecture.md");
    let picture = page.split("```mermaid\n").nth(1).unwrap().split("```").next().unwrap();
    // `id`, or where it is first named `id["module: what it does"]`.
    let mut modules: BTreeMap<&str, &str> = BTreeMap::new();
    let mut arrows = Vec::new();
    for line in picture.lines().skip(1) {
        let (from, to) = line.split_once(" --> ").unwrap();
        let ends = [from.split(" -- ").next().unwrap(), to].map(|end| {
            let (id, label) = end.trim().split_once('[').unwrap_or((end.trim(), ""));
            if let Some(text) = label.split('"').nth(1) {
                modules.insert(id, text.split([':', ' ', ',']).next().unwrap());
            }
            id
        });
        arrows.push(ends);
    }
    // Who starts the program.
    assert_eq!([modules.remove("client"), modules.remove("person")], [Some("docker"), Some("a")]);
    let graph = graph();
    let imports = graph.imports();
    for [from, to] in arrows.iter().filter(|[from, _]| modules.contains_key(from)) {
        let [from, to] = [from, to].map(|id| modules[id]);
        let within = |module: &Module, name: &str| module.first().is_some_and(|top| top == name);
        let imported = imports.iter().any(|(importer, imported)| {
            let by = |one, other| {
                within(importer, one) && imported.iter().any(|module| within(module, other))
            };
            by(from, to) || by(to, from)
        });
        assert!(imported, "{from} --> {to}: neither imports the other");
    }
}
