//! On a terminal every command says what it says off it, without colours or control sequences,
//! with and without `NO_COLOR`.

use super::{logged_in, server};
use crate::support::terminal::Terminal;

#[test]
fn no_command_sends_control_sequences_and_statuses_stay_the_same() {
    let server = server().start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let program = user.home().join("bin/docker-credential-refresh");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(crate::support::tested_program(), program).unwrap();
    let scope = "repository:alice/app:pull";
    for no_color in ["", "1"] {
        user.set("NO_COLOR", no_color);
        for (arguments, part, status) in [
            (&["status"][..], host.as_str(), 0),
            (&["status", &host, "--check"], "valid", 0),
            (&["status", "other.example"], "not logged in", 3),
            (&["token", &host, "--scope", scope], "ey", 0),
            (&["token", &host, "--scope", "x"], "is not a scope", 2),
            (&["doctor"], "keychain", 0),
            (&["configure"], "--fallback", 2),
            (&["unconfigure"], "", 0),
            (&["import"], "", 0),
            (&["keygen"], "AGE-SECRET-KEY-", 0),
            (&["completions", "bash"], "complete", 0),
            (&["logout", "other.example"], "Not logged in", 0),
            (&["revoke", "other.example"], "not logged in", 3),
            (&["login", "--help"], "--password-stdin", 0),
            (&["login", "--bogus"], "unexpected argument", 2),
        ] {
            let mut command = user.command();
            command.args(arguments);
            let (screen, code) = Terminal::run(&command).end();
            assert_eq!(code, status, "{arguments:?}: {screen}");
            assert!(screen.contains(part), "no {part:?} of {arguments:?} in {screen}");
            // The scripts for shells hold some of their own.
            let quiet = arguments[0] == "completions" || !screen.contains('\u{1b}');
            assert!(quiet, "{arguments:?}: {screen:?}");
        }
    }
}
