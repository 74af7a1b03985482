//! `status`: what it prints to the byte, and what it exits with.

use std::fs;
use std::time::{Duration, Instant};

use docker_credential_refresh::keychain::new_identity;
use docker_credential_refresh::secret::RefreshToken;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{PASSWORD, log_in};
use crate::mock_token_server::{At, Fault, Profile, TokenServer};
use crate::support::canary::Canary;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::terminal::Terminal;
use crate::support::user::User;

/// Changes one login record, as time does.
fn edit(user: &User, key: &str, change: impl FnOnce(&mut Value)) {
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    let logins = file["logins"].as_array_mut().unwrap();
    change(logins.iter_mut().find(|login| login["key"] == key).unwrap());
    fs::write(user.records_file(), file.to_string()).unwrap();
}

fn from_now(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

#[test]
fn no_logins_are_said_to_be_none() {
    let user = User::new();
    let outcome = user.does(&["status"], "").succeeded();
    let none = format!("Profile {} has no logins\n", user.profile());
    assert_eq!((outcome.stdout, outcome.stderr.as_str()), (none, ""));
    // Who runs the tests may have logins in the kernel's keyring under that name.
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.does(&["status", "--profile", "default"], "").is(0, "No logins\n", "");
    let json = user.does(&["status", "--json"], "").succeeded();
    assert_eq!(json.stdout, format!("{{\"profile\":\"{}\",\"logins\":[]}}\n", user.profile()));
    user.does(&["status", "--check"], "").succeeded();
}

#[test]
fn a_table_tells_times_as_a_person_reads_them() {
    let user = User::new();
    for server in ["a.example", "b.example:5000", "https://index.docker.io/v1/"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    edit(&user, "a.example", |login| {
        login["since"] = json!(from_now(-3 * 24));
        login["expires"] = json!(from_now(7 * 24));
        login["account"] = json!("alice");
        login["proven"] = json!(true);
    });
    edit(&user, "b.example:5000", |login| login["expires"] = json!(from_now(-2)));
    let outcome = user.does(&["status"], "").succeeded();
    let table = "\
SERVER                       ACCOUNT  KEYCHAIN  KEPT UNTIL  SINCE       EXPIRES      STATE
a.example                    alice    kernel    reboot      3 days ago  in 7 days    proven
b.example:5000               -        kernel    reboot      just now    2 hours ago  expired
https://index.docker.io/v1/  -        kernel    reboot      just now    -            unproven
";
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (table, ""));
}

#[test]
fn one_server_is_told_with_all_that_is_known() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    log_in(&user, &server);
    let since: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    edit(&user, &host, |login| login["since"] = json!(since));
    // A repository finds the login that a client would be given.
    let path = format!("{host}/team/app");
    for asked in [host.as_str(), &path, &format!("https://{host}/v2/")] {
        let outcome = user.does(&["status", asked], "").succeeded();
        let mut lines: Vec<&str> = outcome.stdout.lines().collect();
        let since = lines.remove(6);
        assert!(
            since.starts_with("Since:       ") && since.ends_with(" ago (2026-01-02T03:04:05Z)")
        );
        let endpoint = server.token_endpoint();
        let expected = format!(
            "Server:      {host}\nAccount:     alice\nKind:        refresh token\nKeychain:    kernel\nKept until:  reboot\nState:       proven\n\
             Realm:       {endpoint}\nService:     mock-registry\n\
             Obtained as: docker-credential-refresh\nProven as:   docker"
        );
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn json_tells_everything_with_exact_times_and_no_secret() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    log_in(&user, &server);
    let token = user.token(&host);
    user.store("h.example", "<token>", "gone-token-12345").succeeded();
    user.keychain().delete("h.example").unwrap();
    let outcome = user.does(&["status", "--json", "--check"], "");
    let canary = Canary::new(&token);
    canary.scan().text("stdout", &outcome.stdout).text("stderr", &outcome.stderr).assert_clean();
    // One line, and nothing after it.
    assert_eq!(outcome.stdout.matches('\n').count(), 1);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(answer["profile"], user.profile());
    let logins = answer["logins"].as_array().unwrap();
    let mut ours = logins.iter().find(|login| login["key"] == host.as_str()).unwrap().clone();
    for time in [ours["since"].take(), ours["last_check"]["at"].take()] {
        assert!(time.as_str().unwrap().parse::<Timestamp>().unwrap() > from_now(-1));
    }
    assert_eq!(
        ours,
        json!({
            "profile": user.profile(), "server_url": host, "key": host, "account": "alice",
            "credential": "refresh-token", "keychain": "kernel", "fallback": null,
            "kept_until": "reboot",
            "state": "kept", "why": null, "proven": true, "realm": server.token_endpoint(),
            "service": "mock-registry", "obtained_as": "docker-credential-refresh",
            "proven_as": "docker", "since": null, "expires": null, "minted": null,
            "check": {"result": "valid", "message": null},
            "last_check": {"result": "valid", "at": null}
        })
    );
    let gone = logins.iter().find(|login| login["key"] == "h.example").unwrap();
    assert_eq!((&gone["state"], &gone["check"]["result"]), (&json!("gone"), &json!("failed")));
    assert_eq!(outcome.code, 3, "{outcome:?}");
}

#[test]
fn a_record_without_an_entry_and_an_entry_without_a_record_are_shown() {
    let user = User::new();
    for server in ["a.example", "c.example"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    user.keychain().delete("a.example").unwrap();
    user.keychain().put("b.example", "", &RefreshToken::new("token-of-nobody".into())).unwrap();

    let outcome = user.does(&["status"], "").succeeded();
    let table = "\
SERVER     ACCOUNT  KEYCHAIN  KEPT UNTIL  SINCE     EXPIRES  STATE
a.example  -        kernel    reboot      just now  -        gone
b.example  -        kernel    reboot      -         -        no record
c.example  -        kernel    reboot      just now  -        unproven
";
    assert_eq!(outcome.stdout, table);
    let own = format!("run: docker-credential-refresh --profile {}", user.profile());
    let (log_in, log_out) = (format!("{own} login"), format!("{own} logout"));
    assert_eq!(
        outcome.stderr,
        format!(
            "docker-credential-refresh: the login for a.example is gone from kernel; {log_in} \
             a.example\n\
             docker-credential-refresh: kernel has an entry for b.example that this helper has \
             no record of, so clients cannot use it; to log in again, {log_in} b.example; to \
             remove it, {log_out} b.example\n"
        )
    );
    // Of the one that is asked for, it is the answer.
    for server in ["a.example", "b.example"] {
        let outcome = user.does(&["status", server], "");
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stdout.starts_with(&format!("Server:      {server}\n")), "{outcome:?}");
    }
    assert_eq!(user.does(&["status", "c.example"], "").code, 0);
}

/// Whichever of them is first in the alphabet.
#[test]
fn a_login_stands_before_an_entry_without_a_record_for_the_same_registry() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.store("https://a.example", "<token>", "token-of-nobody").succeeded();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    user.keychain().put("a.example", "", &RefreshToken::new("token-of-nobody".into())).unwrap();
    let outcome = user.does(&["status", "a.example"], "").succeeded();
    assert!(outcome.stdout.starts_with("Server:      https://a.example\n"), "{outcome:?}");
    assert!(outcome.stdout.contains("\nServer:      a.example\n"), "{outcome:?}");
}

/// A move left one of them there, and nobody knows of the other.
#[test]
fn what_a_move_left_is_told_from_what_has_no_record() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.store("a.example", "<token>", "token-of-nobody").succeeded();
    edit(&user, "a.example", |login| login["left_in"] = json!(["kernel"]));
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    for key in ["a.example", "b.example"] {
        user.keychain().put(key, "", &RefreshToken::new("token-of-nobody".into())).unwrap();
        // Records that somebody changed are completed by what the keychain has.
        user.does(&["status"], "").succeeded();
    }
    let json = user.does(&["status", "--json"], "").succeeded().stdout;
    let answer: Value = serde_json::from_str(&json).unwrap();
    let state = |at: usize| (&answer["logins"][at]["key"], &answer["logins"][at]["state"]);
    assert_eq!(state(0), (&json!("a.example"), &json!("kept")), "{json}");
    assert_eq!(state(1), (&json!("a.example"), &json!("previous")), "{json}");
    assert_eq!(state(2), (&json!("b.example"), &json!("no-record")), "{json}");
}

#[test]
fn a_damaged_login_says_nothing_of_the_others_in_the_same_keychain() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    let logins = user.home().join(".local/share/docker-credential-refresh/logins");
    let files = || -> Vec<_> {
        let all = fs::read_dir(&logins).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|e| e == "age")).collect()
    };
    user.store("a.example", "<token>", "token-of-nobody").succeeded();
    let [damaged] = &files()[..] else { panic!("{:?}", files()) };
    user.store("b.example", "<token>", "token-of-nobody").succeeded();
    fs::write(damaged, "no age file").unwrap();
    let json = user.does(&["status", "--json"], "").stdout;
    let answer: Value = serde_json::from_str(&json).unwrap();
    let state = |at: usize| (&answer["logins"][at]["key"], &answer["logins"][at]["state"]);
    assert_eq!(state(0), (&json!("a.example"), &json!("unreadable")), "{json}");
    assert_eq!(state(1), (&json!("b.example"), &json!("kept")), "{json}");
}

#[test]
fn an_unknown_server_is_3_and_a_text_that_is_none_2() {
    let user = User::new();
    user.store("o.example", "<token>", "token-of-nobody").succeeded();
    for arguments in [&["status", "h.example"][..], &["status", "h.example", "--json", "--check"]] {
        let outcome = user.does(arguments, "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""), "{outcome:?}");
        let profile = user.profile();
        assert_eq!(
            outcome.stderr,
            format!(
                "docker-credential-refresh: not logged in to h.example in profile {profile}; log in \
                 with: docker-credential-refresh --profile {profile} login h.example\n"
            )
        );
        let default = [arguments, &["--profile", "default"]].concat();
        let log_in =
            "not logged in to h.example; log in with: docker-credential-refresh login h.example";
        user.does(&default, "").is(3, "", log_in);
    }
    assert_eq!(user.does(&["status", "h h"], "").code, 2);
}

#[test]
fn check_tells_valid_rejected_and_unreachable_apart() {
    let valid = TokenServer::builder().user("alice", PASSWORD).start();
    let rejects = TokenServer::builder().user("alice", PASSWORD).start();
    let fails = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::new();
    for server in [&valid, &rejects, &fails] {
        user.trust(&server.registry_host(), server);
        log_in(&user, server);
    }
    let state = |code: i32, expected: &[(&TokenServer, &str)]| {
        let outcome = user.does(&["status", "--check"], "");
        assert_eq!(outcome.code, code, "{outcome:?}");
        for (server, word) in expected {
            let host = server.registry_host();
            let line = outcome.stdout.lines().find(|line| line.starts_with(&host)).unwrap();
            assert!(line.ends_with(&format!("  {word}")), "{line}");
        }
        outcome
    };
    state(0, &[(&valid, "valid"), (&rejects, "valid"), (&fails, "valid")]);
    fails.set_fault(At::Proof, Fault::status(503));
    state(7, &[(&valid, "valid"), (&rejects, "valid"), (&fails, "unreachable")]);
    rejects.revoke_everything();
    let outcome = state(4, &[(&valid, "valid"), (&rejects, "rejected"), (&fails, "unreachable")]);
    // Each is told, the one that decides last.
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome:?}");
    assert!(lines[0].contains("status 503"), "{outcome:?}");
    let dead = format!("the login for {} no longer works", rejects.registry_host());
    assert!(lines[1].contains(&dead), "{outcome:?}");
    assert_eq!(user.does(&["status", "--check", &valid.registry_host()], "").code, 0);
    assert_eq!(user.does(&["status", "--check", &fails.registry_host()], "").code, 7);
    assert_eq!(user.does(&["status", "--check", &rejects.registry_host()], "").code, 4);
    // Nothing is lost by asking.
    assert_eq!(user.records().len(), 3);
}

#[test]
fn check_keeps_a_token_that_the_server_rotates() {
    let server =
        TokenServer::builder().profile(Profile::RotatingWithGrace).user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    log_in(&user, &server);
    let before = user.token(&server.registry_host());
    for _ in 0..3 {
        user.does(&["status", "--check"], "").succeeded();
        server.end_grace();
    }
    assert_ne!(user.token(&server.registry_host()), before);
}

#[test]
fn check_refreshes_for_the_scope_that_the_challenge_names_where_that_is_needed() {
    let server = TokenServer::builder()
        .profile(Profile::RefreshNeedsScope)
        .challenge_scope("repository:alice/app:pull")
        .user("alice", PASSWORD)
        .start();
    let user = User::trusting(&server);
    log_in(&user, &server);
    user.does(&["status", "--check"], "").succeeded();
    server.revoke_everything();
    assert_eq!(user.does(&["status", "--check"], "").code, 4);
}

#[test]
fn what_no_token_server_knows_of_is_not_asked_about() {
    let user = User::new();
    user.store("https://index.docker.io/v1/refresh-token", "alice", "opaque-pair-1").succeeded();
    user.keychain().put("h.example", "", &RefreshToken::new("token-of-nobody".into())).unwrap();
    let outcome = user.does(&["status", "--check", "--json"], "").succeeded();
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let checks: Vec<_> = answer["logins"].as_array().unwrap().iter().map(|l| &l["check"]).collect();
    assert_eq!(checks, [&Value::Null, &Value::Null]);
    assert!(
        outcome.stderr.contains("an entry for h.example that this helper has no record of"),
        "{outcome:?}"
    );
}

/// A mistyped profile is a new one.
#[test]
fn a_profile_without_logins_is_named_and_so_are_those_with_some() {
    let user = User::new();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let none = format!("Profile typo has no logins; there are some in: {}\n", user.profile());
    for command in [
        &["--profile", "typo", "status"][..],
        &["logout", "--all", "--profile", "typo"],
        &["revoke", "--all", "--profile", "typo"],
        &["migrate", "--to", "kernel", "--all", "--profile", "typo"],
    ] {
        user.does(command, "").is(0, &none, "");
    }
    assert_eq!(user.records().len(), 1);
}

/// All logins of a keychain have the same trouble.
#[test]
fn what_several_logins_have_in_common_is_said_once() {
    let user = User::new();
    let identity = |user: &User| {
        user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    };
    identity(&user);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    for server in ["a.example", "b.example"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    // Another one lies between them in the table.
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    user.store("aa.example", "<token>", "token-of-nobody").succeeded();
    user.keychain().delete("aa.example").unwrap();
    identity(&user);
    let said = |command: &[&str]| {
        user.does(command, "").stderr.matches("was kept under another age identity").count()
    };
    for command in [&["status"][..], &["status", "--check"], &["revoke", "--all"]] {
        assert_eq!(said(command), 1, "{command:?}");
    }
}

#[test]
fn on_a_terminal_it_is_the_same_without_colours() {
    let user = User::new();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let mut command = user.command();
    command.arg("status");
    let (screen, status) = Terminal::run(&command).end();
    let plain = user.does(&["status"], "").succeeded().stdout;
    assert_eq!((screen.replace("\r\n", "\n"), status), (plain, 0));
}

#[test]
fn all_token_servers_are_asked_at_the_same_time() {
    let user = User::new();
    // Nobody listens: each is tried three times, with a second of pauses.
    for number in 0..12 {
        user.store(&format!("127.0.0.1:1/team{number}"), "<token>", "token-of-nobody").succeeded();
    }
    let start = Instant::now();
    let outcome = user.does(&["status", "--check"], "");
    assert_eq!(outcome.code, 7, "{outcome:?}");
    assert_eq!(outcome.stdout.matches("unreachable").count(), 12);
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn a_login_that_the_fallback_may_have_does_not_look_lost() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    let status = ["status", "h.example"];
    user.does(&status, "").is(3, "", "here; docker-credential-plain may have it; log in with");
}

#[test]
fn every_keychain_says_how_long_it_keeps_a_login() {
    let keyring = GnomeKeyring::start();
    let user = User::new();
    let identity = new_identity().0;
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", identity.expose());
    user.on_bus(keyring.environment());
    for (keychain, until, lasts, word) in [
        ("file", "logout", "until it is deleted", "logout"),
        ("kernel", "reboot", "until the machine reboots", "reboot"),
        ("secret-service", "logout", "until it is deleted", "logout"),
    ] {
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
        let stored = user.store("h.example", "<token>", "token-of-nobody").succeeded();
        stored.noted(&format!("stored in the {keychain} keychain {lasts}"));
        let table = user.does(&["status"], "").succeeded().stdout;
        assert!(table.contains(&format!("  {keychain:<8}  {until:<10}  just now  ")), "{table}");
        let one = user.does(&["status", "h.example"], "").succeeded().stdout;
        assert!(one.contains(&format!("Keychain:    {keychain}\nKept until:  {until}\n")), "{one}");
        let json = user.does(&["status", "--json"], "").succeeded().stdout;
        let answer: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(answer["logins"][0]["kept_until"], word);
    }
    // One that cannot be opened does not tell.
    user.set("DBUS_SESSION_BUS_ADDRESS", "autolaunch:");
    let table = user.does(&["status"], "").succeeded().stdout;
    assert!(table.contains("  secret-service  -           just now  "), "{table}");
}

#[test]
fn a_login_that_expires_soon_is_told_by_get_and_is_1_where_that_is_asked() {
    let user = User::new();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let within = |time: &str| user.does(&["status", "--expires-within", time], "").code;
    assert_eq!((within("24h"), user.get("h.example").succeeded().stderr.as_str()), (0, ""));
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    file["logins"][0]["expires"] = json!(from_now(5).to_string());
    fs::write(user.records_file(), file.to_string()).unwrap();
    assert_eq!((within("1h"), within("24h"), within("7d"), within("soon")), (0, 1, 1, 2));
    user.get("h.example").succeeded().noted("login for h.example expires at ");
    let soon = user.does(&["status", "--expires-within", "24h"], "");
    assert!(soon.stderr.contains("within that time: h.example; log in again"), "{soon:?}");
    file["logins"][0]["expires"] = json!(from_now(25).to_string());
    fs::write(user.records_file(), file.to_string()).unwrap();
    assert_eq!(user.get("h.example").succeeded().stderr, "");
}
