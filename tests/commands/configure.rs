//! `configure` and `unconfigure`: no login goes dead, and everything comes back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::import::{CALLS, has_strace, strace};
use super::{PASSWORD, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::{Outcome, User};

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
    let program = env!("CARGO_BIN_EXE_docker-credential-refresh");
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
fn where_logins_go_must_be_known() {
    let user = user();
    write(&user, "{}");
    let none = user.does(&["configure"], "");
    unchanged(
        &user,
        "{}",
        none,
        2,
        &["nothing was changed; no helper was found on PATH; name one"],
    );
    helper(&user, "pass");
    helper(&user, "desktop");
    // It stores nothing.
    helper(&user, "gcloud");
    let asked = user.does(&["configure"], "");
    unchanged(&user, "{}", asked, 2, &["found on PATH: desktop, pass; name one with --fallback"]);
    let missing = user.does(&["configure", "--fallback", "nowhere"], "");
    unchanged(&user, "{}", missing, 2, &["the fallback nowhere is not a helper on PATH"]);
    let itself = user.does(&["configure", "--fallback", "refresh"], "");
    unchanged(&user, "{}", itself, 2, &["names this helper itself"]);
    user.does(&["configure", "--fallback", "pass"], "").succeeded();
    user.does(&["unconfigure"], "").succeeded();
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "fallback = \"none\"\n");
    user.does(&["configure"], "").is(0, "Nothing to change\n", "");
}

/// Every `get` for a registry that nobody is logged in to would be an error from then on.
#[test]
fn a_fallback_that_does_not_work_is_refused() {
    let user = user();
    for (script, why) in [
        ("#!/bin/sh\necho the vault is sealed\nexit 1\n", "list failed: the vault is sealed"),
        ("#!/nowhere/interpreter\n", "it cannot be started"),
        ("#!/bin/sh\necho not JSON\n", "cannot be understood"),
    ] {
        user.program("docker-credential-broken", script);
        let steps = "make docker-credential-broken list work here, or name another one";
        for (text, arguments) in [
            ("{}", &["configure", "--fallback", "broken"][..]),
            (r#"{"credsStore":"broken"}"#, &["configure"]),
            (
                r#"{"credHelpers":{"h.example":"broken"}}"#,
                &["configure", "--registry", "h.example"],
            ),
        ] {
            write(&user, text);
            unchanged(&user, text, user.does(arguments, ""), 2, &["does not work", why, steps]);
        }
        user.settings("fallback = \"broken\"\n");
        write(&user, "{}");
        user.does(&["configure"], "").is(2, "", "does not work");
        let doctor = user.does(&["doctor"], "").stdout;
        assert!(doctor.contains("the fallback does not work") && doctor.contains(why), "{doctor}");
        fs::remove_file(user.settings_file()).unwrap();
    }
    // What cannot be started has no login that could be lost.
    user.program("docker-credential-broken", "#!/nowhere/interpreter\n");
    write(&user, r#"{"credsStore":"broken"}"#);
    user.does(&["configure", "--fallback", "none"], "").succeeded().noted("cannot be started");
    user.does(&["unconfigure"], "").succeeded();
    user.does(&["configure", "--force"], "").succeeded();
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "fallback = \"broken\"\n");
}

/// Docker 20.10 wrote what was typed, and uses it for the whole registry.
#[test]
fn a_login_for_a_path_becomes_that_of_its_registry() {
    let server = server().start();
    let (host, user) = (server.registry_host(), user());
    user.trust(&host, &server);
    user.secret(PASSWORD);
    write(&user, &format!(r#"{{"auths":{{"{host}/team":{{"auth":"{GOOD}"}}}}}}"#));
    let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(done.stdout.contains(&format!("- \"auths\": {{\"{host}/team\": ...}}\n")), "{done:?}");
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(now, json!({"credsStore": "refresh"}));
    for asked in [&host, &format!("{host}/team/app")] {
        assert_eq!(user.token(asked), user.kept(&host).unwrap());
    }
}

/// Docker takes either of two; podman uses each for its path alone, and asks no helper for paths.
#[test]
fn logins_for_several_paths_are_told_as_what_they_are() {
    let user = user();
    let text = r#"{"auths":{"h.example/team":{"auth":"YTpi"},"h.example/other":{"auth":"YTpi"}}}"#;
    write(&user, text);
    let refused = user.does(&["configure", "--fallback", "none"], "");
    let log_out = "docker logout h.example/team; docker logout h.example/other";
    let parts = ["h.example/team", "log in to h.example instead", log_out];
    unchanged(&user, text, refused, 1, &parts);
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
    user.does(&["unconfigure"], "").succeeded().noted("restore it with DOCKER_CONFIG=");
    user.set("DOCKER_CONFIG", folder.to_str().unwrap());
    user.does(&["unconfigure"], "").succeeded();
    assert!(!folder.join("config.json").exists());
}

#[test]
fn a_registrys_own_helper_becomes_its_fallback() {
    let user = user();
    helper(&user, "ecr-login");
    let text = "{\"credHelpers\":{\"h.example\":\"ecr-login\"}}";
    write(&user, text);
    user.settings("# mine\nprofile = 'x' # too\n");
    user.does(&["configure", "--registry", "https://H.example/v2/"], "").succeeded();
    assert_eq!(
        config(&user),
        "{\"credHelpers\":{\"h.example\":\"refresh\",\"h.example:443\":\"refresh\",\"H.example\":\"refresh\",\"https://H.example/v2/\":\"refresh\"}}"
    );
    let settings = fs::read_to_string(user.settings_file()).unwrap();
    assert_eq!(
        settings,
        "# mine\nprofile = 'x' # too\n\n[registry.\"h.example\"]\nfallback = \"ecr-login\"\n"
    );
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(config(&user), text);
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "# mine\nprofile = 'x' # too\n");
}

#[test]
fn what_lies_in_plain_text_is_exchanged_or_handed_over() {
    let good = server().start();
    let gitlab = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let (host, other) = (good.registry_host(), gitlab.registry_host());
    let user = trusting(&good);
    user.trust(&other, &gitlab);
    helper(&user, "pass");
    let text = format!(
        "{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}},\"{other}\":{{\"auth\":\"{GOOD}\"}},\"plain.example\":{{\"auth\":\"{GOOD}\"}}}}}}"
    );
    write(&user, &text);

    // One is stuck: none is taken, and the token that was obtained already is ended.
    let keep = ["configure", "--fallback", "none", "--keep-plain", "plain.example"];
    let stuck = user.does(&keep, "");
    let why = format!("{other} in {} cannot be taken over", config_file(&user).display());
    unchanged(
        &user,
        &text,
        stuck,
        5,
        &[
            &why,
            "nothing was changed",
            &format!("leave them to docker with --keep-plain {other}"),
            "--fallback NAME",
        ],
    );
    assert!(good.live_refresh_tokens().is_empty() && user.kept(&host).is_none());

    let done = user
        .does(&["configure", "--fallback", "pass", "--keep-plain", "plain.example"], "")
        .succeeded();
    assert!(!done.stdout.contains(GOOD), "{done:?}");
    assert!(done.stdout.contains(&format!("- \"auths\": {{\"{host}\": ...}}\n")), "{done:?}");
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(
        now,
        json!({"auths": {"plain.example": {"auth": GOOD}}, "credsStore": "refresh", "credHelpers": {"plain.example": "", "plain.example:443": ""}})
    );
    assert_eq!(user.token(&host), user.kept(&host).unwrap());
    let handed = fs::read_to_string(user.home().join("pass.stored")).unwrap();
    assert!(handed.contains(&other) && handed.contains(PASSWORD));
    let state = fs::read_to_string(user.state().join("configured.json")).unwrap();
    assert!(!state.contains(GOOD), "{state}");
    let undone = user.does(&["unconfigure"], "").succeeded();
    undone.noted("1 login stays in the keychain");
    assert_eq!(
        config(&user),
        format!("{{\"auths\":{{\"plain.example\":{{\"auth\":\"{GOOD}\"}}}}}}")
    );
    fs::remove_file(user.home().join("pass.stored")).unwrap();
}

#[test]
fn with_force_a_login_that_cannot_be_taken_over_stays_where_it_is() {
    let user = user();
    let text = "{\"auths\":{\"h.example\":{\"registrytoken\":\"r\"}}}";
    write(&user, text);
    let stuck = user.does(&["configure", "--fallback", "none"], "");
    unchanged(&user, text, stuck, 1, &["h.example in", "a bearer token", "--keep-plain h.example"]);
    user.does(&["configure", "--fallback", "none", "--force"], "").succeeded();
    assert!(config(&user).starts_with(&format!("{},\"credsStore\"", &text[..text.len() - 1])));
}

/// No client ever looks one of these up: a login that works is none of them.
#[test]
fn a_key_that_no_registry_has_blocks_nothing() {
    for key in ["", "bad host", "*.example", "[fe80::1%25eth0]:5000", "h_x:5000", "https://", "."] {
        let user = user();
        let text = format!("{{\"auths\":{{{key:?}:{{\"auth\":\"YTpi\"}}}}}}");
        write(&user, &text);
        let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
        done.noted("is left there: its server URL");
        assert!(config(&user).contains("YTpi") && config(&user).contains("credsStore"));
    }
}

#[test]
fn logins_in_the_previous_helper_must_not_be_lost() {
    let user = user();
    helper(&user, "desktop");
    helper(&user, "pass");
    let text = "{\"credsStore\":\"desktop\"}";
    write(&user, text);
    fs::write(user.home().join("desktop.list"), "{\"h.example\":\"alice\"}").unwrap();
    let lost = user.does(&["configure", "--fallback", "pass"], "");
    let parts = ["logins in desktop would no longer be found: h.example", "import --from desktop"];
    unchanged(&user, text, lost, 1, &parts);
    user.does(&["configure", "--registry", "other.example", "--fallback", "pass"], "").succeeded();
    user.does(&["configure", "--fallback", "pass", "--force"], "").succeeded();
    assert!(config(&user).starts_with("{\"credsStore\":\"refresh\""));
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(config(&user), text, "two changes, one memory");
}

#[test]
fn podman_is_set_up_by_one_drop_in_and_its_passwords_are_taken() {
    let good = server().start();
    let host = good.registry_host();
    let user = trusting(&good);
    let auth = user.home().join("run/containers/auth.json");
    fs::create_dir_all(auth.parent().unwrap()).unwrap();
    fs::write(&auth, format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}")).unwrap();
    let without = user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(!drop_in(&user).exists(), "none of them is installed: {without:?}");
    let with = user.does(&["configure", "--podman"], "").succeeded();
    assert!(with.stdout.contains("+ credential-helpers = [\"refresh\"]"), "{with:?}");
    let text = fs::read_to_string(drop_in(&user)).unwrap();
    assert!(text.ends_with("\ncredential-helpers = [\"refresh\"]\n"), "{text}");
    assert_eq!(fs::read_to_string(&auth).unwrap(), "{\"auths\":{}}");
    assert!(user.kept(&host).is_some());
    user.does(&["configure", "--podman"], "").is(0, "Nothing to change\n", "");
    let undone = user.does(&["unconfigure"], "").succeeded();
    assert!(undone.stdout.contains("- credential-helpers"), "{undone:?}");
    assert!(!drop_in(&user).exists());

    user.program("podman", "#!/bin/sh\n");
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(drop_in(&user).exists(), "it is installed");
}

/// `/run/containers` is root's alone once root used podman, and `runuser` sets no XDG_RUNTIME_DIR.
#[test]
fn a_folder_of_podmans_that_is_closed_to_this_user_stops_nothing() {
    if !rustix::process::getuid().is_root() {
        return crate::support::left_out("another user's /run/containers", "it needs root");
    }
    let uid = "3000000006";
    let user = user();
    user.program("podman", "#!/bin/sh\n");
    user.set("XDG_RUNTIME_DIR", "");
    let program = user.home().join("bin/docker-credential-refresh");
    fs::remove_file(&program).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_docker-credential-refresh"), &program).unwrap();
    assert!(Command::new("chown").args(["-R", uid]).arg(user.home()).status().unwrap().success());
    let script = format!(
        "mount -t tmpfs -o mode=755 none /run && mkdir -m 700 /run/containers && \
         exec setpriv --reuid {uid} --regid {uid} --clear-groups -- \"$@\""
    );
    let run = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", &script, "sh"]).arg(&program).args(arguments);
        let helper = user.command();
        let environment = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(environment);
        command.env("PATH", format!("{}/bin:/usr/bin:/bin", user.home().display()));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let closed = format!("/run/containers/{uid} is not accessible to this user");
    let (code, stdout, stderr) = run(&["configure", "--fallback", "none"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("credsStore") && stderr.contains(&closed), "{stdout}{stderr}");
    let (code, _, stderr) = run(&["import", "--from", "podman"]);
    assert!(code == Some(0) && stderr.contains(&closed), "{stderr}");
    let (_, stdout, _) = run(&["doctor"]);
    assert!(stdout.contains(&format!("SKIP  podman: {closed}")), "{stdout}");
}

#[test]
fn podmans_previous_helper_must_not_be_lost() {
    let user = user();
    helper(&user, "pass");
    fs::write(user.home().join("pass.list"), "{\"h.example\":\"alice\"}").unwrap();
    write(&user, "{}");
    let conf = user.home().join(".config/containers/registries.conf");
    fs::create_dir_all(conf.parent().unwrap()).unwrap();
    fs::write(&conf, "credential-helpers = [\"containers-auth.json\", \"pass\"]\n").unwrap();
    let lost = user.does(&["configure", "--podman", "--fallback", "none"], "");
    unchanged(&user, "{}", lost, 1, &["logins in pass would no longer be found: h.example"]);
    user.does(&["configure", "--podman", "--fallback", "pass"], "").succeeded();
}

/// Some helpers cannot list; what they have is then unknown.
#[test]
fn a_previous_helper_that_cannot_list_is_told_with_what_to_do() {
    let user = user();
    user.program("docker-credential-dumb", "#!/bin/sh\necho not implemented\nexit 1\n");
    let text = r#"{"credsStore":"dumb"}"#;
    write(&user, text);
    let lost = user.does(&["configure", "--fallback", "none"], "");
    let parts = ["logins in dumb may no longer be found", "--fallback dumb --force"];
    unchanged(&user, text, lost, 1, &parts);
    let kept = user.does(&["configure"], "");
    unchanged(&user, text, kept, 2, &["if it is a helper that cannot list, add --force"]);
    user.does(&["configure", "--fallback", "dumb", "--force"], "").succeeded();
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

/// Killed before any of these calls, docker finds the login: in its file, or here.
#[test]
fn killed_at_every_step_no_login_goes_dead() {
    if !has_strace("killed_at_every_step_no_login_goes_dead") {
        return;
    }
    let good = server().start();
    let host = good.registry_host();
    let text = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}");
    let arguments = ["configure", "--podman", "--fallback", "none"];
    let mut killed = 0;
    for call in CALLS {
        for number in 1.. {
            let user = trusting(&good);
            write(&user, &text);
            let at = format!("{call} {number}");
            let inject = format!("signal=SIGKILL:when={number}");
            let status = strace(&user, call, &inject, &arguments).status().unwrap();
            let now: Value = serde_json::from_str(&config(&user)).unwrap();
            if now["credsStore"] == "refresh" {
                assert_eq!(user.token(&host), user.kept(&host).unwrap(), "{at}");
            } else {
                assert_eq!(config(&user), text, "{at}");
            }
            user.does(&arguments, "").succeeded();
            user.does(&["import", "--yes"], "").succeeded();
            assert_eq!(user.token(&host), user.kept(&host).unwrap(), "{at}");
            user.does(&["unconfigure"], "").succeeded();
            assert_eq!(config(&user), "{\"auths\":{}}", "{at}");
            assert!(!user.settings_file().exists() && !drop_in(&user).exists(), "{at}");
            assert!(!user.state().join("configured.json").exists(), "{at}");
            if status.code().is_some() {
                assert_eq!(status.code(), Some(0), "{at}");
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 20, "killed only {killed} times");
}
