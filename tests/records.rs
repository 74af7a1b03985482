//! Login records: what is in them, and that a `get` survives whatever became of them.

use std::fs;

use serde_json::json;

use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

#[test]
fn a_record_has_the_facts_and_no_secret() {
    let server =
        TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    user.store(&format!("https://{host}/"), "alice", PASSWORD).succeeded();
    user.secret(&user.token(&host));
    let record = user.records().remove(0);
    for (name, value) in [
        ("key", json!(host)),
        ("server_url", json!(format!("https://{host}/"))),
        ("account", json!("alice")),
        ("keychain", json!("kernel")),
        ("proven", json!(true)),
        ("realm", json!(server.token_endpoint())),
        ("service", json!(server.service())),
        ("obtained_as", json!("docker-credential-refresh")),
        ("proven_as", json!("docker")),
        ("profile", json!(user.profile())),
    ] {
        assert_eq!(record[name], value, "{name}");
    }
    assert!(record["since"].is_string());
}

#[test]
fn damaged_records_are_set_aside_and_made_again_and_a_get_works_all_the_while() {
    for damage in ["", "{", "garbage", "[]", r#"{"version":99,"logins":[]}"#, "\u{0}\u{0}"] {
        let user = User::new();
        user.store("one.example", "<token>", "token-one").succeeded();
        fs::write(user.records_file(), damage).unwrap();
        let answer = user.get("one.example").succeeded().noted("cannot be used");
        assert!(answer.stdout.contains("token-one"));
        user.get("other.example").not_found();
        assert_eq!(user.list(), json!({"one.example": "<token>"}));
        assert_eq!(
            fs::read_to_string(user.records_file()).unwrap(),
            damage,
            "a get changes nothing"
        );

        user.store("two.example", "<token>", "token-two").succeeded().noted("was moved to");
        assert_eq!(user.list(), json!({"one.example": "<token>", "two.example": "<token>"}));
        assert_eq!(user.token("one.example"), "token-one");
        let aside = fs::read_dir(user.state()).unwrap().map(|e| e.unwrap().path());
        let aside: Vec<_> = aside.filter(|p| p.to_string_lossy().contains("damaged-")).collect();
        assert_eq!(aside.len(), 1);
        assert_eq!(fs::read_to_string(&aside[0]).unwrap(), damage);
    }
}

#[test]
fn a_damaged_line_makes_no_login_absent() {
    let user = User::new();
    let names = ["https://one.example", "two.example", "three.example"];
    for name in names {
        user.store(name, "<token>", &format!("token-{name}")).succeeded();
    }
    let whole = fs::read_to_string(user.records_file()).unwrap();
    let line = whole.lines().find(|line| line.contains("two.example")).unwrap();
    let flipped = line.replace("\"key\":\"two", "\"key\":\"twO");
    for damaged in [
        whole.replace(line, &"\0".repeat(line.len())),
        whole.replace(line, &line[..line.len() / 2]),
        whole.replace(line, &line.replacen("\"proven\"", "\"proven", 1)),
        whole.replace(&format!("{line}\n"), ""),
        whole.replace(line, &flipped),
    ] {
        assert_ne!(damaged, whole);
        fs::write(user.records_file(), &damaged).unwrap();
        for name in names {
            assert_eq!(user.token(name), format!("token-{name}"), "{damaged}");
        }
        user.get("four.example").not_found();
        user.erase("two.example").succeeded();
        user.get("two.example").not_found();
        user.store("two.example", "<token>", "token-two.example").succeeded();
        assert_eq!(user.list().as_object().unwrap().len(), 3);
        fs::write(user.records_file(), &whole).unwrap();
    }
    // The lines that are left still say how a login was spelled.
    fs::write(user.records_file(), whole.replace(&format!("{line}\n"), "")).unwrap();
    let all = json!({names[0]: "<token>", names[1]: "<token>", names[2]: "<token>"});
    assert_eq!(user.list(), all);
}

#[test]
fn a_file_of_an_earlier_layout_is_read_and_laid_out_anew_by_the_next_change() {
    let user = User::new();
    user.store("one.example", "<token>", "token-one").succeeded();
    let logins = user.records();
    let earlier = serde_json::to_string_pretty(&json!({"version": 1, "logins": logins})).unwrap();
    fs::write(user.records_file(), &earlier).unwrap();
    assert_eq!(user.token("one.example/team"), "token-one");
    user.get("two.example").not_found();
    assert_eq!(user.list(), json!({"one.example": "<token>"}));
    assert_eq!(fs::read_to_string(user.records_file()).unwrap(), earlier, "these write nothing");
    user.store("two.example", "<token>", "token-two").succeeded();
    let now = fs::read_to_string(user.records_file()).unwrap();
    assert_eq!(now.lines().count(), 4, "{now}");
    assert_eq!(user.records()[0], logins[0]);
}

#[test]
fn missing_records_are_made_again_from_the_keychain() {
    let user = User::new();
    user.store("one.example", "<token>", "token-one").succeeded();
    user.store("gone.example", "<token>", "token-gone").succeeded();
    fs::remove_dir_all(user.state()).unwrap();
    assert_eq!(user.token("one.example/team/app"), "token-one");
    assert_eq!(user.list().as_object().unwrap().len(), 2);
    user.erase("gone.example").succeeded();
    assert_eq!(user.list().as_object().unwrap().len(), 1);
    user.store("two.example", "<token>", "token-two").succeeded();
    assert_eq!(user.list(), json!({"one.example": "<token>", "two.example": "<token>"}));
}

#[test]
fn an_erase_of_nothing_creates_nothing() {
    let user = User::new();
    for keychain in ["auto", "kernel", "file"] {
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
        user.erase("h.example").succeeded();
        assert!(!user.state().exists(), "{keychain}");
    }
}

#[test]
fn records_that_cannot_be_read_are_not_an_absent_login() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    fs::remove_file(user.records_file()).unwrap();
    fs::create_dir(user.records_file()).unwrap();
    let failed = user.get("h.example").failed_with(&["logins.json", "regular file"]);
    assert!(failed.stderr.contains("logins.json"), "docker 28 shows stderr alone: {failed:?}");
    for outcome in [user.erase("h.example"), user.run("list", b"")] {
        outcome.failed_with(&["logins.json"]);
    }
    user.store("h.example", "<token>", "b-token").failed_with(&["logins.json"]);
    assert_eq!(user.kept("h.example").as_deref(), Some("a-token"));
}

#[test]
fn a_full_disk_leaves_the_previous_login() {
    let user = User::new();
    let folder = user.home().join(".local/state");
    fs::create_dir_all(&folder).unwrap();
    let mount = |arguments: &[&str]| {
        assert!(
            std::process::Command::new(arguments[0])
                .args(&arguments[1..])
                .status()
                .unwrap()
                .success()
        );
    };
    let path = folder.to_str().unwrap();
    mount(&["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path]);
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        user.store("h.example", "<token>", "a-token").succeeded();
        let before = fs::read(user.records_file()).unwrap();
        // All but a few bytes.
        let _full = fs::write(folder.join("filler"), vec![0; 256 * 1024]);
        user.store("h.example", "<token>", "b-token").failed_with(&["cannot write", "logins.json"]);
        assert_eq!(fs::read(user.records_file()).unwrap(), before);
        assert_eq!(user.token("h.example"), "a-token");
        fs::remove_file(folder.join("filler")).unwrap();
        user.store("h.example", "<token>", "b-token").succeeded();
        let mut left: Vec<_> =
            fs::read_dir(user.state()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["logins.json", "logins.lock"]);
    }));
    mount(&["umount", path]);
    if let Err(panic) = run {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_not_a_signal() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    let before = fs::read(user.records_file()).unwrap();
    for verb in ["store", "erase"] {
        let helper = user.command();
        let payload = match verb {
            "store" => r#"{"ServerURL":"h.example","Username":"<token>","Secret":"b-token"}"#,
            _ => "h.example",
        };
        let input = user.home().join("payload");
        fs::write(&input, payload).unwrap();
        let outcome = std::process::Command::new("sh")
            .args(["-c", "ulimit -f 0; exec \"$0\" \"$1\""])
            .arg(helper.get_program())
            .arg(verb)
            .env_clear()
            .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(fs::File::open(&input).unwrap())
            .output()
            .unwrap();
        assert_eq!(outcome.status.code(), Some(1), "{verb}: {outcome:?}");
        assert!(outcome.stdout.starts_with(b"cannot write"), "{verb}: {outcome:?}");
        assert_eq!(fs::read(user.records_file()).unwrap(), before, "{verb}");
        assert_eq!(user.token("h.example"), "a-token", "{verb}");
    }
}

#[test]
fn processes_at_once_lose_no_record() {
    let user = User::new();
    std::thread::scope(|scope| {
        for number in 0..20 {
            let user = &user;
            let mut child = user
                .command()
                .arg("store")
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            scope.spawn(move || {
                use std::io::Write;
                let payload = json!({"ServerURL": format!("h{number}.example"), "Username": "<token>", "Secret": format!("token-{number}")});
                child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
                assert!(child.wait().unwrap().success());
            });
        }
    });
    assert_eq!(user.list().as_object().unwrap().len(), 20);
    assert_eq!(user.keychain().list().unwrap().logins.len(), 20);
    assert_eq!(user.token("h7.example"), "token-7");
}

#[test]
fn two_profiles_do_not_see_each_other() {
    let user = User::new();
    user.store("h.example", "<token>", "token-one").succeeded();
    let other = format!("{}-b", user.profile());
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &other);
    user.get("h.example").not_found();
    user.store("h.example", "<token>", "token-two").succeeded();
    assert_eq!(user.token("h.example"), "token-two");
    assert_eq!(user.records().len(), 2);
    user.erase("h.example").succeeded();
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", user.profile());
    assert_eq!(user.token("h.example"), "token-one");
}

#[test]
fn records_made_again_for_one_profile_hide_no_login_of_another() {
    let user = User::new();
    let other = format!("{}-b", user.profile());
    let switch_to = |profile: &str| user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", profile);
    let rebuilt_for = || {
        let json = fs::read(user.records_file()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()["rebuilt_for"].clone()
    };
    for key in ["h.example", "a.example"] {
        user.store(key, "<token>", "token-one").succeeded();
    }
    switch_to(&other);
    for (key, token) in [("a.example", "token-a"), ("b.example", "token-b")] {
        user.store(key, "<token>", token).succeeded();
    }
    assert_eq!(rebuilt_for(), json!(null), "they were never lost");
    switch_to(user.profile());
    fs::remove_file(user.records_file()).unwrap();
    user.does(&["status"], "").succeeded();
    assert_eq!(rebuilt_for(), json!([user.profile()]));
    assert_eq!(user.token("h.example"), "token-one");

    switch_to(&other);
    assert_eq!(user.token("a.example/team"), "token-a");
    user.get("none.example").not_found();
    assert_eq!(user.list(), json!({"a.example": "<token>", "b.example": "<token>"}));
    user.erase("b.example").succeeded();
    user.get("b.example").not_found();
    assert_eq!(rebuilt_for(), json!([user.profile()]), "these wrote nothing");
    user.store("c.example", "<token>", "token-c").succeeded();
    assert_eq!(rebuilt_for(), json!([user.profile(), other]));
    assert_eq!(user.list(), json!({"a.example": "<token>", "c.example": "<token>"}));
    assert_eq!(user.records().len(), 4);
    for key in ["a.example", "c.example"] {
        user.erase(key).succeeded();
    }
}

/// A second login over a first, while a system call fails.
fn second_store_with(user: &User, fault: &str) -> bool {
    user.store("h.example", "<token>", "first-token").succeeded();
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", fault]);
    let helper = user.command();
    let variables = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
    strace.arg(helper.get_program()).arg("store").env_clear().envs(variables);
    let payload = json!({"ServerURL": "HTTPS://h.example", "Username": "<token>",
        "Secret": "second-token"});
    let input = user.home().join("payload");
    fs::write(&input, payload.to_string()).unwrap();
    strace.stdin(fs::File::open(&input).unwrap()).output().unwrap().status.success()
}

#[test]
fn a_directory_that_cannot_be_synced_leaves_no_mix_of_old_and_new() {
    // The third fsync is the directory's, after the rename that everybody sees. The first is of the
    // records that are written to see that they can be.
    let user = User::new();
    assert!(second_store_with(&user, "inject=fsync:error=EIO:when=3"));
    assert_eq!(user.token("h.example"), "second-token");
    assert_eq!(user.records().remove(0)["server_url"], "HTTPS://h.example");
}

#[test]
fn records_that_cannot_be_replaced_leave_the_previous_token_in_its_place() {
    let user = User::new();
    assert!(!second_store_with(&user, "inject=/^rename:error=EIO"));
    assert_eq!(user.token("h.example"), "first-token");
    assert_eq!(user.records().remove(0)["server_url"], "h.example");
}

#[test]
fn huge_records_count_as_damaged() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    let mut json = fs::read(user.records_file()).unwrap();
    json.resize(16 * 1024 * 1024 + 1, b' ');
    fs::write(user.records_file(), json).unwrap();
    let answer = user.get("h.example").succeeded().noted("larger than 16 MiB");
    assert!(answer.stdout.contains("a-token"));
}

/// The keychain of the first records has the login no longer when it is asked, and by then others are there.
#[test]
fn a_login_that_moves_or_ends_while_its_keychain_is_asked_is_not_called_lost() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    let moved = fs::read_to_string(user.records_file()).unwrap();
    let (then, now) = (user.home().join("then.json"), user.records_file());
    let change = format!("cp '{}' '{}'", then.display(), now.display());
    let absent = "echo 'credentials not found in native keychain'; exit 1";
    let program =
        format!("#!/bin/sh\ncase $1 in\nlist) echo '{{}}' ;;\n*) {change}; {absent} ;;\nesac\n");
    user.program("docker-credential-left", &program);
    let ask_with = |next: &str| {
        fs::write(&now, moved.replace(r#""kernel""#, r#""helper:left""#)).unwrap();
        fs::write(&then, next).unwrap();
    };

    ask_with(&moved);
    let got = user.get("h.example").succeeded();
    assert!(got.stdout.contains("a-token") && got.stderr.is_empty(), "{got:?}");
    let ended = r#"{"version":1,"logins":[]}"#;
    ask_with(ended);
    assert_eq!(user.get("h.example").not_found().stderr, "");
    ask_with(ended);
    let said = format!("not logged in to h.example in profile {}", user.profile());
    user.does(&["token", "h.example", "--pull", "a/b"], "").is(3, "", &said);
    // Otherwise it is.
    ask_with(&moved.replace(r#""kernel""#, r#""helper:left""#));
    user.get("h.example").not_found().noted("is gone from helper:left");
}
