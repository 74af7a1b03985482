//! The exchange of a password for a refresh token, which must then be proven.

use jiff::Timestamp;

use super::proof::{Proof, prove};
use super::{Answer, CLIENT_ID, Refusal, TokenResponse, TokenServer, USED_AS};
use crate::error::{Error, Kind, Remedy, Result, Setting};
use crate::secret::disguise;
use crate::secret::{Password, RefreshToken};

/// What the user gave.
pub struct PasswordLogin<'a> {
    /// The account's name.
    pub username: &'a str,
    /// Sent to the token endpoint alone.
    pub password: &'a Password,
    /// From the settings; [`CLIENT_ID`] if none is set.
    pub client_id: Option<&'a str>,
}

/// A refresh token that was seen to work: there is no other way to construct one.
#[derive(Debug)]
pub struct ProvenToken {
    token: RefreshToken,
    /// The client id that obtained it; none where it was given.
    pub obtained_as: Option<String>,
    /// The client id that refreshed with it.
    pub proven_as: &'static str,
    /// When it expires, if the server or the token says.
    pub expires: Option<Timestamp>,
    /// What the user should know about it, one line each.
    pub notes: Vec<String>,
}

impl ProvenToken {
    /// The token, to be kept.
    pub fn secret(&self) -> &RefreshToken {
        &self.token
    }
}

/// How a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Post,
    Get,
}

/// A refresh token that the server issued, and that is not proven yet.
struct NewToken {
    token: RefreshToken,
    expires: Option<Timestamp>,
    way: Way,
}

/// Exchanges and proves. The password is sent at most three times, a wrong one at most twice
/// unless POST was answered other than 401.
///
/// # Errors
/// [`Kind::Rejected`] for wrong credentials, [`Kind::NoRefreshToken`] where no lasting one is
/// issued, [`Kind::Network`] for anything that may succeed later. What was issued then is
/// [`TokenServer::take_unkept`].
pub fn obtain(server: &TokenServer<'_>, login: &PasswordLogin<'_>) -> Result<ProvenToken> {
    let obtained = exchange_and_prove(server, login);
    match obtained {
        Ok(_) => server.issued.forget(),
        // The successor of a token can be the password as well.
        Err(_) => server.issued.retain(|token| is_of_its_own(token, login)),
    }
    obtained
}

fn exchange_and_prove(server: &TokenServer<'_>, login: &PasswordLogin<'_>) -> Result<ProvenToken> {
    let client_id = login.client_id.unwrap_or(CLIENT_ID);
    let issued = exchange(server, client_id, login)?;
    server.issued.note(&issued.token, client_id);
    let refusal = match prove(server, &issued.token)? {
        Proof::Holds { notes } => return Ok(proven(issued, client_id, notes)),
        Proof::SingleUse => return Err(single_use(server)),
        Proof::Refused(refusal) => refusal,
    };
    let unusable = || unusable(server, &refusal);
    if client_id == USED_AS {
        return Err(unusable());
    }
    // Bound to the client that obtained it: then obtain one as the client that will use it.
    let answer = match issued.way {
        Way::Post => server.password_grant(USED_AS, login.username, login.password)?,
        Way::Get => server.basic_get(USED_AS, login.username, login.password, true)?,
    };
    let Some(issued) = issued_by(answer, issued.way, login) else { return Err(unusable()) };
    server.issued.note(&issued.token, USED_AS);
    match prove(server, &issued.token)? {
        Proof::Holds { mut notes } => {
            notes.push(format!(
                "{} binds refresh tokens to one client; clients other than docker may be refused",
                server.name()
            ));
            Ok(proven(issued, USED_AS, notes))
        }
        Proof::SingleUse => Err(single_use(server)),
        Proof::Refused(_) => Err(unusable()),
    }
}

/// Proves a token that was issued without a password: it cannot be had as another client.
pub(super) fn prove_issued(
    server: &TokenServer<'_>,
    token: RefreshToken,
    expires: Option<Timestamp>,
    client_id: &str,
) -> Result<ProvenToken> {
    server.issued.note(&token, client_id);
    match prove(server, &token)? {
        Proof::Holds { notes } => {
            server.issued.forget();
            let obtained_as = Some(client_id.to_owned());
            Ok(ProvenToken { token, obtained_as, proven_as: USED_AS, expires, notes })
        }
        Proof::SingleUse => Err(single_use(server)),
        Proof::Refused(refusal) => {
            let setting = Setting::new(format!("client_id = \"{USED_AS}\""));
            let setting = Remedy::from(setting.of_registry(server.name()));
            let remedy = setting.when("if it binds them to one client");
            Err(unusable(server, &refusal).remedy(remedy))
        }
    }
}

/// Whether the server accepts a login by HTTP Basic; it is asked unless it was seen to.
///
/// # Errors
/// [`Kind::Rejected`], and those of [`TokenServer::access`].
pub fn check_basic(server: &TokenServer<'_>, login: &PasswordLogin<'_>) -> Result<()> {
    if server.accepted_basic.get() {
        return Ok(());
    }
    match server.access(login.username, login.password, &[])? {
        Answer::Tokens(TokenResponse { access: Some(_), .. }) => Ok(()),
        _ => Err(wrong_credentials(server)),
    }
}

fn exchange(
    server: &TokenServer<'_>,
    client_id: &str,
    login: &PasswordLogin<'_>,
) -> Result<NewToken> {
    let answer = server.password_grant(client_id, login.username, login.password)?;
    let post_was_401 = match &answer {
        Answer::Refused(refusal) if refusal.settles() => return Err(wrong_credentials(server)),
        Answer::Refused(refusal) => refusal.status == 401,
        Answer::Tokens(_) => false,
    };
    if let Some(issued) = issued_by(answer, Way::Post, login) {
        return Ok(issued);
    }
    let none = |why: &str| Error::new(Kind::NoRefreshToken, format!("{} {why}", server.name()));
    if login.username.contains(':') {
        // HTTP Basic ends the username at the first colon (RFC 7617 section 2).
        return Err(none(
            "accepts this login only by HTTP Basic, which does not allow a colon in a username",
        ));
    }
    match server.basic_get(client_id, login.username, login.password, true)? {
        Answer::Tokens(TokenResponse {
            refresh: Some(token), refresh_expires: expires, ..
        }) if is_of_its_own(&token, login) => Ok(NewToken { token, expires, way: Way::Get }),
        Answer::Tokens(TokenResponse { access: Some(_), .. }) => {
            Err(none("issues no refresh tokens"))
        }
        Answer::Tokens(_) => Err(none("accepted the login but returned no token")),
        // 403 is how GHCR and others answer a wrong or expired token.
        Answer::Refused(refusal)
            if refusal.settles()
                || refusal.status == 403
                || (refusal.status == 401 && post_was_401) =>
        {
            Err(wrong_credentials(server))
        }
        Answer::Refused(Refusal { status: 401, .. }) => {
            // Ambiguous: wrong, or just not willing to issue offline tokens (Harbor, regclient #865).
            match server.basic_get(client_id, login.username, login.password, false)? {
                Answer::Tokens(_) => Err(none("refuses to issue refresh tokens")),
                Answer::Refused(_) => Err(wrong_credentials(server)),
            }
        }
        Answer::Refused(refusal) => Err(Error::new(
            Kind::Network,
            format!("the token server of {} answered the login with {refusal}", server.name()),
        )
        .remedy(Remedy::TryAgainLater.or(Remedy::TellOperator))),
    }
}

fn issued_by(answer: Answer, way: Way, login: &PasswordLogin<'_>) -> Option<NewToken> {
    match answer {
        Answer::Tokens(TokenResponse {
            refresh: Some(token), refresh_expires: expires, ..
        }) if is_of_its_own(&token, login) => Some(NewToken { token, expires, way }),
        _ => None,
    }
}

/// A server that returns the password as the refresh token has issued none: keeping that would be
/// keeping the password.
fn is_of_its_own(token: &RefreshToken, login: &PasswordLogin<'_>) -> bool {
    !disguise::is_in(token, login.username, login.password)
}

fn unusable(server: &TokenServer<'_>, refusal: &Refusal) -> Error {
    let name = server.name();
    let message =
        format!("{name} issues refresh tokens but refuses to refresh with them ({refusal})");
    Error::new(Kind::NoRefreshToken, message)
}

fn proven(issued: NewToken, client_id: &str, notes: Vec<String>) -> ProvenToken {
    ProvenToken {
        token: issued.token,
        obtained_as: Some(client_id.to_owned()),
        proven_as: USED_AS,
        expires: issued.expires,
        notes,
    }
}

/// Proves a refresh token that was not obtained here: there is nothing to exchange.
///
/// # Errors
/// As [`obtain`].
pub fn prove_given(server: &TokenServer<'_>, token: RefreshToken) -> Result<ProvenToken> {
    let proof = prove(server, &token);
    // Whoever gave it may still use it.
    server.issued.forget();
    match proof? {
        Proof::Holds { notes } => {
            let expires = super::jwt::expiry(token.expose());
            Ok(ProvenToken { token, obtained_as: None, proven_as: USED_AS, expires, notes })
        }
        Proof::SingleUse => Err(single_use(server)),
        Proof::Refused(_) => {
            Err(Error::new(Kind::Rejected, format!("{} refused the refresh token", server.name()))
                .hint("get a new one and log in again"))
        }
    }
}

fn wrong_credentials(server: &TokenServer<'_>) -> Error {
    let message = format!("{} refused the username or password", server.name());
    Error::new(Kind::Rejected, message).hint("check them and log in again")
}

fn single_use(server: &TokenServer<'_>) -> Error {
    let message = format!(
        "the refresh tokens of {} work only once, and no client stores the next one",
        server.name()
    );
    Error::new(Kind::NoRefreshToken, message)
}
