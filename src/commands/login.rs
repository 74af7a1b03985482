//! `login`: asks like `docker login`, then does what `store` does.

use super::streams::Streams;
use crate::cli::Login;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::protocol::Credentials;
use crate::secret::Password;
use crate::server_url::DOCKER_HUB;

pub(super) fn run(login: &Login, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let server = login.server.as_deref().unwrap_or(DOCKER_HUB);
    if let Some(origin) = &login.trust_realm {
        logins.settings.trust_realm(server, origin)?;
    }
    let (username, secret) = if login.password_stdin {
        let username = login.username.clone().ok_or_else(|| {
            Error::new(Kind::Usage, "--password-stdin needs --username")
                .hint("name the account with -u NAME")
        })?;
        (username, streams.piped_secret()?)
    } else {
        ask(login, server, logins, streams)?
    };
    if secret.expose().is_empty() {
        return Err(Error::new(Kind::Usage, "the password is empty"));
    }
    logins.store(Credentials { server_url: server.to_owned(), username, secret })?;
    if let Some(origin) = &login.trust_realm {
        logins.settings.save_trusted_realm(server, origin)?;
    }
    streams.print("Login Succeeded")
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
            "cannot ask for the password: standard input is no terminal",
        )
        .hint("pipe the password in and add --password-stdin"));
    }
    let username = match &login.username {
        Some(username) => username.clone(),
        None => ask_username(server, logins, streams)?,
    };
    let secret = rpassword::prompt_password("Password: ").map_err(|e| {
        Error::new(Kind::Other, format!("cannot ask for the password: {}", e.kind()))
    })?;
    Ok((username, Password::new(secret)))
}

fn ask_username(
    server: &str,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<String> {
    let former = logins.find_login(server).map(|record| record.account).unwrap_or_default();
    let offered = if former.is_empty() { String::new() } else { format!(" ({former})") };
    let cannot = |e: std::io::Error| {
        Error::new(Kind::Other, format!("cannot ask for the user name: {}", e.kind()))
    };
    write!(logins.notes, "Username{offered}: ")
        .and_then(|()| logins.notes.flush())
        .map_err(cannot)?;
    let mut line = String::new();
    streams.input.read_line(&mut line).map_err(cannot)?;
    let typed = line.trim();
    let username = if typed.is_empty() { former } else { typed.to_owned() };
    if username.is_empty() {
        return Err(Error::new(Kind::Usage, "the user name is empty"));
    }
    Ok(username)
}
