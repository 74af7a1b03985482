//! The entries of paths (`HOST/team`). Podman uses each for its path alone; once a helper has the login of
//! the whole registry, no client looks at them.

use super::moved_login::Moving;
use crate::commands::clients::found_login::FoundLogin;
use crate::commands::clients::podman_logins::PodmanLogins;
use crate::docker_config::Setting;
use crate::protocol::HELPER_NAME;

/// Those that hold the login which will be kept for their registry go with its entry in the same file: one
/// change removes both, so that none is left alone if it is cut short.
pub fn join(moving: &mut Vec<Moving>, entries: Vec<FoundLogin>) {
    for mut path in entries.into_iter().filter(FoundLogin::is_path) {
        let is_for_it = |other: &FoundLogin| {
            other.can_be_taken() && other.key() == path.key() && !other.is(&path)
        };
        let beside = |other: &FoundLogin| {
            is_for_it(other) && other.file() == path.file() && other.has_same_login(&path)
        };
        // Of several logins the last is the one that is kept.
        let kept = moving.iter().rfind(|moving| is_for_it(&moving.found));
        let is_kept = kept.is_some_and(|kept| kept.found.has_same_login(&path));
        if !is_kept || !moving.iter().any(|moving| beside(&moving.found)) {
            continue;
        }
        let own = moving.iter().position(|moving| moving.found.is(&path));
        let own = own.map(|at| moving.remove(at));
        let Some(target) = moving.iter_mut().rfind(|moving| beside(&moving.found)) else {
            continue;
        };
        path.way = target.found.way.clone();
        target.paths.push(path);
        if let Some(own) = own {
            target.docker |= own.docker;
            target.podman |= own.podman;
            target.paths.extend(own.paths);
        }
    }
}

/// Those that podman, skopeo and buildah use in docker's file, and would not find once `credHelpers` there
/// names this helper for their registry.
pub fn lost(
    settings: &[(Setting, &'static str)],
    moving: &[Moving],
    files: &PodmanLogins,
) -> Vec<Moving> {
    let is_set = |found: &FoundLogin| {
        let ours = (Setting::Helper(found.podman_helper_name()), HELPER_NAME);
        settings.contains(&ours)
    };
    let is_known =
        |found: &FoundLogin| moving.iter().flat_map(Moving::entries).any(|known| known.is(found));
    let used = files.used().filter(|found| found.is_path() && found.is_dockers());
    let lost = used.filter(|found| is_set(found) && !is_known(found));
    let moving = |found: &FoundLogin| Moving {
        found: found.clone(),
        docker: false,
        podman: true,
        paths: Vec::new(),
    };
    lost.map(moving).collect()
}
