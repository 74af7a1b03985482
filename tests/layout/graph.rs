//! The modules of `src` and what each imports, read from the text: `use` lines, and paths that
//! begin with `crate`, `super`, a child or a module that was imported.
//!
//! A re-export is no import: who names `keychain::Error` imports the file that defines it. Unit
//! tests and comments do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the crate's root, such as `["http", "trust"]`.
pub type Module = Vec<String>;

/// One file of `src`.
pub struct Source {
    pub file: PathBuf,
    /// Without unit tests, comments and strings.
    pub code: String,
    /// How many lines there are up to the unit tests.
    pub lines: usize,
    names: BTreeMap<String, Vec<String>>,
    /// Names that it only passes on.
    passed_on: BTreeSet<String>,
    used: Vec<Vec<String>>,
}

pub struct Graph {
    pub sources: BTreeMap<Module, Source>,
}

impl Graph {
    pub fn of(src: &Path) -> Self {
        let mut files = Vec::new();
        collect(src, &mut files);
        let mut sources = BTreeMap::new();
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let inner = file.strip_prefix(src).unwrap().with_extension("");
            let mut module: Module =
                inner.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module == ["lib"] {
                module.clear();
            }
            if module.last().is_some_and(|name| name == "mod") {
                module.pop();
            }
            sources.insert(module, Source::read(file, &text));
        }
        // The program is made of the library alone, and a file of tests is none of it.
        sources.remove(&vec!["main".to_owned()]);
        let tests = |module: &Module| module.last().is_some_and(|name| name == "tests");
        sources.retain(|module, _| !tests(module));
        Self { sources }
    }

    /// The files that each file imports something from.
    pub fn imports(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let imports = self.sources.iter().map(|(module, source)| {
            let mut found = BTreeSet::new();
            let mut modules: BTreeMap<&str, Module> = BTreeMap::new();
            let names = source.names.iter().filter(|(name, _)| !source.passed_on.contains(*name));
            for (name, path) in names {
                match self.resolve(module, path, 0) {
                    // Named to be gone into: what is taken from it is seen below.
                    Some((found, true)) => drop(modules.insert(name, found.clone())),
                    Some((file, false)) => drop(found.insert(file)),
                    None => {}
                }
            }
            for child in self.sources.keys().filter(|child| is_child(child, module)) {
                modules.insert(child.last().unwrap(), child.clone());
            }
            for path in &source.used {
                let from = match modules.get(path[0].as_str()) {
                    Some(start) => {
                        let whole = [vec!["crate".to_owned()], start.clone(), path[1..].to_vec()];
                        self.resolve(module, &whole.concat(), 0)
                    }
                    None if ["crate", "super", "self"].contains(&path[0].as_str()) => {
                        self.resolve(module, path, 0)
                    }
                    None => None,
                };
                found.extend(from.filter(|(_, whole)| !whole).map(|(file, _)| file));
            }
            found.remove(module);
            (module, found)
        });
        imports.collect()
    }

    /// The file that defines what a path in `module` names, and whether that is all of the file.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<(&Module, bool)> {
        assert!(depth < 20, "{path:?} in {module:?}");
        let mut at = match path[0].as_str() {
            "crate" => Vec::new(),
            _ => module.clone(),
        };
        for (place, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => {
                    let mut child = at.clone();
                    child.push(name.to_owned());
                    if self.sources.contains_key(&child) {
                        at = child;
                        continue;
                    }
                    let (file, source) = self.sources.get_key_value(&at)?;
                    // In the middle of its own imports a name means another crate.
                    if depth == 0 && place == 0 && source.names.contains_key(name) {
                        return None;
                    }
                    let defined = source.names.get(name).map(|real| {
                        let real = [real.as_slice(), &path[place + 1..]].concat();
                        self.resolve(file, &real, depth + 1)
                    });
                    // What it imports from another crate is its own, to others.
                    let own = Some((file, false)).filter(|_| depth > 0 || place > 0);
                    return defined.flatten().or(own);
                }
            }
        }
        self.sources.get_key_value(&at).map(|(file, _)| (file, true))
    }
}

impl Source {
    fn read(file: PathBuf, text: &str) -> Self {
        let end = ["\n#[cfg(test)]\nmod ", "\n#[cfg(all(test"];
        let end = end.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
        let text = &text[..end];
        let code = without_strings(text);
        let mut source = Self {
            file,
            lines: text.trim_end().lines().count(),
            names: BTreeMap::new(),
            passed_on: BTreeSet::new(),
            used: Vec::new(),
            code: String::new(),
        };
        let mut rest = String::new();
        let mut statement: Option<String> = None;
        for line in code.lines() {
            let begins = line.trim_start().trim_start_matches("pub(crate) ");
            let begins = begins.trim_start_matches("pub(super) ").trim_start_matches("pub ");
            if statement.is_none() && begins.starts_with("use ") {
                statement = Some(String::new());
            }
            let Some(part) = &mut statement else {
                rest.push_str(line);
                rest.push('\n');
                continue;
            };
            part.push_str(line);
            if line.ends_with(';') {
                let whole = statement.take().unwrap();
                let (visibility, tree) = whole.split_once("use ").unwrap();
                let before: BTreeSet<_> = source.names.keys().cloned().collect();
                source.add(&[], tree.trim_end_matches(';'));
                if visibility.trim_start().starts_with("pub") {
                    let all: BTreeSet<_> = source.names.keys().cloned().collect();
                    source.passed_on.extend(all.difference(&before).cloned());
                }
            }
        }
        let words: BTreeSet<&str> =
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        source.passed_on.retain(|name| !words.contains(name.as_str()));
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        for path in rest.split(|c| !word(c)).filter(|path| path.contains("::")) {
            let path: Vec<_> = path.split("::").map(str::to_owned).collect();
            if path.iter().all(|name| !name.is_empty()) {
                source.used.push(path);
            }
        }
        source.code = code;
        source
    }

    /// One tree of a `use`: `a::{b, c::{self, D as E}}`.
    fn add(&mut self, before: &[String], tree: &str) {
        let tree = tree.trim();
        let mut path = before.to_vec();
        if let Some((head, branches)) = tree.split_once('{') {
            path.extend(head.split("::").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()));
            let (mut depth, mut start) = (0, 0);
            let branches = branches.trim_end().strip_suffix('}').unwrap();
            for (at, c) in branches.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        self.add(&path, &branches[start..at]);
                        start = at + 1;
                    }
                    _ => {}
                }
            }
            if !branches[start..].trim().is_empty() {
                self.add(&path, &branches[start..]);
            }
            return;
        }
        let (tree, name) = match tree.split_once(" as ") {
            Some((tree, name)) => (tree, Some(name.trim().to_owned())),
            None => (tree, None),
        };
        path.extend(tree.split("::").map(|s| s.trim().to_owned()));
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().unwrap().clone();
        self.names.insert(name.unwrap_or(last), path);
    }
}

fn is_child(child: &Module, parent: &Module) -> bool {
    child.len() == parent.len() + 1 && child.starts_with(parent)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Comments go too. Raw strings of `src` hold no code; a lifetime is no character.
fn without_strings(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let line = line.replace("\\\"", "").replace("'\"'", "");
        let code: Vec<&str> = line.split('"').step_by(2).collect();
        let code = code.join(" ");
        out.push_str(code.split(" //").next().unwrap().trim_end());
        out.push('\n');
    }
    out
}
