//! Whole processes, in pairs: this helper and Debian's on the same GNOME Keyring.
//!
//! `tests/bench/run` builds it and calls it: `bench HELPER [ROUNDS]`. A binary over its target is
//! exit status 1; so is a time or the memory, unless ROUNDS says that this is a short run, to see that it runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod helper;
#[path = "../support/keychains"]
#[allow(dead_code)] // each program uses its own part of the support code
mod keychains {
    pub mod bus;
    pub mod gnome_keyring;
}
mod table;

use helper::Helper;
use keychains::gnome_keyring::GnomeKeyring;
use table::Table;

const PEER: &str = "docker-credential-secretservice";

/// How many logins `list` has to answer.
const LOGINS: usize = 200;

/// How many pairs of `get` are measured unless it is said.
const ROUNDS: usize = 200;

/// A `list` of the peer takes seconds, so it gets this fraction of the rounds.
const LIST_ROUNDS: usize = 20;

/// How often memory is measured; the largest counts.
const MEMORY_ROUNDS: usize = 10;

const MIB: f64 = 1024.0 * 1024.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(binary) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: bench HELPER [ROUNDS]");
        return ExitCode::from(2);
    };
    let rounds = match arguments.next().map(|text| text.parse()) {
        None => None,
        Some(Ok(rounds)) if rounds > 0 => Some(rounds),
        Some(_) => {
            eprintln!("ROUNDS is a number above 0");
            return ExitCode::from(2);
        }
    };
    let table = measure(&binary, rounds.unwrap_or(ROUNDS));
    println!("{table}");
    ExitCode::from(u8::from(!table.met(rounds.is_none())))
}

fn measure(binary: &Path, rounds: usize) -> Table {
    let binary = binary.canonicalize().expect("the helper");
    let keyring = GnomeKeyring::start();
    let home = tempfile::tempdir().expect("a folder");
    let ours = Helper::new(&binary, home.path(), &keyring);
    let theirs = Helper::new(Path::new(PEER), home.path(), &keyring);
    let mut table = Table::default();

    for helper in [&ours, &theirs] {
        helper.store(0);
    }
    let (a, b) = pairs(rounds, || ours.get(0), || theirs.get(0));
    table.times(&format!("`get`, {rounds} pairs"), &a, &b, 0.20);

    for number in 1..LOGINS {
        ours.store(number);
        theirs.store(number);
    }
    let few = rounds.div_ceil(LIST_ROUNDS);
    let (a, b) = pairs(few, || ours.list(LOGINS), || theirs.list(LOGINS));
    table.times(&format!("`list` with {LOGINS} logins, {few} pairs"), &a, &b, 0.02);

    let most = |helper: &Helper| (0..MEMORY_ROUNDS).map(|_| helper.memory_of_get(0)).max();
    let [a, b] = [most(&ours), most(&theirs)].map(|bytes| bytes.expect("a measurement") as f64);
    // The kernel counts the pages of the program that it mapped, in pieces as the page cache has them.
    table.sizes("peak memory of `get`", a / MIB, b / MIB, 5.0, true);
    let [a, b] = [ours.size(), theirs.size()].map(|bytes| bytes as f64);
    table.sizes("binary", a / MIB, b / MIB, 5.0, false);
    table
}

/// A, B, A, B, …: what disturbs the machine disturbs both. In milliseconds.
fn pairs(rounds: usize, a: impl Fn() -> f64, b: impl Fn() -> f64) -> (Vec<f64>, Vec<f64>) {
    // The first pair finds nothing in the page cache.
    let _ = (a(), b());
    (0..rounds).map(|_| (a(), b())).unzip()
}
