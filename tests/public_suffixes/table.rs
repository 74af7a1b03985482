//! The Public Suffix List of the `psl` crate, and the table that is made of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Labels below a name; whether each completes a rule.
#[derive(Default)]
struct Tree(BTreeMap<String, (bool, Self)>);

/// The rules as the list has them, with A-labels.
pub fn rules() -> Vec<String> {
    // What other systems need was perhaps never downloaded.
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--offline",
            "--filter-platform",
            host,
        ])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let psl = packages.iter().find(|package| package["name"] == "psl").unwrap();
    let manifest = Path::new(psl["manifest_path"].as_str().unwrap());
    let list = fs::read_to_string(manifest.with_file_name("data/rules.txt")).unwrap();
    list.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).map(ascii).collect()
}

/// The labels of the list are normalised already: only their encoding is missing.
fn ascii(rule: &str) -> String {
    let labels = rule.split('.').map(|label| match label {
        label if label.is_ascii() => label.to_owned(),
        label => format!("xn--{}", idna::punycode::encode_str(label).unwrap()),
    });
    labels.collect::<Vec<_>>().join(".")
}

/// The table, as `src/origin/public_suffix.rs` reads it.
pub fn table(rules: &[String]) -> String {
    let mut top = Tree::default();
    for rule in rules {
        let (exception, name) = rule.strip_prefix('!').map_or(("", &rule[..]), |name| ("!", name));
        let (label, above) =
            name.split_once('.').map_or((name, None), |(l, above)| (l, Some(above)));
        let mut tree = &mut top;
        for label in above.into_iter().flat_map(|above| above.rsplit('.')) {
            tree = &mut tree.0.entry(label.to_owned()).or_default().1;
        }
        tree.0.entry(format!("{exception}{label}")).or_default().0 = true;
    }
    top.text("\n") + "\n"
}

impl Tree {
    fn text(&self, between: &str) -> String {
        let branches = self.0.iter().map(|(label, (is_rule, below))| {
            let (open, close) = match (below.0.is_empty(), is_rule) {
                (true, _) => ("", ""),
                (false, true) => ("(", ")"),
                (false, false) => ("[", "]"),
            };
            format!("{label}{open}{}{close}", below.text(","))
        });
        branches.collect::<Vec<_>>().join(between)
    }
}
