//! How many instructions each verb takes in each keychain, under callgrind, beside the budget in
//! `instructions.txt`: what a busy machine does not change.
//!
//! `tests/bench/instructions-run` builds it and calls it: `instructions HELPER BUDGET [--write]`.
//!
//! The rule: the budget names the compiler that built what it counts. With that one, a count that
//! is over its line by more than 5 % is exit status 1, and so is a line that is missing; with
//! another, nothing can be compared, the counts are printed, and it is exit status 77.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

#[allow(dead_code)] // each program uses its own part
mod helper;
#[path = "../support/keychains"]
#[allow(dead_code)] // each program uses its own part of the support code
mod keychains {
    pub mod bus;
    pub mod gnome_keyring;
}

use helper::Helper;
use keychains::gnome_keyring::GnomeKeyring;

/// Logins that are there while one is stored, read and erased.
const LOGINS: usize = 10;

/// The least of so many counts: hash seeds and the bus change them by a few in a thousand.
const RUNS: usize = 3;

const MOST: f64 = 1.05;

const NOT_COMPARED: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (helper, file, write) = match &arguments[..] {
        [helper, file] => (helper, file, false),
        [helper, file, flag] if flag == "--write" => (helper, file, true),
        _ => {
            eprintln!("usage: instructions HELPER BUDGET [--write]");
            return ExitCode::from(2);
        }
    };
    let helper = Path::new(helper).canonicalize().expect("the helper");
    let mut counts = BTreeMap::new();
    for keychain in ["secret-service", "kernel", "file"] {
        counts.extend(count(&helper, keychain));
    }
    let compiler = compiler();
    if write {
        let lines = counts.iter().map(|(name, count)| format!("{name} {count}\n"));
        let text = format!("{compiler}\n{}", lines.collect::<String>());
        fs::write(file, text).expect("write the budget");
        return ExitCode::SUCCESS;
    }
    // Without a budget there is nothing to compare with either.
    compare(&counts, &fs::read_to_string(file).unwrap_or_default(), &compiler)
}

fn compare(counts: &BTreeMap<String, u64>, budget: &str, compiler: &str) -> ExitCode {
    let mut lines = budget.lines();
    let same = lines.next() == Some(compiler);
    let budget: BTreeMap<&str, u64> = lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, count)| (name, count.parse().expect("a number")))
        .collect();
    let mut over = 0;
    println!("| instructions | counted | budget | ratio |\n|---|---:|---:|---:|");
    for (name, count) in counts {
        let allowed = budget.get(name.as_str()).copied().unwrap_or(0);
        let ratio = *count as f64 / allowed as f64;
        over += usize::from(ratio > MOST);
        println!("| {name} | {count} | {allowed} | {ratio:.3} |");
    }
    if !same {
        println!("there is no budget for {compiler}: not compared");
        return ExitCode::from(NOT_COMPARED);
    }
    if over > 0 {
        println!(
            "{over} over the budget by more than 5 %: instructions-run --write sets a new one"
        );
    }
    ExitCode::from(u8::from(over > 0))
}

/// All verbs in one keychain.
fn count(program: &Path, keychain: &str) -> BTreeMap<String, u64> {
    let keyring = GnomeKeyring::start();
    let home = tempfile::tempdir().expect("a folder");
    let on_bus = Helper::on(program, home.path(), &keyring);
    let mut environment = on_bus.environment().to_vec();
    let mut set = |name: &str, value: OsString| {
        environment.push((format!("DOCKER_CREDENTIAL_REFRESH_{name}").into(), value));
    };
    set("KEYCHAIN", keychain.into());
    // One of its own: the kernel's keyring is the user's.
    let profile = format!("test-instructions-{}", std::process::id());
    set("PROFILE", profile.into());
    if keychain == "file" {
        let made = Command::new(program).arg("keygen").output().expect("a new identity");
        let made = String::from_utf8(made.stdout).expect("UTF-8");
        let identity = made.lines().find(|line| line.starts_with("AGE-SECRET-KEY-"));
        set("AGE_IDENTITY", identity.expect("an identity").into());
    }
    let helper = Helper::new(program, environment);
    (0..LOGINS).for_each(|number| helper.store(number));
    let mut counts = BTreeMap::new();
    for _ in 0..RUNS {
        for (verb, number) in
            [("get", 3), ("list", 0), ("status", 0), ("store", LOGINS), ("erase", LOGINS)]
        {
            let count = helper.instructions(verb, number);
            let least = counts.entry(format!("{keychain} {verb}")).or_insert(count);
            *least = count.min(*least);
        }
    }
    (0..LOGINS).for_each(|number| helper.try_erase(number).expect("erase"));
    counts
}

/// What the counts depend on besides the code.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").arg("--verbose").output().expect("rustc");
    let text = String::from_utf8(version.stdout).expect("UTF-8");
    let part = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).expect("a version").to_owned()
    };
    format!("rustc {} {}", part("release: "), part("host: "))
}
