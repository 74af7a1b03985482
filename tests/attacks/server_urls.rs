//! Server URLs and usernames that are more than they seem.

use std::process::Command;

use serde_json::json;

use super::Previous;
use crate::support::user::User;

const HUB: &str = "https://index.docker.io/v1/";

/// Refused by all three verbs, as an error, without a connection to anywhere.
#[track_caller]
fn refused(user: &User, previous: &Previous, url: &str) {
    for (verb, outcome) in [
        ("store", user.store(url, "alice", "a password for nobody")),
        ("store", user.store(url, "<token>", "a token for nobody")),
        ("get", user.get(url)),
        ("erase", user.erase(url)),
    ] {
        let about = format!("{verb} {url:?}: {outcome:?}");
        assert_eq!(outcome.code, 1, "{about}");
        assert!(!outcome.stdout.contains("not found"), "{about}");
        assert!(outcome.stdout.contains("server URL"), "{about}");
    }
    previous.survives(user);
}

#[test]
fn cve_2020_5260_line_breaks_and_control_characters() {
    // A line break in a URL makes a line protocol, or a log, say something else.
    let user = User::new();
    let previous = Previous::login(&user, HUB);
    for url in [
        "registry.example.com\nindex.docker.io",
        "https://index.docker.io/v1/\n\n",
        "\nhttps://index.docker.io/v1/",
        "https://index.docker.io/v1/\r",
        "https://index.docker.io\r\n/v1/",
        "https://index.docker.io/v1/\0",
        "https://index.docker.io/\u{1b}[2Jv1/",
        "https://index.docker.io/v1/\t",
        "https://index.docker.io /v1/",
        "https://index.docker.io%0a/v1/",
        "https://index.docker.io/v1/%0d%0a",
        "https://index.docker.io/v1/%00",
        "index.docker.io\u{85}",
        "index.docker.io\u{2028}",
        "index.docker.io\u{202e}",
    ] {
        refused(&user, &previous, url);
    }
}

#[test]
fn one_trailing_line_end_is_trimmed() {
    // testcontainers sends one: refusing it would be as wrong as taking two.
    let user = User::new();
    Previous::login(&user, HUB);
    for url in ["https://index.docker.io/v1/\n", "docker.io\r\n"] {
        user.get(url).succeeded();
    }
}

#[test]
fn cve_2020_11008_empty_and_odd_hosts_match_no_entry() {
    // A URL without a host could match any entry, or fall back to Docker Hub's.
    let user = User::new();
    let previous = Previous::login(&user, HUB);
    for url in [
        "https://",
        "https:///v1/",
        "https:///",
        "http://",
        "://",
        "://index.docker.io",
        ":5000",
        "https://:443/v1/",
        "/",
        "//",
        "//index.docker.io/v1/",
        ".",
        "..",
        "/v1/",
        "index.docker.io.",
        ".docker.io",
        "index..docker.io",
        "https://index.docker.io:",
        "https://index.docker.io:0",
        "https://index.docker.io:65979",
        "https://index.docker.io:0443",
        "https://index.docker.io:+443",
        "[::1",
        "::1",
        "[index.docker.io]",
        "[::ffff:1.2.3.4%25eth0]",
    ] {
        refused(&user, &previous, url);
    }
    // An empty one has a text of its own.
    for nothing in ["", " ", "\n", "\r\n"] {
        let outcome = user.get(nothing).failed_with(&["no credentials server URL"]);
        assert_eq!(outcome.stdout, "no credentials server URL\n");
        user.erase(nothing).failed_with(&["no credentials server URL"]);
    }
    previous.survives(&user);
}

#[test]
fn rustsec_2024_0421_host_tricks() {
    // Two readers of one URL see two hosts: the login of one goes to the other.
    let user = User::new();
    let previous = Previous::login(&user, HUB);
    for url in [
        "https://index.docker.io@evil.example/v1/",
        "https://evil.example@index.docker.io/v1/",
        "https://alice:secret@index.docker.io/v1/",
        "https://evil.example\\@index.docker.io/v1/",
        "https://index.docker.io\\.evil.example/v1/",
        "https:\\\\index.docker.io\\v1\\",
        "https://index.d\u{43e}cker.io/v1/",
        "https://\u{ff49}ndex.docker.io/v1/",
        "https://index\u{3002}docker.io/v1/",
        "https://index.docker\u{ad}.io/v1/",
        "https://%69ndex.docker.io/v1/",
        "https://index.docker.io/v1/?x",
        "https://index.docker.io/v1/#x",
        "https://evil.example?@index.docker.io/v1/",
        "https://evil.example#@index.docker.io/v1/",
        "https://index.docker.io/./v1/",
        "https://index.docker.io/../v1/",
        "https://index.docker.io/v1//",
        "ftp://index.docker.io/v1/",
        "file:///index.docker.io/v1/",
        "javascript://index.docker.io/v1/",
        "https:index.docker.io/v1/",
        "127.1",
        "0x7f.0.0.1",
        "2130706433:5000",
        "0177.0.0.1",
        "127.0.0.1.",
    ] {
        refused(&user, &previous, url);
    }
}

#[test]
fn cve_2026_5222_look_alikes_are_other_logins() {
    // A name that looks like an alias, or has one as suffix, prefix or parent, gets its login.
    let user = User::new();
    let previous = Previous::login(&user, HUB);
    for url in [
        "docker.io.evil.example",
        "index.docker.io.evil.example",
        "evil-docker.io",
        "xindex.docker.io",
        "auth.docker.io",
        "hub.docker.com",
        "docker.com",
        "docker.io:444",
        "http://docker.io:443",
        "index-docker.io",
        "xn--dcker-jua.io",
        "io",
        "evil.example/index.docker.io/v1",
        "https://index.docker.io/v1/access-token",
        "https://index.docker.io/v1/refresh-token",
    ] {
        user.get(url).not_found();
        user.erase(url).succeeded();
        previous.survives(&user);
    }
}

#[test]
fn a_repository_never_answers_for_its_host() {
    // A token for one repository handed out for the whole registry would be one for its siblings.
    let user = User::new();
    Previous::login(&user, "registry.example.com/team/app");
    for url in [
        "registry.example.com",
        "registry.example.com/team",
        "registry.example.com/team/app2",
        "registry.example.com/team/ap",
        "registry.example.com/Team/app",
        "registry.example.com:5000/team/app",
    ] {
        user.get(url).not_found();
    }
    user.get("registry.example.com/team/app/part").succeeded();
}

#[test]
fn cve_2024_50338_user_names_with_control_characters() {
    // A line break in a username ends a header, a form field or a line of some other protocol.
    let user = User::new();
    let previous = Previous::login(&user, HUB);
    for name in ["alice\n", "\r", "ali\0ce", "alice\u{1b}[2J", "alice\u{85}", "\u{7f}", "a\tb"] {
        let outcome = user.store("registry.example.com", name, "a password for nobody");
        outcome.failed_with(&["username", "control characters"]);
    }
    let long = "a".repeat(1025);
    user.store("registry.example.com", &long, "a password for nobody").failed_with(&["too long"]);
    let empty = user.store("registry.example.com", "", "a password for nobody");
    assert_eq!(empty.failed_with(&[]).stdout, "no credentials username\n");
    previous.survives(&user);
}

#[test]
fn refused_urls_and_names_open_no_socket() {
    // A name that is looked up before it is refused tells the attacker who asked.
    let user = User::new();
    let trace = user.home().join("trace");
    for (url, name) in [
        ("https://index.docker.io@evil.example/", "alice"),
        ("https://evil.example\n", "ali\nce"),
        ("https://evil.example%0a/", "alice"),
        ("evil.example?x", "alice"),
        ("evil.example", "ali%0d%0ace"),
    ] {
        let payload = json!({"ServerURL": url, "Username": name, "Secret": "for nobody"});
        let file = user.home().join("payload");
        std::fs::write(&file, payload.to_string()).unwrap();
        let helper = user.command();
        let status = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=network", "-o"])
            .arg(&trace)
            .arg(helper.get_program())
            .arg("store")
            .env_clear()
            .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", "/usr/bin:/bin")
            .stdin(std::fs::File::open(&file).unwrap())
            .stdout(std::process::Stdio::null())
            .status()
            .expect("strace");
        assert_eq!(status.code(), Some(1));
        let calls = std::fs::read_to_string(&trace).unwrap();
        assert!(!calls.contains("socket("), "{url}: {calls}");
    }
}
