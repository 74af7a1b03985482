//! Many pulls one after the other, and as many at once: each asks the helper, and gets the login.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::size;
use super::traces::Traces;
use crate::keychain::Keychain;
use crate::mock_token_server::Profile;
use crate::scenario::{Scenario, Setup, USER};

fn count() -> usize {
    size(12, 200)
}

/// KWallet answers one after the other: of 200 at once, many wait for longer than the 5 s of a keychain.
fn count_for_kwallet() -> usize {
    size(12, 50)
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_kernel_keyring() {
    pull_many_times("kernel", Keychain::kernel(), count());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_age_files() {
    pull_many_times("file", Keychain::file(), count());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_gnome_keyring() {
    pull_many_times("GNOME Keyring", Keychain::gnome_keyring(), count());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_keepassxc() {
    pull_many_times("KeePassXC", Keychain::keepassxc(), count());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_kwallet() {
    pull_many_times("KWallet", Keychain::kwallet(), count_for_kwallet());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_helper_pass() {
    pull_many_times("helper:pass", Keychain::helper_pass(), count());
}

#[test]
fn docker_with_a_daemon_pulls_many_times_from_helper_secretservice() {
    pull_many_times("helper:secretservice", Keychain::helper_secretservice(), count());
}

fn pull_many_times(name: &str, keychain: Keychain, at_once: usize) {
    let profile = Profile::PostOnly;
    let mut all = Scenario::start(Setup { profile, keychain, engine: true, tls: false });
    all.log_in(&all.password.clone()).success();
    let token = all.token().expect("logged in");
    let image = format!("{}/{USER}/hello:1", all.registry());
    all.import(&image);
    all.docker(&["push", &image], "").success();
    all.docker(&["pull", &image], "").success();
    all.cli.calls();
    let (before, sent) = (Traces::of(&all), all.server.journal().passwords_sent());
    let count = count();
    let host = all.engine_host();
    let pull = || all.cli.docker(&host, &["pull", &image], "").success();

    let begin = Instant::now();
    (0..count).for_each(|_| drop(pull()));
    let time = begin.elapsed();
    assert_eq!(all.cli.calls(), vec!["get"; count]);
    before.assert_again(&all);
    println!("{name}: {count} pulls in a row in {time:.1?}");

    let (begin, barrier) = (Instant::now(), Barrier::new(at_once));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                barrier.wait();
                pull()
            });
        }
    });
    let time = begin.elapsed();
    assert_eq!(all.cli.calls(), vec!["get"; at_once]);
    before.assert_again(&all);
    println!("{name}: {at_once} pulls at once in {time:.1?}");

    assert_eq!(all.token(), Some(token));
    assert_eq!(all.server.journal().passwords_sent(), sent, "pulls need no password");
}
