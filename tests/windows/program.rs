//! The whole program, started as clients and people start it.

use std::fs;

use crate::mock_token_server::{TokenServer, hash};
use crate::wine::{Person, path, programs};

const NOT_FOUND: &str = "credentials not found in native keychain\n";
const PASSWORD: &str = "correct horse battery staple";

#[test]
fn a_clients_own_token_is_kept_given_listed_and_erased() {
    let person = Person::new();
    let server = "registry.example.com:5000";
    person.does(&["version"], "").is(
        0,
        "docker-credential-refresh (docker-credential-refresh) v",
        "",
    );
    assert_eq!(person.does(&["get"], server).is(1, "", "").stdout, NOT_FOUND);
    let long = "0123456789".repeat(1_600);
    for (token, credentials) in [("t0k3n", 1), (long.as_str(), 8), ("n3w", 1)] {
        let kept = "stored in the windows keychain until it is deleted (it is this system's own)";
        assert_eq!(person.store(server, "<token>", token).is(0, "", kept).stdout, "");
        assert_eq!(person.token(server), token);
        assert_eq!(person.credentials().len(), credentials, "{:?}", person.credentials());
    }
    let name = format!("docker-credential-refresh:{}:{server}", person.profile());
    assert_eq!(person.credentials(), [name]);
    let listed = person.does(&["list"], "unused").is(0, "", "").stdout;
    assert_eq!(listed, "{\"registry.example.com:5000\":\"\\u003ctoken\\u003e\"}\n");
    person.does(&["status", "--json"], "").is(0, "\"windows\"", "");
    for _ in 0..2 {
        assert_eq!(person.does(&["erase"], server).is(0, "", "").stdout, "");
        assert_eq!(person.does(&["get"], server).is(1, "", "").stdout, NOT_FOUND);
    }
    assert_eq!(person.credentials(), [""; 0]);
    assert_eq!(person.does(&["list"], "").is(0, "", "").stdout, "{}\n");
}

#[test]
fn a_password_becomes_a_refresh_token_that_lives_until_it_is_revoked() {
    let server = TokenServer::builder().user("alice", PASSWORD).plain_http().start();
    let (person, host) = (Person::new(), server.registry_host());
    let login = ["login", "-u", "alice", "--password-stdin", &host];
    person.does(&login, "wrong").is(4, "", "refused the username or password");
    assert_eq!(person.credentials(), [""; 0]);
    person.does(&login, &format!("{PASSWORD}\r\n")).is(
        0,
        "Login Succeeded\n",
        "the windows keychain",
    );
    let token = person.token(&host);
    assert!(server.live_refresh_tokens().iter().any(|live| live.hash == hash(&token)));
    person.does(&["status", "--check", &host], "").is(0, "alice", "");
    let scope = ["token", &host, "--scope", "repository:alice/app:pull"];
    assert!(person.does(&scope, "").is(0, "", "").stdout.len() > 20);
    // As docker sends it.
    person.does(&["logout", &host], "").is(0, "", "was not revoked");
    person.store(&host, "alice", PASSWORD).is(0, "", "the windows keychain");
    person.does(&["revoke", &host], "").is(0, "", "");
    assert_eq!(person.does(&["get"], &host).is(1, "", "").stdout, NOT_FOUND);
    assert_eq!(person.credentials(), [""; 0]);
}

#[test]
fn twenty_at_once_lose_no_login() {
    let mut person = Person::new();
    // Wine's CredEnumerate crashes while another process writes; `auto` and `list` call it without
    // the writers' lock.
    person.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "windows");
    std::thread::scope(|scope| {
        let store = |number| {
            let (person, host) = (&person, format!("h{number}.example"));
            move || {
                person.store(&host, "<token>", &format!("t{number}")).is(0, "", "");
                assert_eq!(person.token(&host), format!("t{number}"));
            }
        };
        let running: Vec<_> = (0..20).map(|number| scope.spawn(store(number))).collect();
        for thread in running {
            thread.join().unwrap();
        }
    });
    let listed = person.does(&["list"], "").is(0, "", "").stdout;
    assert_eq!(listed.matches("token").count(), 20, "{listed}");
    for number in 0..20 {
        person.does(&["erase"], &format!("h{number}.example")).is(0, "", "");
    }
}

#[test]
fn docker_is_configured_and_put_back_and_a_script_takes_what_cannot_be_exchanged() {
    let mut person = Person::new();
    let config = person.folder().join("config.json");
    let previous = "{\r\n\t\"credsStore\": \"site\"\r\n}\r\n";
    fs::write(&config, previous).unwrap();
    // Clients there start scripts too.
    let script = "@echo off\r\nif %1==list goto list\r\necho of the script\r\nexit /b 1\r\n\
                  :list\r\necho {}\r\n";
    fs::write(person.folder().join("docker-credential-site.cmd"), script).unwrap();
    let folders = format!("{};{}", path(person.folder()), path(&programs()));
    person.set("WINEPATH", &folders);
    person.does(&["configure"], "").is(0, "", "");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"credsStore\": \"refresh\""), "{text}");
    person.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "site");
    person.does(&["get"], "other.example.com").is(1, "of the script", "");
    person.does(&["unconfigure"], "").is(0, "", "");
    assert_eq!(fs::read_to_string(&config).unwrap(), previous);
}

#[test]
fn the_doctor_finds_credential_manager_well() {
    let person = Person::new();
    let told = person.does(&["doctor"], "").stdout;
    assert!(told.contains("windows stores, returns and deletes"), "{told}");
    assert!(!told.contains("internal error"), "{told}");
}
