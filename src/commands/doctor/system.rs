//! The program itself, and who runs it.

use std::path::{Path, PathBuf};

use super::report::Report;
use crate::docker_config::podman::PROGRAMS;
use crate::environment::{PROGRAM, variable};
use crate::external_helper::find_on_path;
#[cfg(unix)]
use crate::files::owner;
use crate::logins::Logins;

pub(super) fn check(report: &mut Report) {
    // First: run by the wrong user, the rest is about the wrong files.
    #[cfg(unix)]
    user(report);
    program(report);
    docker(report);
    session_bus(report);
}

/// Clients look for the helper by this name, on PATH.
fn program(report: &mut Report) {
    let me = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
    let shown = me.as_deref().map_or("this program".into(), |path| path.display().to_string());
    match find_on_path(PROGRAM) {
        None => report.fail(
            "program",
            format!("{PROGRAM} is not on PATH, so clients cannot find it"),
            format!("put {shown} into a directory on PATH"),
        ),
        Some(found) if found.canonicalize().ok() == me => {
            report.ok("program", format!("{} is on PATH", found.display()));
        }
        Some(found) => report.warn(
            "program",
            format!("clients run {}, and this is {shown}", found.display()),
            "remove one of the two, or change the order of PATH",
        ),
    }
}

/// Logins are found through HOME, and what root writes in that of another user is root's.
#[cfg(unix)]
fn user(report: &mut Report) {
    const CHECK: &str = "user";
    let me = owner::this_user();
    if let Some((home, owner)) = owner::foreign_home() {
        let message =
            format!("HOME ({}) belongs to {owner}, and this runs as root", home.display());
        report.fail(CHECK, message, format!("run it as {owner}"));
        return;
    }
    if let Some(user) = owner::sudo_user() {
        let message = "this runs under sudo: root has logins, keychain and settings of its own";
        report.warn(CHECK, message, format!("run it as {user}, unless root runs docker"));
        return;
    }
    let Some(home) = variable("HOME").map(PathBuf::from) else {
        report.warn(CHECK, "HOME is not set", "set it, as a login shell does");
        return;
    };
    if let Some(owner) = owner::other_owner(&home) {
        let shown = home.display();
        let message = format!("HOME ({shown}) belongs to {owner}, and this runs as {me}");
        report.fail(CHECK, message, "set HOME to a directory of your own");
        return;
    }
    // Without one there is nothing to compare with.
    let own = owner::home_of_this_user().unwrap_or_else(|| home.clone());
    if own.canonicalize().ok() != home.canonicalize().ok() {
        let (home, own) = (home.display(), own.display());
        let message = format!("HOME is {home}, but this user's home directory is {own}");
        let remedy = format!(
            "set HOME={own}, or keep HOME={home} everywhere: logins made with one are not found with the other"
        );
        report.warn(CHECK, message, remedy);
        return;
    }
    report.ok(CHECK, "HOME is the user's own");
}

/// Where logins go that cannot be exchanged: each must start, and list what it has.
pub(super) fn fallbacks(logins: &Logins<'_>, report: &mut Report) {
    const CHECK: &str = "fallback";
    for name in logins.settings.fallbacks() {
        let correct = format!("correct fallback in {}", logins.settings.file.display());
        let Some(path) = find_on_path(&name.to_string()) else {
            let remedy = format!("install it, or {correct}");
            report.fail(CHECK, format!("{name} is not on PATH"), remedy);
            continue;
        };
        match logins.fallback_named(&name).and_then(|fallback| fallback.list()) {
            Ok(listed) => {
                let (path, count) = (path.display(), listed.len());
                let has = if count == 1 { "1 login".to_owned() } else { format!("{count} logins") };
                report.ok(CHECK, format!("{path} takes what cannot be exchanged (it has {has})"));
            }
            Err(error) => {
                let message = format!("the fallback does not work: {}", error.fact);
                let remedy = format!("make {name} list work here, or {correct}");
                report.fail(CHECK, message, error.remedy.unwrap_or(remedy.into()));
            }
        }
    }
}

/// A client in a snap sees neither the helper nor the keychain.
fn docker(report: &mut Report) {
    let Some(found) = find_on_path("docker") else {
        if PROGRAMS.into_iter().all(|client| find_on_path(client).is_none()) {
            let message = "neither docker nor podman, skopeo or buildah is on PATH";
            report.skip("clients", message, "install one of them to log in from this machine");
        }
        return;
    };
    let real = found.canonicalize().unwrap_or_else(|_| found.clone());
    let in_snap = |path: &Path| path.starts_with("/snap") || path.ends_with("bin/snap");
    if in_snap(&found) || in_snap(&real) {
        report.fail(
            "docker",
            format!("{} is a snap, which cannot start credential helpers", found.display()),
            "install docker from its own packages or the distribution's",
        );
    } else {
        report.ok("docker", format!("{} can start helpers", found.display()));
    }
}

fn session_bus(report: &mut Report) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let set = variable("DBUS_SESSION_BUS_ADDRESS").is_some();
    let runtime = variable("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("bus"));
    if set || runtime.is_some_and(|socket| socket.exists()) {
        report.ok("session bus", "there is one");
    }
}
