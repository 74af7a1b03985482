//! `-h` is short, `--help` is complete, and what they show is true.

use std::collections::BTreeSet;

use clap::{CommandFactory, Parser};
use docker_credential_refresh::cli::Cli;
use docker_credential_refresh::error::Kind;

use crate::support::user::User;

/// Every command, with its own name in front, and what its `--help` says after the options.
fn after_options() -> Vec<(String, String)> {
    let program = Cli::command();
    let commands = std::iter::once(&program).chain(program.get_subcommands());
    let text = |command: &clap::Command| command.get_after_long_help().map(ToString::to_string);
    commands.map(|c| (c.get_name().to_owned(), text(c).unwrap_or_default())).collect()
}

#[test]
fn every_command_has_examples_and_they_can_be_typed() {
    for (name, text) in after_options() {
        let text = text.replace("\\\n", "");
        let mut examples = 0;
        for line in text.lines().filter(|line| line.contains("docker-credential-refresh ")) {
            let (_, words) = line.split_once("docker-credential-refresh ").unwrap();
            let words = words.split(['|', '<', '>', ')']).next().unwrap().split_whitespace();
            let typed = std::iter::once("docker-credential-refresh").chain(words);
            Cli::try_parse_from(typed).unwrap_or_else(|error| panic!("{line}: {error}"));
            examples += 1;
        }
        assert!(examples > 0, "{name} has no example");
    }
}

#[test]
fn the_environment_variables_are_those_of_the_settings_page() {
    let named = |text: &str| -> BTreeSet<String> {
        let starts = text.split("DOCKER_CREDENTIAL_REFRESH_").skip(1);
        let end = |c: char| !(c.is_ascii_uppercase() || c == '_');
        starts.map(|rest| rest.split(end).next().unwrap().to_owned()).collect()
    };
    let (_, program) = after_options().swap_remove(0);
    assert_eq!(named(&program), named(include_str!("../../docs/settings.md")));
}

#[test]
fn the_exit_statuses_are_all_there() {
    let (_, program) = after_options().swap_remove(0);
    let (_, statuses) = program.split_once("Exit status:\n").unwrap();
    let numbers: Vec<u8> =
        statuses.lines().filter_map(|line| line.trim().split(' ').next()?.parse().ok()).collect();
    assert_eq!(numbers, (0..=Kind::RevocationUnconfirmed as u8).collect::<Vec<_>>());
}

#[test]
fn the_short_help_is_short_and_no_backtick_is_shown() {
    let user = User::new();
    for command in Cli::command().get_subcommands().map(clap::Command::get_name) {
        let [short, long] =
            ["-h", "--help"].map(|help| user.does(&[command, help], "").succeeded().stdout);
        assert!(!short.contains("Examples:") && long.contains("Examples:"), "{command}");
        assert!(!long.contains('`'), "{long}");
    }
}

#[test]
fn a_keychain_that_is_not_one_is_answered_with_those_that_are() {
    let user = User::new();
    for keychain in ["secret-service", "file", "kernel"] {
        user.does(&["status", "--keychain", "bogus"], "").is(2, "", keychain);
    }
}

#[test]
fn the_options_of_a_command_come_before_those_of_all_commands() {
    let user = User::new();
    let help = user.does(&["login", "-h"], "").succeeded().stdout;
    let at = |option: &str| help.find(option).unwrap_or_else(|| panic!("{option}: {help}"));
    let own = at("--username").max(at("--trust-realm"));
    assert!(
        own < at("--profile").min(at("--keychain")) && at("--keychain") < at("--help"),
        "{help}"
    );
}

/// A new user types it without; `--scope` alone is not the only way.
#[test]
fn token_without_a_scope_names_all_ways_to_give_one() {
    let user = User::new();
    let usage = "--pull <REPOSITORY>|--push <REPOSITORY>|--scope <SCOPE>";
    user.does(&["token", "h.example"], "").is(2, "", usage);
}

#[test]
fn help_before_a_command_is_the_help_of_that_command() {
    let user = User::new();
    for (typed, same) in
        [(&["help"][..], &["--help"][..]), (&["help", "login"], &["login", "--help"])]
    {
        let [typed, same] = [typed, same].map(|words| user.does(words, "").succeeded().stdout);
        assert_eq!(typed, same);
    }
}

/// `--profile` and `--keychain` are offered where they mean something, after the command and before
/// it, and are wrong elsewhere.
#[test]
fn options_are_taken_where_they_mean_something() {
    let user = User::new();
    let keychain = ["configure", "doctor", "import", "login", "logout", "status"];
    let profile = ["doctor", "login", "logout", "migrate", "revoke", "status", "token"];
    for (option, value, takers) in [("profile", "p", &profile[..]), ("keychain", "file", &keychain)]
    {
        let program = Cli::command();
        let takes = |command: &&clap::Command| {
            command.get_arguments().any(|argument| argument.get_id() == option)
        };
        let found: BTreeSet<_> =
            program.get_subcommands().filter(takes).map(clap::Command::get_name).collect();
        assert_eq!(found, takers.iter().copied().collect());
        let option = format!("--{option}");
        for rest in [
            &["keygen"][..],
            &["completions", "bash"],
            &["unconfigure"],
            &["check", "127.0.0.1:1"],
            &["status", "--all-profiles"],
        ] {
            if rest == ["status", "--all-profiles"] && value == "file" {
                continue;
            }
            user.does(&[&[&option, value], rest].concat(), "").is(2, "", &option);
            user.does(&[rest, &[&option, value]].concat(), "").is(2, "", &option);
        }
    }
    // Both places are one.
    for words in [["--profile", "p", "status", "--json"], ["status", "--profile", "p", "--json"]] {
        user.does(&words, "").is(0, "{\"profile\":\"p\",\"logins\":[]}\n", "");
    }
}
