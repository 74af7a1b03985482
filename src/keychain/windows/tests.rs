//! The splitting over a store that does what Credential Manager does, and fails or ends where it is
//! told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::keychain::opened::Keychain;

/// What is there, by a name whose case does not count.
type Items = BTreeMap<String, (String, Vec<u8>)>;

/// What another process does.
type Act = Box<dyn FnMut(&mut Items) + Send>;

#[derive(Default)]
struct State {
    items: Items,
    /// How many more calls are answered.
    calls_left: Option<usize>,
    /// What happens before each reading of a credential.
    before_read: Option<Act>,
}

#[derive(Clone, Default)]
struct Manager(Arc<Mutex<State>>);

impl Manager {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn call(&self) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.state();
        match &mut state.calls_left {
            Some(0) => return Err(told::failed("the process has ended", "none")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }

    fn items(&self) -> Items {
        self.state().items.clone()
    }

    /// All later calls but so many fail, as if the process had ended.
    fn end_after(&self, calls: Option<usize>) {
        self.state().calls_left = calls;
    }

    fn pieces(&self) -> usize {
        self.items().keys().filter(|name| name.contains('#')).count()
    }
}

impl Credentials for Manager {
    fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut state = self.call()?;
        if let Some(mut act) = state.before_read.take() {
            act(&mut state.items);
            state.before_read = Some(act);
        }
        let item = state.items.get(&name.to_lowercase()).ok_or(Error::Absent)?;
        Ok(Zeroizing::new(item.1.clone()))
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), Error> {
        assert!(secret.len() <= 2_560 && name.len() < 240, "{name}");
        let mut state = self.call()?;
        state.items.entry(name.to_lowercase()).or_default().1 = secret.to_vec();
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let removed = self.call()?.items.remove(&name.to_lowercase());
        removed.map(drop).ok_or(Error::Absent)
    }

    fn user(&self, name: &str) -> Result<String, Error> {
        let state = self.call()?;
        let item = state.items.get(&name.to_lowercase()).ok_or(Error::Absent)?;
        Ok(item.0.clone())
    }

    fn set_user(&self, name: &str, user: &str) -> Result<(), Error> {
        assert!(user.len() <= 513);
        let mut state = self.call()?;
        let item = state.items.get_mut(&name.to_lowercase()).ok_or(Error::Absent)?;
        user.clone_into(&mut item.0);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let state = self.call()?;
        Ok(state.items.keys().filter(|name| name.starts_with(name::PREFIX)).cloned().collect())
    }
}

struct Bench {
    manager: Manager,
    keychain: Keychain,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (manager, directory) = (Manager::default(), tempfile::tempdir().unwrap());
        let lock = directory.path().join("state").join("lock");
        let store = Store::over(Box::new(manager.clone()), lock, Duration::from_secs(5));
        let keychain = Keychain::with_store(KeychainName::Windows, "p", Box::new(store));
        Self { manager, keychain, _directory: directory }
    }

    fn put(&self, key: &str, account: &str, token: &str) -> Result<(), Error> {
        self.keychain.put(key, account, &RefreshToken::new(token.to_owned()))
    }

    fn list(&self) -> Vec<Listed> {
        self.keychain.list().and_then(Listing::complete).unwrap()
    }

    fn get(&self, key: &str) -> Option<(String, String)> {
        match self.keychain.get(key) {
            Ok(item) => Some((item.account, item.token.expose().to_owned())),
            Err(Error::Absent) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

fn login(account: &str, token: &str) -> Option<(String, String)> {
    Some((account.to_owned(), token.to_owned()))
}

fn token(letter: &str, size: usize) -> String {
    (0..)
        .map(|n: usize| format!("{letter}{n}"))
        .flat_map(|t| t.into_bytes())
        .map(char::from)
        .take(size)
        .collect()
}

#[test]
fn what_fits_is_one_credential_and_what_does_not_is_split() {
    let bench = Bench::new();
    let overhead = "whole\n1 p1 h5 alice".len();
    for (size, credentials) in
        [(1, 1), (2_560 - overhead, 1), (2_561 - overhead, 2), (5_200, 4), (16_384, 8), (9, 1)]
    {
        let token = token("t", size);
        bench.put("h", "alice", &token).unwrap();
        assert_eq!(bench.manager.items().len(), credentials, "{size}");
        assert_eq!(bench.get("h"), login("alice", &token));
        assert_eq!(bench.manager.items()["docker-credential-refresh:p:h"].0, "alice");
    }
    bench.put("h", "alice", &token("t", 9_000)).unwrap();
    bench.keychain.delete("h").unwrap();
    assert_eq!(bench.manager.items().len(), 0);
}

#[test]
fn an_account_that_is_too_long_to_show_is_kept() {
    let bench = Bench::new();
    let long = "a".repeat(3_000);
    for account in ["bob", &long, "", "carol"] {
        bench.put("h", account, "t").unwrap();
        assert_eq!(bench.get("h"), login(account, "t"));
        let shown = if account == long { "" } else { account };
        let listed = Listed { key: "h".to_owned(), account: shown.to_owned() };
        assert_eq!(bench.list(), [listed]);
    }
    let error = bench.put("h", &"a".repeat(90_000), "t").unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 81_920, .. }), "{error}");
    assert_eq!(bench.get("h"), login("carol", "t"));
}

#[test]
fn keys_that_differ_in_case_or_only_at_the_end_are_told_apart() {
    let bench = Bench::new();
    let long = format!("h/{}", "x".repeat(400));
    let keys = ["h/a", "h/A", &format!("{long}a"), &format!("{long}A"), "h/\u{e9}", "h/\u{c9}"];
    for key in keys {
        bench.put(key, key, "t").unwrap();
    }
    for key in keys {
        assert_eq!(bench.get(key), login(key, "t"));
    }
    let mut sorted = keys.map(str::to_owned);
    sorted.sort();
    let listed: Vec<_> = bench.list().into_iter().map(|l| l.key).collect();
    assert_eq!(listed, sorted);
}

/// Ends the process at each call of an operation in turn; what is there then is what was there, or
/// what was to be.
fn ends_at_each_call(before: usize, after: Option<usize>) {
    for calls in 0.. {
        let bench = Bench::new();
        let (old, new) = (token("o", before), token("n", after.unwrap_or(1)));
        bench.put("h", "alice", &old).unwrap();
        bench.put("other", "carol", &token("c", 6_000)).unwrap();
        bench.manager.end_after(Some(calls));
        let done = match after {
            Some(_) => bench.put("h", "bob", &new),
            None => bench.keychain.delete("h"),
        };
        let all = bench.manager.state().calls_left > Some(0);
        bench.manager.end_after(None);
        let wanted = after.and_then(|_| login("bob", &new));
        let found = bench.get("h");
        assert!(found == wanted || found == login("alice", &old), "call {calls}: {found:?}");
        // One that said it was done is, and one that failed may be.
        assert!(done.is_err() || found == wanted, "call {calls}");
        assert!(done.is_ok() || after.is_none() || found != wanted, "call {calls}");
        bench.keychain.check().unwrap();
        // The next writer, of whatever login, leaves no piece that nothing names.
        bench.put("next", "dora", "t").unwrap();
        let mut pieces = 0;
        for (key, kept) in [("h", found), ("other", bench.get("other"))] {
            let Some((account, token)) = kept else { continue };
            let token = token.as_bytes();
            let size = item::Login { profile: "p", key, account: &account, token }.to_payload();
            pieces += if 6 + size.len() > 2_560 { size.len().div_ceil(2_560) } else { 0 };
        }
        assert_eq!(bench.manager.pieces(), pieces, "call {calls}");
        if all {
            assert!(done.is_ok() && calls > 2);
            return;
        }
    }
}

#[test]
fn a_process_that_ends_at_any_call_leaves_the_old_login_or_the_new() {
    for (before, after) in [(10, 20), (10, 9_000), (9_000, 10), (9_000, 16_384), (6_000, 6_000)] {
        ends_at_each_call(before, Some(after));
    }
    ends_at_each_call(10, None);
    ends_at_each_call(9_000, None);
}

#[test]
fn a_reader_finds_the_old_login_or_the_new_however_far_a_writer_is() {
    let bench = Bench::new();
    let states: Vec<Items> = (0..4)
        .map(|i| {
            bench.put("h", "alice", &token(&format!("{i}."), 9_000)).unwrap();
            bench.manager.items()
        })
        .collect();
    // Before each of the first reads, in turn, another process has replaced the login.
    for at in 0..16 {
        let (mut reads, mut later) = (0, states.clone().into_iter());
        bench.manager.state().before_read = Some(Box::new(move |items| {
            if reads % (at + 1) == 0
                && let Some(state) = later.next()
            {
                *items = state;
            }
            reads += 1;
        }));
        let (account, found) = bench.get("h").unwrap();
        assert_eq!(account, "alice");
        assert!((0..4).any(|i| found == token(&format!("{i}."), 9_000)), "{at}");
    }
    // And where it was deleted meanwhile, it is absent.
    let mut reads = 0;
    bench.manager.state().before_read = Some(Box::new(move |items| {
        if reads == 2 {
            items.clear();
        }
        reads += 1;
    }));
    assert_eq!(bench.get("h"), None);
}

#[test]
fn what_was_changed_or_taken_away_is_damaged_and_never_absent() {
    let bench = Bench::new();
    let main = "docker-credential-refresh:p:h".to_owned();
    bench.put("h", "alice", &token("t", 9_000)).unwrap();
    bench.put("g", "bob", &token("u", 9_000)).unwrap();
    let good = bench.manager.items();
    let piece = |key: &str, number: &str| {
        let mut names = good.keys().filter(|n| n.contains(&format!(":{key}#")));
        names.find(|n| n.ends_with(number)).unwrap().clone()
    };
    type Change<'a> = &'a dyn Fn(&mut Items);
    let changes: [Change; 8] = [
        &|items| drop(items.remove(&piece("h", ".1"))),
        &|items| drop(items.remove(&piece("h", ".4"))),
        &|items| items.get_mut(&piece("h", ".2")).unwrap().1[5] ^= 1,
        &|items| drop(items.insert(piece("h", ".2"), items[&piece("g", ".2")].clone())),
        &|items| drop(items.insert(main.clone(), Default::default())),
        &|items| items.get_mut(&main).unwrap().1 = b"whole\nx".to_vec(),
        &|items| items.get_mut(&main).unwrap().1 = b"split x 99999 y".to_vec(),
        // That of another login in its place.
        &|items| {
            items.retain(|name, _| !name.contains(":h#"));
            let of_g = items.clone();
            for (name, item) in of_g.iter().filter(|(name, _)| name.contains(":p:g")) {
                items.insert(name.replace(":p:g", ":p:h"), item.clone());
            }
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut items = good.clone();
        change(&mut items);
        bench.manager.state().items = items;
        let error = bench.keychain.get("h").unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{number}: {error}");
        assert!(matches!(bench.keychain.check(), Err(Error::Damaged { .. })), "{number}");
        let [h, absent] = ["h", "absent"].map(|key| bench.keychain.check_login(key).unwrap_err());
        assert!(matches!((h, absent), (Error::Damaged { .. }, Error::Absent)), "{number}");
        assert!(bench.keychain.check_login("g").is_ok(), "{number}");
        assert_eq!(bench.list().len(), 2, "{number}");
        bench.put("h", "carol", "t").unwrap();
        assert_eq!(bench.get("h"), login("carol", "t"), "a login replaces it");
    }
    bench.manager.state().items = good;
    assert_eq!(bench.get("h"), login("alice", &token("t", 9_000)));
}

#[test]
fn a_store_that_answers_nothing_is_never_absent() {
    let bench = Bench::new();
    bench.put("h", "alice", "t").unwrap();
    bench.manager.end_after(Some(0));
    let said = |error: Error| assert!(matches!(error, Error::Failed { .. }), "{error}");
    said(bench.keychain.unlock().unwrap_err());
    said(bench.keychain.get("h").unwrap_err());
    said(bench.keychain.get("other").unwrap_err());
    said(bench.keychain.delete("other").unwrap_err());
    said(bench.keychain.list().unwrap_err());
    said(bench.keychain.check().unwrap_err());
    bench.manager.end_after(None);
    bench.keychain.unlock().unwrap();
    assert_eq!(bench.manager.items().len(), 1, "nothing is left of the trial");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Operations, each of which may end in the middle, against a model.
    #[test]
    fn logins_are_what_was_last_done(
        steps in prop::collection::vec(
            (0..3_usize, prop::option::of(1..16_384_usize), prop::option::of(0..12_usize)),
            1..20,
        ),
    ) {
        let bench = Bench::new();
        let mut model: [Option<(String, String)>; 3] = Default::default();
        for (number, (key, size, end)) in steps.into_iter().enumerate() {
            let (name, account) = (format!("h{key}"), format!("user{number}"));
            let next = size.and_then(|size| login(&account, &token(&format!("{number}-"), size)));
            bench.manager.end_after(end);
            let done = match &next {
                Some((account, token)) => bench.put(&name, account, token).is_ok(),
                None => bench.keychain.delete(&name).is_ok(),
            };
            bench.manager.end_after(None);
            let found = bench.get(&name);
            prop_assert!(found == next || (!done && found == model[key]));
            model[key] = found;
            for (key, login) in model.iter().enumerate() {
                prop_assert_eq!(&bench.get(&format!("h{key}")), login);
            }
        }
        prop_assert_eq!(bench.list().len(), model.iter().flatten().count());
    }
}
