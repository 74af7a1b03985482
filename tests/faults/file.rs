//! A login in the `file` keychain that cannot be read or replaced: an error of the helper as clients
//! start it, which names what to do, and never "not found".

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use docker_credential_refresh::keychain::new_identity;

use crate::support::left_out;
use crate::support::user::{NOT_FOUND, User};

const KEY: &str = "registry.example.com";
const OTHER: &str = "other.example.com";

/// Root reads what it likes, unless this is taken from it.
fn unprivileged() -> &'static [&'static str] {
    let root = rustix::process::geteuid().is_root();
    let wrapper = &["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"];
    if root { wrapper } else { &[] }
}

fn identity() -> String {
    new_identity().0.expose().to_owned()
}

/// A user with one login in a file, and the identity in the file that is looked for.
fn user() -> User {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    write_identity(&user, &identity());
    user.store(KEY, "<token>", "first-token").succeeded();
    user
}

fn identity_file(user: &User) -> PathBuf {
    user.home().join(".config/docker-credential-refresh/age-identity.txt")
}

fn write_identity(user: &User, identity: &str) {
    let file = identity_file(user);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, identity).unwrap();
    set_mode(&file, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn logins(user: &User) -> PathBuf {
    user.home().join(".local/share/docker-credential-refresh/logins")
}

/// The file of the first login.
fn login(user: &User) -> PathBuf {
    let entries = fs::read_dir(logins(user)).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|end| end == "age"));
    files.min_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).unwrap()
}

/// What a command prints, whatever its exit status.
fn run_command(user: &User, wrapper: &[&str], arguments: &[&str]) -> String {
    let helper = user.command();
    let mut words: Vec<_> = wrapper.iter().map(std::ffi::OsStr::new).collect();
    words.push(helper.get_program());
    let variables = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(arguments).env_clear().envs(variables);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// What the verbs that read answer while the login cannot be read.
#[track_caller]
fn is_never_not_found(user: &User, why: &str) {
    let wrapper = unprivileged();
    let before = fs::read(user.records_file()).unwrap();
    let got =
        user.run_under(wrapper, "get", KEY.as_bytes()).failed_with(&["the file keychain", why]);
    assert!(got.stdout != NOT_FOUND && got.stderr.contains(why), "{got:?}");
    assert!(got.stdout.contains("; "), "it says what to do: {got:?}");
    user.run_under(wrapper, "get", b"other.example.com").not_found();
    let listed = user.run_under(wrapper, "list", b"").succeeded();
    assert_eq!(listed.stdout, "{}\n");
    listed.noted("logins in file are not listed");
    assert_eq!(fs::read(user.records_file()).unwrap(), before);
}

#[test]
fn without_a_good_identity() {
    let user = user();
    let file = identity_file(&user);
    let good = fs::read_to_string(&file).unwrap();

    fs::remove_file(&file).unwrap();
    is_never_not_found(&user, "there is no age identity; put the previous one back, or");
    symlink("elsewhere", &file).unwrap();
    is_never_not_found(&user, "it is a symbolic link");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    is_never_not_found(&user, "not a regular file");
    fs::remove_dir(&file).unwrap();

    write_identity(&user, &good[..good.len() - 3]);
    is_never_not_found(&user, "holds a damaged age identity");
    write_identity(&user, &good);
    for (mode, why) in
        [(0o000, "Permission denied"), (0o644, "other users can read it (mode 0644)")]
    {
        set_mode(&file, mode);
        is_never_not_found(&user, why);
        let payload =
            format!("{{\"ServerURL\":\"{KEY}\",\"Username\":\"<token>\",\"Secret\":\"s\"}}");
        user.run_under(unprivileged(), "store", payload.as_bytes()).failed_with(&["0600", why]);
    }
    set_mode(&file, 0o600);
    assert_eq!(user.token(KEY), "first-token");
    // To remove a login none is needed.
    fs::remove_file(&file).unwrap();
    user.erase(KEY).succeeded();
    user.get(KEY).not_found();
}

#[test]
fn under_an_identity_that_changed_between_two_logins() {
    let user = user();
    let previous = fs::read(login(&user)).unwrap();
    let first = fs::read_to_string(identity_file(&user)).unwrap();
    write_identity(&user, &identity());
    is_never_not_found(&user, "kept under another age identity");
    user.get(KEY).failed_with(&["to replace it, log in again"]);
    user.store("other.example.com", "<token>", "other-token").succeeded();
    assert_eq!(user.token("other.example.com"), "other-token");
    user.get(KEY).failed_with(&["kept under another age identity"]);
    assert_eq!(fs::read(login(&user)).unwrap(), previous, "not lost");
    // With the previous one it is read again; a new login replaces it.
    let second = fs::read_to_string(identity_file(&user)).unwrap();
    write_identity(&user, &first);
    assert_eq!(user.token(KEY), "first-token");
    write_identity(&user, &second);
    user.store(KEY, "<token>", "second-token").succeeded();
    assert_eq!(user.token(KEY), "second-token");
    assert_eq!(fs::read_dir(logins(&user)).unwrap().count(), 4, "lock, names and two logins");
}

/// A user whose first login was kept under another identity than the one that is there now.
fn user_with_two_identities() -> User {
    let user = user();
    write_identity(&user, &identity());
    user.store(OTHER, "<token>", "other-token").succeeded();
    user
}

#[test]
fn one_that_cannot_be_read_says_nothing_of_the_others() {
    let user = user_with_two_identities();
    user.store("gone.example.com", "<token>", "gone-token").succeeded();
    let gone = fs::read_dir(logins(&user)).unwrap().map(|entry| entry.unwrap().path());
    let newest = gone.filter(|path| path.extension().is_some_and(|end| end == "age"));
    let newest = newest.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    fs::remove_file(newest.unwrap()).unwrap();
    let previous = login(&user);
    let content = fs::read(&previous).unwrap();
    for (break_it, why) in [
        ((|_| ()) as fn(&Path), "another age identity"),
        (|file| fs::write(file, "garbage").unwrap(), "not an age file"),
        (|file| set_mode(file, 0o000), "Permission denied"),
    ] {
        break_it(&previous);
        let wrapper = unprivileged();
        let run = |verb, stdin: &str| user.run_under(wrapper, verb, stdin.as_bytes());
        run("get", KEY).failed_with(&[why]);
        run("get", OTHER).succeeded();
        let listed = run("list", "").succeeded().noted("logins in file are not listed");
        assert!(listed.stderr.contains(KEY) && listed.stderr.contains(why), "{listed:?}");
        assert!(listed.stdout.contains(OTHER) && !listed.stdout.contains(KEY), "{listed:?}");
        let states = run_command(&user, wrapper, &["status", "--json"]);
        let states: serde_json::Value = serde_json::from_str(&states).unwrap();
        let state = |server: &str| {
            let all = states["logins"].as_array().unwrap();
            all.iter().find(|login| login["key"] == server).unwrap()["state"].clone()
        };
        assert_eq!(state(KEY), "unreadable", "{why}: {states}");
        assert_eq!(state(OTHER), "kept", "{why}: {states}");
        assert_eq!(state("gone.example.com"), "gone", "{why}: {states}");
        let told = run_command(&user, wrapper, &["doctor"]);
        assert!(told.contains("1 of 3 were found in their keychain"), "{why}: {told}");
    }
    set_mode(&previous, 0o600);
    fs::write(&previous, content).unwrap();
}

#[test]
fn records_made_again_meanwhile_do_not_make_it_absent() {
    // One of two, kept under another identity.
    let user = user_with_two_identities();
    fs::remove_file(user.records_file()).unwrap();
    user.does(&["status"], "").succeeded().noted("logins in file are not listed");
    assert_eq!(user.records().len(), 1);
    user.get(KEY).failed_with(&["another age identity"]);
    user.get("none.example.com").not_found();
    assert_eq!(user.token(OTHER), "other-token");
    user.store(KEY, "<token>", "second-token").succeeded();
    assert_eq!(user.list().as_object().unwrap().len(), 2);

    // All of them, and the identity comes back.
    fs::remove_file(user.records_file()).unwrap();
    let aside = fs::read_to_string(identity_file(&user)).unwrap();
    fs::remove_file(identity_file(&user)).unwrap();
    user.does(&["status"], "").succeeded();
    assert!(user.records().is_empty());
    user.get(KEY).failed_with(&["there is no age identity"]);
    write_identity(&user, &aside);
    assert_eq!(user.token(KEY), "second-token");
    assert_eq!(user.list().as_object().unwrap().len(), 2);
    user.does(&["status"], "").succeeded();
    assert_eq!(user.records().len(), 2, "made again, now that they can be read");
}

#[test]
fn from_a_file_that_is_no_longer_what_was_written() {
    let user = user();
    let file = login(&user);
    let good = fs::read(&file).unwrap();
    for (content, why) in [
        (Vec::new(), "cut short"),
        (good[..100].to_vec(), "cut short"),
        (good[..good.len() - 1].to_vec(), "cut short"),
        ([&good[..], b"x"].concat(), "was changed"),
        (b"garbage".to_vec(), "not an age file"),
    ] {
        fs::write(&file, content).unwrap();
        user.get(KEY).failed_with(&["the file keychain", why, "to replace it, log in again"]);
    }
    fs::write(&file, "garbage").unwrap();
    is_never_not_found(&user, "not an age file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    is_never_not_found(&user, "not a regular file");
    fs::remove_dir(&file).unwrap();
    let elsewhere = user.home().join("elsewhere");
    fs::write(&elsewhere, &good).unwrap();
    symlink(&elsewhere, &file).unwrap();
    is_never_not_found(&user, "it is a symbolic link");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "garbage").unwrap();
    user.store(KEY, "<token>", "second-token").succeeded();
    assert_eq!(user.token(KEY), "second-token");
    assert_eq!(fs::read(&elsewhere).unwrap(), good);
}

#[test]
fn from_a_directory_that_cannot_be_used() {
    let user = user();
    let folder = logins(&user);
    for path in [folder.clone(), folder.parent().unwrap().to_owned(), login(&user)] {
        let before = fs::metadata(&path).unwrap().permissions();
        set_mode(&path, 0o000);
        is_never_not_found(&user, "Permission denied");
        fs::set_permissions(&path, before).unwrap();
    }
    let names = folder.join("names");
    let good = fs::read(&names).unwrap();
    fs::remove_file(&names).unwrap();
    is_never_not_found(&user, "names is missing; put it back");
    user.erase(KEY).failed_with(&["names is missing"]);
    user.store(KEY, "<token>", "second-token").failed_with(&["names is missing"]);
    fs::write(&names, good).unwrap();
    assert_eq!(user.token(KEY), "first-token");
    // A link in its place is not written through.
    let aside = user.home().join("aside");
    fs::rename(&folder, &aside).unwrap();
    symlink(&aside, &folder).unwrap();
    user.store(KEY, "<token>", "second-token").failed_with(&["it is not a directory"]);
    fs::remove_file(&folder).unwrap();
    // With all of it gone there is nothing that could not be read: a login makes it again.
    user.get(KEY).not_found().noted("is gone from file; log in again");
    user.store(KEY, "<token>", "second-token").succeeded();
    assert_eq!(user.token(KEY), "second-token");
}

/// Runs the verbs on file systems mounted so, in a namespace of their own.
fn mounted(script: &str) -> Option<(User, Vec<String>)> {
    let able = Command::new("unshare").args(["--mount", "true"]).status();
    if !able.is_ok_and(|status| status.success()) {
        left_out("the file keychain on disks of all kinds", "it needs the right to mount");
        return None;
    }
    let user = user();
    let script = script.replace("HOME", user.home().to_str().unwrap()) + " exec \"$@\"";
    let wrapper = ["unshare", "--mount", "--", "sh", "-ec", &script, "sh"];
    Some((user, wrapper.map(str::to_owned).to_vec()))
}

#[test]
fn on_a_disk_that_takes_no_more() {
    // dd ends with an error: the disk is full then, which is what it is for.
    let fill_bytes = "mount -t tmpfs -o size=400k,mode=700 none HOME/.local/share;
        cp -a HOME/seed/. HOME/.local/share/;
        dd if=/dev/zero of=HOME/.local/share/filler bs=1k 2>/dev/null || true;";
    let fill_names = "mount -t tmpfs -o nr_inodes=20,mode=700 none HOME/.local/share;
        cp -a HOME/seed/. HOME/.local/share/;
        i=0; while mkdir HOME/.local/share/$i 2>/dev/null; do i=$((i+1)); done;";
    let read_only = "mount --bind HOME/.local HOME/.local; mount -o remount,bind,ro HOME/.local;";
    for (script, why) in [
        (fill_bytes, "No space left on device"),
        (fill_names, "No space left on device"),
        (read_only, "Read-only file system"),
    ] {
        let Some((user, wrapper)) = mounted(script) else { return };
        let share = user.home().join(".local/share");
        let copied =
            Command::new("cp").arg("-a").arg(&share).arg(user.home().join("seed")).status();
        assert!(copied.unwrap().success());
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let payload =
            format!("{{\"ServerURL\":\"{KEY}\",\"Username\":\"<token>\",\"Secret\":\"second\"}}");
        user.run_under(&wrapper, "store", payload.as_bytes()).failed_with(&[why]);
        let got = user.run_under(&wrapper, "get", KEY.as_bytes()).succeeded();
        assert!(got.stdout.contains("first-token") && got.stderr.is_empty(), "{got:?}");
        let listed = user.run_under(&wrapper, "list", b"").succeeded();
        assert!(listed.stdout.contains(KEY), "{listed:?}");
        assert_eq!(user.token(KEY), "first-token");
        assert_eq!(user.records().len(), 1);
    }
}
