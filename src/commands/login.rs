//! `login`: asks like `docker login`, then does what `store` does.

use std::io;

use super::streams::{self, Streams, typed};
use crate::cli::Login;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::personal_token;
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME};
use crate::secret::Password;
use crate::server_url::{DOCKER_HUB, ServerUrl};

mod left_plain;
mod web;

pub(super) fn run(login: &Login, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let server = registry_of(login.server.as_deref().unwrap_or(DOCKER_HUB));
    if let Some(origin) = &login.trust_realm {
        logins.settings.trust_realm(&server, origin)?;
    }
    if login.aad_token_stdin {
        let token = streams.piped_secret("Microsoft Entra token")?;
        logins.log_in_by_entra(&server, login.tenant.as_deref(), token)?;
        return finish(login, &server, logins, streams);
    }
    if login.web {
        web::run(&server, logins)?;
        return finish(login, &server, logins, streams);
    }
    let (username, secret) = if login.identity_token_stdin {
        (IDENTITY_TOKEN_USERNAME.to_owned(), streams.piped_secret("refresh token")?)
    } else if login.password_stdin {
        let username = login.username.clone().ok_or_else(|| {
            Error::new(Kind::Usage, "--password-stdin needs --username")
                .hint("name the account with -u NAME")
        })?;
        (username, streams.piped_secret("password")?)
    } else {
        ask(login, &server, logins, streams)?
    };
    if secret.expose().is_empty() {
        return Err(Error::new(Kind::Usage, "the password is empty")
            .hint("check that the variable or secret that holds it is set here"));
    }
    logins.log_in(Credentials { server_url: server.clone(), username, secret })?;
    finish(login, &server, logins, streams)
}

/// What follows a login that worked.
fn finish(
    login: &Login,
    server: &str,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    if let Some(origin) = &login.trust_realm {
        logins.settings.save_trusted_realm(server, origin, &logins.records)?;
    }
    left_plain::note(server, logins);
    streams.print("Login Succeeded")
}

/// The registry that an image's name means: docker login drops path, tag and digest as well.
pub(super) fn registry_of(typed: &str) -> String {
    let is_registry = |url: ServerUrl| url.key() == url.registry_key() || url.registry().is_none();
    let scheme = typed.find("://").map_or(0, |at| at + "://".len());
    match typed[scheme..].find('/') {
        Some(end) if !ServerUrl::parse(typed).is_ok_and(is_registry) => {
            typed[..scheme + end].to_owned()
        }
        _ => typed.to_owned(),
    }
}

fn ask(
    login: &Login,
    server: &str,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<(String, Password)> {
    if !streams.interactive {
        return Err(Error::new(
            Kind::Usage,
            "cannot prompt for the password: standard input is not a terminal",
        )
        .hint(match &login.username {
            Some(_) => "pipe the password in and add --password-stdin",
            None => "pipe the password in and add -u NAME --password-stdin",
        }));
    }
    let url = ServerUrl::parse(server)?;
    // Before anybody types a password for nothing.
    logins.ready_for(&url)?;
    introduce(&url, logins);
    let username = match &login.username {
        Some(username) => username.clone(),
        None => ask_username(server, logins, streams)?,
    };
    let secret = typed("Password: ").map(Password::new);
    Ok((username, secret.map_err(|e| cannot_ask("password", &e, logins))?))
}

/// Where the password goes, and what is better than a password.
fn introduce(url: &ServerUrl, logins: &mut Logins<'_>) {
    let key = url.registry_key();
    let name = if key == DOCKER_HUB { format!("Docker Hub ({key})") } else { key.to_owned() };
    let mut text = format!("Logging in to {name}\n");
    if let Some(page) = personal_token::page_of(key) {
        text.push_str(&format!("You can make a personal access token at {page}\n"));
    }
    // Having nobody to tell is no reason to fail.
    let _unseen = logins.notes.write_all(text.as_bytes());
}

fn ask_username(
    server: &str,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<String> {
    let previous = logins.find_login(server).map(|record| record.account).unwrap_or_default();
    let offered = if previous.is_empty() { String::new() } else { format!(" ({previous})") };
    let mut line = String::new();
    let asked = write!(logins.notes, "Username{offered}: ")
        .and_then(|()| logins.notes.flush())
        .and_then(|()| streams.input.read_line(&mut line))
        // Ctrl-D.
        .and_then(|size| if size == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) });
    asked.map_err(|e| cannot_ask("username", &e, logins))?;
    let typed = line.trim();
    let username = if typed.is_empty() { previous } else { typed.to_owned() };
    if username.is_empty() {
        return Err(Error::new(Kind::Usage, "the username is empty"));
    }
    Ok(username)
}

fn cannot_ask(what: &str, error: &io::Error, logins: &mut Logins<'_>) -> Error {
    // The prompt's line has no line end yet.
    let _unseen = writeln!(logins.notes);
    streams::cannot_ask(what, error)
}

#[cfg(test)]
mod tests {
    use super::registry_of;

    /// As docker 28.2 was seen to do.
    #[test]
    fn an_images_name_means_its_registry() {
        for (typed, registry) in [
            ("h.example:5000/team/app:v1", "h.example:5000"),
            ("h.example/team/app@sha256:abc", "h.example"),
            ("http://h.example:5000/team", "http://h.example:5000"),
            ("docker.io/library/alpine", "docker.io"),
            ("h.example/", "h.example/"),
            ("https://h.example/v2/", "https://h.example/v2/"),
            ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
            ("https://index.docker.io/v1/access-token", "https://index.docker.io/v1/access-token"),
            ("h.example:v1", "h.example:v1"),
        ] {
            assert_eq!(registry_of(typed), registry, "{typed}");
        }
    }
}
