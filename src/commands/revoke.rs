//! `revoke`: revokes logins at the server, proved by a refresh that is refused.

use super::outcomes::{no_logins, worst};
use super::password::ask;
use super::streams::Streams;
use crate::cli::Revoke;
use crate::error::{Error, Kind, Remedy, Result, Setting};
use crate::login_record::LoginRecord;
use crate::logins::{Logins, Revoked, where_revoked};
use crate::personal_token::form_of;
use crate::secret::{RefreshToken, check_token};
use crate::settings::to_type;
use crate::text::shell_word;

pub(super) fn run(
    revoke: &Revoke,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    if revoke.token_stdin {
        return token(revoke.server.as_deref().unwrap_or_default(), logins, streams);
    }
    let records = match &revoke.server {
        Some(server) => vec![of_server(server, logins)?],
        None => logins.all()?,
    };
    if records.is_empty() {
        streams.print(&no_logins(logins)?)?;
    }
    let outcomes = records.iter().map(|record| {
        let mut password = |record: &_| ask(record, revoke.password_stdin, streams);
        let outcome = logins.revoke_login(record, &mut password)?;
        streams.print(&revoked(&record.server_url, outcome))
    });
    worst(outcomes.filter_map(Result::err).collect(), WORST, logins)
}

/// Advice to log in does not help somebody who wants to revoke a login.
fn of_server(server: &str, logins: &mut Logins<'_>) -> Result<LoginRecord> {
    let found = logins.find_exact(server);
    logins.or_elsewhere(server, found).map_err(|error| match error.kind {
        Kind::NotLoggedIn => Error::new(error.kind, error.fact)
            .hint("to revoke a token stored elsewhere, pass it with --token-stdin"),
        Kind::NoRefreshToken => Error::new(error.kind, error.fact).hint(format!(
            "change the password at the registry; to remove it here, run: {}",
            to_type(&logins.settings.profile, &format!("logout {}", shell_word(server)))
        )),
        _ => error,
    })
}

/// A token kept elsewhere: what is kept here stays, unless it is the same.
fn token(server: &str, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let token: RefreshToken = streams.piped_secret("refresh token")?;
    check_token(token.expose())
        .map_err(|shape| Error::new(Kind::Usage, format!("the token on standard input {shape}")))?;
    let (record, kept) = match logins.find_exact(server) {
        Ok(record) => {
            let same = logins.item(&record).is_ok_and(|item| item.token == token);
            (record, same)
        }
        Err(error) if error.kind == Kind::NotLoggedIn => (logins.unknown_login(server)?, false),
        Err(error) => return Err(error),
    };
    if let Some(form) = form_of(token.expose()) {
        let message = format!("a {} cannot be revoked from here: it stays valid", form.name);
        return Err(Error::new(Kind::RevocationUnconfirmed, message).hint(where_revoked(&record)));
    }
    // One that is kept here was not mistyped.
    let outcome = match kept {
        true => logins.revoke_token(&record, &token),
        false => logins.revoke_given(&record, &token),
    };
    if !outcome? {
        let message =
            format!("no revocation endpoint is known for {server}: the token stays valid");
        return Err(Error::new(Kind::RevocationUnconfirmed, message)
            .remedy(Remedy::RevokeThere.or(Setting::new("revocation_endpoint").into())));
    }
    if kept {
        logins.erase_revoked(&record, &token)?;
    }
    streams.print(&format!("Revoked the token of {server}"))
}

/// What became of a login, for a person.
pub(super) fn revoked(server: &str, outcome: Revoked) -> String {
    match outcome {
        Revoked::Removed => format!("Revoked and removed the login for {server}"),
        Revoked::WasDead => format!("Removed the login for {server}, whose token no longer works"),
        Revoked::Replaced => format!(
            "Revoked the previous login for {server}; the new one, made in the meantime, was kept"
        ),
    }
}

/// In order of weight: out of reach (worth another try) before not confirmed.
pub(super) const WORST: &[Kind] = &[Kind::Network, Kind::RevocationUnconfirmed];
