//! Many helpers at once on a few logins, for a while: some order of what they did explains every answer
//! (linearizability), and nothing fails.
//!
//! Not in KWallet, which makes an item first and gives it its secret afterwards: a `get` meanwhile says that
//! the token is empty.
//!
//! A short run is among the other tests. The long one, a hundred processes for a minute in each
//! keychain, one after the other:
//!
//! ```sh
//! FULL_SIZE=1 cargo test --test main -- faults::orders::in_ --nocapture --test-threads=1
//! ```

mod checker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::new_identity;

use self::checker::{Operation, What, explain};
use super::crowd::Helper;
use crate::support::full_size;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::keychains::keepassxc::KeePassXc;
use crate::support::user::User;

/// One login that all of them change, and a hundred.
const LOGINS: [usize; 2] = [1, 100];

fn key(login: usize) -> String {
    format!("registry-{login}.example.com")
}

/// What one process after the other did, by login, until the end.
fn one(
    helper: &Helper,
    number: usize,
    logins: usize,
    start: Instant,
    time: Duration,
) -> Vec<(usize, Operation)> {
    static TOKENS: AtomicU64 = AtomicU64::new(1);
    let (mut done, mut random) = (Vec::new(), number as u64 + 1);
    let mut below = |limit: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    while start.elapsed() < time {
        let login = below(logins as u64) as usize;
        let (token, key) = (TOKENS.fetch_add(1, Ordering::Relaxed), key(login));
        let began = start.elapsed().as_nanos();
        let what = match below(5) {
            0 | 1 => {
                helper.store(&key, &format!("token-{token}"));
                What::Store(token)
            }
            2 => {
                helper.erase(&key);
                What::Erase
            }
            _ => {
                let got = helper.token(&key);
                What::Got(got.map(|got| got.strip_prefix("token-").unwrap().parse().unwrap()))
            }
        };
        let ended = start.elapsed().as_nanos();
        done.push((login, Operation { what, began, ended }));
    }
    done
}

fn at_once(name: &str, user: &User) {
    let (processes, time) = if full_size() { (100, 60) } else { (12, 3) };
    for logins in LOGINS {
        let (helper, start) = (Helper::of(user), Instant::now());
        let done: Vec<_> = thread::scope(|scope| {
            let run = |number| {
                let helper = &helper;
                scope.spawn(move || one(helper, number, logins, start, Duration::from_secs(time)))
            };
            let running: Vec<_> = (0..processes).map(run).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut steps = 0;
        for login in 0..logins {
            let of_login = done.iter().filter(|(of, _)| *of == login).map(|(_, o)| *o);
            let history: Vec<_> = of_login.collect();
            let explained = explain(&history);
            steps += explained.unwrap_or_else(|why| panic!("{name}, {}: {why}", key(login)));
            helper.erase(&key(login));
        }
        let operations = done.len();
        println!("| {name} | {logins} | {processes} | {time} s | {operations} | {steps} |");
        assert!(operations > processes, "nothing was done");
    }
}

#[test]
fn in_the_kernel_keyring() {
    at_once("kernel", &User::new());
}

#[test]
fn in_files() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    at_once("file", &user);
}

#[test]
fn in_gnome_keyring() {
    let (keyring, user) = (GnomeKeyring::start(), User::new());
    user.on_bus(keyring.environment());
    at_once("GNOME Keyring", &user);
}

#[test]
fn in_keepassxc() {
    let (keepassxc, user) = (KeePassXc::start(), User::new());
    user.on_bus(keepassxc.environment());
    at_once("KeePassXC", &user);
}
