//! The trace: one line for each step, and nothing secret in any of them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::PASSWORD;
use crate::mock_token_server::{At, Fault, TokenServer};
use crate::support::canary::Canary;
use crate::support::user::{Outcome, User};

const TRACE: &str = "DOCKER_CREDENTIAL_REFRESH_TRACE";
fn trace_file(user: &User) -> PathBuf {
    let file = user.home().join("trace.log");
    user.set(TRACE, file.to_str().unwrap());
    file
}

#[test]
fn no_secret_is_in_the_trace_of_anything() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    // Parameters that the helper does not know: their values could be anything.
    let realm =
        format!("{}?api_key=unknown-parameter-7&loose-parameter-8", server.token_endpoint());
    server.set_realm(&realm);
    let user = User::trusting(&server);
    let file = trace_file(&user);
    let host = server.registry_host();
    let mut said = String::new();
    let mut note = |outcome: Outcome| {
        said.push_str(&outcome.stderr);
        outcome
    };
    note(user.store(&host, "alice", "wrong-password-123")).failed_with(&[]);
    note(user.store(&host, "alice", PASSWORD)).succeeded();
    let token = user.token(&host);
    server
        .set_fault(At::ExchangePost, Fault::Status { status: 404, error: None, retry_after: None });
    note(user.store(&host, "alice", PASSWORD)).succeeded();
    let second = user.token(&host);
    let scope = "repository:alice/app:pull";
    let access = note(user.does(&["token", &host, "--scope", scope], "")).succeeded().stdout;
    note(user.does(&["revoke", &host], "")).succeeded();
    user.store("h.example", "<token>", "an-identity-token-5").succeeded();
    note(user.erase("h.example")).succeeded();

    let trace = fs::read_to_string(&file).unwrap();
    let secrets = [
        PASSWORD,
        "wrong-password-123",
        &token,
        &second,
        access.trim_end(),
        "an-identity-token-5",
        "unknown-parameter-7",
        "loose-parameter-8",
    ];
    for secret in secrets {
        let canary = Canary::new(secret);
        canary.scan().text("trace", &trace).text("stderr", &said).assert_clean();
    }
    // A name that is not on the list is not shown either.
    assert!(!trace.contains("api_key") && !trace.contains("alice "), "{trace}");
    let endpoint = format!("{}?***&***", server.token_endpoint());
    for part in [
        format!("GET https://{host}/v2/: status 401, "),
        format!("POST {endpoint} (grant_type=password service=mock-registry "),
        "username=*** password=***): status 400".to_owned(),
        format!("GET {endpoint}&service=mock-registry&account=***&client_id="),
        "&offline_token=true (Basic ***): status 200".to_owned(),
        "(grant_type=refresh_token service=mock-registry client_id=docker refresh_token=***): \
         status 200"
            .to_owned(),
        format!("challenge: Bearer realm={endpoint} service=mock-registry"),
        format!("keychain kernel: put {host}: done in "),
        "failed: Rejected".to_owned(),
        format!("scope={scope}"),
        "(*** token_type_hint=refresh_token client_id=".replace("***", "token=***"),
    ] {
        assert!(trace.contains(&part), "no {part} in\n{trace}");
    }
    for line in trace.lines() {
        let mut words = line.split(' ');
        assert!(words.next().unwrap().starts_with("docker-credential-refresh["), "{line}");
        assert!(words.next().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
    }
}

#[test]
fn it_is_private_appended_to_and_by_default_nowhere() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token-of-nobody").succeeded();
    let quiet = user.get("h.example").succeeded();
    assert_eq!(quiet.stderr, "");
    let file = trace_file(&user);
    user.get("h.example").succeeded();
    let once = fs::read_to_string(&file).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    user.get("h.example").succeeded();
    let twice = fs::read_to_string(&file).unwrap();
    assert!(twice.starts_with(&once) && twice.len() > once.len(), "{twice}");
    user.set(TRACE, "0");
    user.get("h.example").succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), twice);
}

#[test]
fn it_goes_to_stderr_for_1_and_stdout_stays_the_protocols() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token-of-nobody").succeeded();
    let quiet = user.get("h.example").succeeded();
    user.set(TRACE, "1");
    let loud = user.get("h.example").succeeded();
    assert_eq!(loud.stdout, quiet.stdout);
    assert!(loud.stderr.contains(": get h.example: done in "), "{loud:?}");
    let commands = user.does(&["completions", "bash"], "").succeeded();
    assert!(commands.stderr.contains(" completions "), "{}", commands.stderr);
    let missing = user.get("other.example").not_found();
    assert!(missing.stderr.contains("failed: NotLoggedIn"), "{missing:?}");
}

/// CVE-2025-4953 and its like: a link in a shared folder would have us write elsewhere.
#[test]
fn a_planted_link_or_a_file_for_all_gets_no_trace_and_the_verb_goes_on() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token-of-nobody").succeeded();
    let precious = user.home().join("precious");
    fs::write(&precious, "mine").unwrap();
    fs::set_permissions(&precious, fs::Permissions::from_mode(0o600)).unwrap();
    let file = trace_file(&user);
    symlink(&precious, &file).unwrap();
    user.get("h.example").succeeded().noted("no trace is written: cannot write the trace to");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    user.get("h.example").succeeded().noted("other users can access it (mode 644)");
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
        user.get("h.example").succeeded().noted("it belongs to nobody");
        assert_eq!(fs::read_to_string(&file).unwrap(), "");
    }
    user.set(TRACE, "trace.log");
    user.get("h.example").succeeded().noted("TRACE is neither 1 nor an absolute path");
}
