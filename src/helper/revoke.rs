//! Revocation that is proved: afterwards the token must be refused.

use std::time::Duration;

use super::Helper;
use super::refresh::url_of;
use crate::error::{Error, Kind, Result};
use crate::http::Http;
use crate::login_record::LoginRecord;
use crate::registry::TokenEndpoint;
use crate::revocation::Endpoint;
use crate::secret::RefreshToken;
use crate::token::{Answer, CLIENT_ID, TokenServer, USED_AS};

const NETWORK_DEADLINE: Duration = Duration::from_secs(30);

impl Helper<'_> {
    /// Revokes a login at the server, proves it dead, and removes it here.
    ///
    /// # Errors
    /// [`Kind::RevocationUnconfirmed`]: no endpoint is known (then it is removed here all the
    /// same), or the token still works (then it is kept). [`Kind::Network`]: kept, to try again.
    pub fn revoke_login(&mut self, record: &LoginRecord) -> Result<()> {
        let token = self.item(record)?.token;
        let outcome = self.revoke_token(record, &token);
        let name = &record.server_url;
        match outcome {
            Ok(true) => self.erase_ours(&url_of(record)?).map(drop),
            Ok(false) => {
                self.erase_ours(&url_of(record)?)?;
                let message = format!(
                    "no revocation endpoint of {name} is known: the login was removed here, but \
                     its token stays valid at the server"
                );
                Err(Error::new(Kind::RevocationUnconfirmed, message).hint(
                    "end it at the registry, or set revocation_endpoint before the next login",
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// Revokes a token of one login's realm and proves it dead; false if no endpoint is known.
    ///
    /// # Errors
    /// As [`Helper::revoke_login`].
    pub fn revoke_token(&mut self, record: &LoginRecord, token: &RefreshToken) -> Result<bool> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        if !self.send_revocation(&http, &endpoint, record, token)? {
            return Ok(false);
        }
        let client_id = record.proven_as.as_deref().unwrap_or(USED_AS);
        match TokenServer::new(&http, &endpoint).refresh(client_id, token, None)? {
            Answer::Granted(granted) if granted.access.is_some() => {
                let name = &record.server_url;
                let message = format!("{name} says that the token is revoked, but it still works");
                Err(Error::new(Kind::RevocationUnconfirmed, message)
                    .hint("it was kept here; end it at the registry"))
            }
            _ => Ok(true),
        }
    }

    /// Asks the server to revoke; false if no endpoint is known. Not proved.
    pub(super) fn send_revocation(
        &self,
        http: &Http,
        endpoint: &TokenEndpoint,
        record: &LoginRecord,
        token: &RefreshToken,
    ) -> Result<bool> {
        let own = self.settings.registry(&url_of(record)?);
        let configured = own.revocation_endpoint.as_deref();
        let trust = &endpoint.trust;
        let Some(known) = Endpoint::find(http, endpoint.realm.origin(), trust, configured)? else {
            return Ok(false);
        };
        let client_id = record.obtained_as.as_deref().unwrap_or(CLIENT_ID);
        known.revoke(http, trust, client_id, token).map(|()| true)
    }

    /// One quick attempt, without proof, for a token that is given up anyway.
    pub(super) fn try_to_revoke(
        &self,
        record: &LoginRecord,
        token: &RefreshToken,
        limit: Duration,
    ) -> Result<()> {
        let http = Http::new(limit)?;
        let endpoint = self.endpoint_of(&http, record)?;
        if self.send_revocation(&http, &endpoint, record, token)? {
            return Ok(());
        }
        Err(Error::new(Kind::RevocationUnconfirmed, "no revocation endpoint is known")
            .hint("end it at the registry, or set revocation_endpoint"))
    }
}
