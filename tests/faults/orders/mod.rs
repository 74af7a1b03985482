//! Many helpers at once on a few logins, for a while: some order of what they did explains every answer
//! (linearizability), and nothing fails.
//!
//! A short run is among the other tests. The long one, a hundred processes for a minute in each
//! keychain, one after the other:
//!
//! ```sh
//! FULL_SIZE=1 cargo test --test main -- faults::orders::in_ --nocapture --test-threads=1
//! ```

mod checker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::new_identity;

use self::checker::{Operation, Random, What, explain};
use super::crowd::Helper;
use crate::support::full_size;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::keychains::keepassxc::{KeePassXc, TRUSTING_UNSAVED};
use crate::support::keychains::kwallet::KWallet;
use crate::support::keychains::pass::Pass;
use crate::support::user::User;

fn key(login: usize) -> String {
    format!("registry-{login}.example.com")
}

/// What all processes do, until the time is over or one call has failed.
struct Run {
    helper: Helper,
    logins: usize,
    start: Instant,
    time: Duration,
    failed: AtomicBool,
}

impl Run {
    /// What one process after the other did, by login, and the error of the last.
    fn one(&self, number: usize) -> (Vec<(usize, Operation)>, Option<String>) {
        let (mut done, mut random) = (Vec::new(), Random(number as u64 + 1));
        while self.start.elapsed() < self.time && !self.failed.load(Ordering::Relaxed) {
            let login = random.below(self.logins as u64) as usize;
            let began = self.start.elapsed();
            match self.call(&key(login), random.below(5)) {
                Ok(what) => {
                    let [began, ended] = [began, self.start.elapsed()].map(|time| time.as_nanos());
                    done.push((login, Operation { what, began, ended }));
                }
                Err(error) => {
                    self.failed.store(true, Ordering::Relaxed);
                    let [began, ended] = [began, self.start.elapsed()].map(|t| t.as_secs_f32());
                    return (done, Some(format!("{began:.3} to {ended:.3} s: {error}")));
                }
            }
        }
        (done, None)
    }

    fn call(&self, key: &str, which: u64) -> Result<What, String> {
        static TOKENS: AtomicU64 = AtomicU64::new(1);
        match which {
            0 | 1 => {
                let token = TOKENS.fetch_add(1, Ordering::Relaxed);
                self.helper.store(key, &format!("token-{token}"))?;
                Ok(What::Store(token))
            }
            2 => self.helper.erase(key).map(|()| What::Erase),
            _ => {
                let got = self.helper.token(key)?;
                Ok(What::Got(got.map(|got| got.strip_prefix("token-").unwrap().parse().unwrap())))
            }
        }
    }
}

/// `fate` tells what has become of the keychain, if a call fails.
fn at_once(name: &str, user: &User, mut fate: impl FnMut() -> String) {
    let (processes, time) = if full_size() { (100, 60) } else { (12, 3) };
    // One login that all of them change, and one for each.
    for logins in [1, processes] {
        let (time, start, failed) =
            (Duration::from_secs(time), Instant::now(), AtomicBool::default());
        let run = Run { helper: Helper::of(user), logins, start, time, failed };
        let (done, errors): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let one = |number| {
                scope.spawn({
                    let run = &run;
                    move || run.one(number)
                })
            };
            let running: Vec<_> = (0..processes).map(one).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).unzip()
        });
        let errors: Vec<_> = errors.into_iter().flatten().collect();
        assert!(errors.is_empty(), "{name}, {logins} logins: {}\n{}", errors.join(""), fate());
        let mut by_login: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (login, operation) in done.into_iter().flatten() {
            by_login.entry(login).or_default().push(operation);
        }
        for (login, history) in &by_login {
            explain(history).unwrap_or_else(|why| panic!("{name}, {}: {why}", key(*login)));
            run.helper.erase(&key(*login)).unwrap();
        }
        let operations: usize = by_login.values().map(Vec::len).sum();
        println!("| {name} | {logins} | {processes} | {} s | {operations} |", time.as_secs());
        assert!(operations > processes, "nothing was done");
    }
}

#[test]
fn in_the_kernel_keyring() {
    at_once("kernel", &User::new(), String::new);
}

#[test]
fn in_files() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    at_once("file", &user, String::new);
}

#[test]
fn in_gnome_keyring() {
    let (mut keyring, user) = (GnomeKeyring::start(), User::new());
    user.on_bus(keyring.environment());
    at_once("GNOME Keyring", &user, || keyring.fate());
}

#[test]
fn in_keepassxc() {
    let (mut keepassxc, user) = (KeePassXc::start_with(TRUSTING_UNSAVED), User::new());
    user.on_bus(keepassxc.environment());
    at_once("KeePassXC", &user, || keepassxc.fate());
}

#[test]
fn in_kwallet() {
    let (wallet, user) = (KWallet::start(), User::new());
    user.on_bus(wallet.environment());
    at_once("KWallet", &user, String::new);
}

/// Somebody who keeps logins in another helper, which has no profiles.
fn user_of_helper(name: &str) -> User {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", &format!("helper:{name}"));
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", "default");
    user
}

#[test]
fn in_helper_pass() {
    let (pass, user) = (Pass::start(), user_of_helper("pass"));
    for (name, value) in pass.environment() {
        user.set(name, &value);
    }
    at_once("`helper:pass`", &user, String::new);
}

#[test]
fn in_helper_secretservice() {
    let (mut keyring, user) = (GnomeKeyring::start(), user_of_helper("secretservice"));
    user.on_bus(keyring.environment());
    at_once("`helper:secretservice`", &user, || keyring.fate());
}
