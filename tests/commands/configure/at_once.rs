//! Several runs at once: each finds what the others changed, and `unconfigure` can put all of it back.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::*;
use crate::support::strace::overtaken;

/// Each rename is this late: a whole run fits into it.
const LATE: (&str, &str) = ("/^rename", "delay_enter=3000000");
/// The same where a file is written meanwhile.
const A_LITTLE_LATE: (&str, &str) = ("/^rename", "delay_enter=1000000");

/// Whether a new file with this in it is about to be put into a folder.
fn is_being_written(folder: &Path, part: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut new = entries
        .filter(|e| e.file_name().to_string_lossy().starts_with(".docker-credential-refresh-"));
    new.any(|e| fs::read_to_string(e.path()).is_ok_and(|text| text.contains(part)))
}

/// A run that goes on meanwhile.
fn start(user: &User, arguments: &[&str]) -> Child {
    let mut command = user.command();
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn of_two_configures_at_once_both_can_be_undone() {
    if !has_strace("of_two_configures_at_once_both_can_be_undone") {
        return;
    }
    let user = user();
    helper(&user, "old");
    let text = "{\"credsStore\": \"old\"}";
    let folders = ["a", "b"].map(|name| user.home().join(name));
    for folder in &folders {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("config.json"), text).unwrap();
    }
    let in_folder = |folder: &Path| user.set("DOCKER_CONFIG", folder.to_str().unwrap());
    let configure = ["configure", "--no-podman"];
    in_folder(&folders[0]);
    let output = overtaken(
        &user,
        LATE,
        &configure,
        "",
        || is_being_written(&user.state(), "no_podman"),
        || {
            in_folder(&folders[1]);
            user.does(&configure, "").succeeded();
        },
    );
    assert!(output.status.success(), "{output:?}");
    for folder in folders.iter().rev() {
        let file = folder.join("config.json");
        assert!(fs::read_to_string(&file).unwrap().contains("refresh"));
        in_folder(folder);
        user.does(&["unconfigure"], "").succeeded();
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    assert!(!user.settings_file().exists() && !user.state().join("configured.json").exists());
}

#[test]
fn each_waits_for_the_one_that_is_running_and_what_is_only_shown_does_not() {
    let user = user();
    write(&user, "{}");
    user.does(&["configure", "--no-podman", "--fallback", "none"], "").succeeded();
    let held = File::options().write(true).open(user.state().join("configure.lock")).unwrap();
    held.lock().unwrap();
    user.does(&["import"], "").succeeded();
    user.does(&["import", "--configure", "--fallback", "none"], "").succeeded();
    let all = [
        &["configure", "--fallback", "none"][..],
        &["import", "--yes"],
        &["import", "--yes", "--configure", "--fallback", "none"],
        &["unconfigure"],
    ];
    let mut running = all.map(|arguments| start(&user, arguments));
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        for (child, arguments) in running.iter_mut().zip(all) {
            assert!(child.try_wait().unwrap().is_none(), "{arguments:?} did not wait");
        }
        sleep(Duration::from_millis(50));
    }
    drop(held);
    for (mut child, arguments) in running.into_iter().zip(all) {
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }
}

/// By something that does not wait, such as an earlier build of this program.
#[test]
fn what_it_remembers_is_not_said_to_be_kept_where_another_file_came() {
    if !has_strace("what_it_remembers_is_not_said_to_be_kept_where_another_file_came") {
        return;
    }
    let text = "{\"credsStore\": \"old\"}";
    // Where there is none yet, and where there is one.
    for (part, next) in
        [("no_podman", "try again"), ("\"set\": \"old\"", "run the same command again")]
    {
        let user = user();
        helper(&user, "old");
        write(&user, text);
        let file = user.state().join("configured.json");
        let configure = ["configure", "--no-podman"];
        let output = overtaken(
            &user,
            A_LITTLE_LATE,
            &configure,
            "",
            || is_being_written(&user.state(), part),
            || fs::write(&file, "{\"version\": 1}\n").unwrap(),
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let why = format!("another program changed {} in the meantime", file.display());
        assert!(said.contains(&why) && said.contains(next), "{said}");
        assert_eq!(config(&user), text, "docker's file comes after what undoes it");
        user.does(&configure, "").succeeded();
        user.does(&["unconfigure"], "").succeeded();
        assert_eq!(config(&user), text);
    }
}

#[test]
fn a_drop_in_that_came_meanwhile_is_not_said_to_be_ours() {
    if !has_strace("a_drop_in_that_came_meanwhile_is_not_said_to_be_ours") {
        return;
    }
    let user = user();
    write(&user, "{}");
    let file = drop_in(&user);
    let configure = ["configure", "--podman", "--fallback", "none"];
    let output = overtaken(
        &user,
        A_LITTLE_LATE,
        &configure,
        "",
        || is_being_written(file.parent().unwrap(), "credential-helpers"),
        || fs::write(&file, "# theirs\n").unwrap(),
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = format!("another program changed {} in the meantime", file.display());
    assert!(said.contains(&why) && said.contains("run the same command again"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "# theirs\n");
    user.does(&configure, "").code_is(1).noted("is not as configure writes it");
}
