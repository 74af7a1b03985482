//! What is ours of the `macos` keychain, on a stand-in for the system: see stand_in.rs.

use super::native::Answer;
use super::*;
use crate::keychain::opened::Keychain;

const HOST: &str = "registry.example.com:5000";

struct Mac {
    native: Native,
}

impl Mac {
    fn new() -> Self {
        Self { native: Native::new() }
    }

    /// One with a login in it.
    fn with_login() -> Self {
        let mac = Self::new();
        mac.keychain("default").put(HOST, "alice", &token("first")).unwrap();
        mac
    }

    fn keychain(&self, profile: &str) -> Keychain {
        self.open(profile, Options::default())
    }

    /// As `list`, `status` and `doctor` open it.
    fn quiet(&self) -> Keychain {
        self.open("default", Options { may_prompt: false, ..Options::default() })
    }

    fn open(&self, profile: &str, options: Options) -> Keychain {
        let store = Store::over(self.native.clone(), &options);
        Keychain::with_store(NAME, profile, Box::new(store))
    }

    fn windows(&self) -> u32 {
        self.native.state().windows
    }
}

fn token(text: &str) -> RefreshToken {
    RefreshToken::new(text.to_owned())
}

fn is_absent<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Absent))
}

#[test]
fn a_login_is_kept_replaced_in_place_and_deleted() {
    let mac = Mac::new();
    let keychain = mac.keychain("default");
    keychain.unlock().unwrap();
    assert!(is_absent(keychain.get(HOST)) && is_absent(keychain.delete(HOST)));
    for (account, text) in [("alice", "first"), ("bob", "second"), ("", "third"), ("a\nb", "4")] {
        keychain.put(HOST, account, &token(text)).unwrap();
        let item = mac.keychain("default").get(HOST).unwrap();
        assert_eq!((item.account.as_str(), item.token.expose()), (account, text));
        assert_eq!(mac.native.state().items.len(), 1, "never two items");
    }
    keychain.check().unwrap();
    assert_eq!(keychain.lifetime(), Lifetime::UntilDeleted);
    keychain.delete(HOST).unwrap();
    assert!(is_absent(keychain.get(HOST)) && is_absent(keychain.delete(HOST)));
    assert_eq!(keychain.list().unwrap().logins, []);
}

#[test]
fn an_item_has_a_readable_name_and_no_secret_in_it() {
    let mac = Mac::with_login();
    mac.keychain("ci").put("ghcr.io", "bob", &token("second")).unwrap();
    let names: Vec<_> = mac.native.state().items.keys().cloned().collect();
    let name =
        |service: &str, user: &str| ItemName { service: service.to_owned(), user: user.to_owned() };
    assert_eq!(
        names,
        [
            name("docker-credential-refresh", HOST),
            name("docker-credential-refresh (ci)", "ghcr.io")
        ]
    );
}

#[test]
fn profiles_and_items_of_others_are_apart() {
    let mac = Mac::with_login();
    let others =
        ["docker-credential-refres", "docker-credential-refresh (x)", "Docker Credentials"];
    for service in others {
        let name = ItemName { service: service.to_owned(), user: HOST.to_owned() };
        mac.native.state().items.insert(name, b"mallory\nplanted".to_vec());
    }
    assert_eq!(mac.keychain("default").get(HOST).unwrap().token.expose(), "first");
    let listed = Listed { key: HOST.to_owned(), account: String::new() };
    assert_eq!(mac.keychain("default").list().unwrap().logins, [listed]);
    for profile in ["ci", "default)", ""] {
        assert!(is_absent(mac.keychain(profile).get(HOST)), "{profile}");
        assert_eq!(mac.keychain(profile).list().unwrap().logins, []);
    }
    for key in ["registry.example.com", "REGISTRY.example.com:5000"] {
        assert!(is_absent(mac.keychain("default").get(key)), "{key}");
    }
    mac.keychain("default").delete(HOST).unwrap();
    assert_eq!(mac.native.state().items.len(), others.len());
}

#[test]
fn a_keychain_that_is_gone_is_out_of_reach_and_none_is_made() {
    let mac = Mac::with_login();
    mac.native.state().missing = true;
    for keychain in [mac.keychain("default"), mac.quiet()] {
        for error in [
            keychain.get(HOST).map(drop).unwrap_err(),
            keychain.list().map(drop).unwrap_err(),
            keychain.delete(HOST).unwrap_err(),
            keychain.put(HOST, "alice", &token("second")).unwrap_err(),
            keychain.unlock().unwrap_err(),
            keychain.check().unwrap_err(),
        ] {
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        }
    }
    assert_eq!(mac.windows(), 0);
}

#[test]
fn a_locked_keychain_over_ssh_is_neither_absent_nor_unavailable() {
    let mac = Mac::with_login();
    (mac.native.state().locked, mac.native.state().over_ssh) = (true, true);
    for keychain in [mac.keychain("default"), mac.quiet()] {
        for error in [
            keychain.get(HOST).map(drop).unwrap_err(),
            keychain.put(HOST, "alice", &token("second")).unwrap_err(),
            keychain.put("ghcr.io", "alice", &token("second")).unwrap_err(),
            keychain.unlock().unwrap_err(),
        ] {
            assert!(error.to_string().contains("run: security unlock-keychain"), "{error}");
        }
        assert_eq!(keychain.list().unwrap().logins.len(), 1, "the names can be read");
        assert!(is_absent(keychain.get("ghcr.io")), "and tell what is not there");
    }
    assert!(matches!(mac.quiet().check(), Err(Error::Locked { .. })));
    mac.native.state().locked = false;
    assert_eq!(mac.quiet().get(HOST).unwrap().token.expose(), "first", "the previous one stays");
}

#[test]
fn a_locked_keychain_is_unlocked_by_one_window_and_by_none_where_nobody_is_asked() {
    let mac = Mac::with_login();
    mac.native.state().locked = true;
    let quiet = mac.quiet();
    assert!(matches!(quiet.get(HOST), Err(Error::Locked { .. })));
    assert!(matches!(quiet.unlock(), Err(Error::Locked { .. })));
    assert!(matches!(quiet.check(), Err(Error::Locked { .. })));
    assert!(mac.keychain("default").check().is_ok(), "there, as far as one can look");
    assert_eq!(mac.windows(), 0);
    mac.keychain("default").unlock().unwrap();
    assert_eq!(mac.quiet().get(HOST).unwrap().account, "alice");
    assert_eq!(mac.windows(), 1);
}

#[test]
fn a_dismissed_window_is_told_apart_from_an_unanswered_one() {
    let mac = Mac::with_login();
    for answer in [Answer::Cancels, Answer::Denies] {
        (mac.native.state().locked, mac.native.state().answer) = (true, answer);
        let error = mac.keychain("default").get(HOST).unwrap_err();
        assert!(matches!(error, Error::Dismissed { unanswered_for: None, .. }), "{error}");
    }
    mac.native.state().answer = Answer::Waits;
    let prompt_deadline = Duration::from_millis(50);
    let keychain = mac.open("default", Options { prompt_deadline, ..Options::default() });
    let error = keychain.get(HOST).unwrap_err();
    assert!(matches!(error, Error::Dismissed { unanswered_for: Some(_), .. }), "{error}");
}

#[test]
fn an_item_that_may_not_be_read_is_asked_for_once_and_stays() {
    let mac = Mac::with_login();
    (mac.native.state().untrusted, mac.native.state().answer) = (true, Answer::Denies);
    assert!(matches!(mac.keychain("default").get(HOST), Err(Error::Dismissed { .. })));
    assert_eq!(mac.windows(), 1);
    let error = mac.keychain("default").put(HOST, "bob", &token("second")).unwrap_err();
    assert!(error.to_string().contains("does not let this program change"), "{error}");
    assert_eq!(mac.windows(), 2, "one window for the store");
    assert!(matches!(mac.quiet().get(HOST), Err(Error::Locked { .. })));
    mac.quiet().put(HOST, "bob", &token("second")).unwrap_err();
    assert_eq!(mac.windows(), 2);
    mac.native.state().untrusted = false;
    assert_eq!(mac.quiet().get(HOST).unwrap().token.expose(), "first");
}

#[test]
fn an_item_that_another_process_adds_meanwhile_is_replaced() {
    let mac = Mac::new();
    mac.native.state().added_meanwhile = true;
    mac.keychain("default").put(HOST, "alice", &token("first")).unwrap();
    assert_eq!(mac.keychain("default").get(HOST).unwrap().account, "alice");
    assert_eq!(mac.native.state().items.len(), 1);
}

#[test]
fn a_secret_without_an_account_is_damaged() {
    let mac = Mac::with_login();
    for payload in [&b"first"[..], b"\xff\nfirst", b"alice\n\xff"] {
        mac.native.state().items.values_mut().for_each(|secret| *secret = payload.to_vec());
        assert!(matches!(mac.keychain("default").get(HOST), Err(Error::Damaged { .. })));
    }
    mac.keychain("default").put(HOST, "alice", &token("second")).unwrap();
    assert_eq!(mac.keychain("default").get(HOST).unwrap().token.expose(), "second");
}
