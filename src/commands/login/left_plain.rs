//! What an earlier login left in a client's file in plain text: a login here does not remove it, and the
//! client may go on using it.

use crate::commands::clients::asks::Clients;
use crate::commands::clients::found_login::{self, FoundLogin, Way};
use crate::commands::clients::log_out::log_out;
use crate::docker_config::names::registry_key;
use crate::docker_config::{ConfigFile, Document, Previous, Setting, podman};
use crate::environment::PROGRAM;
use crate::error::Result;
use crate::logins::Logins;
use crate::text::shell_word;

/// Says so, with what removes it.
pub fn note(server: &str, logins: &mut Logins<'_>) {
    // Having looked in vain is no failure of the login.
    for line in lines(server, logins).unwrap_or_default() {
        logins.note(&line);
    }
}

fn lines(server: &str, logins: &mut Logins<'_>) -> Result<Vec<String>> {
    let key = registry_key(server);
    let clients = Clients::find(logins)?;
    let docker = ConfigFile::of_docker()?.read()?;
    let mut lines = Vec::new();
    for file in podman::files_read()? {
        let found = found_login::in_file(&file).unwrap_or_default().into_iter();
        let is_plain = |found: &FoundLogin| found.key() == key && found.way == Way::Exchange;
        for found in found.filter(is_plain) {
            let source = if found.is_dockers() { "docker-config" } else { "podman" };
            let next = match clients.who_would_lose(&found, source) {
                None => remedy(&found, source, server, logins),
                Some(why) if found.is_dockers() && !is_kept_plain(&docker, &found) => why,
                // Somebody set that client up in that way.
                Some(_) => continue,
            };
            let (name, place) = (&found.server_url, found.place());
            lines.push(format!(
                "an earlier password for {name} stays in plain text in {place}; {next}"
            ));
        }
    }
    Ok(lines)
}

/// Import puts what it exchanges in the place of the login that is here: only that of the same account.
fn remedy(found: &FoundLogin, source: &str, server: &str, logins: &mut Logins<'_>) -> String {
    let by_hand = log_out(found);
    let account = logins.find_login(server).ok().map(|login| login.account);
    if account.as_ref() != Some(&found.account) {
        return format!("to remove it, {by_hand}");
    }
    let from = if source == "podman" { " --from podman" } else { "" };
    let name = shell_word(&found.server_url);
    format!(
        "to remove it, run {PROGRAM} import{from} --registry {name} --yes, or, if that password no \
         longer works, {by_hand}"
    )
}

/// An empty name is how a user says so; a null is one, as in Go.
fn is_kept_plain(docker: &Document, found: &FoundLogin) -> bool {
    match docker.previous(&Setting::Helper(found.docker_name())) {
        Previous::Absent => false,
        Previous::Null => true,
        Previous::Text(name) => name.is_empty(),
    }
}
