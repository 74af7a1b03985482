//! The proof of a refresh token: it works as often as its client will use it.

use super::{Answer, Refusal, TokenResponse, TokenServer, USED_AS};
use crate::error::Result;
use crate::secret::RefreshToken;

/// The outcome of a refresh with a new token.
pub(super) enum Proof {
    /// It works, and goes on working.
    Holds {
        notes: Vec<String>,
    },
    /// The first refresh worked, and the second with the same token did not.
    SingleUse,
    Refused(Refusal),
}

/// Refreshes as the client that will use the token, and once more if a different one came back.
pub(super) fn prove(server: &TokenServer<'_>, token: &RefreshToken) -> Result<Proof> {
    let tokens = match refresh(server, token)? {
        Ok(tokens) => tokens,
        Err(refusal) => return Ok(Proof::Refused(refusal)),
    };
    let mut notes = Vec::new();
    if let Some(successor) = tokens.refresh.filter(|returned| returned != token) {
        server.issued.note(&successor, USED_AS);
        if refresh(server, token)?.is_err() {
            return Ok(Proof::SingleUse);
        }
        notes.push(format!(
            "{} issues a new refresh token at each use; the first one still works and was kept",
            server.name()
        ));
    }
    Ok(Proof::Holds { notes })
}

/// One refresh that brings an access token; with the challenge's scope where it is refused without.
fn refresh(
    server: &TokenServer<'_>,
    token: &RefreshToken,
) -> Result<std::result::Result<TokenResponse, Refusal>> {
    let mut answer = server.refresh(USED_AS, token, None)?;
    let scope = server.endpoint.scope.as_deref();
    if let (Answer::Refused(refusal), Some(_)) = (&answer, scope)
        && refusal.may_want_scope()
    {
        answer = server.refresh(USED_AS, token, scope)?;
    }
    Ok(match answer {
        Answer::Tokens(tokens) if tokens.access.is_some() => Ok(tokens),
        // 200 alone proves nothing (docker_auth).
        Answer::Tokens(_) => Err(Refusal { status: 200, code: None }),
        Answer::Refused(refusal) => Err(refusal),
    })
}
