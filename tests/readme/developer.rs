//! Commands for developers, which take minutes to hours or change the sources. They are not run: what
//! they name has to be there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A script of this repository, or cargo.
pub fn is_for_developers(line: &str) -> bool {
    let program = line.split(' ').find(|word| !is_assignment(word));
    program.is_some_and(|program| program == "cargo" || at(program).is_file())
}

#[track_caller]
pub fn check(line: &str) {
    let (variables, words): (Vec<&str>, Vec<_>) = line.split(' ').partition(|w| is_assignment(w));
    let read = match words[..] {
        ["cargo", "update", "-p", package] => {
            let lock = include_str!("../../Cargo.lock");
            assert!(lock.contains(&format!("\nname = \"{package}\"\n")), "{line}");
            String::new()
        }
        ["cargo", "fmt", "--check"] | ["cargo", "test", "--lib"] => String::new(),
        ["cargo", "clippy", "--locked", "--all-targets", "--", "-D", "warnings"] => String::new(),
        ["cargo", "test", "--test", "main", "--", ref filters @ ..] => {
            for filter in filters.iter().filter(|filter| !filter.starts_with("--")) {
                let this = std::env::current_exe().unwrap();
                let listed = Command::new(this).args(["--list", filter]).output().unwrap();
                let listed = String::from_utf8(listed.stdout).unwrap();
                assert!(listed.contains(": test\n"), "{line}: no test is named {filter}");
            }
            sources(&at("tests"))
        }
        // Another program of tests, which would have to be built first.
        ["cargo", "test", "--test", "clients", "--", filter, ref options @ ..]
            if options
                .iter()
                .all(|option| ["--nocapture", "--test-threads=1"].contains(option)) =>
        {
            let sources = sources(&at("tests/clients"));
            let mut names = sources.lines().filter_map(|line| {
                let (name, _) = line.split_once(['(', ';'])?;
                name.strip_prefix("fn ").or_else(|| name.strip_prefix("mod "))
            });
            assert!(names.any(|name| name.contains(filter)), "{line}");
            sources
        }
        [script, ref arguments @ ..] => {
            let mode = fs::metadata(at(script)).unwrap().permissions().mode();
            assert!(mode & 0o111 != 0, "{script} cannot be run");
            let text = fs::read_to_string(at(script)).unwrap();
            let usage = format!("# {}", words.join(" "));
            assert!(
                arguments.is_empty() || text.contains(&usage),
                "{script} says nothing of {usage}"
            );
            text
        }
        [] => panic!("there is no command in {line:?}"),
    };
    for variable in variables {
        let name = variable.split('=').next().unwrap();
        assert!(read.contains(name), "{line}: nothing reads {name}");
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

fn at(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All Rust files of a folder, as one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(path).unwrap(),
        _ => String::new(),
    });
    texts.collect()
}
