//! Revocation of a token that a person gave, which may be mistyped.

use super::Logins;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::login_record::LoginRecord;
use crate::secret::RefreshToken;
use crate::token::{Answer, CLIENT_ID, TokenResponse, USED_AS};

impl Logins<'_> {
    /// As [`Logins::revoke_token`], once a refresh has shown that it is a token: the endpoint answers
    /// 200 for one that it does not know as well (RFC 7009 section 2.2).
    ///
    /// # Errors
    /// [`Kind::Rejected`] if the token server refuses it; else as [`Logins::revoke_login`].
    pub fn revoke_given(&mut self, record: &LoginRecord, token: &RefreshToken) -> Result<bool> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        // A refresh may replace the token, which is no good where none can be revoked.
        if self.revocation_at(&http, &endpoint, record)?.is_none() {
            return Ok(false);
        }
        // It may be bound to the client that uses it, or to the one that obtained it.
        let used_as = record.proven_as.as_deref().unwrap_or(USED_AS);
        let obtained_as = record.obtained_as.as_deref().unwrap_or(CLIENT_ID);
        let mut found = None;
        for client_id in [used_as, obtained_as] {
            let answer = self.refresh_as(client_id, &http, &endpoint, record, token)?;
            // What is not about the token leaves the answer to the revocation.
            if !matches!(&answer, Answer::Refused(refusal) if refusal.is_of_the_token()) {
                found = Some((client_id, answer));
                break;
            }
        }
        let Some((client_id, answer)) = found else {
            let name = &record.server_url;
            let fact = format!(
                "the token server of {name} does not accept this token: there is nothing to revoke"
            );
            return Err(Error::new(Kind::Rejected, fact).hint("check that it is complete"));
        };
        // What is recorded of the login here is not said of this token.
        let proven_as = Some(client_id.to_owned());
        let given = LoginRecord { obtained_as: None, proven_as, ..record.clone() };
        if let Answer::Tokens(TokenResponse { refresh: Some(new), .. }) = answer
            && new != *token
        {
            self.revoke_at(&http, &endpoint, &given, &new)?;
        }
        self.revoke_at(&http, &endpoint, &given, token)
    }
}
