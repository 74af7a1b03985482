//! Whether one GNOME Keyring lives through a helper that is called again and again at real-time
//! priority: the next client then comes while the last one leaves.
//!
//! `tests/bench/stress-run` builds it and calls it: `stress HELPER [COUNT]`. A keyring that has
//! ended, or a call that fails, is exit status 1.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

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

const COUNT: usize = 20_000;

/// Logins that are there all the time.
const LOGINS: usize = 10;

/// What the part with real-time priority is called with instead of a count.
const ROUNDS_OF: &str = "--rounds-of";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let count = |text: &str| text.parse().ok().filter(|count| *count > 0);
    match arguments[..] {
        [ROUNDS_OF, kind, helper, count] => rounds(kind, helper, count.parse().expect("a number")),
        [helper] => stress(helper, COUNT),
        [helper, text] if count(text).is_some() => stress(helper, count(text).unwrap_or(COUNT)),
        _ => {
            eprintln!("usage: stress HELPER [COUNT]");
            ExitCode::from(2)
        }
    }
}

fn stress(helper: &str, count: usize) -> ExitCode {
    let mut keyring = GnomeKeyring::start();
    let home = tempfile::tempdir().expect("a folder");
    let helper = PathBuf::from(helper).canonicalize().expect("the helper");
    let ours = Helper::on(&helper, home.path(), &keyring);
    (0..LOGINS).for_each(|number| ours.store(number));
    let mut lives = true;
    for kind in ["get", "mixed"] {
        // The keyring and the bus keep their usual priority.
        let mut rounds = Command::new("chrt");
        rounds.args(["--fifo", "10"]).arg(env::current_exe().expect("this program"));
        rounds.args([ROUNDS_OF, kind]).arg(&helper).arg(count.to_string());
        rounds.env_clear().envs(ours.environment().iter().cloned());
        let start = Instant::now();
        let passed = rounds.status().expect("chrt, of util-linux").success();
        lives &= passed && keyring.is_alive();
        let outcome = if keyring.is_alive() { "the keyring lives" } else { "the keyring ended" };
        println!("{count} {kind}: {outcome}, after {:.0} s", start.elapsed().as_secs_f64());
        if !lives {
            break;
        }
    }
    ExitCode::from(u8::from(!lives))
}

fn rounds(kind: &str, helper: &str, count: usize) -> ExitCode {
    let ours = Helper::new(Path::new(helper), env::vars_os());
    for round in 0..count {
        // One that comes and goes, beside those that stay.
        let (number, other) = (LOGINS + round / 4 % LOGINS, round % LOGINS);
        let done = match (kind, round % 4) {
            ("get", _) => ours.try_get(other),
            (_, 0) => ours.try_store(number),
            (_, 1) => ours.try_get(number),
            (_, 2) => ours.try_list(),
            _ => ours.try_erase(number),
        };
        if let Err(said) = done {
            println!("call {} failed: {said}", round + 1);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
