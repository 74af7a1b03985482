//! Each client with each kind of registry and with each keychain: the tables of docs/clients.md.
//! `tests/clients/matrix/run` installs the clients, and prints them.

mod kinds;
mod limits;
mod seat;
mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use seat::{Seat, World};
use table::Cells;

use crate::keychain::Keychain;

const PAGE: &str = include_str!("../../../docs/clients.md");

/// A client in the tables, what `client` knows it as, and what it does there.
const CLIENTS: [(&str, &str, &str); 18] = [
    ("docker", "docker", "pull, push"),
    ("docker without an engine", "docker-alone", "manifest inspect"),
    ("docker build without BuildKit", "docker-build", "build"),
    ("docker build with BuildKit", "buildkit", "build"),
    ("compose 1", "compose", "pull, build, push"),
    ("podman", "podman", "pull, push, build"),
    ("skopeo", "skopeo", "inspect, copy, sync, delete"),
    ("buildah", "buildah", "build, push"),
    ("Helm", "helm", "push, pull"),
    ("Docker SDK for Python", "docker-sdk", "pull, build, push"),
    ("testcontainers for Python", "testcontainers-python", "pull"),
    ("oras for Python", "oras-python", "push, pull"),
    ("aioregistry", "aioregistry", "copy"),
    ("testcontainers for node", "testcontainers-node", "pull"),
    ("@devcontainers/cli", "devcontainers", "features publish, info"),
    ("cdxgen", "cdxgen", "pull"),
    ("bollard with docker_credential", "bollard", "pull, push"),
    ("oci-client with docker_credential", "oci-client", "pull"),
];

/// Clients that make the login themselves, and end it. They come last, for they replace the others' login.
const LOGINS: [(&str, &str, &str); 5] = [
    ("docker login", "docker", "pull, logout"),
    ("docker login without an engine", "docker-alone", "manifest inspect, logout"),
    ("podman login", "podman", "pull, logout"),
    ("skopeo login", "skopeo", "inspect, logout"),
    ("buildah login", "buildah", "pull, logout"),
];

/// All rows of the tables.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    CLIENTS.into_iter().chain(LOGINS)
}

/// A keychain in the table, and how it is had.
type Made = (&'static str, fn() -> Keychain);
const KEYCHAINS: [Made; 7] = [
    ("file", Keychain::file),
    ("kernel", Keychain::kernel),
    ("GNOME Keyring", Keychain::gnome_keyring),
    ("KeePassXC", Keychain::keepassxc),
    ("KWallet", Keychain::kwallet),
    ("helper:pass", Keychain::helper_pass),
    ("helper:secretservice", Keychain::helper_secretservice),
];

/// What the page says instead, for those that know no identity tokens.
const WAYS_OUT: [&str; 2] = ["oras-python-token", "oci-client-token"];

/// The kind of the table of keychains.
const TOKEN: &str = "token";

/// In a short run the others are tried with one kind and one keychain only.
const SHORT: [&str; 3] = ["docker", "docker-alone", "skopeo"];

/// Those from npm and crates.io, for which a short run has no time: `install` leaves them out.
const IN_FULL_RUNS: [&str; 6] =
    ["testcontainers-node", "devcontainers", "cdxgen", "bollard", "oci-client", "oci-client-token"];

/// What is tried.
#[derive(Clone, PartialEq)]
enum Part {
    All,
    Short,
    /// All clients in these columns.
    Columns(Vec<String>),
}

impl Part {
    /// As `run` was asked: `--short`, names of columns, a line each, or nothing.
    fn of(asked: &str) -> Self {
        match asked {
            "" => Self::All,
            "--short" => Self::Short,
            columns => Self::Columns(columns.lines().map(str::to_owned).collect()),
        }
    }

    fn has(&self, name: &str, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::Short if IN_FULL_RUNS.contains(&name) => false,
            Self::Short => column == TOKEN || SHORT.contains(&name),
            Self::Columns(columns) => columns.iter().any(|asked| asked == column),
        }
    }
}

struct Matrix {
    world: World,
    part: Part,
    cells: Mutex<Cells>,
    /// What went wrong that no limit explains.
    faults: Mutex<Vec<String>>,
}

impl Matrix {
    /// All clients with one kind and one keychain; `column` is the table's name of what is new in it.
    fn fill(&self, kind: &str, keychain: fn() -> Keychain, column: &'static str) {
        let kind = self.world.kinds.all.iter().find(|one| one.name == kind).expect("a kind");
        let _turn = kind.turn.lock().unwrap_or_else(|turn| turn.into_inner());
        let seat = Seat::logged_in(&self.world, kind, keychain());
        for (client, name, _) in CLIENTS {
            if !self.part.has(name, column) {
                continue;
            }
            let at_a_peer = || seat.at_a_peer(&self.world).uses(name);
            self.note(client, column, seat.uses(name), at_a_peer);
        }
        let ways_out =
            WAYS_OUT.iter().filter(|name| column == TOKEN && self.part.has(name, column));
        for name in ways_out {
            if let Err(text) = seat.uses(name) {
                self.faults.lock().expect("no panic").push(text);
            }
        }
        for (client, name, _) in LOGINS {
            if !self.part.has(name, column) {
                continue;
            }
            let at_a_peer = || Seat::logged_out(&self.world, kind, "other").logs_in(name);
            self.note(client, column, seat.logs_in(name), at_a_peer);
        }
    }

    /// Puts what came of a client into its cell, unless no limit explains it.
    fn note(
        &self,
        client: &'static str,
        column: &'static str,
        outcome: Result<(), String>,
        at_a_peer: impl FnOnce() -> Result<(), String>,
    ) {
        let fault = |why: &str, text: &str| {
            let fault = format!("{client}, {column}: {why}: {text}");
            self.faults.lock().expect("no panic").push(fault);
        };
        let cell = match outcome {
            Ok(()) => Ok(()),
            Err(text) => {
                if at_a_peer().is_ok() {
                    fault("it works with another helper that has the same login", &text);
                }
                let Some(limit) = limits::find(client, column, &text) else {
                    return fault("no limit explains it", &text);
                };
                Err(limit)
            }
        };
        self.cells.lock().expect("no panic").insert((client, column), cell);
    }

    /// None of them would get in without a login.
    fn refuses_strangers(&self) {
        let kind = self.world.kinds.all.iter().find(|one| one.name == TOKEN).expect("a kind");
        let _turn = kind.turn.lock().unwrap_or_else(|turn| turn.into_inner());
        let seat = Seat::logged_out(&self.world, kind, "refresh");
        for (client, name, _) in CLIENTS {
            if seat.uses(name).is_ok() {
                self.faults.lock().expect("no panic").push(format!("{client} needs no login"));
            }
        }
    }

    /// Everything that is asked for, two columns at a time; how often a client was tried.
    fn run(&self) -> usize {
        let mut kinds = kinds::names().map(|kind| (kind, KEYCHAINS[0].1, kind));
        let mut keychains = KEYCHAINS.iter().skip(1).map(|(name, made)| (TOKEN, *made, *name));
        // Those of the same kind would wait for each other: so by turns, one of that and one of another.
        let turns = KEYCHAINS.iter().flat_map(|_| [kinds.next(), keychains.next()]).flatten();
        let mut columns: Vec<_> = turns.collect();
        columns.extend(kinds);
        columns.retain(|(_, _, column)| rows().any(|(_, name, _)| self.part.has(name, column)));
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(column) = columns.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.fill(column.0, column.1, column.2);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        let mut cells = self.cells.lock().expect("no panic");
        let tried = cells.len();
        for (client, _, _) in rows() {
            // The kind of one table with the keychain of the other.
            if let Some(cell) = cells.get(&(client, TOKEN)).copied() {
                cells.insert((client, KEYCHAINS[0].0), cell);
            }
        }
        tried
    }
}

#[test]
#[ignore = "tests/clients/matrix/run calls it"]
fn docker_with_a_daemon_podman_and_all_others_do_what_the_page_says() {
    let part = Part::of(&std::env::var("MATRIX_PART").unwrap_or_default());
    let kinds: Vec<_> = kinds::names().collect();
    let keychains = KEYCHAINS.map(|(name, _)| name);
    if let Part::Columns(columns) = &part {
        for column in columns {
            let is_there = [&kinds[..], &keychains].concat().contains(&column.as_str());
            assert!(is_there, "there is no column {column}");
            assert!(column != keychains[0], "{column} is tried as the column {TOKEN}");
        }
    }
    let (cells, faults) = Default::default();
    let matrix = Matrix { world: World::start(), part: part.clone(), cells, faults };
    let tried = matrix.run();
    if part == Part::All {
        matrix.refuses_strangers();
    }
    let cells = matrix.cells.into_inner().expect("no panic");
    let faults = matrix.faults.into_inner().expect("no panic");
    let tables = [&kinds[..], &keychains].map(|columns| table::table(&cells, columns, PAGE));
    println!("{}\n{}\n{}", tables[0], tables[1], limits::notes());
    println!("{} rows, {tried} cells tried", rows().count());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let missing = table::missing(&tables, PAGE);
    assert!(missing.is_empty(), "docs/clients.md does not have this:\n{}", missing.join("\n"));
    let unused = table::unused(&cells);
    assert!(part != Part::All || unused.is_empty(), "nothing ran into these limits: {unused:#?}");
}
