//! `GET /v2/`: what a registry asks for before it lets anyone in, and where it sends the client.

use std::path::PathBuf;

use crate::challenge::{BearerChallenge, Challenge, offers_basic};
use crate::error::{Error, Kind, Remedy, Result, Setting};
use crate::http::trust::Trust;
use crate::http::{Body, Http, Response};
use crate::origin::Origin;
use crate::realm::{self, Realm, TrustedUrl};
use crate::secret::Secret;
use crate::server_url::{Host, ServerUrl};
use crate::settings::{RegistrySettings, Settings, to_type};
use crate::text::{SERVER_TEXT_CHARS, printable};
use crate::trace::{self, redaction};

mod ping;

/// A registry, and what the user set for it.
pub struct Registry<'a> {
    url: &'a ServerUrl,
    settings: &'a Settings,
    own: RegistrySettings,
    certs_d: &'a [PathBuf],
    origin: Origin,
    trust: Trust,
}

/// Where the credentials may go, and what to say there.
pub struct TokenEndpoint {
    /// The registry, by the key that the user knows it by.
    pub registry: String,
    /// Allowed by the trust rules.
    pub realm: Realm,
    /// The certificates for it.
    pub trust: Trust,
    /// Sent along if the challenge has one.
    pub service: Option<String>,
    /// Sent with a refresh that is refused without it.
    pub scope: Option<String>,
}

impl<'a> Registry<'a> {
    /// Names the registry that a server URL means; nothing is sent yet.
    ///
    /// # Errors
    /// Its own certificates cannot be read.
    pub fn new(url: &'a ServerUrl, settings: &'a Settings, certs_d: &'a [PathBuf]) -> Result<Self> {
        let (host, port) = url
            .registry()
            .ok_or_else(|| Error::new(Kind::Usage, "this server URL is not that of a registry"))?;
        let own = settings.registry(url);
        let trust = Trust::of_host(certs_d, &host, port, own.ca_file.as_deref())?;
        Ok(Self { url, settings, own, certs_d, origin: Origin { https: true, host, port }, trust })
    }

    /// Asks for a challenge, without credentials.
    ///
    /// # Errors
    /// Network and TLS; an answer that is neither 200 nor a challenge; [`Kind::Trust`] for a
    /// redirect elsewhere; [`Kind::NoRefreshToken`] where there is nothing to exchange.
    pub fn challenge(&mut self, http: &Http) -> Result<BearerChallenge> {
        let answer = match self.ping(http)? {
            Some(answer) => answer,
            None => {
                self.allow_plain_http()?;
                self.ping(http)?.ok_or_else(|| self.unexpected("does not speak HTTP"))?
            }
        };
        match answer.status {
            200 if is_web_page(&answer) => Err(Error::new(
                Kind::Network,
                format!("{} answered /v2/ with a web page", self.name()),
            )
            .hint("check that it is a registry, and that no captive portal is in the way")),
            200 => Err(Error::new(
                Kind::NoRefreshToken,
                format!("{} asks for no login, so it has no refresh token to issue", self.name()),
            )),
            401 => match Challenge::parse(answer.header_bytes("www-authenticate")) {
                Ok(Challenge::Bearer(challenge)) => {
                    trace::step(|| format!("challenge: {}", describe(&challenge)));
                    Ok(challenge)
                }
                Ok(Challenge::Basic) => Err(Error::new(
                    Kind::NoRefreshToken,
                    format!("{} offers Basic authentication only, without tokens", self.name()),
                )),
                Err(malformed) => {
                    Err(self.unexpected(&format!("asks for a login but {malformed}")))
                }
            },
            _ => Err(Error::new(
                Kind::Network,
                format!("{} answered /v2/ with {}", self.name(), answer.describe()),
            )
            .hint("check that it is a registry, and try again later")),
        }
    }

    /// What in `certs.d` could not be read, if the registry was reached over TLS.
    pub fn notes(&self) -> &[String] {
        if self.origin.https { self.trust.notes() } else { &[] }
    }

    /// Asks the registry itself whether a password is right, by Basic authentication; false where it
    /// cannot say so, because it offers none or redirects.
    ///
    /// # Errors
    /// [`Kind::Rejected`]; network, TLS and trust as for [`Self::challenge`].
    pub fn check_password(
        &mut self,
        http: &Http,
        username: &str,
        password: &dyn Secret,
    ) -> Result<bool> {
        // HTTP Basic ends the username at the first colon (RFC 7617 section 2).
        if username.contains(':') {
            return Ok(false);
        }
        let asked = match self.ping(http)? {
            Some(asked) => asked,
            None => {
                self.allow_plain_http()?;
                self.ping(http)?.ok_or_else(|| self.unexpected("does not speak HTTP"))?
            }
        };
        if asked.status != 401 || !offers_basic(asked.header_bytes("www-authenticate")) {
            return Ok(false);
        }
        let url = TrustedUrl::of_registry(&self.origin)
            .map_err(|e| self.unexpected(&format!("cannot be asked: {e}")))?;
        let answer = http
            .send(&url, &self.trust, &Body::Basic(username, password))
            .map_err(|e| e.during(&format!("cannot log in at {}", self.name())))?;
        match answer.status {
            200 if is_web_page(&answer) => Ok(false),
            200 => Ok(true),
            300..=399 => Ok(false),
            401 | 403 => Err(Error::new(
                Kind::Rejected,
                format!("{} refused the username or password", self.name()),
            )
            .hint("check them and log in again")),
            _ => Err(Error::new(
                Kind::Network,
                format!(
                    "{} answered the login with {}; nothing was changed",
                    self.name(),
                    answer.describe()
                ),
            )
            .try_again_later()),
        }
    }

    /// Whether it offers HTTP Basic, alone or beside something else.
    ///
    /// # Errors
    /// As for [`Self::challenge`].
    pub fn offers_basic(&self, http: &Http) -> Result<bool> {
        let asked = self.ping(http)?;
        Ok(asked.is_some_and(|asked| offers_basic(asked.header_bytes("www-authenticate"))))
    }

    /// How messages call it: the key, which is what the user knows it by.
    fn name(&self) -> &str {
        self.url.registry_key()
    }

    fn unexpected(&self, what: &str) -> Error {
        Error::new(Kind::Network, format!("{} {what}", self.name()))
            .hint("check that it is a registry, or tell its operator")
    }

    /// The host answered a TLS hello with something else: plain http, if that is allowed.
    fn allow_plain_http(&mut self) -> Result<()> {
        if self.settings.may_be_plain(&self.origin.host, self.origin.port) {
            self.origin.https = false;
            return Ok(());
        }
        let name = self.name();
        let setting = Setting::new("insecure = true").of_registry(name);
        let setting = setting.in_file(&self.settings.file).or_variable(format!("INSECURE={name}"));
        let fact = format!("{name} does not speak TLS, and nothing is sent without it");
        let remedy = Remedy::from(setting).when("to allow it there");
        Err(Error::new(Kind::Network, fact).remedy(remedy))
    }

    /// The token endpoint of a recorded login, judged again.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn recorded_endpoint(
        &mut self,
        realm: &str,
        service: Option<String>,
    ) -> Result<TokenEndpoint> {
        // http was recorded only where the registry itself was reached over http.
        let plain = realm.starts_with("http://");
        if plain && self.settings.may_be_plain(&self.origin.host, self.origin.port) {
            self.origin.https = false;
        }
        self.judge(BearerChallenge { realm: realm.to_owned(), service, scope: None })
    }

    /// Judges the realm that a challenge names.
    ///
    /// # Errors
    /// [`Kind::Trust`] with the setting that would allow it, and certificates that cannot be read.
    pub fn judge(&self, challenge: BearerChallenge) -> Result<TokenEndpoint> {
        let BearerChallenge { realm: named, service, scope } = challenge;
        let may_be_plain = |host: &Host, port| self.settings.may_be_plain(host, port);
        let registry = realm::Registry {
            origin: &self.origin,
            trusted: &self.own.trust_realm,
            may_be_plain: &may_be_plain,
        };
        let judged = Realm::judge(&named, &registry);
        trace::step(|| match &judged {
            Ok(realm) => format!("realm {}: allowed", realm.origin()),
            Err(why) => format!("realm {}: refused, it {why}", redaction::url_text(&named)),
        });
        let realm = judged.map_err(|why| self.refused(&named, &why))?;
        let Origin { host, port, .. } = realm.origin();
        let mut trust = Trust::of_host(self.certs_d, host, *port, None)?;
        if realm.is_same_site() {
            trust = trust.with_registry(&self.trust, *host == self.origin.host);
        }
        Ok(TokenEndpoint { registry: self.name().to_owned(), realm, trust, service, scope })
    }

    fn refused(&self, named: &str, why: &realm::Refused) -> Error {
        let name = self.name();
        let named = printable(named, SERVER_TEXT_CHARS);
        let message =
            format!("{name} sends its logins to {named}, which {why}; nothing was sent there");
        let error = Error::new(Kind::Trust, message);
        match why.trustable() {
            Some(origin) => {
                let login = format!("login {name} --trust-realm {origin}");
                let login = to_type(&self.settings.profile, &login);
                let setting = Setting::new(format!("trust_realm = [\"{origin}\"]"))
                    .of_registry(name)
                    .in_file(&self.settings.file)
                    .or_variable(format!("TRUST_REALM={name}={origin}"));
                error.remedy(Remedy::Run(login).or(setting.into()).when("if you trust it"))
            }
            None => error.remedy(Remedy::TellOperator),
        }
    }
}

/// A challenge for the trace.
fn describe(challenge: &BearerChallenge) -> String {
    let mut text = format!("Bearer realm={}", redaction::url_text(&challenge.realm));
    for (name, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={}", printable(value, SERVER_TEXT_CHARS)));
        }
    }
    text
}

/// What a captive portal answers for any host; a registry's `/v2/` is JSON, or empty.
fn is_web_page(answer: &Response) -> bool {
    let kind = answer.header("content-type").unwrap_or_default();
    kind.trim_start().get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
}
