//! A keychain that fails at some step: the login is where it was, and works.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{files, places, prefer, record, with_identity};
use crate::support::keychains::fake_service::{FakeService, Manners, Prompt};
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::user::{Outcome, User};

const KEY: &str = "h.example";
const TOKEN: &str = "token-of-nobody";
const FAILED: &str = "SERVER     ACCOUNT  OUTCOME\nh.example  -        failed\n";
const COPIED: &str = "SERVER     ACCOUNT  OUTCOME\nh.example  -        copied\n";

/// A user whose only login is in this keychain.
fn with_login(user: User, keychain: &str) -> User {
    prefer(&user, keychain);
    user.store(KEY, "<token>", TOKEN).succeeded();
    user
}

fn migrate(user: &User, to: &str) -> Outcome {
    user.does(&["migrate", "--to", to, KEY], "")
}

/// The same under a program such as strace.
fn migrate_under(user: &User, wrapper: &[&str], to: &str) -> Outcome {
    under(user, wrapper, &["migrate", "--to", to, KEY])
}

fn under(user: &User, wrapper: &[&str], arguments: &[&str]) -> Outcome {
    let helper = user.command();
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(helper.get_program()).args(arguments);
    command.env_clear().envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.stdin(Stdio::null()).output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn injected<'a>(trace: &'a str, inject: &'a str) -> [&'a str; 9] {
    ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", inject]
}

/// Nothing happened.
#[track_caller]
fn stays(user: &User, before: &[Value], place: &[&str], keyring: Option<&GnomeKeyring>) {
    assert_eq!(user.records(), before);
    assert_eq!(places(user, keyring, KEY), place);
    assert_eq!(user.token(KEY), TOKEN);
}

#[test]
fn a_target_that_cannot_be_opened_is_found_out_first() {
    let mut keyring = GnomeKeyring::start();
    let user = with_login(User::new(), "kernel");
    user.on_bus(keyring.environment());
    let before = user.records();
    migrate(&user, "file").is(6, "", "the login for h.example stays in kernel: the file keychain");
    keyring.lock();
    let locked = migrate(&user, "secret-service");
    locked
        .is(6, "", "stays in kernel: the secret-service keychain is locked")
        .noted("or use --to kernel\n");
    keyring.kill();
    let unusable = "stays in kernel: the secret-service keychain cannot be used";
    migrate(&user, "secret-service").is(6, "", unusable);
    let macos = "stays in kernel: the macos keychain cannot be used";
    migrate(&user, "macos").is(6, "", macos).noted("use --to auto\n");
    let all = user.does(&["migrate", "--to", "file", "--all"], "");
    all.is(6, "", "no login was moved: the file keychain cannot be used: there is no age identity");
    stays(&user, &before, &["kernel"], None);
    let user = with_identity(user);
    let data = user.home().join(".local/share");
    fs::create_dir_all(&data).unwrap();
    let script = format!("mount -t tmpfs -o ro none '{}' && exec \"$@\"", data.display());
    let read_only = ["unshare", "--mount", "--", "sh", "-c", &script, "sh"];
    migrate_under(&user, &read_only, "file").is(6, "", "Read-only file system");
    stays(&user, &before, &["kernel"], None);
}

#[test]
fn a_target_that_fails_after_it_was_opened_keeps_nothing() {
    let user = with_identity(with_login(User::new(), "kernel"));
    let before = user.records();
    // Makes the directory and what names are made of.
    migrate(&user, "file").succeeded();
    migrate(&user, "kernel").succeeded();
    let renames = injected("trace=/^rename", "inject=/^rename:error=ENOSPC:when=2");
    let told = "the login for h.example stays in kernel: the file keychain failed: cannot write";
    migrate_under(&user, &renames, "file").is(6, FAILED, told);
    stays(&user, &before, &["kernel"], None);
    // The first marks the record, the third says that it moved: the new item is there by then.
    for n in ["1", "3"] {
        let inject = format!("inject=/^rename:error=ENOSPC:when={n}");
        let renames = injected("trace=/^rename", &inject);
        migrate_under(&user, &renames, "file").is(1, FAILED, "stays in kernel: cannot replace");
        stays(&user, &before, &["kernel"], None);
    }
    migrate(&user, "file").succeeded();
    let before = user.records();
    let quota = injected("trace=add_key", "inject=add_key:error=EDQUOT");
    migrate_under(&user, &quota, "kernel").is(
        6,
        FAILED,
        "stays in file: the kernel keychain failed",
    );
    stays(&user, &before, &["file"], None);
    let renames = injected("trace=/^rename", "inject=/^rename:error=EIO:when=2");
    migrate_under(&user, &renames, "kernel").is(1, FAILED, "stays in file: cannot replace");
    stays(&user, &before, &["file"], None);
    fs::create_dir(user.state().join("logins.json.new")).unwrap();
    // Found out before either keychain is changed.
    migrate(&user, "kernel").is(1, "", "the login for h.example stays in file: cannot write");
    stays(&user, &before, &["file"], None);
}

#[test]
fn a_service_that_fails_or_dies_in_the_middle_keeps_nothing_or_that_is_said() {
    for (fails_at, dies_at) in [
        (Some("CreateItem"), None),
        (Some("GetSecret"), None),
        (None, Some("CreateItem")),
        (None, Some("GetSecret")),
    ] {
        let service = FakeService::start(Manners::default(), Vec::new());
        let user = with_login(User::new(), "kernel");
        let before = user.records();
        user.on_bus(service.bus.environment());
        service.behave(Manners { fails_at, dies_at, ..Manners::default() });
        let failed = migrate(&user, "secret-service");
        let failed = failed.is(6, FAILED, "the login for h.example stays in kernel: ");
        let cannot_tell = dies_at.is_some();
        let mut after = before.clone();
        if cannot_tell {
            // What may be there is remembered, and goes by the step that is named.
            after[0]["left_in"] = json!(["secret-service"]);
        }
        stays(&user, &after, &["kernel"], None);
        let left = service.items().len();
        assert_eq!(left, usize::from(dies_at == Some("GetSecret")), "{failed:?}");
        assert_eq!(
            cannot_tell,
            failed.stderr.contains("may still be in the keychain"),
            "{failed:?}"
        );
    }
}

#[test]
fn a_person_may_be_asked_to_unlock_the_target() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = with_login(User::new(), "kernel");
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    let before = user.records();
    let locked = Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() };
    service.behave(locked.clone());
    migrate(&user, "secret-service").is(6, "", "its prompt was dismissed");
    stays(&user, &before, &["kernel"], None);
    service.behave(Manners { prompt: Prompt::Unlocks, ..locked });
    migrate(&user, "secret-service").succeeded();
    assert_eq!((user.token(KEY).as_str(), service.items().len()), (TOKEN, 1));
    assert_eq!(user.kept(KEY), None);
}

#[test]
fn a_source_that_cannot_be_read_keeps_what_it_has() {
    let mut keyring = GnomeKeyring::start();
    let user = User::new();
    user.on_bus(keyring.environment());
    let user = with_login(user, "secret-service");
    let before = user.records();
    keyring.lock();
    let told =
        "the login for h.example stays in secret-service: the secret-service keychain is locked";
    migrate(&user, "kernel").is(6, FAILED, told);
    keyring.kill();
    migrate(&user, "kernel").is(6, FAILED, "stays in secret-service: ");
    assert_eq!((user.records(), user.kept(KEY)), (before.clone(), None));
    keyring.restart();
    stays(&user, &before, &["secret-service"], Some(&keyring));
}

#[test]
fn a_person_who_said_no_is_not_asked_for_each_login() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    for server in ["a.example", "b.example", "c.example"] {
        user.store(server, "<token>", TOKEN).succeeded();
    }
    let locked = Manners { locked: true, prompt: Prompt::Dismissed, ..Manners::default() };
    service.behave(locked);
    service.calls();
    let failed = user.does(&["migrate", "--to", "kernel", "--all"], "");
    assert_eq!((failed.code, failed.stdout.matches(" failed\n").count()), (6, 3), "{failed:?}");
    let prompts = service.calls().into_iter().filter(|member| member == "Prompt").count();
    assert_eq!(prompts, 1, "{failed:?}");
}

/// The step that deletes the rest.
fn finish(user: &User) -> String {
    let profile = user.profile();
    format!("run: docker-credential-refresh --profile {profile} migrate --to kernel h.example\n")
}

#[test]
fn what_cannot_be_deleted_is_said_and_goes_with_the_next_move_login_or_logout() {
    let stubborn = Manners { fails_at: Some("Delete"), ..Manners::default() };
    for next in ["move", "login", "logout"] {
        let service = FakeService::start(Manners::default(), Vec::new());
        let user = User::new();
        user.on_bus(service.bus.environment());
        let user = with_login(user, "secret-service");
        service.behave(stubborn.clone());
        let told =
            "the previous token remains in secret-service: the secret-service keychain failed";
        let step = format!("to finish later, {}", finish(&user));
        migrate(&user, "kernel").is(6, COPIED, told).noted(&step);
        assert_eq!((user.token(KEY).as_str(), service.items().len()), (TOKEN, 1));
        assert_eq!(record(&user)["left_in"], json!(["secret-service"]));
        let again = "SERVER     ACCOUNT  OUTCOME\nh.example  -        copied\n";
        migrate(&user, "kernel").is(6, again, told);
        service.behave(Manners::default());
        match next {
            "move" => {
                migrate(&user, "kernel").succeeded();
            }
            "login" => {
                prefer(&user, "kernel");
                user.store(KEY, "<token>", TOKEN).succeeded();
            }
            _ => {
                user.erase(KEY).succeeded();
                assert!(user.records().is_empty() && user.kept(KEY).is_none());
            }
        }
        assert!(service.items().is_empty(), "{next}");
        if next != "logout" {
            assert_eq!(
                (record(&user)["left_in"].clone(), user.token(KEY)),
                (Value::Null, TOKEN.into())
            );
        }
    }
}

#[test]
fn what_a_logout_leaves_goes_by_the_step_that_it_names() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    let user = with_login(user, "secret-service");
    service.behave(Manners { fails_at: Some("Delete"), ..Manners::default() });
    assert_eq!(migrate(&user, "kernel").code, 6);
    prefer(&user, "kernel");
    // The login works, and status says so.
    let named = user.does(&["status", KEY], "").succeeded().noted(&finish(&user));
    assert!(named.stdout.contains("previous token"), "{named:?}");
    let all = user.does(&["status", "--json"], "").succeeded().noted(&finish(&user));
    let told: Value = serde_json::from_str(&all.stdout).unwrap();
    let states: Vec<_> = told["logins"].as_array().unwrap().iter().map(|l| &l["state"]).collect();
    assert_eq!(states, [&json!("kept"), &json!("previous")]);
    // It deletes its own dummy there.
    service.behave(Manners::default());
    let doctor = user.does(&["doctor"], "");
    assert!(doctor.stdout.contains(&finish(&user).replace("run: ", "-> ")), "{doctor:?}");
    service.behave(Manners { fails_at: Some("Delete"), ..Manners::default() });

    let step = ["logout", "--keychain", "secret-service", KEY];
    let erased = user.erase(KEY).succeeded();
    let again =
        format!("docker-credential-refresh --profile {} {}", user.profile(), step.join(" "));
    erased.noted(&format!("to finish later, run: {again}\n"));
    assert!(user.records().is_empty() && user.kept(KEY).is_none());
    user.does(&step, "").is(6, "", "the secret-service keychain failed");
    assert_eq!(service.items().len(), 1);
    // A login in another place is gone before it, and what is left all the same.
    user.store(KEY, "<token>", TOKEN).succeeded();
    service.behave(Manners::default());
    let removed = "Removed an unrecorded entry for h.example\n";
    user.does(&step, "").is(0, &format!("Removed the login for h.example\n{removed}"), "");
    assert!(service.items().is_empty() && user.kept(KEY).is_none());
    user.does(&step, "").is(0, "Not logged in to h.example\n", "");

    // Under auto each that can be asked is looked into.
    prefer(&user, "secret-service");
    user.store(KEY, "<token>", TOKEN).succeeded();
    fs::write(user.records_file(), r#"{"version":1,"logins":[]}"#).unwrap();
    prefer(&user, "auto");
    user.does(&["logout", KEY], "").is(0, removed, "was not revoked");
    assert!(service.items().is_empty());
    // One that is named and cannot be looked into is no "not logged in".
    user.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    user.does(&["logout", KEY], "").is(0, "Not logged in to h.example\n", "");
    user.does(&step, "").is(6, "", "the secret-service keychain cannot be used");
}

#[test]
fn a_home_that_is_read_only_is_said_once_and_by_the_doctor() {
    if !rustix::process::getuid().is_root() {
        return crate::support::left_out("a read-only home", "it needs root");
    }
    let user = with_identity(with_login(User::new(), "kernel"));
    user.store("b.example", "<token>", TOKEN).succeeded();
    let before = user.records();
    let home = user.home().display().to_string();
    let script =
        format!("mount --bind '{home}' '{home}' && mount -o remount,ro,bind '{home}' && \"$@\"");
    let read_only = ["unshare", "--mount", "--", "sh", "-c", &script, "sh"];
    let run = |arguments: &[&str]| under(&user, &read_only, arguments);
    let step = format!("Read-only file system; let this user write to {}", user.state().display());
    let one = run(&["migrate", "--to", "file", KEY]);
    one.is(1, "", "the login for h.example stays in kernel: cannot lock").noted(&step);
    let all =
        run(&["migrate", "--to", "file", "--all"]).is(1, "", "no login was moved: cannot lock");
    assert_eq!(all.noted(&step).stderr.lines().count(), 1);
    run(&["token", KEY, "--scope", "repository:a:pull"]).is(1, "", &step);
    let doctor = run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("FAIL  files: cannot lock "), "{doctor:?}");
    stays(&user, &before, &["kernel"], None);
}

#[test]
fn duplicates_in_the_old_place_go_too() {
    let keyring = GnomeKeyring::start();
    let user = User::new();
    user.on_bus(keyring.environment());
    let user = with_login(user, "secret-service");
    let ours = [("service", "docker-credential-refresh"), ("username", KEY)];
    keyring.plant(&[ours[0], ours[1], ("target", user.profile()), ("more", "x")], TOKEN);
    assert_eq!(places(&user, Some(&keyring), KEY).len(), 2);
    migrate(&user, "kernel").succeeded();
    assert_eq!(places(&user, Some(&keyring), KEY), ["kernel"]);
}

#[test]
fn a_quota_that_is_full_in_the_middle_of_all_leaves_the_rest_where_it_is() {
    if !rustix::process::getuid().is_root() {
        return crate::support::left_out("a full quota", "it needs root");
    }
    // One that no killed run has left keys of.
    let uid = &(3_200_000_000 + std::process::id()).to_string();
    let user = with_identity(User::new());
    prefer(&user, "file");
    let token = "x".repeat(9_000);
    for server in ["a.example", "b.example", "c.example", "d.example"] {
        let token = if server == "d.example" { "small-token" } else { &token };
        user.store(server, "<token>", token).succeeded();
    }
    // The helper and the home as this uid's, which has 20,000 bytes.
    let program = user.home().join("helper");
    let copied = Command::new("cp").arg(user.command().get_program()).arg(&program).status();
    assert!(copied.unwrap().success());
    let chown = |uid: &str| {
        let done = Command::new("chown").args(["-R", uid]).arg(user.home()).status();
        assert!(done.unwrap().success());
    };
    chown(uid);
    let as_them = |program: &str, arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", uid, "--regid", uid, "--clear-groups", "--", program]);
        command.args(arguments).env_clear();
        let helper = user.command();
        command.envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.output().unwrap()
    };
    let helper = program.to_str().unwrap();
    let output = as_them(helper, &["migrate", "--to", "kernel", "--all"]);
    // Each is in the persistent keyring as well: the helper removes it from both.
    for server in ["a.example", "b.example", "d.example"] {
        as_them(helper, &["logout", server]);
    }
    chown("0");
    fs::remove_file(&program).unwrap();
    let (told, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let outcomes: Vec<_> = told.lines().skip(1).map(|l| l.rsplit(' ').next().unwrap()).collect();
    assert_eq!(outcomes, ["moved", "moved", "failed", "moved"], "{told}{stderr}");
    assert_eq!(output.status.code(), Some(6));
    assert!(stderr.contains("c.example stays in file: the kernel keychain failed: "), "{stderr}");
    assert!(stderr.contains("of 20000 bytes"), "{stderr}");
    assert_eq!((files(&user), user.token("c.example")), (1, token));
}
