//! Whole processes, in turn: this helper and Debian's on the same GNOME Keyring.
//!
//! `tests/bench/run` builds it and calls it: `bench HELPER [ROUNDS]`, with another build of the
//! helper in `BENCH_STATIC` if there is one. A size over its target is exit status 1; so is a time
//! or the memory, unless ROUNDS says that this is a short run, to see that it runs. A short run has
//! fewer logins too: with 1,000, storing them takes most of the time.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[allow(dead_code)] // each program uses its own part
mod helper;
#[path = "../support/keychains"]
#[allow(dead_code)] // each program uses its own part of the support code
mod keychains {
    pub mod bus;
    pub mod gnome_keyring;
}
#[path = "../mock_token_server/mod.rs"]
mod mock_token_server;
mod network;
mod table;

use helper::{Helper, at_once};
use keychains::gnome_keyring::GnomeKeyring;
use network::SlowRegistry;
use table::{Table, median};

const PEER: &str = "docker-credential-secretservice";

/// How many logins there are, of each helper.
const LOGINS: [usize; 3] = [10, 200, 1_000];

/// How many rounds of `get` are measured unless it is said.
const ROUNDS: usize = 200;

/// A `list` of the peer takes seconds, so it gets this fraction of the rounds.
const LIST_ROUNDS: usize = 20;

/// `get`s at the same time.
const CROWD: usize = 200;

/// How often memory is measured; the largest counts.
const MEMORY_ROUNDS: usize = 10;

const MIB: f64 = 1024.0 * 1024.0;

/// One build of this helper, and what it may take: of the peer's time, or in MiB.
struct Build {
    name: &'static str,
    helper: Helper,
    get: f64,
    list: [f64; 2],
    crowd: f64,
    memory: f64,
    size: f64,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
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
    let logins = if rounds.is_some() { &LOGINS[..2] } else { &LOGINS };
    let table = measure(&binary, rounds.unwrap_or(ROUNDS), logins);
    println!("{table}");
    ExitCode::from(u8::from(!table.met(rounds.is_none())))
}

fn measure(binary: &Path, rounds: usize, steps: &[usize]) -> Table {
    let keyring = GnomeKeyring::start();
    let home = tempfile::tempdir().expect("a folder");
    let on_keyring = |binary: &Path| {
        let binary = binary.canonicalize().expect("the helper");
        Helper::on(&binary, home.path(), &keyring)
    };
    let mut builds = vec![Build {
        name: "",
        helper: on_keyring(binary),
        get: 0.17,
        list: [0.012, 0.002],
        crowd: 0.22,
        memory: 5.0,
        size: 4.5,
    }];
    if let Some(binary) = env::var_os("BENCH_STATIC") {
        builds.push(Build {
            name: ", static",
            helper: on_keyring(Path::new(&binary)),
            get: 0.12,
            list: [0.01, 0.002],
            crowd: 0.15,
            memory: 3.0,
            size: 4.3,
        });
    }
    let theirs = Helper::on(Path::new(PEER), home.path(), &keyring);
    let mut table = Table::default();

    let mut instructions = vec![Vec::new(); builds.len()];
    let mut stored = 0;
    for &logins in steps {
        for number in stored..logins {
            builds[0].helper.store(number);
            theirs.store(number);
        }
        stored = logins;
        let (ours, peer) = in_turn(&builds, &theirs, rounds, |helper| helper.get(logins / 2));
        for (build, times) in builds.iter().zip(&ours) {
            let name = format!("`get` with {logins} logins{}", build.name);
            table.times(&name, times, &peer, build.get);
        }
        if let Some(place) = [200, 1_000].iter().position(|count| *count == logins) {
            let few = rounds.div_ceil(LIST_ROUNDS * (1 + 3 * place));
            let (ours, peer) = in_turn(&builds, &theirs, few, |helper| helper.list(logins));
            for (build, times) in builds.iter().zip(&ours) {
                let name = format!("`list` of {logins} logins{}", build.name);
                table.times(&name, times, &peer, build.list[place]);
            }
        }
        for (build, counts) in builds.iter().zip(&mut instructions) {
            counts.push(build.helper.instructions("get", logins / 2) as f64);
        }
    }
    for (build, counts) in builds.iter().zip(&instructions) {
        let [least, .., most] = counts[..] else { panic!("one number of logins is no comparison") };
        let name = format!("instructions of `get`, {stored} logins beside 10{}", build.name);
        let million = |count: f64| format!("{:.2} M", count / 1e6);
        // The allowance shrinks with the number of logins.
        let part = (stored - LOGINS[0]) as f64 / (LOGINS[2] - LOGINS[0]) as f64;
        let allowed = 1.0 + (200.0 * part).round() / 1000.0;
        table.ratio(&name, [million(most), million(least)], most / least, allowed);
    }

    let few = rounds.div_ceil(LIST_ROUNDS);
    let (ours, peer) = in_turn(&builds, &theirs, few, |helper| at_once(helper, CROWD));
    for (build, times) in builds.iter().zip(&ours) {
        table.times(&format!("{CROWD} `get`s at once{}", build.name), times, &peer, build.crowd);
    }

    let most = |helper: &Helper| (0..MEMORY_ROUNDS).map(|_| helper.memory_of_get(0)).max();
    let most = |helper: &Helper| most(helper).expect("a measurement") as f64 / MIB;
    let of_peer = most(&theirs);
    for build in &builds {
        // The kernel counts the pages of the program that it mapped, in pieces as the page cache
        // has them.
        let name = format!("peak memory of `get`{}", build.name);
        table.sizes(&name, most(&build.helper), of_peer, build.memory, true);
    }
    for build in &builds {
        let [a, b] = [&build.helper, &theirs].map(|helper| helper.size() as f64 / MIB);
        // What must not be exceeded at all is the limit of `tests/run`.
        table.sizes(&format!("binary{}", build.name), a, b, build.size, true);
    }
    for build in &builds {
        stores(&mut table, build, few);
    }
    table
}

/// A `store` with its exchange and its proof, into a keyring of its own: GNOME Keyring writes all
/// its items anew for each change of one, and the other rows leave 2,000 behind.
fn stores(table: &mut Table, build: &Build, rounds: usize) {
    let keyring = GnomeKeyring::start();
    let home = tempfile::tempdir().expect("a folder");
    let helper = Helper::on(build.helper.program(), home.path(), &keyring);
    let registry = SlowRegistry::start();
    let stored: Vec<_> = (0..rounds).map(|_| registry.store(&helper)).collect();
    let trips = f64::from(network::ROUND_TRIPS);
    let least = network::ROUND_TRIP.as_secs_f64() * 1000.0 * trips;
    let times: Vec<_> = stored.iter().map(|stored| stored.milliseconds).collect();
    let name = format!("`store` at 50 ms beside five round trips{}", build.name);
    table.times(&name, &times, &[least], 1.08);
    let most = |count: fn(&network::Stored) -> usize| stored.iter().map(count).max().unwrap_or(0);
    let (requests, connections) = (most(|s| s.requests), most(|s| s.connections));
    let name = format!("`store`, requests / connections{}", build.name);
    table.counts(&name, &format!("{requests} / {connections}"), "3 / 1");
}

/// A, B, A, B, …: what disturbs the machine disturbs all. In milliseconds: those of each build, and
/// the peer's.
fn in_turn(
    builds: &[Build],
    theirs: &Helper,
    rounds: usize,
    run: impl Fn(&Helper) -> f64,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (mut ours, mut peer) = (vec![Vec::new(); builds.len()], Vec::new());
    // The first finds nothing in the page cache.
    for round in 0..=rounds {
        let times: Vec<_> = builds.iter().map(|build| run(&build.helper)).collect();
        let time = run(theirs);
        if round > 0 {
            ours.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
            peer.push(time);
        }
    }
    eprintln!("{rounds} rounds, the peer's median {:.2} ms", median(&peer));
    (ours, peer)
}
