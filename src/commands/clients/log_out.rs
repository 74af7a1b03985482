//! How a person takes a login out of a client's file, with nothing else lost by it.

use super::asks::is_plain;
use super::found_login::FoundLogin;
use crate::docker_config::ConfigFile;
use crate::docker_config::names::docker_name;
use crate::external_helper::find_on_path;
use crate::text::shell_word;

/// A command of the client that wrote the login, where that removes it and nothing else; else by hand.
pub fn log_out(found: &FoundLogin) -> String {
    let Some(file) = found.file() else {
        return format!("docker logout {}", shell_word(&found.docker_name()));
    };
    let path = file.path().display();
    if found.is_dockers() {
        // Podman and skopeo write `auths` back, and drop all that is docker's own.
        if docker_removes_it(found, file) {
            return format!("docker logout {}", shell_word(&found.server_url));
        }
    } else if file.read().is_ok_and(|document| document.is_podmans()) {
        // They look only into the file that they would write to.
        let (path, name) = (shell_word(&path.to_string()), shell_word(&found.podman_name()));
        return format!("podman logout --authfile {path} {name}");
    }
    let name = &found.server_url;
    match file.is_legacy() {
        true => format!("delete {name} from {path}"),
        false => format!("delete {name} from auths in {path}"),
    }
}

/// Docker removes the entry by its exact name, and those of its registry beside it; in a helper, too.
fn docker_removes_it(found: &FoundLogin, file: &ConfigFile) -> bool {
    let Ok(document) = file.read() else { return false };
    let registry = docker_name(&found.server_url);
    let names = [registry.clone(), format!("http://{registry}"), format!("https://{registry}")];
    let is_hit = |name: &String| *name != found.server_url && names.contains(name);
    find_on_path("docker").is_some()
        && is_plain(&document, &registry)
        && is_plain(&document, &found.server_url)
        && !document.entries().iter().any(|entry| is_hit(&entry.server_url))
}
