//! The kernel keyring in every kind of session that a helper is started in: what one keeps, each of
//! the others reads.

use std::process::Command;

use super::{Profile, User, is_root};
use crate::support::keychains::agent::Agent;

/// What su and runuser leave of the environment.
const VARIABLES: &str = "AGENT_KEYCHAIN,AGENT_PROFILE,AGENT_SCRIPT";

/// A session of cron: no terminal, a session of its own, next to nothing in the environment.
const CRON: &str = "exec env -i HOME=/ LOGNAME=\"$LOGNAME\" SHELL=/bin/sh PATH=/usr/bin:/bin \
    AGENT_KEYCHAIN=\"$AGENT_KEYCHAIN\" AGENT_PROFILE=\"$AGENT_PROFILE\" \
    AGENT_SCRIPT=\"$AGENT_SCRIPT\" \"$@\"";

/// A login shell through PAM, as Debian sets it up: pam_keyinit makes a session keyring.
fn login_shell(user: &str) -> [&str; 10] {
    ["su", "-l", user, "-s", "/bin/sh", "-w", VARIABLES, "-c", "exec \"$@\"", "--"]
}

/// By name; all but the last need no right.
fn sessions<'a>(login_shell: &'a [&'a str]) -> Vec<(&'static str, Vec<&'a str>)> {
    vec![
        ("plain", vec![]),
        ("cron", vec!["setsid", "--wait", "sh", "-c", CRON, "sh"]),
        // As of a service that systemd starts (KeyringMode=private), such as a CI runner's.
        ("service", vec!["env", "-u", "HOME", "CI=true", "keyctl", "session", "-"]),
        // What runs on after a logout (`pam_keyinit revoke`): tmux, nohup.
        (
            "ended",
            vec!["keyctl", "session", "-", "sh", "-c", "keyctl revoke @s; exec \"$@\"", "sh"],
        ),
        ("login shell", login_shell.iter().copied().chain(["sh"]).collect()),
    ]
}

#[test]
fn keeps_the_contract_in_every_kind_of_session() {
    let shell = login_shell("root");
    for (name, wrapper) in sessions(&shell) {
        if name != "login shell" || is_root("the kernel keyring in a login shell") {
            eprintln!("{name}");
            Agent::contract("kernel").under(&wrapper).pass();
        }
    }
}

#[test]
fn keeps_the_contract_as_another_user() {
    if let Some(user) = User::new(3_000_000_001) {
        user.runs(Agent::contract("kernel")).pass();
    }
}

/// What the kernel says of the session keyrings in them.
fn are_what_they_are_called(agent: &Agent, sessions: &[(&str, Vec<&str>)]) {
    let of = |wrapper: &[&str]| agent.clone().under(wrapper).one("session");
    let plain = of(&sessions[0].1);
    for (name, wrapper) in sessions {
        let session = of(wrapper);
        match *name {
            "plain" | "cron" => assert_eq!(session, plain, "{name}"),
            "ended" => assert!(session.contains("Key has been revoked"), "{session}"),
            _ => {
                let is_number = !session.is_empty() && session.bytes().all(|b| b.is_ascii_digit());
                assert!(is_number && session != plain, "{name}: {session}, and not {plain}");
                assert_ne!(session, of(wrapper), "{name} makes a new one each time");
            }
        }
    }
}

/// Each session keeps a login, and each reads it.
fn each_reads_what_the_others_keep(agent: &Agent, sessions: &[(&str, Vec<&str>)]) {
    are_what_they_are_called(agent, sessions);
    for (number, (writer, wrapper)) in sessions.iter().enumerate() {
        let put = format!("put k alice t{number}");
        assert_eq!(agent.clone().under(wrapper).one(&put), "ok", "{writer}");
        for (reader, wrapper) in sessions {
            let told = agent.clone().under(wrapper).run(&["get k", "list", "check"]);
            let expected = [format!("alice t{number}"), "k=".to_owned(), "ok".to_owned()];
            assert_eq!(told, expected, "{reader} of {writer}");
        }
    }
    for (name, wrapper) in sessions {
        let told = agent.clone().under(wrapper).run(&["delete k", "get k", "put k bob u"]);
        assert_eq!((told[0].as_str(), told[2].as_str()), ("ok", "ok"), "{name}");
        assert!(told[1].starts_with("absent: "), "{name}: {told:?}");
    }
    assert_eq!(agent.clone().under(&sessions[0].1).one("delete k"), "ok");
}

#[test]
fn each_session_reads_what_another_kept() {
    let profile = Profile::new("sessions");
    let shell = login_shell("root");
    let mut sessions = sessions(&shell);
    if !is_root("the kernel keyring in a login shell") {
        sessions.pop();
    }
    each_reads_what_the_others_keep(&profile.agent(), &sessions);
}

#[test]
fn each_session_of_an_ordinary_user_reads_what_another_kept() {
    if !is_root("the kernel keyring in the sessions of another user") {
        return;
    }
    let id = Command::new("id").args(["-u", "nobody"]).output().unwrap().stdout;
    let id = String::from_utf8(id).unwrap();
    let become_nobody =
        ["setpriv", "--reuid", id.trim(), "--regid", id.trim(), "--clear-groups", "--"];
    let profile = Profile::under("nobody", &become_nobody);
    let folder = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let agent = profile.agent().copied_to(&folder.path().join("agent"));
    let shell = login_shell("nobody");
    let mut sessions = sessions(&shell);
    for (name, wrapper) in &mut sessions {
        if *name != "login shell" {
            wrapper.splice(0..0, become_nobody);
        }
    }
    each_reads_what_the_others_keep(&agent, &sessions);
}
