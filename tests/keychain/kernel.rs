//! The kernel keyring, in every kind of process that a helper is started in.

use std::process::Command;

use crate::support::keychains::agent::Agent;
use crate::support::left_out;

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

/// An ordinary user whom nobody else is; the keys are removed with this value.
struct User {
    uid: String,
    dir: tempfile::TempDir,
}

impl User {
    fn new(uid: u32) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            left_out("the kernel keyring as another user", "it needs root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap();
        let user = Self { uid: uid.to_string(), dir };
        user.clear();
        Some(user)
    }

    fn wrapper(&self) -> [&str; 7] {
        ["setpriv", "--reuid", &self.uid, "--regid", &self.uid, "--clear-groups", "--"]
    }

    /// The agent as this user, from a copy of the program that may be executed.
    fn runs(&self, agent: Agent) -> Agent {
        agent.copied_to(&self.dir.path().join("agent")).under(&self.wrapper())
    }

    fn clear(&self) {
        let [program, args @ ..] = self.wrapper();
        let clear = Command::new(program).args(args).args(["keyctl", "clear", "@u"]).status();
        assert!(clear.unwrap().success() || std::thread::panicking());
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.clear();
    }
}

#[test]
fn keeps_the_contract_as_another_user() {
    if let Some(user) = User::new(3_000_000_001) {
        user.runs(Agent::contract("kernel")).pass();
    }
}

#[test]
fn a_full_quota_names_used_and_allowed_and_keeps_the_former_login() {
    let Some(user) = User::new(3_000_000_002) else { return };
    let agent = user.runs(Agent::new("kernel", "quota"));
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
fn a_user_namespace_without_users_cannot_tell_what_there_is() {
    let profile = Profile::new("namespace");
    let told = profile.agent().under(&["unshare", "--user", "--"]).run(&["list"]);
    assert!(told[0].starts_with("unavailable: "), "{told:?}");
}

#[test]
fn forbidden_system_calls_are_unavailable_never_absent() {
    let profile = Profile::new("forbidden");
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    for errno in ["EPERM", "EACCES", "ENOSYS"] {
        for (call, steps) in [
            ("keyctl", &["get k", "put k bob u", "delete k", "list", "unlock"][..]),
            ("add_key", &["put k bob u"][..]),
        ] {
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={errno}"));
            let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            for step in steps {
                let told = profile.agent().under(&strace).one(step);
                assert!(told.starts_with("unavailable: "), "{errno} {call} {step}: {told}");
                assert!(told.contains(errno), "{told}");
            }
        }
    }
    assert_eq!(profile.agent().run(&["get k", "delete k"]), ["alice t", "ok"]);
}

#[test]
fn a_keyring_that_does_not_exist_is_unavailable() {
    // As in a user namespace of older kernels.
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=keyctl",
        "-e",
        "inject=keyctl:error=ENOKEY",
    ];
    let told = Profile::new("none").agent().under(&strace).one("get k");
    assert!(told.starts_with("unavailable: "), "{told}");
}
