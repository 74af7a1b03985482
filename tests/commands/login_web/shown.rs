//! What the person sees of it: a page in the browser, the time that is left, no secret.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{nothing_is_kept, start, with_device};
use crate::mock_token_server::{At, Fault, TokenServer};
use crate::support::terminal::Terminal;
use crate::support::user::User;

/// A browser that writes down what it was started with.
fn with_browser(server: &TokenServer) -> User {
    let user = User::trusting(server);
    let seen = user.home().join("opened");
    user.program(
        "xdg-open",
        &format!(
            "#!/bin/sh\nenv > {0}.env\nprintf '%s\\n' \"$#\" \"$@\" > {0}.new && mv {0}.new {0}\n",
            seen.display()
        ),
    );
    user.set("DISPLAY", ":0");
    user
}

fn opened(user: &User) -> Option<String> {
    let end = Instant::now() + Duration::from_secs(5);
    let file = user.home().join("opened");
    while Instant::now() < end && !file.exists() {
        thread::sleep(Duration::from_millis(20));
    }
    fs::read_to_string(file).ok()
}

#[test]
fn the_page_is_opened_in_the_browser_of_a_desktop() {
    let server = with_device().start();
    let (user, host) = (with_browser(&server), server.registry_host());
    user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", "AGE-SECRET-KEY-1CANARY");
    let login = start(&user, &host);
    let page = format!("1\n{}/device?user_code={}\n", server.token_origin(), login.code);
    assert_eq!(opened(&user), Some(page));
    let environment = fs::read_to_string(user.home().join("opened.env")).unwrap();
    assert!(!environment.contains("AGE-SECRET-KEY"));
    assert!(server.decide_device(&login.code, Some("alice")));
    let outcome = login.end().is(0, "Login Succeeded\n", "opened in your browser: check that");
    assert_eq!(outcome.stderr.lines().count(), 4, "{outcome:?}");
}

/// The threat: an address that is a command to the shell of the opener, or a page of somebody else.
#[test]
fn cve_2017_18266_an_address_is_no_command_of_a_shell() {
    let evil =
        |address: String| Fault::SetField("verification_uri_complete".into(), json!(address));
    for end in ["$(touch${IFS}pwned)", "';touch pwned;'", "&touch", "|x", "`x`"] {
        let server = with_device().start();
        let page = format!("{}/device", server.token_origin());
        server.add_fault(At::Device, evil(format!("{page}?c={end}")), None);
        let user = with_browser(&server);
        let login = start(&user, &server.registry_host());
        assert_eq!(opened(&user), Some(format!("1\n{page}\n")), "{end}: the page without it");
        assert!(server.decide_device(&login.code, None));
        login.end().code_is(4);
    }
    for page in ["https://login.example.net/device", "https://login.example.net/$(id)"] {
        let page = Fault::SetField("verification_uri".into(), json!(page));
        let server = with_device().fault(At::Device, page).start();
        let user = with_browser(&server);
        let login = start(&user, &server.registry_host());
        assert!(login.shown.contains("open https://login.example.net/"), "{}", login.shown);
        assert!(server.decide_device(&login.code, None));
        login.end().code_is(4);
        assert!(!user.home().join("opened").exists(), "another site's page is not opened");
    }
}

#[test]
fn a_terminal_shows_how_much_time_is_left_and_ctrl_c_leaves_nothing() {
    let server = with_device().start();
    let (user, host) = (User::trusting(&server), server.registry_host());
    let program = user.home().join("bin/docker-credential-refresh");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(crate::support::tested_program(), program).unwrap();
    user.set("TERM", "xterm");
    let mut command = user.command();
    command.args(["login", "--web", &host]);
    let code_on = |screen: &str| {
        let from = screen.find("enter the code ").unwrap() + "enter the code ".len();
        screen[from..].lines().next().unwrap().trim().to_owned()
    };
    let mut terminal = Terminal::run(&command);
    terminal
        .expect("waiting for the approval (14:5")
        .expect("waiting for the approval (14:57 left)");
    let code = code_on(terminal.seen());
    assert!(server.decide_device(&code, Some("alice")));
    let (screen, status) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Login Succeeded") && !screen.contains('\u{1b}'), "{screen:?}");
    user.does(&["revoke", &host], "").succeeded();
    let mut terminal = Terminal::run(&command);
    terminal.expect("waiting for the approval").press("\u{3}");
    let (screen, status) = terminal.end();
    assert_ne!(status, 0, "{screen}");
    nothing_is_kept(&user, &server);
    let left: Vec<_> =
        fs::read_dir(user.state()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("new")), "{left:?}");
}

#[test]
fn the_codes_are_in_no_trace_and_no_error() {
    let server = with_device().fault(At::DevicePoll, Fault::oauth(400, "invalid_grant")).start();
    let canary = "device-code-canary-0123456789";
    server.add_fault(At::Device, Fault::SetField("device_code".into(), json!(canary)), None);
    let (user, host) = (User::trusting(&server), server.registry_host());
    user.secret(canary);
    let file = user.home().join("trace");
    user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", file.to_str().unwrap());
    user.does(&["login", "--web", &host], "").is(4, "", "invalid_grant");
    let trace = fs::read_to_string(file).unwrap();
    assert!(trace.contains("is the login approved?"), "{trace}");
    let poll = server.journal();
    let poll = poll.requests().iter().find(|r| r.parameter("device_code").is_some()).unwrap();
    assert!(poll.has("device_code", canary));
}
