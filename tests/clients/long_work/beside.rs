//! Logins, logouts and pulls at the same time, at three registries: none gets in another's way.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::size;
use crate::keychain::Keychain;
use crate::mock_token_server::{Profile, RealRegistry};
use crate::process::Finished;
use crate::scenario::{Scenario, Setup, USER};

fn duration() -> Duration {
    Duration::from_secs(size(5, 60))
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_kernel_keyring() {
    beside_each_other("kernel", Keychain::kernel());
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_age_files() {
    beside_each_other("file", Keychain::file());
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_gnome_keyring() {
    beside_each_other("GNOME Keyring", Keychain::gnome_keyring());
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_keepassxc() {
    beside_each_other("KeePassXC", Keychain::keepassxc());
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_kwallet() {
    beside_each_other("KWallet", Keychain::kwallet());
}

#[test]
fn docker_with_a_daemon_logs_in_out_and_pulls_beside_each_other_with_helper_pass() {
    beside_each_other("helper:pass", Keychain::helper_pass());
}

/// A user of docker with settings of their own: Docker does not lock its file.
struct Hand<'a> {
    all: &'a Scenario,
    settings: String,
    registry: String,
    image: String,
}

impl<'a> Hand<'a> {
    fn new(all: &'a Scenario, name: &str, registry: &str) -> Self {
        let settings = all.cli.root().join(name);
        fs::create_dir(&settings).expect("a folder");
        fs::write(settings.join("config.json"), r#"{"credsStore": "refresh"}"#).expect("settings");
        let settings = settings.to_str().expect("UTF-8").to_owned();
        let image = format!("{registry}/{USER}/hello:1");
        Self { all, settings, registry: registry.to_owned(), image }
    }

    fn docker(&self, arguments: &[&str], input: &str) -> Finished {
        let arguments = [&["--config", &self.settings], arguments].concat();
        self.all.cli.docker(&self.all.engine_host(), &arguments, input)
    }

    fn log_in(&self) {
        let login = ["login", "--username", USER, "--password-stdin", &self.registry];
        self.docker(&login, &self.all.password).success();
    }

    fn log_out(&self) {
        self.docker(&["logout", &self.registry], "").success();
    }

    fn pull(&self) -> Finished {
        self.docker(&["pull", &self.image], "")
    }

    /// The image that the engine has, to this registry.
    fn push(&self, image: &str) {
        self.docker(&["tag", image, &self.image], "").success();
        self.docker(&["push", &self.image], "").success();
    }
}

fn beside_each_other(name: &str, keychain: Keychain) {
    let profile = Profile::PostOnly;
    let mut all = Scenario::start(Setup { profile, keychain, engine: true, tls: false });
    let others = [0, 1].map(|_| RealRegistry::start(&all.server).expect("a registry"));
    let image = format!("{}/{USER}/hello:1", all.registry());
    all.import(&image);
    let all = &all;
    let stays = [0, 1].map(|at| Hand::new(all, &format!("stays-{at}"), &all.registry()));
    let [first, second] =
        [0, 1].map(|at| Hand::new(all, &format!("goes-{at}"), &others[at].host()));
    stays[0].log_in();
    stays[0].push(&image);
    for hand in [&first, &second] {
        hand.log_in();
        hand.push(&image);
    }
    let token = all.token();

    let end = Instant::now() + duration();
    let [pulls, logins, lists] = [const { AtomicUsize::new(0) }; 3];
    let again = |count: &AtomicUsize| {
        count.fetch_add(1, Ordering::Relaxed);
        Instant::now() < end
    };
    thread::scope(|scope| {
        for hand in &stays {
            let (again, pulls) = (&again, &pulls);
            scope.spawn(move || {
                while again(pulls) {
                    hand.pull().success();
                }
            });
        }
        for hand in [&first, &second] {
            let (again, logins) = (&again, &logins);
            scope.spawn(move || {
                while again(logins) {
                    hand.log_out();
                    let refused = hand.pull().failure().text();
                    assert!(
                        refused.contains("denied") || refused.contains("unauthorized"),
                        "{refused}"
                    );
                    hand.log_in();
                    hand.pull().success();
                }
            });
        }
        scope.spawn(|| {
            while again(&lists) {
                let listed = all.cli.helper("list", "").success();
                assert!(listed.stdout.contains(&all.registry()), "{listed}");
            }
        });
    });
    let [pulls, logins, lists] = [pulls, logins, lists].map(AtomicUsize::into_inner);
    println!("{name}: {pulls} pulls, {logins} logouts and logins, {lists} lists");

    assert_eq!(all.token(), token, "nobody touched it");
    let mut known: Vec<_> = [&first.registry, &second.registry, &stays[0].registry].into();
    known.sort();
    let records = all.cli.records();
    let mut kept: Vec<_> =
        records.iter().map(|record| record["server_url"].as_str().expect("a text")).collect();
    kept.sort_unstable();
    assert_eq!(kept, known);
    for hand in [&first, &second] {
        let items = || all.keychain.items(&all.cli, &hand.registry);
        let before = items();
        hand.log_out();
        assert_eq!(items(), before - 1);
    }
    let items = all.keychain.items(&all.cli, &all.registry());
    assert_eq!(items, 1, "the others leave nothing");
}
