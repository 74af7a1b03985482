use std::net::TcpListener;
use std::time::Duration;

use super::{PASSWORD, logged_in, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::strace::{has_strace, overtaken};
use crate::support::terminal::Terminal;
use crate::support::user::User;

#[test]
fn by_a_script_with_one_line_end_stripped() {
    let server = server().start();
    let host = server.registry_host();
    for input in [PASSWORD.to_owned(), format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n")] {
        let user = User::trusting(&server);
        let login = ["login", "--username", "alice", "--password-stdin", &host];
        user.does(&login, &input).is(
            0,
            "Login Succeeded\n",
            &format!("refresh token for {host} stored"),
        );
        assert!(!user.token(&host).is_empty());
    }
    let user = User::trusting(&server);
    let login = ["login", "-u", "alice", "--password-stdin", &host];
    user.does(&login, &format!("{PASSWORD}\n\n")).is(4, "", "refused the username or password");
}

#[test]
fn on_a_terminal_it_asks_and_offers_the_last_account() {
    let server = server().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.secret(PASSWORD);
    let mut command = user.command();
    command.args(["login", &host]);
    let mut terminal = Terminal::run(&command);
    terminal.expect("Username: ").enter("alice").expect("Password: ").enter(PASSWORD);
    let (screen, status) = terminal.end();
    assert!(screen.contains("Login Succeeded") && !screen.contains(PASSWORD), "{screen}");
    assert_eq!(status, 0);
    let mut terminal = Terminal::run(&command);
    terminal.expect("Username (alice): ").enter("").expect("Password: ").enter("wrong horse");
    let (screen, status) = terminal.end();
    assert!(screen.contains("refused the username or password"), "{screen}");
    assert_eq!(status, 4);
    assert!(!user.token(&host).is_empty(), "the previous login stays");
}

#[test]
fn the_prompt_names_the_registry_and_where_better_passwords_are_made() {
    let user = User::new();
    for (server, parts) in [
        (
            "docker.io",
            &["Docker Hub (https://index.docker.io/v1/)", "https://app.docker.com/settings/"][..],
        ),
        ("ghcr.io/team/app:v1", &["Logging in to ghcr.io", "https://github.com/settings/tokens"]),
        ("h.example:5000/team/app", &["Logging in to h.example:5000\r\n"]),
    ] {
        let mut command = user.command();
        command.args(["login", server]);
        let mut terminal = Terminal::run(&command);
        terminal.expect("Username: ").enter("alice").expect("Password: ").enter("");
        let (screen, status) = terminal.end();
        assert!(parts.iter().all(|part| screen.contains(part)), "{server}: {screen}");
        assert!(server.starts_with('h') != screen.contains("personal access token"), "{screen}");
        assert_eq!(status, 2);
    }
}

#[test]
fn the_end_of_input_at_a_prompt_is_told_as_that() {
    let user = User::new();
    let mut command = user.command();
    command.args(["login", "h.example"]);
    let mut terminal = Terminal::run(&command);
    terminal.expect("Username: ").press("\u{4}");
    let (screen, status) = terminal.end();
    assert!(screen.contains("\ndocker-credential-refresh: no username was given"), "{screen}");
    assert_eq!(status, 1);
    let mut terminal = Terminal::run(&command);
    terminal.expect("Username: ").enter("alice").expect("Password: ").press("\u{4}");
    let (screen, status) = terminal.end();
    assert!(screen.contains("\ndocker-credential-refresh: no password was given"), "{screen}");
    assert_eq!(status, 1);
}

#[test]
fn an_images_name_means_its_registry() {
    let server = server().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.secret(PASSWORD);
    let image = format!("{host}/alice/app:v1");
    let login = ["login", "-u", "alice", "--password-stdin", &image];
    user.does(&login, PASSWORD).is(0, "Login Succeeded\n", &format!("for {host} stored"));
    assert_eq!(user.records()[0]["key"], host.as_str());
}

/// A line that comes after a second and goes again, on a terminal alone.
#[test]
fn what_takes_long_is_told_on_a_terminal_and_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for silent in listener.incoming() {
            std::thread::sleep(Duration::from_millis(700));
            drop(silent);
        }
    });
    let user = User::new();
    let login = ["login", "-u", "alice", "--password-stdin", &host];
    let off = user.does(&login, PASSWORD).is(7, "", "cannot reach");
    assert!(!off.stderr.contains("waiting"), "{off:?}");
    let mut command = user.command();
    command.args(["login", "-u", "alice", &host]).env("TERM", "xterm");
    let mut terminal = Terminal::run(&command);
    terminal.expect("Password: ").enter(PASSWORD);
    let (screen, status) = terminal.end();
    assert!(screen.contains("waiting for 127.0.0.1 (1 s)"), "{screen:?}");
    let (_, after) = screen.rsplit_once("waiting").unwrap();
    let after = after.split_once('\r').unwrap().1;
    assert!(after.starts_with("    ") && after.contains("\rdocker-credential-ref"), "{screen:?}");
    assert_eq!(status, 7);
}

#[test]
fn without_a_terminal_it_says_how() {
    let user = User::new();
    user.does(&["login", "h.example"], "").is(2, "", "add -u NAME --password-stdin");
    user.does(&["login", "h.example", "--password-stdin"], "x").is(2, "", "-u NAME");
    user.does(&["login", "h.example", "-u", "a", "--password-stdin"], "").is(2, "", "is empty");
    user.does(&["login", "h h", "-u", "a", "--password-stdin"], "x").is(2, "", "the server URL");
    user.does(&["login", "h.example", "--token", "x"], "").is(2, "", "unexpected argument");
}

#[test]
fn what_stands_in_the_way_has_a_status_of_its_own() {
    let gitlab = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let user = User::trusting(&gitlab);
    let login = |host: &str| ["login", host, "-u", "alice", "--password-stdin"].map(str::to_owned);
    let run = |user: &User, host: &str| {
        let login = login(host);
        user.does(&login.each_ref().map(String::as_str), PASSWORD)
    };
    run(&user, &gitlab.registry_host()).is(5, "", "issues no refresh tokens");
    let host = gitlab.registry_host();
    drop(gitlab);
    run(&user, &host).is(7, "", "cannot reach");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    let reachable = server().start();
    user.trust(&reachable.registry_host(), &reachable);
    run(&user, &reachable.registry_host()).is(6, "", "secret-service");
    user.settings("fallbak = 'x'");
    run(&user, &host).is(2, "", "did you mean fallback?");
}

#[test]
fn an_empty_username_is_a_usage_error_and_nothing_is_sent() {
    let server = server().start();
    let user = User::trusting(&server);
    for command in ["login", "check"] {
        let run = [command, "-u", "", "--password-stdin", &server.registry_host()];
        let outcome = user.does(&run, PASSWORD);
        assert!(outcome.code == 2 && outcome.stderr.contains("username is empty"), "{outcome:?}");
    }
    assert_eq!(server.journal().passwords_sent(), 0);
}

#[test]
fn an_origin_can_be_trusted_and_that_is_kept() {
    let server = server().start();
    server.set_realm(&server.token_endpoint().replace("127.0.0.1", "localhost"));
    let host = server.registry_host();
    let user = User::trusting(&server);
    let origin = server.token_origin().replace("127.0.0.1", "localhost");
    user.trust(origin.trim_start_matches("https://"), &server);
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    let refused = user.does(&login, PASSWORD).is(8, "", "is at a private address");
    let command = format!("--profile {} login {host} --trust-realm {origin}", user.profile());
    assert!(refused.stderr.contains(&command), "{refused:?}");
    assert_eq!(server.journal().passwords_sent(), 0);
    user.settings("# mine\nprofile = 'x' # and this\n");
    let with_trust =
        [&login[..], &["--trust-realm", &origin, "--profile", user.profile()]].concat();
    user.does(&with_trust, "wrong").is(4, "", "refused");
    let text = || std::fs::read_to_string(user.settings_file()).unwrap();
    assert_eq!(text(), "# mine\nprofile = 'x' # and this\n", "not before it worked");
    user.does(&with_trust, PASSWORD).is(0, "Login Succeeded\n", "");
    assert!(text().starts_with("# mine\nprofile = 'x' # and this\n"), "{}", text());
    assert!(text().contains(&format!("trust_realm = [\"{origin}\"]")), "{}", text());
    user.does(&login, PASSWORD).is(0, "Login Succeeded\n", "");
}

/// The other one comes when the first is about to put its new file in place.
#[test]
fn of_two_logins_at_once_both_origins_are_kept() {
    if !has_strace("of_two_logins_at_once_both_origins_are_kept") {
        return;
    }
    let server = server().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.settings("# mine\nrevoke_on_erase = false # and this\n");
    let origins = ["https://one.example", "https://two.example"];
    let [first, second] = origins
        .map(|origin| ["login", &host, "-u", "alice", "--password-stdin", "--trust-realm", origin]);
    let new = user.settings_file().with_file_name("config.toml.new");
    // The first rename is that of the records.
    let output = overtaken(
        &user,
        ("/^rename", "delay_enter=4000000:when=2"),
        &first,
        PASSWORD,
        || new.exists(),
        || drop(user.does(&second, PASSWORD).is(0, "Login Succeeded\n", "")),
    );
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(user.settings_file()).unwrap();
    assert!(text.starts_with("# mine\nrevoke_on_erase = false # and this\n"), "{text}");
    assert!(origins.iter().all(|origin| text.contains(origin)), "{text}");
}

#[test]
fn it_may_be_repeated_and_profiles_are_apart() {
    let server = server().user("bob", "another password").start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let first = user.token(&host);
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    user.does(&login, PASSWORD).is(0, "Login Succeeded\n", "");
    assert_ne!(user.token(&host), first);
    let other = format!("{}-b", user.profile());
    let bob = ["login", &host, "-u", "bob", "--password-stdin", "--profile", &other];
    user.does(&bob, "another password").is(0, "Login Succeeded\n", "");
    let accounts: Vec<_> =
        user.records().iter().map(|r| r["account"].as_str().unwrap().to_owned()).collect();
    assert_eq!(accounts, ["alice", "bob"]);
    user.does(&["logout", "--all", "--profile", &other], "").is(
        0,
        &format!("Removed the login for {host}\n"),
        "",
    );
}

/// Docker takes it; here, other users would see it in the list of processes.
#[test]
fn a_password_as_an_argument_is_refused_and_not_repeated() {
    let user = User::new();
    for password in
        [&["-p", PASSWORD][..], &["--password", PASSWORD], &["--password=hunter2"], &["-phunter2"]]
    {
        let arguments = [&["login", "h.example", "-u", "alice"][..], password].concat();
        let told = "a password is not taken as an argument, which other users can see: pipe it in \
                    with --password-stdin";
        let outcome = user.does(&arguments, "").is(2, "", told);
        let hidden = ![PASSWORD, "hunter2", "'-p'"].iter().any(|it| outcome.stderr.contains(it));
        assert!(hidden, "{outcome:?}");
    }
}

/// The usage of the verbs is for clients; whoever mistyped a command learns which one was meant.
#[test]
fn a_mistyped_command_is_told_the_nearest_one_and_stdout_stays_the_usage() {
    let user = User::new();
    let usage = "Usage: docker-credential-refresh <store|get|erase|list|version>\n";
    for (arguments, meant) in [
        (&["statsu"][..], "status"),
        (&["--profile", "p", "lgoin", "h.example"], "login"),
        (&["config"], "configure"),
        (&["help", "config"], "configure"),
        (&["-hepl"], "--help"),
        (&["gett"], "get"),
    ] {
        let off = user.does(arguments, "");
        let told = format!("docker-credential-refresh: unknown command; did you mean {meant}?\n");
        assert_eq!((off.code, &off.stdout[..], off.stderr), (1, usage, told), "{arguments:?}");
    }
    // A client with a verb of a later protocol reads stdout, and its user knows no command.
    for arguments in [&["rotate-keys"][..], &["hunter2"], &[]] {
        let mut command = user.command();
        command.args(arguments);
        let off = command.output().unwrap();
        assert_eq!((off.stdout, off.stderr), (usage.into(), vec![]), "{arguments:?}");
        let (screen, status) = Terminal::run(&command).end();
        assert!(screen.contains("docker-credential-refresh --help"), "{screen}");
        assert_eq!(status, 1);
    }
}

/// `docker-credential-refresh completions bash | head -1`
#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let user = User::new();
    for arguments in
        [&["status"][..], &["completions", "bash"], &["--version"], &["login", "--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = user.command().args(arguments).stdout(writer).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// A client's own identity token is kept as it came; a person's is tried first.
#[test]
fn a_refresh_token_that_a_person_gives_is_proven_before_it_is_kept() {
    let server = server().start();
    let (user, host) = (logged_in(&server), server.registry_host());
    let token = user.token(&host);
    let login = ["login", &host, "-u", "<token>", "--password-stdin"];
    user.secret("token-of-nobody");
    user.does(&login, "token-of-nobody").is(4, "", "refused the refresh token");
    assert_eq!(user.token(&host), token, "the previous login is still there");
    user.does(&["logout", &host], "").succeeded();
    user.does(&login, &token).is(0, "Login Succeeded\n", "refresh token for");
    assert_eq!(user.token(&host), token);
    assert_eq!(user.records()[0]["proven"], true);
    assert_eq!(user.records()[0]["account"], "");
}

#[test]
fn nobody_types_dockers_own_pair_for_docker_hub() {
    let user = User::new();
    for name in ["access-token", "refresh-token"] {
        let server = format!("https://index.docker.io/v1/{name}");
        user.secret(PASSWORD);
        let login = ["login", &server, "-u", "alice", "--password-stdin"];
        user.does(&login, PASSWORD).is(2, "", "Docker keeps its own tokens");
    }
    assert!(user.records().is_empty());
}
