//! `keygen`, and what its output is good for.

use std::fs::{self, File};
use std::process::{Command, Output};

use age::x25519::Identity;
use serde_json::json;

use crate::support::user::User;

const VARIABLE: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";

fn keygen(user: &User) -> Output {
    user.command().arg("keygen").output().unwrap()
}

fn identity(user: &User) -> String {
    String::from_utf8(keygen(user).stdout).unwrap().trim_end().to_owned()
}

#[test]
fn prints_an_identity_and_its_public_key_as_a_comment_beside_it() {
    let user = User::new();
    let output = keygen(&user);
    assert_eq!(output.status.code(), Some(0));
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|t| str::from_utf8(t).unwrap());
    let line = stdout.strip_suffix('\n').unwrap();
    assert!(line.starts_with("AGE-SECRET-KEY-1") && !line.contains('\n'));
    let key: Identity = line.parse().unwrap();
    assert_eq!(stderr, format!("# public key: {}\n", key.to_public()));
    assert_ne!(identity(&user), line, "each is new");
    assert_eq!(fs::read_dir(user.home()).unwrap().count(), 0, "it is kept nowhere");
}

#[test]
fn takes_no_arguments_and_says_when_nobody_got_the_identity() {
    let user = User::new();
    let output = user.command().args(["keygen", "x"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = user.command().arg("keygen").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(str::from_utf8(&output.stderr).unwrap().contains("cannot write the result"));
}

#[test]
fn both_streams_are_the_file_that_the_keychain_reads() {
    use std::os::unix::fs::OpenOptionsExt;
    let user = User::new();
    let file = user.settings_file().with_file_name("age-identity.txt");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let file = File::options().write(true).create_new(true).mode(0o600).open(file).unwrap();
    let mut command = user.command();
    command.arg("keygen").stdout(file.try_clone().unwrap()).stderr(file);
    assert!(command.status().unwrap().success());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored.noted("in the file keychain until it is deleted").noted("age-identity.txt, and");
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn setting_it_is_enough_for_auto_and_every_verb_says_when_it_is_gone() {
    let user = User::new();
    let (mine, others) = (identity(&user), identity(&user));
    user.secret(&mine);
    user.secret(&others);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    user.set(VARIABLE, &mine);
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored.noted(
        "in the file keychain until it is deleted (its key is in DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY, and",
    );
    assert_eq!(user.records()[0]["keychain"], "file");
    assert_eq!(user.kept("h.example"), None);
    assert_eq!(user.token("h.example"), "a-token");
    assert_eq!(user.list(), json!({"h.example": "<token>"}));
    let before = fs::read(user.records_file()).unwrap();

    let no_answer = |why: &str| {
        user.get("h.example").failed_with(&["the file keychain", why]).noted(why);
        let listed = user.run("list", b"").succeeded().noted("logins in file are not listed");
        assert_eq!(listed.stdout, "{}\n");
        user.get("other.example").not_found();
        assert_eq!(fs::read(user.records_file()).unwrap(), before);
    };
    user.set(VARIABLE, "");
    no_answer("there is no age identity");
    user.set(VARIABLE, &others);
    no_answer("another age identity");
    user.set(VARIABLE, &mine[..30]);
    no_answer("a damaged age identity");
    user.store("h.example", "<token>", "b-token").failed_with(&["a damaged age identity"]);

    // Without records the files tell what there is, and no failure is "not found".
    fs::remove_dir_all(user.state()).unwrap();
    user.set(VARIABLE, &others);
    user.get("h.example").failed_with(&["another age identity"]);
    user.set(VARIABLE, &mine);
    assert_eq!(user.token("h.example"), "a-token");
    assert_eq!(user.list(), json!({"h.example": "<token>"}));
    user.store("g.example", "<token>", "g-token").succeeded();
    assert_eq!(user.records().len(), 2, "made again from the files");

    // Another identity since: a login replaces, and a logout needs none.
    user.set(VARIABLE, &others);
    user.store("h.example", "<token>", "c-token").succeeded();
    assert_eq!(user.token("h.example"), "c-token");
    user.set(VARIABLE, "");
    user.erase("h.example").succeeded();
    user.erase("g.example").succeeded();
    assert_eq!(user.list(), json!({}));
}

#[test]
fn an_identity_is_installed_once_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let user = User::new();
    let file = user.home().join(".config/docker-credential-refresh/age-identity.txt");
    let shown = format!("{}\n", file.display());
    user.does(&["keygen", "--install"], "").is(0, &shown, "");
    let installed = std::fs::read_to_string(&file).unwrap();
    assert!(installed.starts_with("AGE-SECRET-KEY-1"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    user.does(&["keygen", "--install"], "").is(1, "", "exists already, and was left as it is");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), installed);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.store("h.example", "<token>", "a-token").succeeded();
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn the_advice_on_a_damaged_or_missing_identity_works_when_typed() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    let program = user.command().get_program().to_owned();
    user.program("unused", "");
    let link = user.home().join("bin/docker-credential-refresh");
    std::os::unix::fs::symlink(program, link).unwrap();
    user.set("PATH", &format!("{}:/usr/bin:/bin", user.home().join("bin").display()));
    user.does(&["keygen", "--install"], "").succeeded();
    let file = user.settings_file().with_file_name("age-identity.txt");
    let typed = |told: &str| {
        let advice = told.trim_end().rsplit_once("run: ").unwrap().1;
        let line = advice.split(", or set ").next().unwrap();
        let mut shell = Command::new("sh");
        let helper = user.command();
        shell.envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let done = shell.args(["-c", line]).output().unwrap();
        assert!(done.status.success(), "{line}: {done:?}");
    };
    let store = br#"{"ServerURL":"h.example","Username":"<token>","Secret":"t"}"#;
    for content in ["", "garbage"] {
        fs::write(&file, content).unwrap();
        typed(&user.run("store", store).stdout);
        user.store("h.example", "<token>", "a-token").succeeded();
        assert_eq!(user.token("h.example"), "a-token");
    }
    // Logins are there now, which a new identity does not open.
    fs::remove_file(&file).unwrap();
    let told = user.run("get", b"h.example").stdout;
    let said = "put the previous one back, or to log in again with a new one, run: ";
    assert!(told.contains(said), "{told}");
    typed(&told);
    user.store("h.example", "<token>", "b-token").succeeded();
    assert_eq!(user.token("h.example"), "b-token");
}
