//! Prints the notices of everything that is linked into the program for a target: each component
//! with the licence that we use it under, and the text of that licence.
//!
//! `cargo run --example notices TARGET [NAME LICENCE FILE]...`, where the triples are what cargo
//! does not know of: a C library, with the file that has its licence.
//!
//! The licences that we accept are those of `deny.toml`, the preferred ones first. Any other fails.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Crates whose metadata is silent about a library that they bring in source form and link.
const VENDORED: [Vendored; 1] = [Vendored {
    krate: "libdbus-sys",
    name: "libdbus",
    licence: "AFL-2.1 OR GPL-2.0-or-later",
    text: "vendor/dbus/COPYING",
}];

/// The beginnings of the names of files that hold a licence or a notice.
const LEGAL: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

struct Vendored {
    krate: &'static str,
    name: &'static str,
    licence: &'static str,
    text: &'static str,
}

/// A part of the program, under the licences that were chosen for it.
struct Component {
    name: String,
    licences: String,
    texts: Vec<String>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(target) = arguments.next() else {
        eprintln!("usage: notices TARGET [NAME LICENCE FILE]...");
        return ExitCode::from(2);
    };
    match notices(&target, &arguments.collect::<Vec<_>>()) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("notices: {error}");
            ExitCode::FAILURE
        }
    }
}

fn notices(target: &str, others: &[String]) -> Result<String> {
    let accepted = accepted(&fs::read_to_string("deny.toml")?)?;
    let mut components = vec![standard_library()?];
    for other in others.chunks(3) {
        let [name, licence, file] = other else { return Err("a NAME without a FILE".into()) };
        let texts = vec![read(Path::new(file))?];
        components.push(Component {
            name: name.clone(),
            licences: chosen(name, licence, &accepted)?.join(" AND "),
            texts,
        });
    }
    let linked = linked(target)?;
    let metadata: Value = serde_json::from_slice(&cargo(&["metadata", "--format-version=1"])?)?;
    for package in metadata["packages"].as_array().ok_or("cargo metadata has no packages")? {
        let (name, version) = (text(package, "name"), text(package, "version"));
        if linked.contains(&format!("{name} v{version}")) && !package["source"].is_null() {
            components.extend(components_of(package, &accepted)?);
        }
    }
    Ok(render(components))
}

/// A crate, and what it brings along.
fn components_of(package: &Value, accepted: &[Licensee]) -> Result<Vec<Component>> {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let folder = Path::new(text(package, "manifest_path")).parent().ok_or("no folder")?;
    let licences = chosen(name, text(package, "license"), accepted)?;
    let mut texts = legal_files(folder, &licences)?
        .iter()
        .map(|file| read(file))
        .collect::<Result<Vec<_>>>()?;
    if texts.is_empty() {
        // Its sources are without the text: the licence's own, for its authors.
        let authors = package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let authors: Vec<_> = authors.collect();
        let holders =
            if authors.is_empty() { format!("the authors of {name}") } else { authors.join(", ") };
        for licence in &licences {
            let standard = spdx::license_id(licence).ok_or("not in SPDX's list")?.text();
            texts.push(format!("Copyright (c) {holders}\n\n{}", tidy(standard)));
        }
    }
    let mut components = vec![Component {
        name: format!("{name} {version}"),
        licences: licences.join(" AND "),
        texts,
    }];
    for vendored in VENDORED.iter().filter(|vendored| vendored.krate == name) {
        components.push(Component {
            name: format!("{} (in {name} {version})", vendored.name),
            licences: chosen(vendored.name, vendored.licence, accepted)?.join(" AND "),
            texts: vec![read(&folder.join(vendored.text))?],
        });
    }
    Ok(components)
}

/// Is in every program, and no crate of cargo's.
fn standard_library() -> Result<Component> {
    let licence = spdx::license_id("Apache-2.0").ok_or("Apache-2.0 is not in SPDX's list")?;
    Ok(Component {
        name: "the Rust standard library".into(),
        licences: licence.name.into(),
        texts: vec![format!(
            "Copyright (c) The Rust Project Contributors\n\n{}",
            tidy(licence.text())
        )],
    })
}

/// The licences that `deny.toml` allows, in its order.
fn accepted(deny: &str) -> Result<Vec<Licensee>> {
    let deny: toml_edit::DocumentMut = deny.parse()?;
    let allowed = deny["licenses"]["allow"].as_array().ok_or("deny.toml has no licenses.allow")?;
    let names = allowed.iter().filter_map(toml_edit::Value::as_str);
    names.map(|name| Ok(Licensee::parse(name)?)).collect()
}

/// Of what a component offers, the first licences that we accept and that are enough together.
fn chosen(name: &str, offered: &str, accepted: &[Licensee]) -> Result<Vec<String>> {
    // Older crates separate alternatives by a slash.
    let offered = Expression::parse_mode(offered, ParseMode::LAX)
        .map_err(|error| format!("the licence of {name} is not understood: {error}"))?;
    let licences = offered.minimized_requirements(accepted).map_err(|_| {
        format!(
            "{name} is under {offered}, and licenses.allow of deny.toml has nothing that is enough"
        )
    })?;
    Ok(licences.iter().map(ToString::to_string).collect())
}

/// Those of the chosen licences where each has a file of its own, as `LICENSE-MIT`; else all.
fn legal_files(folder: &Path, licences: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && LEGAL.iter().any(|word| upper_name(&path).starts_with(word)) {
            files.push(path);
        }
    }
    files.sort();
    let of = |licence: &String| {
        let word = licence.split('-').next().unwrap_or(licence).to_uppercase();
        files.iter().find(|file| upper_name(file).contains(&format!("-{word}"))).cloned()
    };
    let Some(mut own) = licences.iter().map(of).collect::<Option<Vec<_>>>() else {
        return Ok(files);
    };
    own.extend(files.iter().filter(|file| upper_name(file).starts_with("NOTICE")).cloned());
    Ok(own)
}

fn upper_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_uppercase()
}

/// `NAME vVERSION` of every crate whose code ends up in the program; cargo's metadata also names
/// crates of features that are off.
fn linked(target: &str) -> Result<BTreeSet<String>> {
    let edges = "--edges=normal,no-proc-macro";
    let tree = cargo(&["tree", edges, "--prefix=none", "--target", target])?;
    let lines = String::from_utf8(tree)?;
    Ok(lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect())
}

fn cargo(arguments: &[&str]) -> Result<Vec<u8>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).arg("--locked").output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("cargo {}: {said}", arguments.join(" ")).into());
    }
    Ok(output.stdout)
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

fn read(file: &Path) -> Result<String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(tidy(&String::from_utf8_lossy(&bytes)))
}

/// The same text from crates that were packed on different systems.
fn tidy(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}

/// The list of components, then each text once, under the names of those that it is for.
fn render(mut components: Vec<Component>) -> String {
    components.sort_by(|a, b| a.name.cmp(&b.name));
    let mut list = String::new();
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for component in &components {
        list += &format!("  {}: {}\n", component.name, component.licences);
        for text in &component.texts {
            texts.entry(text).or_default().push(&component.name);
        }
    }
    let mut page = format!(
        "docker-credential-refresh contains the following components, under these licences:\n\n{list}"
    );
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1));
    for (text, names) in texts {
        page += &format!("\n{}\n{}\n\n{text}", "-".repeat(80), names.join(", "));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licensees(names: &[&str]) -> Vec<Licensee> {
        names.iter().map(|name| Licensee::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_first_accepted_licence_is_chosen() {
        let accepted = licensees(&["MIT", "Apache-2.0", "ISC"]);
        assert_eq!(chosen("a", "Apache-2.0/MIT", &accepted).unwrap(), ["MIT"]);
        assert_eq!(chosen("a", "Apache-2.0 OR GPL-2.0-only", &accepted).unwrap(), ["Apache-2.0"]);
        assert_eq!(chosen("a", "Apache-2.0 AND ISC", &accepted).unwrap(), ["Apache-2.0", "ISC"]);
    }

    #[test]
    fn a_licence_that_is_not_on_the_list_fails() {
        let error = chosen("bad", "GPL-3.0-only", &licensees(&["MIT"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "bad is under GPL-3.0-only, and licenses.allow of deny.toml has nothing that is enough"
        );
        assert!(chosen("none", "", &licensees(&["MIT"])).is_err());
    }

    #[test]
    fn texts_are_those_of_the_chosen_licence_or_all() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["LICENSE-MIT", "LICENSE-APACHE", "NOTICE", "README"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let names = |licence: &str| {
            let files = legal_files(folder.path(), &[licence.into()]).unwrap();
            files.iter().map(|file| upper_name(file)).collect::<Vec<_>>()
        };
        assert_eq!(names("MIT"), ["LICENSE-MIT", "NOTICE"]);
        assert_eq!(names("Apache-2.0"), ["LICENSE-APACHE", "NOTICE"]);
        assert_eq!(names("ISC"), ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]);
    }
}
