//! Files of the state directory that are readable, or something else than they seem
//! (CVE-2025-4953 and others).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::Previous;
use crate::support::user::User;

const KEY: &str = "registry.example.com";

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_private_whatever_the_umask() {
    // A umask of 0 makes files that everybody can read, or even write.
    // One that takes the owner's rights makes files that even the helper cannot read again.
    for umask in ["0", "002", "022", "027", "077", "0477", "0777"] {
        let user = User::new();
        let helper = user.command();
        let payload =
            format!("{{\"ServerURL\":\"{KEY}\",\"Username\":\"<token>\",\"Secret\":\"a token\"}}");
        let input = user.home().join("payload");
        fs::write(&input, payload).unwrap();
        for _ in 0..2 {
            let status = Command::new("sh")
                .args(["-c", "umask $0; exec \"$1\" store", umask])
                .arg(helper.get_program())
                .env_clear()
                .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
                .stdin(fs::File::open(&input).unwrap())
                .status();
            assert!(status.unwrap().success());
            assert_eq!(mode(&user.state()), 0o700, "umask {umask}");
            for file in ["logins.json", "logins.lock"] {
                assert_eq!(mode(&user.state().join(file)), 0o600, "{file}, umask {umask}");
            }
            // Once more over files that somebody opened up.
            fs::set_permissions(user.state(), fs::Permissions::from_mode(0o777)).unwrap();
            fs::set_permissions(user.records_file(), fs::Permissions::from_mode(0o666)).unwrap();
        }
    }
}

/// What is in the place of a file of ours.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Imposter {
    Symlink,
    DanglingSymlink,
    Fifo,
    Directory,
    Socket,
}

use Imposter::*;

const IMPOSTERS: [Imposter; 5] = [Symlink, DanglingSymlink, Fifo, Directory, Socket];

impl Imposter {
    fn put(self, path: &Path, target: &Path) {
        match self {
            Symlink => symlink(target, path).unwrap(),
            DanglingSymlink => symlink(target.with_extension("nowhere"), path).unwrap(),
            Fifo => mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap(),
            Directory => fs::create_dir(path).unwrap(),
            Socket => drop(UnixListener::bind(path).unwrap()),
        }
    }
}

fn remove(path: &Path) {
    if fs::symlink_metadata(path).unwrap().is_dir() {
        fs::remove_dir(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn cve_2025_4953_records_replaced_by_something_else() {
    // A link in the place of the records makes the helper write, or believe, another file.
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    let (file, kept) = (user.records_file(), user.home().join("kept"));
    let target = user.home().join("target");
    fs::copy(&file, &target).unwrap();
    fs::rename(&file, &kept).unwrap();
    let content = fs::read(&target).unwrap();
    for what in IMPOSTERS {
        what.put(&file, &target);
        for verb in ["store", "get", "erase", "list"] {
            let payload =
                format!("{{\"ServerURL\":\"{KEY}\",\"Username\":\"<token>\",\"Secret\":\"x\"}}");
            let outcome = user.run(verb, if verb == "store" { &payload } else { KEY }.as_bytes());
            assert_eq!(outcome.code, 1, "{verb} with {what:?}: {outcome:?}");
            assert!(!outcome.stdout.contains("not found"), "{verb} with {what:?}: {outcome:?}");
            outcome.failed_with(&["logins.json"]);
        }
        assert_eq!(fs::read(&target).unwrap(), content, "{what:?}");
        assert!(!target.with_extension("nowhere").exists());
        remove(&file);
    }
    fs::rename(&kept, &file).unwrap();
    previous.survives(&user);
}

#[test]
fn a_lock_replaced_by_something_else() {
    // A link in the place of the lock makes the helper create or open a file of the attacker's
    // choice; a FIFO holds it for ever.
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    let lock = user.state().join("logins.lock");
    let target = user.home().join("target");
    fs::write(&target, "precious").unwrap();
    fs::remove_file(&lock).unwrap();
    for what in IMPOSTERS {
        what.put(&lock, &target);
        user.store(KEY, "<token>", "a token for nobody").failed_with(&["logins.lock"]);
        user.erase(KEY).failed_with(&["logins.lock"]);
        // Readers need no lock.
        user.get(KEY).succeeded();
        assert_eq!(fs::read(&target).unwrap(), b"precious", "{what:?}");
        assert!(!target.with_extension("nowhere").exists(), "{what:?}");
        remove(&lock);
    }
    fs::write(&lock, "").unwrap();
    previous.survives(&user);
}

#[test]
fn a_temporary_file_replaced_by_something_else() {
    // New records are written first under another name: a link waits there.
    let user = User::new();
    Previous::login(&user, KEY);
    let new = user.state().join("logins.json.new");
    let target = user.home().join("target");
    fs::write(&target, "precious").unwrap();
    for what in IMPOSTERS {
        what.put(&new, &target);
        let outcome = user.store(KEY, "<token>", "a second token");
        assert_eq!(outcome.code == 1, what == Directory, "{what:?}: {outcome:?}");
        if what == Directory {
            remove(&new);
        }
        assert!(!new.exists(), "{what:?} is left");
        assert_eq!(fs::read(&target).unwrap(), b"precious", "{what:?}");
        assert!(!target.with_extension("nowhere").exists(), "{what:?}");
        assert!(fs::symlink_metadata(user.records_file()).unwrap().is_file(), "{what:?}");
    }
    assert_eq!(user.token(KEY), "a second token");
}

#[test]
fn a_state_directory_replaced_by_something_else() {
    // A link in the place of the directory moves all records to where somebody else decides.
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    let (state, kept) = (user.state(), user.home().join("kept"));
    fs::rename(&state, &kept).unwrap();
    let target = user.home().join("target");
    fs::create_dir(&target).unwrap();
    for what in IMPOSTERS {
        if what == Directory {
            continue;
        }
        what.put(&state, &target);
        let outcome = user.store(KEY, "<token>", "a token for nobody");
        assert_eq!(outcome.code, 1, "{what:?}: {outcome:?}");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "{what:?}");
        assert!(!target.with_extension("nowhere").exists(), "{what:?}");
        remove(&state);
    }
    fs::rename(&kept, &state).unwrap();
    previous.survives(&user);
}

#[test]
fn files_of_another_owner() {
    // Whoever can write where the records are puts records of their own there.
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "left out: only root can give files away");
        eprintln!("left out: files of another owner (only root can give files away)");
        return;
    }
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    for name in ["logins.json", "logins.lock", ""] {
        let path = user.state().join(name);
        chown(&path, Some(65_534), None).unwrap();
        user.store(KEY, "<token>", "a token for nobody").failed_with(&["belongs to nobody"]);
        user.erase(KEY).failed_with(&["belongs to nobody"]);
        if name == "logins.json" {
            user.get(KEY).failed_with(&["belongs to nobody"]);
            user.run("list", b"").failed_with(&["belongs to nobody"]);
        }
        assert_eq!(fs::metadata(&path).unwrap().uid(), 65_534);
        chown(&path, Some(0), None).unwrap();
    }
    previous.survives(&user);
}
