//! Root in the home directory of another user, as under sudo with HOME kept, and what that user finds
//! afterwards. Only root can give files away.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::support::left_out;
use crate::support::user::{Outcome, User};

/// In no list of users: shown by number.
const UID: &str = "4321";

/// Whose home directory is of another user, and where podman is installed.
fn theirs() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        left_out("files of another owner", "it needs root");
        return None;
    }
    let user = User::new();
    user.program("podman", "#!/bin/sh\n");
    let program = user.home().join("bin/docker-credential-refresh");
    fs::copy(crate::support::tested_program(), &program).unwrap();
    user.set("PATH", &format!("{}:/usr/bin:/bin", user.home().join("bin").display()));
    give(&user, user.home());
    Some(user)
}

fn give(user: &User, path: &Path) {
    assert!(path.starts_with(user.home()));
    let given = Command::new("chown").args(["-R", &format!("{UID}:{UID}")]).arg(path).status();
    assert!(given.unwrap().success());
}

/// A run as the user themself.
fn as_them(user: &User, arguments: &[&str]) -> Outcome {
    let wrapper = ["/usr/bin/setpriv", "--reuid", UID, "--regid", UID, "--clear-groups", "--"];
    let program = user.home().join("bin/docker-credential-refresh");
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(program).args(arguments).env_clear();
    command.envs(user.command().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn of_root(folder: &Path) -> Vec<String> {
    let found = Command::new("find").arg(folder).args(["-uid", "0"]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_root_is_told_there_is_to_run_it_as_that_user_and_nothing_is_left_behind() {
    let Some(user) = theirs() else { return };
    let none: [String; 0] = [];
    let doctor = |user: &User| {
        let outcome = user.does(&["doctor"], "");
        let last = outcome.stdout.lines().last().unwrap();
        assert_eq!(last, "First: run it as uid 4321 (user)", "{outcome:?}");
        for harmful in ["chown", "delete it", "a file of your own", "set HOME"] {
            assert!(!outcome.stdout.contains(harmful), "{harmful}: {outcome:?}");
        }
        assert_eq!(of_root(user.home()), none);
    };
    doctor(&user);
    user.settings("");
    give(&user, user.home());
    as_them(&user, &["keygen", "--install"]).succeeded();
    let state = user.state();
    fs::create_dir_all(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(user.records_file(), "{}").unwrap();
    give(&user, user.home());
    doctor(&user);
    user.set("SUDO_UID", UID);
    doctor(&user);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    let kept = user.run("store", br#"{"ServerURL":"h.example","Username":"<token>","Secret":"t"}"#);
    assert!(kept.code == 1 && kept.stdout.ends_with("; run it as uid 4321\n"), "{kept:?}");
    let listed = user.run("list", b"");
    assert!(listed.code == 1 && listed.stdout.ends_with("; run it as uid 4321\n"), "{listed:?}");
}

#[test]
fn root_is_warned_before_it_writes_there_and_refused_under_sudo() {
    let Some(user) = theirs() else { return };
    let home = user.home().display().to_string();
    let fact = format!("HOME is {home}, which belongs to uid 4321, not to root");
    user.set("SUDO_USER", "ned");
    for writes in [
        &["configure", "--fallback", "none"][..],
        &["unconfigure"],
        &["import", "--yes"],
        &["login", "127.0.0.1:1", "-u", "a", "--password-stdin"],
        &["keygen", "--install"],
        &["migrate", "--to", "file", "--all"],
    ] {
        let refused = user.does(writes, "p");
        assert_eq!(refused.code, 2, "{refused:?}");
        let how = "run it as that user, or set HOME to root's own (sudo -H)";
        assert!(refused.stderr.ends_with(&format!("{fact}; {how}\n")), "{refused:?}");
    }
    assert!(of_root(user.home()).is_empty());
    for reads in [&["status"][..], &["keygen"], &["import"]] {
        let done = user.does(reads, "").succeeded();
        assert!(!done.stderr.contains(&fact), "{done:?}");
    }
    // Verbs are not refused: the client was run this way.
    let warning = format!("{fact}: files that are written now belong to root");
    user.store("h.example", "<token>", "a-token").succeeded().noted(&warning);
    assert_eq!(user.token("h.example"), "a-token");
    // A container of a CI system: all of it runs as root with such a HOME.
    user.set("SUDO_USER", "");
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    assert!(!stored.stderr.contains(&fact), "{stored:?}");
    user.does(&["configure", "--fallback", "none"], "").succeeded().noted(&warning);
}

#[test]
fn the_user_is_told_afterwards_which_files_are_roots_and_how_to_get_them_back() {
    let Some(user) = theirs() else { return };
    let home = user.home().display().to_string();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    let roots = [".local", ".config", ".docker"].map(|name| user.home().join(name));
    for folder in &roots {
        assert_eq!(fs::metadata(folder).unwrap().uid(), 0);
    }
    let outcome = as_them(&user, &["doctor"]);
    for folder in &roots {
        let shown = folder.display();
        let said = format!(
            "{shown} belongs to root, and this runs as uid 4321\n      -> sudo chown -R 4321 {shown}\n"
        );
        assert!(outcome.stdout.contains(&said), "{said} {outcome:?}");
    }
    let last = outcome.stdout.lines().last().unwrap();
    let first = format!("First: sudo chown -R 4321 {home}/.config");
    assert!(last.starts_with(&first), "{last}");
    let status = as_them(&user, &["status"]);
    assert!(status.stderr.contains("; run: sudo chown -R 4321 "), "{status:?}");
    roots.iter().for_each(|folder| give(&user, folder));
    let outcome = as_them(&user, &["doctor"]);
    assert!(!outcome.stdout.contains("belongs to"), "{outcome:?}");
}
