//! What a token server issued for a login that failed its proof.

use super::{Destination, Logins};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, QUICK_DEADLINE};
use crate::registry::TokenEndpoint;
use crate::revocation::Endpoint;
use crate::server_url::ServerUrl;
use crate::token::Unkept;

impl Logins<'_> {
    /// It should not stay valid at the server: one quick attempt, and a note where that failed. Why the
    /// login did is for the caller to say.
    pub(super) fn take_back_unkept(
        &mut self,
        url: &ServerUrl,
        endpoint: &TokenEndpoint,
        destination: &Destination,
        mut unkept: Vec<Unkept>,
    ) {
        // A server that issues one token per account returned the previous login's.
        if !unkept.is_empty()
            && let Ok(kept) = destination.keychain.get(url.key())
        {
            unkept.retain(|issued| issued.token != kept.token);
        }
        if unkept.is_empty() {
            return;
        }
        if let Err(why) = self.revoke_unkept(url, endpoint, &unkept) {
            self.note(&format!(
                "the new token of {} was not kept, and may stay valid there until it expires: {}",
                endpoint.registry, why.fact
            ));
        }
    }

    /// All are tried; the first error counts.
    fn revoke_unkept(
        &self,
        url: &ServerUrl,
        endpoint: &TokenEndpoint,
        unkept: &[Unkept],
    ) -> Result<()> {
        let http = Http::new(QUICK_DEADLINE)?;
        let origin = endpoint.realm.origin();
        let own = self.settings.registry(url);
        let configured = own.revocation_endpoint.as_deref();
        let Some(known) = Endpoint::find(&http, origin, &endpoint.trust, configured)? else {
            let fact = "no revocation endpoint is known";
            return Err(Error::new(Kind::RevocationUnconfirmed, fact));
        };
        let trust = known.trust(origin, &endpoint.trust, &self.certs_d)?;
        let revoked =
            unkept.iter().map(|left| known.revoke(&http, &trust, &left.client_id, &left.token));
        // Each is tried, whatever became of the one before.
        revoked.collect::<Vec<_>>().into_iter().collect()
    }
}
