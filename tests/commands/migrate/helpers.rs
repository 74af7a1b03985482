//! Other helpers as keychains.

use std::fs;

use serde_json::{Value, json};

use super::{files, prefer, record, with_identity};
use crate::support::keychains::vault::Vault;
use crate::support::user::User;

const TOKEN: &str = "token-of-nobody";

#[test]
fn one_that_gives_back_something_else_keeps_nothing() {
    let vault = Vault::new();
    let user = User::new();
    vault.install(&user, "short", "sed s/-of-nobody//");
    user.store("h.example", "<token>", TOKEN).succeeded();
    let before = user.records();
    let table = "SERVER     ACCOUNT  OUTCOME\nh.example  -        failed\n";
    let why = "the login for h.example stays in kernel: the helper:short keychain failed: it returns \
               something other than what was stored; move it to another one\n";
    user.does(&["migrate", "--to", "helper:short", "h.example"], "").is(6, table, why);
    assert_eq!((user.token("h.example").as_str(), vault.entries()), (TOKEN, 0));
    assert_eq!(user.records(), before);
}

#[test]
fn two_names_of_one_place_lose_nothing() {
    let vault = Vault::new();
    let user = User::new();
    vault.install(&user, "one", "cat");
    vault.install(&user, "two", "cat");
    prefer(&user, "helper:one");
    user.store("h.example", "<token>", TOKEN).succeeded();
    user.does(&["migrate", "--to", "helper:two", "h.example"], "").succeeded();
    assert_eq!((user.token("h.example").as_str(), vault.entries()), (TOKEN, 1));
    assert_eq!(record(&user)["keychain"], "helper:two");
    // Nor does a login.
    user.store("h.example", "<token>", TOKEN)
        .succeeded()
        .noted("stored in the helper:one keychain");
    assert_eq!((user.token("h.example").as_str(), vault.entries()), (TOKEN, 1));
}

#[test]
fn the_account_and_the_pair_of_docker_hub_survive_a_helper() {
    let vault = Vault::new();
    let user = with_identity(User::new());
    vault.install(&user, "vault", "cat");
    let key = "https://index.docker.io/v1/refresh-token";
    user.store(key, "alice", "opaque pair").succeeded();
    for to in ["helper:vault", "file"] {
        user.does(&["migrate", "--to", to, key], "").succeeded();
        let answer: Value = serde_json::from_str(&user.get(key).succeeded().stdout).unwrap();
        assert_eq!(
            (&answer["Username"], &answer["Secret"]),
            (&"alice".into(), &"opaque pair".into())
        );
    }
    assert_eq!((vault.entries(), files(&user)), (0, 1));
}

/// Should the move end half-way, what an earlier one left is still known.
#[test]
fn while_a_login_moves_its_record_names_every_place_that_may_have_it() {
    let vault = Vault::new();
    let user = with_identity(User::new());
    user.store("h.example", "<token>", TOKEN).succeeded();
    let (records, seen) = (user.records_file(), user.home().join("seen.json"));
    let mut file: Value = serde_json::from_slice(&fs::read(&records).unwrap()).unwrap();
    file["logins"][0]["left_in"] = json!(["file"]);
    fs::write(&records, file.to_string()).unwrap();
    let look = format!("{{ cp '{}' '{}'; cat; }}", records.display(), seen.display());
    vault.install(&user, "vault", &look);
    user.does(&["migrate", "--to", "helper:vault", "h.example"], "").succeeded();
    let then: Value = serde_json::from_slice(&fs::read(&seen).unwrap()).unwrap();
    assert_eq!(then["logins"][0]["left_in"], json!(["file", "helper:vault"]));
    assert_eq!(record(&user)["left_in"], Value::Null);
}

/// The second name cannot keep it again after the first one deleted it.
#[test]
fn a_login_that_two_names_of_one_place_lose_is_said_to_be_lost() {
    let vault = Vault::new();
    let user = User::new();
    let once = user.home().join("once");
    let once = once.display();
    vault.install(&user, "one", "cat");
    vault.install(
        &user,
        "two",
        &format!("{{ [ ! -e '{once}' ] || exit 1; touch '{once}'; cat; }}"),
    );
    prefer(&user, "helper:one");
    user.store("h.example", "<token>", TOKEN).succeeded();
    let moved = user.does(&["migrate", "--to", "helper:two", "h.example"], "");
    assert!(moved.stderr.contains("the login for h.example is lost: "), "{moved:?}");
    assert_eq!(moved.code, 6, "{moved:?}");
}
