//! The question itself, with the redirects that may be followed.

use std::time::Duration;

use url::Url;

use super::Registry;
use crate::error::{Error, Kind, Result};
use crate::http::trust::Trust;
use crate::http::{Failure, Http, Response};
use crate::origin::{self, Origin, same_site};
use crate::text::{SERVER_TEXT_CHARS, printable};

const MAX_REDIRECTS: usize = 5;
/// Pauses before asking once more: nothing secret has been sent yet.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

impl Registry<'_> {
    /// One `GET /v2/` with its redirects; none if the first answer was no TLS.
    pub(super) fn ping(&self, http: &Http) -> Result<Option<Response>> {
        let cannot = |e: &dyn std::fmt::Display| self.unexpected(&format!("cannot be asked: {e}"));
        let mut url = Url::parse(&format!("{}/v2/", self.origin)).map_err(|e| cannot(&e))?;
        let mut trust = self.trust.clone();
        for hop in 0..=MAX_REDIRECTS {
            let answer = match self.patiently(http, &url, &trust) {
                Ok(answer) => answer,
                Err(Failure::NotTls) if hop == 0 && self.origin.https => return Ok(None),
                Err(failure) => {
                    return Err(failure.during(&format!("cannot reach {}", self.name())));
                }
            };
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Some(answer));
            }
            let location = answer.header("location").unwrap_or_default();
            let target = self.redirect(&url, location)?;
            let host = &target.1.host;
            // The registry's client pair is for its own origin: a redirect is not a realm.
            trust = Trust::of_host(self.certs_d, host, target.1.port, None)?
                .with_registry(&self.trust, target.1 == self.origin);
            url = target.0;
        }
        Err(self.unexpected("redirects more than 5 times"))
    }

    /// Nothing secret is in the request, so a server in trouble is asked again.
    fn patiently(
        &self,
        http: &Http,
        url: &Url,
        trust: &Trust,
    ) -> std::result::Result<Response, Failure> {
        for pause in BACK_OFF {
            let answer = http.ask(url, trust)?;
            if !matches!(answer.status, 502..=504) || answer.header("retry-after").is_some() {
                return Ok(answer);
            }
            http.pause(pause);
        }
        http.ask(url, trust)
    }

    /// A redirect is followed only within the site of the server URL, and never from https to http.
    fn redirect(&self, from: &Url, location: &str) -> Result<(Url, Origin)> {
        let refused = |why: &str| {
            let to = printable(location, SERVER_TEXT_CHARS);
            let message = format!("{} redirects to {to}, which {why}", self.name());
            Error::new(Kind::Trust, message)
                .hint("log in with the name it redirects to, if you trust it")
        };
        if location.is_empty()
            || !location.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'\\')
        {
            return Err(refused("is not a URL"));
        }
        let joined = from.join(location).map_err(|_| refused("is not a URL"))?;
        let (url, target) =
            origin::parse(joined.as_str()).map_err(|why| refused(&why.to_string()))?;
        let own_host = target.host == self.origin.host;
        if !target.https && (self.origin.https || !own_host) {
            return Err(refused("would downgrade to plain http"));
        }
        if !own_host && !same_site(&self.origin.host, &target.host) {
            return Err(refused("is on another site"));
        }
        Ok((url, target))
    }
}
