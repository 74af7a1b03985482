//! The kernel keyring, in every kind of process that a helper is started in.

use std::process::Command;

use crate::support::keychains::agent::Agent;

/// Logins of one test, removed with it.
struct Profile(String);

impl Profile {
    fn new(test: &str) -> Self {
        Self(format!("test-{test}-{}", std::process::id()))
    }

    fn agent(&self) -> Agent {
        Agent::new("kernel", &self.0)
    }

    fn description(&self, key: &str) -> String {
        format!("docker-credential-refresh:{}:{key}", self.0)
    }

    /// The key's number, as an agent with it in reach would have it.
    fn key(&self, key: &str) -> String {
        keyctl(&["search", "@u", "user", &self.description(key)])
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let keys = std::fs::read_to_string("/proc/keys").unwrap_or_default();
        for line in keys.lines().filter(|line| line.contains(&self.description(""))) {
            let id = format!("0x{}", line.split_whitespace().next().unwrap_or_default());
            // Revoked ones cannot be invalidated, and go by themselves.
            let _ = Command::new("keyctl").args(["unlink", &id, "@u"]).output();
            let _ = Command::new("keyctl").args(["invalidate", &id]).output();
        }
    }
}

fn keyctl(args: &[&str]) -> String {
    let output = Command::new("keyctl").args(args).output().expect("keyctl, of keyutils");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn keeps_the_contract_without_a_session_keyring() {
    Agent::contract("kernel").pass();
}

#[test]
fn keeps_the_contract_in_a_session_of_its_own() {
    Agent::contract("kernel").under(&["keyctl", "session", "-"]).pass();
}

#[test]
fn one_session_reads_what_another_kept() {
    let profile = Profile::new("sessions");
    let session: &[&str] = &["keyctl", "session", "-"];
    let agent = profile.agent();
    assert_eq!(agent.clone().under(session).one("put k alice t"), "ok");
    assert_eq!(agent.clone().under(session).one("get k"), "alice t");
    assert_eq!(agent.one("get k"), "alice t");
    assert_eq!(agent.clone().under(session).one("list"), "k=");
    assert_eq!(agent.clone().under(session).one("delete k"), "ok");
    assert!(agent.one("get k").starts_with("absent"));
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
    // keyctl itself has no right to set the time without possessing the key.
    keyctl(&["session", "-", "sh", "-c", &format!("keyctl link @u @s; keyctl timeout {key} 1")]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert!(agent.one("get k").starts_with("absent"));
    assert!(agent.one("delete k").starts_with("absent"));
    assert_eq!(agent.run(&["put k carol v", "get k", "delete k"]), ["ok", "carol v", "ok"]);
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
