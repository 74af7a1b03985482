//! The file keychain: on its own directory, with its own identity, in a process of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use docker_credential_refresh::keychain::new_identity;

use crate::support::keychains::agent::{Agent, answers};

const IDENTITY: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";

/// A home with nothing in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn logins(&self) -> PathBuf {
        self.path("data/docker-credential-refresh/logins")
    }

    /// The paths of login files.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.logins()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|end| end == "age")).collect()
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.logins()).unwrap().map(Result::unwrap);
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    /// An agent here, without an identity.
    fn without(&self, agent: Agent) -> Agent {
        let at = |name: &str| self.path(name).display().to_string();
        agent
            .set("HOME", &at(""))
            .set("XDG_DATA_HOME", &at("data"))
            .set("XDG_CONFIG_HOME", &at("config"))
            .set("CREDENTIALS_DIRECTORY", "")
            .set(IDENTITY, "")
    }

    fn with(&self, identity: &str) -> Agent {
        self.without(Agent::new("file", "default")).set(IDENTITY, identity)
    }

    fn write_identity(&self, name: &str, identity: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("# created: today\n\n{identity}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn identity() -> String {
    new_identity().0.expose().to_owned()
}

/// Each answer begins with the kind and has the text; none is "absent".
#[track_caller]
fn all(told: &[String], kind: &str, text: &str) {
    for answer in told {
        assert!(answer.starts_with(kind) && answer.contains(text), "{kind}{text}: {told:?}");
    }
}

#[test]
fn keeps_the_contract() {
    let home = Home::new();
    home.without(Agent::contract("file")).set(IDENTITY, &identity()).pass();
    assert_eq!(home.names(), ["lock", "names"].map(str::to_owned).into());
}

#[test]
fn keeps_the_contract_with_an_identity_in_a_file_and_in_a_credential_of_systemd() {
    let home = Home::new();
    home.write_identity("config/docker-credential-refresh/age-identity.txt", &identity());
    home.without(Agent::contract("file")).pass();
    let home = Home::new();
    home.write_identity("run/docker-credential-refresh-age-identity", &identity());
    let credentials = home.path("run").display().to_string();
    home.without(Agent::contract("file")).set("CREDENTIALS_DIRECTORY", &credentials).pass();
    let home = Home::new();
    let file = home.write_identity("run/secret", &identity());
    home.without(Agent::contract("file")).set(IDENTITY, file.to_str().unwrap()).pass();
}

#[test]
fn says_how_long_it_keeps_a_login() {
    assert_eq!(Home::new().with(&identity()).one("lifetime"), "until it is deleted");
}

#[test]
fn nothing_is_shown_to_who_has_no_identity() {
    let (home, other) = (Home::new(), Home::new());
    let identity = identity();
    for home in [&home, &other] {
        assert_eq!(home.with(&identity).one("put registry.example.com alice t0k3n-xyz"), "ok");
    }
    let [mine, others] = [&home, &other].map(|home| home.files().remove(0));
    assert_ne!(mine.file_name(), others.file_name(), "a name cannot be tried elsewhere");
    let content = fs::read(&mine).unwrap();
    for secret in ["registry", "example", "alice", "t0k3n", "default"] {
        assert!(!mine.file_name().unwrap().to_str().unwrap().contains(secret));
        let found = content.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}

#[test]
fn a_missing_wrong_and_damaged_identity_are_told_apart_and_never_absent() {
    let home = Home::new();
    let (first, second) = (identity(), identity());
    assert_eq!(home.with(&first).one("put k alice t"), "ok");
    let steps = ["get k", "list", "check"];

    let missing = home.without(Agent::new("file", "default"));
    let hint = "there is no age identity; put the previous one back, or";
    all(&missing.run(&steps), "unavailable: ", hint);
    all(&missing.run(&["unlock", "put k bob u"]), "unavailable: ", hint);
    // Where nothing is kept, no identity is needed to say so.
    all(&missing.run(&["get other", "delete other"]), "absent: ", "");

    let damaged = format!("{}{}", &first[..first.len() - 4], "QQQQ");
    let damaged = home.with(&damaged);
    all(&damaged.run(&steps), "unavailable: ", "holds a damaged age identity");
    all(&damaged.run(&["unlock", "put k bob u"]), "unavailable: ", "a damaged age identity");

    let wrong = home.with(&second);
    let why = "kept under another age identity than that of DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
    all(&wrong.run(&steps), "damaged: ", why);
    assert_eq!(wrong.one("unlock"), "ok", "new logins can be kept");
    assert_eq!(home.with(&first).one("get k"), "alice t", "nothing was changed");
}

#[test]
fn an_identity_changed_between_two_logins_replaces_and_deletes_the_previous() {
    let home = Home::new();
    let (first, second) = (identity(), identity());
    assert_eq!(home.with(&first).run(&["put a alice t", "put b bob u"]), ["ok"; 2]);
    let told = home.with(&second).run(&["put a carol v", "get a", "check a", "readable"]);
    assert_eq!(told, ["ok", "carol v", "ok", "a=carol"]);
    let told = home.with(&second).run(&["get b", "check b", "list"]);
    all(&told, "damaged: ", "another age identity");
    all(&[home.with(&second).one("check")], "damaged: ", "another age identity");
    assert_eq!(home.files().len(), 2, "replaced, not added");
    all(&[home.with(&first).one("get a")], "damaged: ", "another age identity");
    assert_eq!(home.with(&second).run(&["delete b", "delete a", "check"]), ["ok"; 3]);
    assert!(home.files().is_empty());
}

#[test]
fn a_file_that_is_no_longer_what_was_written_is_damaged_never_absent() {
    let home = Home::new();
    let agent = home.with(&identity());
    assert_eq!(agent.one("put k alice t"), "ok");
    let file = home.files().remove(0);
    let good = fs::read(&file).unwrap();
    let changed = |at: usize| {
        let mut content = good.clone();
        content[at] ^= 1;
        content
    };
    let length = good.len();
    for (content, why) in [
        (Vec::new(), "cut short"),
        (good[..10].to_vec(), "cut short"),
        (good[..length - 1].to_vec(), "cut short"),
        (good[..4_000].to_vec(), "cut short"),
        (changed(length - 1), "was changed"),
        (changed(length / 2), "was changed"),
        ([&good[..], b"x"].concat(), "was changed"),
        (b"garbage".to_vec(), "not an age file"),
        (vec![b'a'; 1_000_000], "not an age file"),
    ] {
        fs::write(&file, content).unwrap();
        all(&[agent.one("get k")], "damaged: ", why);
    }
    assert_eq!(agent.run(&["put k bob u", "get k"]), ["ok", "bob u"], "a login replaces it");
    fs::write(&file, "garbage").unwrap();
    let steps = ["put other carol v", "readable", "check other"];
    assert_eq!(agent.run(&steps), ["ok", "other=carol", "ok"]);
    all(&agent.run(&["list", "check", "check k"]), "damaged: ", "not an age file");
    all(&[agent.one("check absent")], "absent: ", "");
    assert_eq!(agent.one("delete k"), "ok");
}

#[test]
fn a_login_in_the_place_of_another_gives_nobody_its_token() {
    let home = Home::new();
    let identity = identity();
    let agent = home.with(&identity);
    assert_eq!(agent.one("put a alice t"), "ok");
    let a = home.files().remove(0);
    assert_eq!(agent.one("put b bob u"), "ok");
    let b = home.files().into_iter().find(|path| *path != a).unwrap();
    fs::copy(&a, &b).unwrap();
    all(&agent.run(&["get b", "list", "check b"]), "damaged: ", "that of another login");
    assert_eq!(agent.one("readable"), "a=alice");
    assert_eq!(agent.one("get a"), "alice t");
}

#[test]
fn without_the_file_of_names_no_login_is_absent() {
    let home = Home::new();
    let agent = home.with(&identity());
    assert_eq!(agent.one("put k alice t"), "ok");
    let names = home.logins().join("names");
    let good = fs::read_to_string(&names).unwrap();
    let steps = ["get k", "list", "check", "delete k", "put k bob u"];
    fs::write(&names, good.replace("age1", "age1q")).unwrap();
    all(&agent.run(&steps), "failed: ", "is damaged; put it back, or remove the directory");
    fs::remove_file(&names).unwrap();
    all(&agent.run(&steps), "failed: ", "is missing; put it back, or remove the directory");
    fs::write(&names, good).unwrap();
    assert_eq!(agent.one("get k"), "alice t");
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn cve_2025_4953_files_and_directory_are_private_whatever_the_umask() {
    for umask in ["0000", "0022", "0777"] {
        let home = Home::new();
        fs::create_dir_all(home.logins().parent().unwrap()).unwrap();
        let shell = format!("umask {umask}; exec \"$@\"");
        let agent = home.with(&identity()).under(&["sh", "-c", &shell, "sh"]);
        assert_eq!(agent.one("put k alice t"), "ok");
        assert_eq!(mode(&home.logins()), 0o700, "{umask}");
        for name in home.names() {
            assert_eq!(mode(&home.logins().join(&name)), 0o600, "{umask} {name}");
        }
    }
}

#[test]
fn links_pipes_folders_and_strangers_files_are_refused() {
    let home = Home::new();
    let agent = home.with(&identity());
    assert_eq!(agent.one("put k alice t"), "ok");
    let (file, aside) = (home.files().remove(0), home.path("aside"));
    fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &file).unwrap();
    all(&agent.run(&["get k", "check k"]), "failed: ", "cannot read");
    all(&agent.run(&["list", "check"]), "damaged: ", "cannot read");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    all(&agent.run(&["get k", "put k bob u"]), "failed: ", "cannot");
    fs::remove_dir(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    all(&[agent.one("get k")], "failed: ", "not a regular file");
    fs::remove_file(&file).unwrap();
    if rustix::process::geteuid().is_root() {
        fs::copy(&aside, &file).unwrap();
        std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
        all(&[agent.one("get k")], "failed: ", "belongs to uid 12345");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::chown(home.logins(), Some(12_345), None).unwrap();
        all(&agent.run(&["put k bob u", "unlock"]), "failed: ", "belongs to uid 12345");
    }
}

fn strace<'a>(calls: &'a str, inject: &'a str) -> [&'a str; 9] {
    ["strace", "-f", "-qq", "-o", "/dev/null", "-e", calls, "-e", inject]
}

#[test]
fn a_write_that_fails_or_is_killed_leaves_the_old_login_or_the_new() {
    let renames = "rename,renameat,renameat2";
    for (calls, how, after) in [
        ("fsync", "error=EIO:when=1", "alice t"),
        ("fsync", "signal=SIGKILL:when=1", "alice t"),
        (renames, "error=EROFS", "alice t"),
        (renames, "signal=SIGKILL", "alice t"),
        ("fsync", "signal=SIGKILL:when=2", "bob u"),
    ] {
        let home = Home::new();
        let agent = home.with(&identity());
        assert_eq!(agent.one("put k alice t"), "ok");
        let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{how}"));
        let writer = agent.clone().under(&strace(&trace, &inject));
        let output = writer.command(&["put k bob u"]).output().unwrap();
        if how.starts_with("error") {
            all(&answers(&output), "failed: ", "cannot write");
            assert!(!home.names().contains("new"), "{calls} {how}");
        } else {
            assert!(!output.status.success(), "{calls} {how}: it was to be killed");
        }
        assert_eq!(agent.run(&["get k", "list"])[0], after, "{calls} {how}");
        // No stale lock, and nothing is left of the killed one after the next.
        assert_eq!(agent.run(&["put other carol v", "get k"]), ["ok", after]);
        assert!(!home.names().contains("new"), "{calls} {how}: {:?}", home.names());
        assert_eq!(home.names().len(), 4, "lock, names and two logins: {:?}", home.names());
    }
}

/// The agent on a file system of its own, which ends with it.
fn on_tmpfs(home: &Home, agent: Agent, and_then: &str) -> Agent {
    let script = format!(
        "mount -t tmpfs -o size=140k,mode=700 none '{0}' && {{ cp -a '{1}/.' '{0}/' && {and_then}; }} && exec \"$@\"",
        home.path("data").display(),
        home.path("seed").display(),
    );
    agent.under(&["unshare", "--mount", "--", "sh", "-c", &script, "sh"])
}

/// A home with one login that is put on a file system of its own for each agent.
fn seeded(identity: &str) -> Option<Home> {
    let mounts = Command::new("unshare").args(["--mount", "true"]).status();
    if !mounts.is_ok_and(|status| status.success()) {
        crate::support::left_out("the file keychain on a full disk", "it needs the right to mount");
        return None;
    }
    let home = Home::new();
    assert_eq!(home.with(identity).one("put k alice t"), "ok");
    fs::rename(home.path("data"), home.path("seed")).unwrap();
    fs::create_dir(home.path("data")).unwrap();
    Some(home)
}

#[test]
fn a_full_disk_is_found_out_before_a_login_and_keeps_the_previous() {
    let identity = identity();
    let Some(home) = seeded(&identity) else { return };
    let agent = on_tmpfs(&home, home.with(&identity), "true");
    let token = "x".repeat(16_000);
    // As many as there is room for: the environment has none for more.
    let fill: Vec<_> = (0..6).map(|n| format!("put full{n} bob {token}")).collect();
    let fill: Vec<_> = fill.iter().map(String::as_str).collect();
    let larger = format!("put k bob {token}");
    let told =
        agent.run(&[&["get k", "unlock"], &fill[..], &["unlock", &larger, "get k"]].concat());
    assert_eq!(told[..3], ["alice t", "ok", "ok"]);
    let end = told.len() - 1;
    all(&told[end - 2..end], "failed: ", "No space left on device");
    assert_eq!(told[end], "alice t");
    let told = agent.run(&[&fill[..], &["delete full0", &larger, "get k"]].concat());
    let end = told.len() - 1;
    assert_eq!(told[end - 2..end], ["ok", "ok"], "what was deleted makes room: {told:?}");
    assert!(told[end].starts_with("bob x"));
}

#[test]
fn a_disk_that_is_read_only_gives_logins_and_takes_none() {
    let identity = identity();
    let Some(home) = seeded(&identity) else { return };
    let read_only = format!("mount -o remount,ro '{}'", home.path("data").display());
    let agent = on_tmpfs(&home, home.with(&identity), &read_only);
    let told =
        agent.run(&["get k", "list", "check", "get other", "unlock", "put k bob u", "delete k"]);
    assert_eq!(told[..3], ["alice t", "k=alice", "ok"]);
    all(&told[3..4], "absent: ", "");
    all(&told[4..], "failed: ", "Read-only file system");
}

#[test]
fn fifty_processes_at_once_lose_nothing() {
    let home = Home::new();
    let agent = home.with(&identity());
    let start = |number: usize| {
        let (mine, shared) = (format!("own{number}"), format!("shared{}", number % 3));
        let steps = [
            format!("put {mine} user{number} token{number}"),
            format!("put {shared} user{number} token{number}"),
            format!("get {shared}"),
            format!("get {mine}"),
            "list".to_owned(),
            format!("delete {shared}"),
        ];
        agent.command(&steps.each_ref().map(String::as_str)).spawn().unwrap()
    };
    let running: Vec<_> = (0..50).map(start).collect();
    for (number, process) in running.into_iter().enumerate() {
        let told = answers(&process.wait_with_output().unwrap());
        assert_eq!(told[..2], ["ok", "ok"], "{told:?}");
        let pair = |text: &str| {
            let (user, token) = text.split_once(' ').unwrap_or_default();
            user.starts_with("user") && user.replace("user", "token") == token
        };
        assert!(pair(&told[2]) || told[2].starts_with("absent: "), "{told:?}");
        assert_eq!(told[3], format!("user{number} token{number}"));
        assert!(told[4].contains(&format!("own{number}=user{number}")), "{told:?}");
        assert!(told[5] == "ok" || told[5].starts_with("absent: "), "{told:?}");
    }
    let left: BTreeSet<_> = agent.one("list").split(' ').map(str::to_owned).collect();
    assert_eq!(left, (0..50).map(|n| format!("own{n}=user{n}")).collect());
    assert_eq!(home.names().len(), 52, "{:?}", home.names());
}

#[test]
fn a_writer_that_waits_too_long_for_another_says_so() {
    let home = Home::new();
    let agent = home.with(&identity()).set("AGENT_DEADLINE", "1");
    assert_eq!(agent.one("put k alice t"), "ok");
    let lock = fs::File::options().write(true).open(home.logins().join("lock")).unwrap();
    lock.lock().unwrap();
    let told = agent.run(&["get k", "list", "put k bob u"]);
    assert_eq!(told[..2], ["alice t", "k=alice"], "readers do not wait");
    all(&told[2..], "failed: ", "has held");
}

#[test]
fn auto_takes_files_where_an_identity_is_set_and_no_desktop_is_there() {
    let home = Home::new();
    let auto = home.without(Agent::auto());
    let told = auto.clone().set(IDENTITY, &identity()).run(&["unlock", "put k alice t", "get k"]);
    let because =
        "file: its key is in DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY, and the desktop's keyring";
    assert!(told[0].starts_with(because), "{told:?}");
    assert_eq!(told[1..], ["ok", "ok", "alice t"]);
    // One that is set and no good is not passed over for another keychain.
    let told = auto.clone().set(IDENTITY, "AGE-SECRET-KEY-1QQ").run(&["unlock"]);
    all(&told[1..], "unavailable: ", "holds a damaged age identity");
    // Without one and without keyctl, what would work is named.
    let forbidden = strace("trace=keyctl", "inject=keyctl:error=EPERM");
    let told = auto.under(&forbidden).one("unlock");
    all(&[told], "nothing usable: ", "docker-credential-refresh keygen --install");
}
