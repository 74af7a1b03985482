//! The way in and out with docker, podman, skopeo and buildah: what worked before `configure` works after,
//! then a login, a pull and a logout of each client, and `unconfigure`. The table of it is in
//! docs/clients.md.

pub mod clients;
mod shapes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clients::User;
use shapes::{Shape, shapes};

use crate::mock_token_server::{Profile, RealRegistry, TokenServer};

const PAGE: &str = include_str!("../../../docs/clients.md");
const HEADING: &str =
    "| Login before | found by | after `configure` | login, pull, logout | after `unconfigure` |";

/// What becomes of one shape.
fn round_trip(user: &User, shape: &Shape) -> String {
    let name = shape.name;
    let before = user.who_pulls();
    user.configure(&["--fallback", shape.fallback]);
    user.import();
    let after = user.who_pulls();
    assert!(after.contains(before), "{name}: {before} before configure, {after} after");
    let told = user.unconfigure();
    let undone = user.who_pulls();
    let lost = !undone.contains(before);
    assert!(!lost || told.contains("log in again"), "{name}: {undone} after unconfigure: {told}");
    user.configure(&["--fallback", shape.fallback]);
    let round = user.each_logs_in_and_out(shape);
    user.unconfigure();
    let undone = if lost { format!("{undone}; told to log in again") } else { undone.to_string() };
    format!("| {name} | {before} | {after} | {round} | {undone} |")
}

fn start(profile: Profile) -> (TokenServer, RealRegistry) {
    let server = TokenServer::builder().profile(profile).user("alice", clients::PASSWORD);
    let server = server.plain_http().start();
    let registry = RealRegistry::start(&server).expect("a registry");
    (server, registry)
}

fn user(server: &TokenServer, host: &str, shape: &Shape) -> User {
    User::new(host, shape, || server.issue_refresh_token("alice", "docker"))
}

/// Two at a time, each of them in a home of its own; the answers in order. What fails does not keep the
/// others from being tried.
fn for_each<T: Send>(shapes: &[Shape], work: impl Fn(&Shape) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let run = || {
        while let Some(shape) = shapes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = catch_unwind(AssertUnwindSafe(|| work(shape)));
            let answer = answer.map_err(|_| shape.name);
            done.lock().expect("no panic").push((shape.number, answer));
        }
    };
    std::thread::scope(|scope| drop([scope.spawn(run), scope.spawn(run)]));
    let mut done = done.into_inner().expect("no panic");
    done.sort_by_key(|(number, _)| *number);
    let failed: Vec<_> = done.iter().filter_map(|(_, answer)| answer.as_ref().err()).collect();
    assert!(failed.is_empty(), "failed: {failed:#?}");
    done.into_iter().filter_map(|(_, answer)| answer.ok()).collect()
}

#[test]
fn docker_and_podman_lose_no_login_on_the_way_in_and_out() {
    let (server, registry) = start(Profile::PostOnly);
    let host = registry.host();
    clients::push_image(&host);
    let rows = for_each(&shapes(&host), |shape| round_trip(&user(&server, &host, shape), shape));
    let table = format!("{HEADING}\n|---|---|---|---|---|\n{}\n", rows.join("\n"));
    println!("{table}");
    assert!(PAGE.contains(&table), "docs/clients.md has another table");
}

/// The other ways to set them up: for one registry, and without podman.
#[test]
fn docker_and_podman_lose_no_login_by_other_ways_to_configure() {
    let (server, registry) = start(Profile::PostOnly);
    let host = registry.host();
    clients::push_image(&host);
    let ways: [&[&str]; 2] = [&["--no-podman"], &["--registry", &host]];
    let found = for_each(&shapes(&host), |shape| {
        for way in ways {
            let user = user(&server, &host, shape);
            let before = user.who_pulls();
            user.configure(&[&["--fallback", shape.fallback], way].concat());
            let after = user.who_pulls();
            assert!(after.contains(before), "{} {way:?}: {before}, then {after}", shape.name);
            println!("{} {way:?}: {before} before, {after} after", shape.name);
        }
    });
    assert!(found.len() > 10);
}

/// A registry without refresh tokens: what the fallback takes over.
#[test]
fn docker_and_podman_lose_no_login_that_cannot_be_exchanged() {
    let (server, registry) = start(Profile::Gitlab);
    let host = registry.host();
    clients::push_image(&host);
    for_each(&shapes(&host), |shape| {
        if shape.is_token {
            return;
        }
        let user = user(&server, &host, shape);
        let before = user.who_pulls();
        user.configure(&["--fallback", shapes::OTHER]);
        let after = user.who_pulls();
        assert!(after.contains(before), "{}: {before} before, {after} after", shape.name);
        println!("{}: {before} before, {after} after", shape.name);
    });
}
