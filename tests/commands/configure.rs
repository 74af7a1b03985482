//! `configure` and `unconfigure`: no login goes dead, and everything comes back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{PASSWORD, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::strace::{CALLS, has_strace, strace};
use crate::support::user::{Outcome, User};

mod at_once;
mod fallbacks;
mod half_way;
mod killed;
mod mounted;
mod passwords;
mod podman;

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";

/// A helper that keeps what it is given, and lists what is in `$HOME/NAME.list`.
fn helper(user: &User, name: &str) {
    let script = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in store) cat > $HOME/{name}.stored;; list) cat $HOME/{name}.list 2>/dev/null || echo '{{}}';; erase) cat >/dev/null;; *) echo 'credentials not found in native keychain'; exit 1;; esac\n"
    );
    user.program(&format!("docker-credential-{name}"), &script);
}

/// A user with this helper on PATH, and nothing of the machine's.
fn user() -> User {
    let user = User::new();
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = crate::support::tested_program();
    symlink(program, bin.join("docker-credential-refresh")).unwrap();
    user.set("PATH", bin.to_str().unwrap());
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    user
}

fn trusting(server: &TokenServer) -> User {
    let user = user();
    user.trust(&server.registry_host(), server);
    user
}

fn config_file(user: &User) -> PathBuf {
    user.home().join(".docker/config.json")
}

fn write(user: &User, text: &str) {
    fs::create_dir_all(user.home().join(".docker")).unwrap();
    fs::write(config_file(user), text).unwrap();
}

fn config(user: &User) -> String {
    fs::read_to_string(config_file(user)).unwrap()
}

fn drop_in(user: &User) -> PathBuf {
    user.home().join(".config/containers/registries.conf.d/50-docker-credential-refresh.conf")
}

/// Nothing was changed anywhere.
#[track_caller]
fn unchanged(user: &User, text: &str, outcome: Outcome, code: i32, parts: &[&str]) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{outcome:?}");
    for part in parts {
        assert!(outcome.stderr.contains(part), "no {part:?} in {outcome:?}");
    }
    assert_eq!(config(user), text);
    assert!(!user.settings_file().exists() && !drop_in(user).exists());
    assert!(!user.state().join("configured.json").exists() && user.records().is_empty());
}

#[test]
fn the_previous_store_becomes_the_fallback_and_all_comes_back() {
    let user = user();
    helper(&user, "desktop");
    let text = "{\n    \"auths\": {\n        \"h.example\": {}\n    },\n    \"credsStore\": \"desktop\",\n    \"unknown\": [1]\n}";
    write(&user, text);
    let (file, settings) = (config_file(&user), user.settings_file());
    let (file, settings) = (file.display(), settings.display());
    user.does(&["configure"], "").is(
        0,
        &format!("{settings}\n+ fallback = \"desktop\"\n{file}\n- \"credsStore\": \"desktop\"\n+ \"credsStore\": \"refresh\"\n"),
        "",
    );
    assert_eq!(config(&user), text.replace("desktop", "refresh"));
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "fallback = \"desktop\"\n");
    let written = fs::metadata(config_file(&user)).unwrap();
    let again = user.does(&["configure"], "");
    assert_eq!(
        (again.code, again.stdout.as_str(), again.stderr.as_str()),
        (0, "Nothing to change\n", "")
    );
    assert_eq!(fs::metadata(config_file(&user)).unwrap().ino(), written.ino(), "not written");
    user.does(&["unconfigure"], "").is(
        0,
        &format!("{file}\n- \"credsStore\": \"refresh\"\n+ \"credsStore\": \"desktop\"\n{settings}\n- fallback = \"desktop\"\n"),
        "",
    );
    assert_eq!(config(&user), text);
    assert!(!user.settings_file().exists() && !user.state().join("configured.json").exists());
    user.does(&["unconfigure"], "").is(0, "Nothing to undo\n", "");
}

#[test]
fn the_binary_must_be_on_path() {
    let user = user();
    write(&user, "{}");
    fs::remove_file(user.home().join("bin/docker-credential-refresh")).unwrap();
    let absent = user.does(&["configure", "--fallback", "none"], "");
    unchanged(&user, "{}", absent, 1, &["docker-credential-refresh is not on PATH", "add "]);
    user.does(&["configure", "--fallback", "none", "--force"], "").succeeded().noted("not on PATH");
    assert!(config(&user).contains("refresh"));
}

#[test]
fn the_very_bytes_mode_owner_and_symlink_come_back() {
    for (text, options) in [
        ("{}", vec![]),
        ("", vec![]),
        ("\n", vec!["--keep-plain", "h.example"]),
        ("{\r\n\t\"auths\": {},\r\n\t\"x\": 1\r\n}\r\n", vec![]),
        ("{\"auths\":{},\"credHelpers\":{\"a\":\"b\"}}", vec!["--keep-plain", "docker.io"]),
        (
            "{\n  \"credHelpers\": {\n    \"h.example\": \"\"\n  }\n}\n",
            vec!["--registry", "h.example"],
        ),
        ("{\"credsStore\":\"\"}", vec![]),
        (
            "{\n\n    \"credHelpers\": null , \"a\":\"\\u00e9\u{e9}\"}\n\n",
            vec!["--registry", "h.example", "--registry", "docker.io"],
        ),
        ("{ \"z\": {\"a\" : [ ] },\n \"b\": 1e3 }", vec![]),
    ] {
        let user = user();
        fs::create_dir_all(user.home().join("dotfiles")).unwrap();
        write(&user, text);
        let real = user.home().join("dotfiles/docker.json");
        fs::rename(config_file(&user), &real).unwrap();
        symlink("../dotfiles/docker.json", config_file(&user)).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        let mine = std::os::unix::fs::chown(&real, Some(1), Some(2)).is_err();
        let look = || {
            let found = fs::metadata(&real).unwrap();
            (config(&user), found.mode(), mine || (found.uid(), found.gid()) == (1, 2))
        };
        let before = look();
        let arguments = [vec!["configure", "--fallback", "none"], options].concat();
        user.does(&arguments, "").succeeded();
        let configured = look();
        assert_ne!(configured.0, before.0);
        assert_eq!((configured.1, configured.2), (before.1, before.2));
        serde_json::from_str::<Value>(&configured.0).unwrap();
        user.does(&["unconfigure"], "").succeeded();
        assert_eq!(look(), before, "{arguments:?}");
        assert!(fs::symlink_metadata(config_file(&user)).unwrap().is_symlink());
        assert_eq!(fs::read_dir(user.home().join("dotfiles")).unwrap().count(), 1);
    }
}

#[test]
fn a_missing_file_is_made_and_goes_again() {
    let user = user();
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert_eq!(config(&user), "{\n\t\"credsStore\": \"refresh\"\n}\n");
    assert_eq!(fs::metadata(config_file(&user)).unwrap().mode() & 0o777, 0o600);
    user.does(&["unconfigure"], "").succeeded();
    assert!(!config_file(&user).exists());
}

#[test]
fn docker_config_names_another_folder() {
    let user = user();
    let folder = user.home().join("elsewhere");
    user.set("DOCKER_CONFIG", folder.to_str().unwrap());
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(folder.join("config.json").exists() && !config_file(&user).exists());
    user.set("DOCKER_CONFIG", "");
    let said = user.does(&["unconfigure"], "").succeeded().stderr;
    let (_, command) = said.split_once("restore it with ").unwrap();
    let (setting, command) = command.trim().split_once(" docker-credential-refresh ").unwrap();
    let (name, value) = setting.split_once('=').unwrap();
    user.set(name, value);
    user.does(&[command], "").succeeded();
    assert!(!folder.join("config.json").exists());
}

#[test]
fn what_docker_cannot_read_is_left_alone() {
    let user = user();
    for (text, why) in [
        ("{\n// comment\n}", "line 2"),
        ("{\"auths\": [\"hunter2\"]}", "of the wrong type"),
        ("[]", "is not a JSON object"),
    ] {
        write(&user, text);
        let failed = user.does(&["configure", "--fallback", "none"], "");
        assert!(!failed.stderr.contains("hunter2"));
        unchanged(&user, text, failed, 1, &[why]);
        assert_eq!(user.does(&["unconfigure"], "").code, 1);
    }
    fs::remove_file(config_file(&user)).unwrap();
    fs::create_dir(config_file(&user)).unwrap();
    let failed = user.does(&["configure", "--fallback", "none"], "");
    assert!(failed.code == 1 && failed.stderr.contains("not a regular file"), "{failed:?}");
}

#[test]
fn keep_plain_and_registry_do_not_go_together() {
    let user = user();
    let both = ["configure", "--registry", "a.example", "--keep-plain", "b.example"];
    assert_eq!(user.does(&both, "").code, 2);
    write(&user, "{\"credHelpers\":{\"a.example\":\"pass\"}}");
    let arguments = ["configure", "--fallback", "none", "--keep-plain", "a.example"];
    assert!(user.does(&arguments, "").stderr.contains("keeps a.example in the helper pass"));
}
