//! Items in the keychain that look like ours (libsecret matches attributes in part), and items
//! that are too large (wincred, the kernel's quota).

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::{PASSWORD, Previous, server};
use crate::support::user::User;

const KEY: &str = "registry.example.com";

/// A key in the user keyring, taken out again at the end.
struct Planted(String);

impl Planted {
    fn new(kind: &str, description: &str, payload: &str) -> Self {
        Self(keyctl(&["add", kind, description, payload, "@u"]).expect("a key can be added"))
    }

    fn is_there(&self) -> bool {
        keyctl(&["describe", &self.0]).is_some()
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        keyctl(&["unlink", &self.0, "@u"]);
    }
}

fn keyctl(arguments: &[&str]) -> Option<String> {
    // Linked where this process and its children possess it.
    let line = "keyctl link @u @s 2>/dev/null; exec keyctl \"$@\"";
    let output = Command::new("keyctl")
        .args(["session", "-", "sh", "-c", line, "keyctl"])
        .args(arguments)
        .output()
        .expect("keyctl, of keyutils");
    let said = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| said.trim().to_owned())
}

fn description(user: &User, rest: &str) -> String {
    format!("docker-credential-refresh:{}{rest}", user.profile())
}

/// Some of the look-alikes have no profile in their names: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn look_alikes(user: &User) -> Vec<Planted> {
    let profile = user.profile();
    let mut planted: Vec<_> = [
        format!("docker-credential-refresh:{profile}:{KEY}.evil.example"),
        format!("docker-credential-refresh:{profile}:registry.example.co"),
        format!("docker-credential-refresh:{profile}:Registry.example.com"),
        format!("docker-credential-refresh:{profile}:{KEY}/team"),
        format!("docker-credential-refresh:{profile}:{KEY}:443"),
        format!("docker-credential-refresh:{profile}:https://{KEY}"),
        format!("docker-credential-refresh:{profile}: {KEY}"),
        format!("docker-credential-refresh:{profile}:"),
        format!("docker-credential-refresh:{profile}2:{KEY}"),
        format!("docker-credential-refresh::{KEY}"),
        format!("docker-credential-refresh:{KEY}"),
        format!("docker-credential-refresh2:{profile}:{KEY}"),
        format!("Docker-credential-refresh:{profile}:{KEY}"),
        KEY.to_owned(),
    ]
    .iter()
    .map(|description| Planted::new("user", description, "mallory\na planted token"))
    .collect();
    // Of another type, a key may even have the same name.
    planted.push(Planted::new("logon", &description(user, &format!(":{KEY}")), "planted"));
    planted
}

#[test]
fn planted_look_alikes_are_never_answered_with() {
    // An item that matches in part is taken for the login, and the client sends it on.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let user = User::new();
    let planted = look_alikes(&user);
    // Without records every keychain in question is asked.
    user.get(KEY).not_found();
    user.erase(KEY).succeeded();
    assert!(planted.iter().all(Planted::is_there));

    drop(planted);
    let previous = Previous::login(&user, "elsewhere.example.com");
    let planted = look_alikes(&user);
    user.get(KEY).not_found();
    user.store(KEY, "<token>", "the proper token").succeeded();
    assert_eq!(user.token(KEY), "the proper token");
    let list = user.list();
    assert_eq!(list.as_object().unwrap().len(), 2, "{list}");
    user.erase(KEY).succeeded();
    user.get(KEY).not_found();
    assert!(planted.iter().all(Planted::is_there), "erase removed another item");
    drop(planted);
    previous.survives(&user);
}

#[test]
fn list_without_records_names_nothing_that_get_refuses() {
    // An item under a key that is not a server URL makes a legacy build drop every login.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let user = User::new();
    Previous::login(&user, KEY);
    let _planted = look_alikes(&user);
    std::fs::remove_file(user.records_file()).unwrap();
    for _ in 0..2 {
        let list = user.list();
        let listed: Vec<_> = list.as_object().unwrap().keys().cloned().collect();
        assert!(listed.contains(&KEY.to_owned()) && !listed.contains(&String::new()), "{listed:?}");
        for url in &listed {
            user.get(url).succeeded();
        }
        // And the same from the records that the next login makes again.
        user.store("elsewhere.example.com", "<token>", "another token").succeeded();
    }
}

#[test]
fn a_login_that_is_gone_is_not_replaced_by_a_look_alike() {
    // The item is deleted, and one like it waits for the next search.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let user = User::new();
    user.store(KEY, "<token>", "the proper token").succeeded();
    let _planted = look_alikes(&user);
    user.keychain().delete(KEY).unwrap();
    user.get(KEY).not_found().noted("is gone from kernel; log in again");
}

#[test]
fn a_damaged_item_is_not_absence() {
    // Garbage in the place of a login makes a client go on anonymously, or send the garbage.
    let user = User::new();
    user.store(KEY, "<token>", "the proper token").succeeded();
    for payload in ["no line end at all", "alice\n", "alice\na\u{1b}[2J", "alice\n\u{e9}"] {
        let _planted = Planted::new("user", &description(&user, &format!(":{KEY}")), payload);
        let outcome = user.get(KEY).failed_with(&["kernel"]);
        assert!(!outcome.stdout.contains("not found"), "{payload:?}: {outcome:?}");
        user.store(KEY, "<token>", "the next token").succeeded();
        assert_eq!(user.token(KEY), "the next token");
    }
}

#[test]
fn a_token_is_kept_whole_or_refused() {
    // A token cut to the keychain's limit looks like a login, and never works.
    let user = User::new();
    let previous = Previous::login(&user, "elsewhere.example.com");
    for size in [0, 16 * 1024 + 1, 32 * 1024, 200 * 1024] {
        let outcome = user.store(KEY, "<token>", &"t".repeat(size));
        outcome.failed_with(&[if size == 0 { "is empty" } else { "longer than 16 KiB" }]);
        previous.survives(&user);
    }
    for odd in ["a\nb", "a\0b", "t\u{e9}", "\u{feff}t", "a\u{7f}"] {
        user.store(KEY, "<token>", odd).failed_with(&["other than printable ASCII"]);
    }
    previous.survives(&user);
    for size in [1, 2560, 2561, 4096, 16 * 1024] {
        let token: String = (0..size).map(|n| char::from(b'!' + (n % 94) as u8)).collect();
        user.store(KEY, "<token>", &token).succeeded();
        assert_eq!(user.token(KEY), token);
    }
}

#[test]
fn an_issued_token_is_kept_whole_or_refused() {
    // The same for tokens of a server: Azure's are over 2,560 bytes.
    for size in [2561, 16 * 1024] {
        let server = server().token_length(size).start();
        let user = User::trusting(&server);
        user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
        assert_eq!(user.token(&server.registry_host()).len(), size);
    }
    let server = server().token_length(16 * 1024 + 1).start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    outcome.failed_with(&["too long"]);
    previous.survives(&user);
}
