//! What real shells offer for the word under the cursor.

use std::process::Command;

use super::{logged_in, server};
use crate::support::terminal::Terminal;
use crate::support::user::User;

const PROGRAM: &str = "docker-credential-refresh";

/// The user's own shell, with the program on its PATH, and what it prints.
fn in_shell(user: &User, shell: &str, arguments: &[&str]) -> String {
    let output = shell_of(user, shell).args(arguments).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
    String::from_utf8(output.stdout).unwrap()
}

fn shell_of(user: &User, shell: &str) -> Command {
    let bin = user.home().join("bin");
    if std::fs::create_dir(&bin).is_ok() {
        let program = crate::support::tested_program();
        std::os::unix::fs::symlink(program, bin.join(PROGRAM)).unwrap();
        user.program("docker-credential-vault", "#!/bin/sh\nexit 1\n");
    }
    let mut command = Command::new(shell);
    let own = user.command();
    command.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command
}

/// Writes the script where a test reads it.
fn script(user: &User, shell: &str, name: &str) -> String {
    let script = user.does(&["completions", shell], "").succeeded().stdout;
    let path = user.home().join(name);
    std::fs::write(&path, script).unwrap();
    path.display().to_string()
}

#[test]
fn bash_offers_commands_options_servers_keychains_and_helpers() {
    let server = server().start();
    let (user, host) = (logged_in(&server), server.registry_host());
    let script = script(&user, "bash", "completions.bash");
    let offered = |words: &[&str]| {
        let complete = r#"source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
            _clap_complete_docker_credential_refresh "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
            IFS=,; echo "${COMPREPLY[*]}""#;
        let words = [&["--norc", "-c", complete, "bash", &script, PROGRAM], words].concat();
        in_shell(&user, "bash", &words).trim_end().to_owned()
    };
    assert_eq!(offered(&["sta"]), "status");
    assert_eq!(offered(&["status", "--ch"]), "--check");
    assert_eq!(offered(&["login", "h.example", "--pass"]), "--password-stdin");
    assert_eq!(offered(&["completions", "el"]), "elvish");
    assert_eq!(offered(&["logout", &host[..5]]), host);
    assert_eq!(offered(&["--profile", ""]), user.profile());
    assert_eq!(offered(&["migrate", "--to", "k"]), "kernel");
    assert_eq!(offered(&["--keychain", "helper:v"]), "helper:vault");
    assert_eq!(offered(&["configure", "--fallback", "va"]), "vault");
    assert_eq!(offered(&["import", "--from", "po"]), "podman");
}

#[test]
fn fish_offers_servers_with_their_accounts() {
    let server = server().start();
    let (user, host) = (logged_in(&server), server.registry_host());
    let script = script(&user, "fish", "completions.fish");
    let offered = |line: &str| {
        let commands = format!("source {script}; complete -C '{PROGRAM} {line}'");
        in_shell(&user, "fish", &["--no-config", "-c", &commands])
    };
    assert!(offered("logout ").contains(&format!("{host}\talice, {}\n", user.profile())));
    assert_eq!(offered("revoke --token-").split('\t').next(), Some("--token-stdin"));
}

/// The first completion too, for which zsh runs the file on its `fpath`.
#[test]
fn zsh_completes_a_server_on_a_terminal() {
    let server = server().start();
    let (user, host) = (logged_in(&server), server.registry_host());
    std::fs::create_dir(user.home().join("functions")).unwrap();
    script(&user, "zsh", &format!("functions/_{PROGRAM}"));
    let rc = "PROMPT='ready> '; fpath=(~/functions $fpath); autoload -U compinit; compinit -u -D\n";
    std::fs::write(user.home().join(".zshrc"), rc).unwrap();
    let mut zsh = shell_of(&user, "zsh");
    zsh.arg("-i").env("TERM", "dumb");
    let mut terminal = Terminal::run(&zsh);
    terminal.expect("ready> ").enter(&format!("{PROGRAM} logout {}\t", &host[..5]));
    terminal.expect("Removed the login").enter("exit");
    terminal.end();
    assert!(user.records().is_empty());
}

/// The two that no package here can run.
#[test]
fn there_are_scripts_for_powershell_and_elvish() {
    let user = User::new();
    for (shell, part) in
        [("powershell", "Register-ArgumentCompleter"), ("elvish", "edit:completion")]
    {
        let script = user.does(&["completions", shell], "").succeeded().stdout;
        assert!(script.contains(part) && script.contains("REFRESH_COMPLETE"), "{script}");
    }
    user.does(&["completions", "csh"], "").is(2, "", "invalid value");
}

/// A variable that was left in the environment must not change what docker is told.
#[test]
fn the_variable_of_the_scripts_changes_no_verb_and_no_command() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_COMPLETE", "bash");
    user.get("registry.example.com").not_found();
    user.does(&["status"], "").succeeded();
    user.set("DOCKER_CREDENTIAL_REFRESH_COMPLETE", "csh");
    user.does(&["--", "x"], "").is(2, "", "DOCKER_CREDENTIAL_REFRESH_COMPLETE");
}
