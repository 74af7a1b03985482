//! `get`, `list` and `erase` open no network socket: clients call them all the time, offline too.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::attacks::{PASSWORD, server};
use crate::support::user::User;

/// Runs a verb under strace, and answers with the network calls that are not about this machine's
/// own sockets.
fn network_calls(user: &User, verb: &str, stdin: &str) -> (Option<i32>, Vec<String>) {
    let (trace, input) = (user.home().join("trace"), user.home().join("stdin"));
    std::fs::write(&input, stdin).unwrap();
    let helper = user.command();
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=network", "-o"])
        .arg(&trace)
        .arg(helper.get_program())
        .arg(verb)
        .env_clear()
        .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(std::fs::File::open(&input).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("strace");
    (status.code(), foreign(&trace))
}

fn foreign(trace: &Path) -> Vec<String> {
    let calls = std::fs::read_to_string(trace).unwrap();
    let opens = |line: &&str| ["socket(", "connect("].iter().any(|call| line.contains(call));
    let lines = calls.lines().filter(opens).filter(|line| !line.contains("AF_UNIX"));
    lines.map(str::to_owned).collect()
}

#[test]
fn verbs_but_store_open_no_network_socket() {
    let server = server().start();
    let user = User::trusting(&server);
    let host = server.registry_host();
    user.store(&host, "alice", PASSWORD).succeeded();
    server.clear_journal();
    for (verb, stdin, code) in [
        ("get", host.as_str(), 0),
        ("get", "registry.example.com", 1),
        ("get", "https://index.docker.io/v1/", 1),
        ("list", "unused", 0),
        ("erase", "registry.example.com", 0),
        ("version", "", 0),
        ("erase", &host, 0),
        ("get", &host, 1),
    ] {
        assert_eq!(network_calls(&user, verb, stdin), (Some(code), Vec::new()), "{verb} {stdin}");
    }
    // Nor without records, or with damaged ones.
    for damaged in ["", "garbage"] {
        std::fs::write(user.records_file(), damaged).unwrap();
        for verb in ["get", "list", "erase"] {
            let (_, calls) = network_calls(&user, verb, &host);
            assert!(calls.is_empty(), "{verb}: {calls:?}");
        }
    }
    assert!(server.journal().connections().is_empty());
    // A store would have shown.
    let payload = format!("{{\"ServerURL\":\"{host}\",\"Username\":\"a\",\"Secret\":\"b\"}}");
    let (code, calls) = network_calls(&user, "store", &payload);
    assert!(code == Some(1) && calls.iter().any(|call| call.contains("AF_INET")), "{calls:?}");
}

#[test]
fn a_clients_own_token_is_kept_without_network() {
    let user = User::new();
    for host in ["registry.example.com", "https://index.docker.io/v1/access-token"] {
        let payload =
            format!("{{\"ServerURL\":\"{host}\",\"Username\":\"<token>\",\"Secret\":\"b\"}}");
        assert_eq!(network_calls(&user, "store", &payload), (Some(0), Vec::new()));
    }
}
