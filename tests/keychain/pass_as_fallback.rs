//! One `pass` that is the keychain, and the fallback or the helper before as well: no login is
//! lost, and none is taken for another's.

use std::fs;

use serde_json::json;

use super::pass::{PASSWORD, PROFILE, user_of};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::keychains::pass::Pass;
use crate::support::tested_program;
use crate::support::user::User;

const FALLBACK: &str = "DOCKER_CREDENTIAL_REFRESH_FALLBACK";

/// Somebody with both, and a registry that issues no refresh tokens.
fn both(pass: &Pass) -> (TokenServer, User) {
    let server = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let user = user_of(pass, User::trusting(&server));
    user.set(FALLBACK, "pass");
    (server, user)
}

fn username(user: &User, url: &str) -> String {
    let answer = user.get(url).succeeded().stdout;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["Username"].as_str().unwrap().to_owned()
}

#[test]
fn a_login_goes_from_one_to_the_other_and_back() {
    let pass = Pass::start();
    let (server, user) = both(&pass);
    let host = server.registry_host();
    let spelled = format!("https://{host}/v2/");
    for url in [&host, &spelled] {
        user.store(url, "alice", PASSWORD).succeeded().noted("handed to docker-credential-pass");
    }
    assert_eq!(pass.entries(), [format!("{host}: alice"), format!("{spelled}: alice")]);
    assert_eq!(username(&user, &host), "alice");

    // A token takes the place of the passwords, and is not erased with them.
    user.store(&format!("http://{host}"), "<token>", "a-token").succeeded();
    assert_eq!(pass.entries(), [format!("{host}/[default]: <token>")]);
    assert_eq!(user.token(&host), "a-token");
    assert_eq!(user.list(), json!({format!("http://{host}"): "<token>"}), "once");
    user.store(&host, "<token>", "b-token").succeeded();
    assert_eq!(pass.entries(), [format!("{host}: <token>")]);
    assert_eq!(user.list(), json!({host.as_str(): "<token>"}));

    // A password takes the place of the token, and is not erased with it.
    user.store(&host, "alice", PASSWORD).succeeded();
    assert_eq!(pass.entries(), [format!("{host}: alice")]);
    assert_eq!(username(&user, &host), "alice");
    assert_eq!(user.list(), json!({host.as_str(): "alice"}));
    user.erase(&host).succeeded();
    assert_eq!(pass.entries(), [""; 0]);
    user.get(&host).not_found();
}

#[test]
fn a_token_outlives_a_hand_over_that_fails() {
    let pass = Pass::start();
    let (server, user) = both(&pass);
    let host = server.registry_host();
    user.program(
        "docker-credential-both",
        "#!/bin/sh\ninput=$(cat)\ncase $1$input in store*alice*) echo sealed; exit 1;; esac\n\
         printf %s \"$input\" | docker-credential-pass \"$1\"\n",
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:both");
    user.set(FALLBACK, "both");
    user.store(&host, "<token>", "a-token").succeeded();
    assert_eq!(pass.entries(), [format!("{host}: <token>")]);
    user.store(&host, "alice", PASSWORD)
        .failed_with(&["docker-credential-both store failed: sealed"]);
    assert_eq!(user.token(&host), "a-token");
    assert_eq!(user.records().len(), 1);
}

#[test]
fn another_profile_neither_sees_nor_erases_it() {
    let pass = Pass::start();
    let (server, user) = both(&pass);
    let host = server.registry_host();
    user.store(&host, "<token>", "a-token").succeeded();
    for records in ["there", "gone"] {
        user.set(PROFILE, "app");
        if records == "gone" {
            fs::remove_file(user.records_file()).unwrap();
        }
        user.get(&host).not_found();
        assert_eq!(user.list(), json!({}));
        user.erase(&host).succeeded();
        assert_eq!(pass.entries(), [format!("{host}: <token>")], "records are {records}");
        user.set(PROFILE, "default");
        assert_eq!(user.token(&host), "a-token");
    }
    user.store(&host, "<token>", "a-token").succeeded();
    // Its password goes beside the token.
    user.set(PROFILE, "app");
    user.store(&host, "alice", PASSWORD).succeeded();
    assert_eq!(pass.entries(), [format!("{host}/[default]: <token>"), format!("{host}: alice")]);
    assert_eq!(username(&user, &host), "alice");
    user.store("other.example", "<token>", "b-token").succeeded();
    assert_eq!(user.list(), json!({host.as_str(): "alice", "other.example": "<token>"}));
    user.set(PROFILE, "default");
    assert_eq!(user.token(&host), "a-token");
    user.get("other.example").not_found();
    // Records that were made again know this profile alone, and a list that names what no client
    // can ask for would stop a legacy build.
    fs::remove_file(user.records_file()).unwrap();
    user.store("third.example", "<token>", "c-token").succeeded();
    assert_eq!(user.list(), json!({host.as_str(): "<token>", "third.example": "<token>"}));
}

#[test]
fn a_fallback_that_cannot_list_is_not_told_to_erase_a_token_of_ours() {
    let pass = Pass::start();
    let (_server, user) = both(&pass);
    user.program(
        "docker-credential-both",
        "#!/bin/sh\n[ \"$1\" = list ] && [ -e \"$HOME/sealed\" ] && exit 1\nexec docker-credential-pass \"$1\"\n",
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:both");
    user.set(FALLBACK, "both");
    user.store("h.example", "<token>", "a-token").succeeded();
    fs::write(user.home().join("sealed"), "").unwrap();
    user.set(PROFILE, "app");
    pass.plant("https://h.example", "alice", "a password");
    user.erase("h.example").succeeded();
    assert_eq!(pass.entries(), ["h.example: <token>"], "and the password is gone");
}

#[test]
fn import_turns_passwords_into_tokens_and_leaves_ours() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let (pass, host) = (Pass::start(), server.registry_host());
    let user = user_of(&pass, User::trusting(&server));
    user.secret(PASSWORD);
    pass.plant(&host, "alice", PASSWORD);
    pass.plant("token.example", "<token>", "a-token");
    let import = ["import", "--from", "pass", "--yes"];
    user.does(&import, "").succeeded().noted("first, run: docker-credential-refresh configure");
    fs::create_dir_all(user.home().join(".docker")).unwrap();
    fs::write(user.home().join(".docker/config.json"), "{\"credsStore\": \"refresh\"}").unwrap();
    let done = user.does(&import, "").succeeded().stdout;
    assert!(done.contains("exchanged") && !done.contains("token.example"), "{done}");
    // A client's, and no record tells of it.
    pass.plant("later.example", "<token>", "b-token");
    user.get("later.example").not_found();
    user.does(&import, "").succeeded();
    let entries = [
        format!("{host}/[default]: <token>"),
        "later.example: <token>".to_owned(),
        "token.example: <token>".to_owned(),
    ];
    assert_eq!(pass.entries(), entries);
    let token = user.token(&host);
    assert_eq!(user.token("token.example"), "a-token");
    assert_eq!(user.token("later.example"), "b-token");
    // Nothing is left to be imported.
    user.does(&import, "").succeeded().noted("no login was found in pass");
    assert_eq!(pass.entries(), entries);
    assert_eq!(user.token(&host), token);
}

#[test]
fn configure_takes_it_for_the_fallback_and_unconfigure_gives_it_back() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let helper = tested_program();
    std::os::unix::fs::symlink(helper, bin.join("docker-credential-refresh")).unwrap();
    fs::create_dir(user.home().join(".docker")).unwrap();
    let config = user.home().join(".docker/config.json");
    fs::write(&config, "{\"credsStore\": \"pass\"}\n").unwrap();
    pass.plant("password.example", "alice", "a password");
    pass.plant("token.example", "<token>", "a-token");
    user.does(&["configure"], "").succeeded();
    assert!(fs::read_to_string(user.settings_file()).unwrap().contains("fallback = \"pass\""));
    user.store("new.example", "<token>", "b-token").succeeded();
    let logins =
        json!({"password.example": "alice", "token.example": "<token>", "new.example": "<token>"});
    assert_eq!(user.list(), logins);
    for (url, name) in logins.as_object().unwrap() {
        assert_eq!(username(&user, url), name.as_str().unwrap(), "a legacy build gets each");
    }
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(fs::read_to_string(&config).unwrap(), "{\"credsStore\": \"pass\"}\n");
    // Docker asks pass itself again, and finds all of them there.
    assert_eq!(
        pass.entries(),
        ["new.example: <token>", "password.example: alice", "token.example: <token>"]
    );
}

#[test]
fn what_is_ours_is_not_lost_by_another_fallback() {
    let pass = Pass::start();
    let user = user_of(&pass, User::new());
    user.program("docker-credential-refresh", "#!/bin/sh\n");
    fs::create_dir(user.home().join(".docker")).unwrap();
    let config = "{\"credsStore\": \"pass\"}\n";
    fs::write(user.home().join(".docker/config.json"), config).unwrap();
    user.store("ours.example", "<token>", "a-token").succeeded();
    pass.plant("theirs.example", "alice", "a password");
    let refused = user.does(&["configure", "--fallback", "none"], "");
    assert_eq!(refused.code, 1, "{refused:?}");
    let refused = refused.noted("would no longer be found: theirs.example");
    assert!(!refused.stderr.contains("ours.example"), "{refused:?}");
    pass.helper("erase", "theirs.example");
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert_eq!(user.token("ours.example"), "a-token");
}

#[test]
fn a_token_that_was_left_there_does_not_take_a_password_along() {
    let pass = Pass::start();
    let (server, user) = both(&pass);
    let host = server.registry_host();
    let sealed = user.home().join("sealed");
    user.program(
        "docker-credential-both",
        &format!(
            "#!/bin/sh\n[ $1 != erase ] || [ ! -e '{}' ] || {{ echo sealed; exit 1; }}\n\
             exec docker-credential-pass \"$1\"\n",
            sealed.display()
        ),
    );
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:both");
    user.set(FALLBACK, "both");
    user.store(&host, "<token>", "a-token").succeeded();
    fs::write(&sealed, "").unwrap();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    user.store(&host, "<token>", "b-token").succeeded().noted("remains in helper:both");
    fs::remove_file(&sealed).unwrap();
    // The hand-over erases what is ours, and all that `pass` has under that name with it.
    user.store(&host, "alice", PASSWORD).succeeded().noted("handed to docker-credential-both");
    assert_eq!(username(&user, &host), "alice");
    assert_eq!(pass.entries(), [format!("{host}: alice")]);
}
