//! `login --web`: a person approves the login in a browser (RFC 8628).

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{PASSWORD, server};
use crate::mock_token_server::{
    At, Builder, Client, DeviceFlow, Fault, Journal, Profile, TokenServer,
};
use crate::support::user::{Outcome, User};

mod shown;

fn quick() -> DeviceFlow {
    DeviceFlow { interval: Some(1), ..DeviceFlow::default() }
}

fn with_device() -> Builder {
    server().device_flow(quick())
}

/// A login that waits, and the code that it showed.
struct Waiting {
    child: Child,
    shown: String,
    code: String,
    stderr: BufReader<std::process::ChildStderr>,
}

fn start(user: &User, host: &str) -> Waiting {
    let mut command = user.command();
    command.args(["login", "--web", host]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut shown = String::new();
    while !shown.contains("enter the code") {
        assert_ne!(stderr.read_line(&mut shown).unwrap(), 0, "{shown}");
    }
    let code = shown.trim_end().rsplit(' ').next().unwrap().to_owned();
    Waiting { child, shown, code, stderr }
}

impl Waiting {
    fn end(mut self) -> Outcome {
        self.stderr.read_to_string(&mut self.shown).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        Outcome { code, stdout, stderr: self.shown }
    }
}

fn polls(journal: &Journal) -> usize {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    journal.requests().iter().filter(|r| r.parameter("grant_type") == Some(grant)).count()
}

fn nothing_is_kept(user: &User, server: &TokenServer) {
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn what_is_approved_is_proven_and_kept_as_any_login() {
    let server = with_device().start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let login = start(&user, &host);
    let page = format!("{}/device", server.token_origin());
    assert_eq!(login.shown, format!("To log in, open {page}\nand enter the code {}\n", login.code));
    // Somebody waits, and is not disturbed.
    while polls(&server.journal()) < 2 {
        thread::sleep(Duration::from_millis(50));
    }
    // As a person does it in a browser.
    let client = Client::new(&server);
    assert!(client.get(&format!("{page}?user_code={}", login.code), &[]).unwrap().status == 200);
    let form = [("user_code", &login.code[..]), ("username", "alice"), ("password", PASSWORD)];
    assert_eq!(client.post(&page, &form).unwrap().status, 200);
    login.end().is(0, "Login Succeeded\n", &format!("refresh token for {host} stored in"));
    let journal = server.journal();
    let start = journal.requests().iter().find(|r| r.path == "/device_authorization").unwrap();
    let names: Vec<_> = start.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["service", "client_id"]);
    assert!(start.has("client_id", "docker-credential-refresh"));
    assert_eq!(journal.passwords_sent(), 1, "in the browser alone");
    let record = &user.records()[0];
    assert_eq!((&record["account"], &record["proven"]), (&json!("alice"), &json!(true)));
    assert_eq!(record["obtained_as"], "docker-credential-refresh");
    assert_eq!(server.live_refresh_tokens().len(), 1);
    user.secret(&user.token(&host));
    user.does(&["status", &host, "--check"], "").succeeded();
    user.does(&["revoke", &host], "").succeeded();
    nothing_is_kept(&user, &server);
    assert_eq!(server.device_codes(), 0);
}

#[test]
fn the_client_id_of_the_settings_asks() {
    let server = with_device().bind_client_id().start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let login = start(&user, &host);
    assert!(server.decide_device(&login.code, Some("alice")));
    // Nobody can be asked to approve it once more as another client.
    let hint = format!("set client_id = \"docker\" under [registry.\"{host}\"]");
    login.end().is(5, "", &hint);
    assert!(user.records().is_empty() && server.live_refresh_tokens().is_empty());
    user.settings(&format!("[registry.\"{host}\"]\nclient_id = \"docker\"\n"));
    let login = start(&user, &host);
    assert!(server.decide_device(&login.code, Some("alice")));
    login.end().is(0, "Login Succeeded\n", "refresh token for");
    assert_eq!(user.records()[0]["obtained_as"], "docker");
}

#[test]
fn one_that_is_denied_or_not_approved_in_time_keeps_nothing() {
    let server = with_device().start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let login = start(&user, &host);
    assert!(server.decide_device(&login.code, None));
    login.end().is(4, "", "was denied; run the command again, and approve it");
    nothing_is_kept(&user, &server);
    let flow = DeviceFlow { expires_in: Duration::from_secs(3), ..quick() };
    let server = super::server().device_flow(flow).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let began = Instant::now();
    start(&user, &host).end().is(1, "", "was not approved in time; run the command again");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    nothing_is_kept(&user, &server);
    // The server's own word for it.
    let server = with_device().fault(At::DevicePoll, Fault::oauth(400, "expired_token")).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    start(&user, &host).end().is(1, "", "was not approved in time");
    assert_eq!(polls(&server.journal()), 1);
}

#[test]
fn interval_and_slow_down_are_obeyed() {
    let slow = Fault::oauth(400, "slow_down");
    let server = with_device().fault_times(At::DevicePoll, slow, 1).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let began = Instant::now();
    let login = start(&user, &host);
    assert!(server.decide_device(&login.code, Some("alice")));
    login.end().succeeded();
    // 1 s, and then 1 s and 5 s.
    assert!(began.elapsed() >= Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(polls(&server.journal()), 2);
    // Without an interval it is 5 s.
    let server = super::server().device_flow(DeviceFlow::default()).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let began = Instant::now();
    let login = start(&user, &host);
    assert!(server.decide_device(&login.code, Some("alice")));
    login.end().succeeded();
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(polls(&server.journal()), 1);
}

/// The server's own measure of what is too fast.
#[test]
fn a_server_with_an_interval_never_asks_to_slow_down() {
    let server = with_device().start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let login = start(&user, &host);
    while polls(&server.journal()) < 4 {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(server.decide_device(&login.code, Some("alice")));
    let began = Instant::now();
    login.end().succeeded();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_network_that_fails_on_the_way_is_waited_for_with_back_off() {
    for fault in [
        Fault::Reset,
        Fault::status(503),
        Fault::CaptivePortal,
        Fault::oauth(400, "temporarily_unavailable"),
    ] {
        let server = with_device().fault_times(At::DevicePoll, fault.clone(), 2).start();
        let (user, host) = (User::trusting(&server), server.registry_host());
        let began = Instant::now();
        let login = start(&user, &host);
        assert!(server.decide_device(&login.code, Some("alice")));
        let outcome = login.end().is(0, "Login Succeeded\n", "; still trying\n");
        assert_eq!(outcome.stderr.matches("still trying").count(), 1, "{outcome:?}");
        // 1 s, 2 s and 4 s.
        assert!(began.elapsed() >= Duration::from_secs(7), "{fault:?}: {:?}", began.elapsed());
        assert_eq!(polls(&server.journal()), 3);
    }
}

#[test]
fn other_refusals_end_it_at_once() {
    for (at, fault, code, part) in [
        (At::DevicePoll, Fault::oauth(400, "invalid_grant"), 4, "no longer accepts the code"),
        (At::DevicePoll, Fault::oauth(400, "unauthorized_client"), 5, "set client_id under"),
        (At::DevicePoll, Fault::oauth(400, "invalid_scope"), 5, "400 invalid_scope"),
        (At::DevicePoll, Fault::oauth(400, "invalid_request"), 5, "400 invalid_request"),
        (At::DevicePoll, Fault::oauth(401, "invalid_client"), 5, "401 invalid_client"),
        (At::DevicePoll, Fault::oauth(400, "unsupported_grant_type"), 5, "set client_id under"),
        (At::DevicePoll, Fault::status(404), 5, "status 404"),
        (At::DevicePoll, Fault::RemoveField("refresh_token".into()), 5, "issues no refresh tokens"),
        (At::DevicePoll, Fault::NoTokens, 5, "issues no refresh tokens"),
        (At::Proof, Fault::status(401), 5, "refuses to refresh with them"),
    ] {
        let server = with_device().fault(at, fault.clone()).start();
        let (user, host) = (User::trusting(&server), server.registry_host());
        let login = start(&user, &host);
        assert!(server.decide_device(&login.code, Some("alice")));
        login.end().is(code, "", part);
        assert!(user.records().is_empty(), "{fault:?}");
        assert_eq!(polls(&server.journal()), 1, "{fault:?}");
    }
    let login = |server: &TokenServer| {
        let user = User::trusting(server);
        let outcome = user.does(&["login", "--web", &server.registry_host()], "");
        nothing_is_kept(&user, server);
        outcome
    };
    for (fault, code, part) in [
        (Fault::oauth(400, "unauthorized_client"), 5, "refused to start a login in a browser"),
        (Fault::status(403), 5, "set client_id under [registry."),
        (Fault::status(503), 7, "try again later"),
        (Fault::oauth(400, "temporarily_unavailable"), 7, "try again later"),
        (Fault::retry_after(429, "120"), 7, "try again in 120 s"),
        (Fault::Reset, 7, "cannot start a login"),
        (Fault::InvalidJson, 7, "is not a device login"),
        (Fault::RemoveField("device_code".into()), 7, "is not a device login"),
        (Fault::RemoveField("expires_in".into()), 7, "is not a device login"),
        (
            Fault::SetField("verification_uri".into(), json!("http://127.0.0.1/d")),
            7,
            "not a device",
        ),
        (Fault::Redirect(307, "https://evil.example/".into()), 5, "status 307"),
    ] {
        login(&with_device().fault(At::Device, fault).start()).is(code, "", part);
    }
    let refresh_not = DeviceFlow { refresh: false, ..quick() };
    let server = super::server().device_flow(refresh_not).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let waiting = start(&user, &host);
    assert!(server.decide_device(&waiting.code, Some("alice")));
    waiting.end().is(5, "", &format!("{host} issues no refresh tokens; nothing was stored"));
    // Single use: no client writes the next one back.
    let builder = super::server().profile(Profile::RotatingSingleUse).device_flow(quick());
    let server = builder.start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let waiting = start(&user, &host);
    assert!(server.decide_device(&waiting.code, Some("alice")));
    waiting.end().is(5, "", "work only once");
}

/// The registry's trouble, not the client's (RFC 6749 section 4.1.2.1): worth another try.
#[test]
fn a_server_in_trouble_all_the_time_is_trouble_of_the_network() {
    let fault = Fault::oauth(400, "server_error");
    let flow = DeviceFlow { expires_in: Duration::from_secs(600), ..quick() };
    let server = super::server().device_flow(flow).fault(At::DevicePoll, fault).start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let outcome = start(&user, &host).end().code_is(7).noted("400 server_error");
    outcome.noted("try again later");
    assert_eq!(polls(&server.journal()), 5);
    nothing_is_kept(&user, &server);
}

#[test]
fn where_there_is_no_such_login_the_error_names_the_other_one() {
    for server in [server().start(), server().no_metadata().start()] {
        let (user, host) = (User::trusting(&server), server.registry_host());
        let part = format!(
            "offers no login in a browser for {host}; log in with a username and a password: \
             docker-credential-refresh --profile {} login {host}",
            user.profile()
        );
        user.does(&["login", "--web", &host], "").is(5, "", &part);
    }
    let server = TokenServer::builder().profile(Profile::BasicOnly).user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.does(&["login", "--web", &server.registry_host()], "").is(5, "", "Basic authentication");
    let with_name = ["login", "--web", "-u", "alice", "h.example"];
    user.does(&with_name, "").is(2, "", "cannot be used with");
}

/// The threat: metadata that send the codes of logins to somebody else, or without TLS.
#[test]
fn codes_go_to_the_token_servers_own_origin_alone() {
    let elsewhere = with_device().start();
    let plain = format!("http://{}/device_authorization", elsewhere.registry_host());
    let other = format!("{}/device_authorization", elsewhere.token_origin());
    for named in [&plain[..], &other, "https://evil.example/device", "/device_authorization"] {
        let server = server().metadata_field("device_authorization_endpoint", named).start();
        let (user, host) = (User::trusting(&server), server.registry_host());
        user.trust(&elsewhere.registry_host(), &elsewhere);
        let part = format!("to {named}, which is not on its own origin; nothing was sent there");
        user.does(&["login", "--web", &host], "").is(8, "", &part);
        nothing_is_kept(&user, &server);
    }
    assert!(elsewhere.journal().connections().is_empty());
    // The realm itself is judged before.
    let server = with_device().realm("https://auth.other.example/token").start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    user.does(&["login", "--web", &host], "").is(8, "", "which is on another site");
}

#[test]
fn a_place_to_keep_it_is_found_before_anybody_is_asked_to_approve() {
    let server = with_device().start();
    let user = User::trusting(&server);
    fs::write(user.home().join(".local"), "").unwrap();
    let host = server.registry_host();
    user.does(&["login", "--web", &host], "").is(1, "", "cannot write in");
    assert!(server.journal().requests().is_empty());
}
