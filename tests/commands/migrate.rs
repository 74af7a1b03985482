//! `migrate`, on the kernel keyring, encrypted files, a real GNOME Keyring and `pass`.

mod crashes;
mod faults;
mod helpers;
mod races;
mod sweep;

use std::fs;

use docker_credential_refresh::keychain::new_identity;
use serde_json::{Value, json};

use super::{log_in, server};
use crate::support::canary::Canary;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::keychains::pass::Pass;
use crate::support::user::User;

const KEYCHAIN: &str = "DOCKER_CREDENTIAL_REFRESH_KEYCHAIN";
const NAMES: [&str; 3] = ["kernel", "file", "secret-service"];

/// New logins go to this keychain.
fn prefer(user: &User, keychain: &str) {
    user.set(KEYCHAIN, keychain);
}

/// Has the `file` keychain too.
fn with_identity(user: User) -> User {
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
    user
}

/// How many logins the `file` keychain has.
fn files(user: &User) -> usize {
    let folder = user.home().join(".local/share/docker-credential-refresh/logins");
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        Err(error) => panic!("the logins in files cannot be listed: {error}"),
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".age")).count()
}

/// Where there are items under this key, which must be the only one in `file`.
fn places(user: &User, keyring: Option<&GnomeKeyring>, key: &str) -> Vec<&'static str> {
    let desktop = keyring.map_or(0, |k| k.shown("username", key).matches("label = ").count());
    let counts = [usize::from(user.kept(key).is_some()), files(user), desktop];
    NAMES.iter().zip(counts).flat_map(|(name, count)| vec![*name; count]).collect()
}

/// The one record.
fn record(user: &User) -> Value {
    let mut records = user.records();
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

#[test]
fn from_each_keychain_to_each_other_the_login_stays_what_it_was() {
    let server = server().start();
    let host = server.registry_host();
    let (keyring, pass) = (GnomeKeyring::start(), Pass::start());
    let user = with_identity(User::trusting(&server));
    log_in(&user, &server);
    user.on_bus(keyring.environment());
    for (name, value) in pass.environment() {
        user.set(name, &value);
    }
    let (token, mut expected) = (user.token(&host), record(&user));
    user.secret(&token);
    let canary = Canary::new(&token);
    let watch = canary.watch();
    let mut scan = canary.scan().root(user.home());
    // Each of the twelve ways once.
    let mut from = "kernel";
    for to in "file kernel secret-service kernel helper:pass file secret-service file helper:pass \
               secret-service helper:pass kernel"
        .split_whitespace()
    {
        let moved = user.does(&["migrate", "--to", to, &host], "");
        let lifetime =
            if to == "kernel" { "until the machine reboots" } else { "until it is deleted" };
        let table =
            format!("SERVER{:1$}  ACCOUNT  OUTCOME\n{host}  alice    moved\n", "", host.len() - 6);
        let said = format!("{host} was moved from {from} to {to}, which keeps it {lifetime}\n");
        let moved = moved.is(0, &table, &said);
        expected["keychain"] = json!(to);
        assert_eq!(record(&user), expected, "all else is as it was");
        let mut kept = places(&user, Some(&keyring), &host);
        kept.extend(pass.entries().iter().map(|_| "helper:pass"));
        assert_eq!(kept, [to]);
        assert_eq!(user.token(&host), token);
        if to == "secret-service" {
            let shown = keyring.shown("username", &host);
            assert!(shown.contains("attribute.account = alice"), "{shown}");
        }
        // Again is no harm.
        let again = user.does(&["migrate", "--to", to, &host], "").succeeded();
        assert_eq!(again.stdout, table.replace("moved", "already there"));
        assert_eq!(user.token(&host), token);
        scan = scan.text("stdout", &moved.stdout).text("stderr", &moved.stderr).root(user.home());
        from = to;
    }
    scan.processes(watch).assert_clean();
    user.does(&["status", "--check", &host], "").succeeded();
}

#[test]
fn all_are_moved_and_told_as_a_table_and_as_json() {
    let user = with_identity(User::new());
    for server in ["b.example:5000", "a.example", "c.example/team"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    user.keychain().delete("c.example/team").unwrap();
    let migrate = ["migrate", "--to", "file", "--all"];
    let table = "\
SERVER          ACCOUNT  OUTCOME
a.example       -        moved
b.example:5000  -        moved
c.example/team  -        gone
";
    let gone = "the login for c.example/team is gone from kernel; log in again";
    user.does(&migrate, "").is(3, table, gone);
    assert_eq!((files(&user), user.records().len()), (2, 3), "the record of what is gone stays");
    let outcome = user.does(&["migrate", "--to", "file", "--all", "--json"], "");
    let row = |server: &str, from: &str, outcome: &str| json!({"server": server, "account": "", "from": from, "outcome": outcome});
    let mut last = row("c.example/team", "kernel", "gone");
    last["reason"] = json!(gone);
    let expected = json!({"keychain": "file", "logins": [
        row("a.example", "file", "already-there"), row("b.example:5000", "file", "already-there"),
        last,
    ]});
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(serde_json::from_str::<Value>(&outcome.stdout).unwrap(), expected);
    // One that is gone from where it should be is not there already.
    user.erase("c.example/team").succeeded();
    fs::remove_dir_all(user.home().join(".local/share/docker-credential-refresh")).unwrap();
    user.does(&["migrate", "--to", "file", "a.example"], "").is(
        3,
        "SERVER     ACCOUNT  OUTCOME\na.example  -        gone\n",
        "is gone from file",
    );
}

#[test]
fn what_is_missing_from_the_command_line_is_said() {
    let user = User::new();
    let neither = user.does(&["migrate", "--to", "file"], "");
    assert!(neither.code == 2 && neither.stderr.contains("<SERVER|--all>"), "{neither:?}");
    let both = user.does(&["migrate", "--to", "file", "--all", "h.example"], "");
    assert!(both.code == 2 && both.stderr.contains("--all"), "{both:?}");
    user.does(&["migrate", "h.example"], "").is(2, "", "--to <KEYCHAIN>");
    user.does(&["migrate", "--to", "kernle", "h.example"], "").is(2, "", "secret-service");
    user.does(&["migrate", "--to", "file", "h h"], "").is(2, "", "server URL");
    user.does(&["migrate", "--to", "kernel", "h.example"], "").is(3, "", "not logged in to");
    let none = format!("Profile {} has no logins\n", user.profile());
    user.does(&["migrate", "--to", "kernel", "--all"], "").is(0, &none, "");
}

#[test]
fn the_pair_of_docker_hub_keeps_its_user_name() {
    let user = with_identity(User::new());
    let keys =
        ["https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token"];
    for key in keys {
        user.store(key, "alice", &format!("opaque {key}")).succeeded();
    }
    let before = user.list();
    user.does(&["migrate", "--to", "file", "--all"], "").succeeded();
    assert_eq!(user.list(), before);
    for key in keys {
        let answer: Value = serde_json::from_str(&user.get(key).succeeded().stdout).unwrap();
        assert_eq!(answer["Username"], "alice");
        assert_eq!(answer["Secret"], format!("opaque {key}"));
        assert_eq!(user.kept(key), None);
    }
}

#[test]
fn logins_of_another_profile_stay_where_they_are() {
    let user = with_identity(User::new());
    user.store("h.example", "<token>", "token-of-one").succeeded();
    let other = format!("{}-b", user.profile());
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &other);
    user.store("h.example", "<token>", "token-of-other").succeeded();
    user.does(&["migrate", "--to", "file", "--all"], "").succeeded();
    assert_eq!((files(&user), user.token("h.example").as_str()), (1, "token-of-other"));
    assert_eq!(user.kept("h.example").as_deref(), Some("token-of-one"));
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", user.profile());
    assert_eq!(user.token("h.example"), "token-of-one");
}

#[test]
fn auto_decides_as_a_login_would_and_says_why() {
    let keyring = GnomeKeyring::start();
    let user = User::new();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    user.on_bus(keyring.environment());
    let to_auto = ["migrate", "--to", "auto", "h.example"];
    let moved = user.does(&to_auto, "").succeeded();
    let why = "auto chose secret-service (the desktop's keyring is unlocked)\n";
    assert!(moved.stderr.contains(why), "{moved:?}");
    assert!(!moved.stderr.contains("next login"), "{moved:?}");
    assert_eq!(places(&user, Some(&keyring), "h.example"), ["secret-service"]);
    // A display is all that a login would need; and so here, where nobody answers.
    user.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    user.does(&to_auto, "").is(
        6,
        "SERVER     ACCOUNT  OUTCOME\nh.example  -        failed\n",
        "auto chose kernel (the desktop's keyring cannot be used: ",
    );
}

#[test]
fn the_setting_that_would_take_a_login_back_is_named_and_works() {
    let user = with_identity(User::new());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let (file, to_file) = (user.settings_file(), ["migrate", "--to", "file", "h.example"]);
    let advice = format!(
        "the next login goes to kernel, unless you set keychain = \"file\" in {} or {KEYCHAIN}=file\n",
        file.display()
    );
    user.does(&to_file, "").succeeded().noted(&advice);
    prefer(&user, "file");
    assert!(!user.does(&to_file, "").succeeded().stderr.contains("next login"));
    user.store("h.example", "<token>", "token-of-nobody").succeeded().noted("in the file keychain");
    prefer(&user, "");
    user.settings("keychain = \"file\"\n");
    assert!(!user.does(&to_file, "").succeeded().stderr.contains("next login"));
    user.store("h.example", "<token>", "token-of-nobody").succeeded().noted("in the file keychain");
    // Under auto it depends on what auto would choose, and here that is the same.
    user.settings("");
    assert!(!user.does(&to_file, "").succeeded().stderr.contains("next login"));
    user.does(&["migrate", "--to", "kernel", "h.example"], "").succeeded().noted("goes to file,");
}
