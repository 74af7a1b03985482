//! The kernel keyring: what becomes of a login there.

use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::{Keychain, KeychainName, Options};
use docker_credential_refresh::secret::RefreshToken;

use crate::support::keychains::agent::Agent;
use crate::support::{kernel_keys, left_out};

mod erased;
mod forbidden;
mod sessions;

/// Logins of one test, removed with it.
struct Profile {
    name: String,
    /// What makes us the user whose they are.
    wrapper: Vec<String>,
}

impl Profile {
    fn new(test: &str) -> Self {
        Self::under(test, &[])
    }

    fn under(test: &str, wrapper: &[&str]) -> Self {
        let name = format!("test-{test}-{}", std::process::id());
        Self { name, wrapper: wrapper.iter().map(|&word| word.to_owned()).collect() }
    }

    fn agent(&self) -> Agent {
        Agent::new("kernel", &self.name)
    }

    fn description(&self, key: &str) -> String {
        format!("docker-credential-refresh:{}:{key}", self.name)
    }

    /// The key's number, as an agent with it in reach would have it.
    fn key(&self, key: &str) -> String {
        keyctl(&["search", "@u", "user", &self.description(key)])
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        if self.wrapper.is_empty() {
            kernel_keys::remove_own(&self.name);
        } else {
            let wrapper: Vec<&str> = self.wrapper.iter().map(String::as_str).collect();
            kernel_keys::remove(&wrapper, &self.name);
        }
    }
}

fn keyctl(args: &[&str]) -> String {
    let output = Command::new("keyctl").args(args).output().expect("keyctl, of keyutils");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// In a session that possesses `@u`: without that, not even its owner has rights to a key.
fn possessing(command: &str) {
    keyctl(&["session", "-", "sh", "-c", &format!("keyctl link @u @s; {command}")]);
}

#[test]
fn says_how_long_it_keeps_a_login() {
    assert_eq!(Profile::new("lifetime").agent().one("lifetime"), "until the machine reboots");
}

#[test]
fn revoked_and_expired_keys_are_gone_and_can_be_put_again() {
    let profile = Profile::new("revoked");
    let agent = profile.agent();
    assert_eq!(agent.one("put k alice t"), "ok");
    keyctl(&["revoke", &profile.key("k")]);
    assert!(agent.one("get k").starts_with("absent"));
    assert_eq!(agent.one("list"), "");
    assert_eq!(agent.run(&["put k bob u", "get k"]), ["ok", "bob u"]);
    let key = profile.key("k");
    possessing(&format!("keyctl timeout {key} 1"));
    // It expires while it is listed, and no list fails by that.
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < end, "it does not expire");
        let listed = agent.run(&["list"; 100]);
        assert!(listed.iter().all(|told| told == "k=" || told.is_empty()), "{listed:?}");
        if listed[99].is_empty() {
            break;
        }
    }
    assert!(agent.one("get k").starts_with("absent"));
    assert!(agent.one("delete k").starts_with("absent"));
    assert_eq!(agent.run(&["put k carol v", "get k"]), ["ok", "carol v"]);
    keyctl(&["invalidate", &profile.key("k")]);
    assert!(agent.one("get k").starts_with("absent"));
    assert_eq!(agent.run(&["put k dave w", "get k", "delete k"]), ["ok", "dave w", "ok"]);
}

#[test]
fn a_key_whose_rights_another_program_took_is_out_of_reach_and_not_absent() {
    let profile = Profile::new("rights");
    let agent = profile.agent();
    assert_eq!(agent.run(&["put k alice t", "put other bob u"]), ["ok"; 2]);
    // All that is left is to see that it is there.
    possessing(&format!("keyctl setperm {} 0x01010000", profile.key("k")));
    for step in ["get k", "put k carol v", "delete k", "list", "check"] {
        let told = agent.one(step);
        assert!(told.starts_with("unavailable: ") && told.contains("EACCES"), "{step}: {told}");
    }
    assert_eq!(agent.run(&["get other", "delete other"]), ["bob u", "ok"]);
}

#[test]
fn a_user_keyring_that_was_revoked_is_an_error_and_not_an_absent_login() {
    // A user for this run alone: the keyring stays dead for some minutes.
    let Some(user) = User::new(3_100_000_000 + std::process::id()) else { return };
    let agent = user.runs(Agent::new("kernel", "test-dead"));
    assert_eq!(agent.one("put k alice t"), "ok");
    assert!(user.keyctl(&["revoke", "@u"]));
    for step in ["get k", "put k bob u", "delete k", "list", "check", "unlock"] {
        let told = agent.one(step);
        assert!(told.starts_with("unavailable: "), "{step}: {told}");
    }
}

#[test]
fn threads_at_once_use_one_keychain() {
    let profile = Profile::new("threads");
    let keychain =
        Keychain::open(&KeychainName::Kernel, &profile.name, &Options::default()).unwrap();
    let all_there = Barrier::new(20);
    std::thread::scope(|scope| {
        for number in 0..20 {
            let (keychain, all_there) = (&keychain, &all_there);
            scope.spawn(move || {
                // No thread that runs by now has a process keyring from another.
                all_there.wait();
                for round in 0..20 {
                    let (key, text) = (format!("own{number}"), format!("t{number}-{round}"));
                    keychain.put(&key, "alice", &RefreshToken::new(text.clone())).unwrap();
                    keychain.put("shared", &text, &RefreshToken::new(text.clone())).unwrap();
                    assert_eq!(keychain.get(&key).unwrap().token.expose(), text);
                    let shared = keychain.get("shared").unwrap();
                    assert_eq!(shared.account, shared.token.expose(), "of one writer");
                    assert!(keychain.list().unwrap().logins.iter().any(|login| login.key == key));
                }
                keychain.delete(&format!("own{number}")).unwrap();
            });
        }
    });
    keychain.delete("shared").unwrap();
    assert_eq!(keychain.list().unwrap().logins, []);
}

#[test]
fn a_login_outlives_the_user_keyring_in_the_persistent_one() {
    let profile = Profile::new("persistent");
    let agent = profile.agent();
    assert_eq!(agent.one("put k alice t"), "ok");
    // As with the last process of a user before Linux 5.3.
    keyctl(&["unlink", &profile.key("k"), "@u"]);
    assert_eq!(agent.run(&["get k", "list", "check"]), ["alice t", "k=", "ok"]);
    assert_eq!(agent.run(&["put k bob u", "get k", "list"]), ["ok", "bob u", "k="]);
    let told = agent.run(&["delete k", "get k", "list"]);
    assert!(told[0] == "ok" && told[1].starts_with("absent: ") && told[2].is_empty(), "{told:?}");
}

#[test]
fn a_key_of_another_shape_is_damaged_not_absent() {
    let profile = Profile::new("shape");
    keyctl(&["add", "user", &profile.description("k"), "no account", "@u"]);
    assert!(profile.agent().one("get k").starts_with("damaged"));
}

#[test]
fn others_cannot_read_a_key() {
    let profile = Profile::new("others");
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    let told = keyctl(&["rdescribe", &profile.key("k")]);
    let rights = told.split(';').nth(3).unwrap();
    assert_eq!(rights, "3f010000", "all for a possessor, view for the user");
    assert_eq!(profile.agent().one("delete k"), "ok");
}

fn is_root(test: &str) -> bool {
    let root = rustix::process::getuid().is_root();
    if !root {
        left_out(test, "it needs root");
    }
    root
}

/// An ordinary user whom nobody else is; the keys are removed with this value.
struct User {
    uid: String,
    dir: tempfile::TempDir,
}

impl User {
    fn new(uid: u32) -> Option<Self> {
        if !is_root("the kernel keyring as another user") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap();
        let user = Self { uid: uid.to_string(), dir };
        assert!(user.clear());
        Some(user)
    }

    fn wrapper(&self) -> [&str; 7] {
        ["setpriv", "--reuid", &self.uid, "--regid", &self.uid, "--clear-groups", "--"]
    }

    /// The agent as this user, from a copy of the program that may be executed.
    fn runs(&self, agent: Agent) -> Agent {
        agent.copied_to(&self.dir.path().join("agent")).under(&self.wrapper())
    }

    fn keyctl(&self, args: &[&str]) -> bool {
        let [program, own @ ..] = self.wrapper();
        let command = Command::new(program).args(own).arg("keyctl").args(args).output();
        command.unwrap().status.success()
    }

    fn clear(&self) -> bool {
        // Each key is in the persistent keyring as well.
        let all = "keyctl clear $(keyctl get_persistent @s); keyctl clear @u";
        self.keyctl(&["session", "-", "sh", "-c", all])
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.clear();
    }
}

#[test]
fn a_full_quota_names_used_and_allowed_and_keeps_the_previous_login() {
    let Some(user) = User::new(3_000_000_002) else { return };
    let agent = user.runs(Agent::new("kernel", "test-quota"));
    let token = "x".repeat(9_800);
    let put = |key: &str| format!("put {key} alice {token}");
    let larger = format!("{}{}", put("a"), "x".repeat(2_000));
    let told = agent.run(&[&put("a"), &put("b"), &put("c"), &larger, "get c", "get a"]);
    assert_eq!(told[..2], ["ok", "ok"]);
    for full in &told[2..4] {
        assert!(full.starts_with("failed: "), "{full}");
        assert!(full.contains(" of 200 keys") && full.contains(" of 20000 bytes"), "{full}");
    }
    assert!(told[4].starts_with("absent: "));
    assert_eq!(told[5], format!("alice {token}"));
    // What was deleted makes room at once.
    let told = agent.run(&["delete a", &put("c"), "delete b", &put("d"), "delete c", "delete d"]);
    assert_eq!(told, ["ok"; 6]);
}

#[test]
fn as_many_keys_as_are_allowed_are_named_too() {
    let Some(user) = User::new(3_000_000_003) else { return };
    let agent = user.runs(Agent::new("kernel", "test-n"));
    let puts: Vec<String> = (0..210).map(|number| format!("put {number} a t")).collect();
    let told = agent.run(&puts.iter().map(String::as_str).collect::<Vec<_>>());
    let full = told.iter().position(|told| told != "ok").expect("200 keys are the limit");
    assert!((150..200).contains(&full), "some are keyrings: {full}");
    assert!(told[full].contains("200 of 200 keys and "), "{}", told[full]);
    assert_eq!(agent.run(&["get 0", "delete 0"]), ["a t", "ok"]);
    // The kernel counts a key until it has collected it, a moment later.
    let end = Instant::now() + Duration::from_secs(10);
    while agent.run(&["put new a t"]) != ["ok"] {
        assert!(Instant::now() < end, "what was deleted makes no room");
    }
}
