//! Options that read a secret from standard input, where that is a terminal: nothing is shown.

use super::{PASSWORD, logged_in, server};
use crate::support::terminal::Terminal;
use crate::support::user::User;

/// What is on the screen in the end, and the exit status.
fn typed(user: &User, arguments: &[&str], prompt: &str, secret: &str) -> (String, i32) {
    let mut command = user.command();
    command.args(arguments);
    let mut terminal = Terminal::run(&command);
    terminal.expect(prompt).enter(secret);
    let (screen, status) = terminal.end();
    assert!(!screen.contains(secret), "{screen}");
    (screen, status)
}

#[test]
fn what_is_typed_for_an_option_that_reads_stdin_is_not_shown() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    let (screen, status) = typed(&user, &login, "Password: ", PASSWORD);
    assert!(screen.contains("Login Succeeded") && status == 0, "{screen}");
    let other = server.issue_refresh_token("alice", "docker");
    let login = ["login", &host, "--identity-token-stdin"];
    let (screen, status) = typed(&user, &login, "Refresh token: ", &other);
    assert!(screen.contains("Login Succeeded") && status == 0, "{screen}");
    let other = server.issue_refresh_token("alice", "docker");
    let (screen, status) =
        typed(&user, &["revoke", "--token-stdin", &host], "Refresh token: ", &other);
    assert!(screen.contains("Revoked the token of ") && status == 0, "{screen}");
    let check = ["check", &host, "-u", "alice", "--password-stdin"];
    let (screen, status) = typed(&user, &check, "Password: ", PASSWORD);
    assert!(screen.contains("Tried:") && status == 0, "{screen}");
    let login = ["login", &host, "--aad-token-stdin"];
    typed(&user, &login, "Microsoft Entra token: ", "entra-token-of-nobody");
}

#[test]
fn nothing_typed_changes_nothing() {
    let user = User::new();
    let mut command = user.command();
    command.args(["revoke", "h.example", "--token-stdin"]);
    let mut terminal = Terminal::run(&command);
    terminal.expect("Refresh token: ").press("\u{4}");
    let (screen, status) = terminal.end();
    assert!(screen.contains("no refresh token was given; nothing was changed"), "{screen}");
    assert_eq!(status, 1);
}
