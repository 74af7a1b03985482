//! `store`: exchanges a password, proves the token, keeps only that.

use super::keep::{Destination, LoginToken};
use super::{Logins, parse_url};
use crate::environment::PREFIX;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::personal_token::PersonalToken;
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME};
use crate::registry::{Registry, TokenEndpoint};
use crate::secret::{RefreshToken, check_token};
use crate::server_url::ServerUrl;
use crate::token::{Login, TokenServer, check_basic, obtain};

const MAX_USERNAME_BYTES: usize = 1024;

/// A login that has its token, and is not kept yet.
pub struct NewLogin {
    pub(super) url: ServerUrl,
    pub(super) account: String,
    pub(super) destination: Destination,
    pub(super) token: LoginToken,
}

impl NewLogin {
    /// Whether it is a personal token, which is kept as it is.
    pub fn is_personal(&self) -> bool {
        matches!(self.token, LoginToken::Personal { .. })
    }
}

/// The outcome of an exchange that did not fail.
#[expect(clippy::large_enum_variant, reason = "there is one, and it lives for one call")]
pub enum Exchange {
    /// A token was issued, or the client brought one.
    Done(NewLogin),
    /// There is no lasting token to be had, or a trust rule refused the realm.
    Impossible {
        /// Which of these.
        why: Error,
        /// Whether the token server accepted the password nevertheless.
        accepted: bool,
    },
}

impl Exchange {
    fn impossible(why: Error) -> Self {
        Self::Impossible { why, accepted: false }
    }
}

/// Who has seen that a password is right, where no token shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checked {
    /// Clients log in at the registry before they call `store`.
    ByTheClient,
    ByNobody,
}

impl Logins<'_> {
    /// Keeps a login.
    ///
    /// # Errors
    /// Any; then the previous login is as it was, unless a fallback has taken the new one and ours
    /// could not be removed, which the error says.
    pub fn store(&mut self, credentials: Credentials) -> Result<()> {
        let (server_url, name) = (credentials.server_url.clone(), credentials.username.clone());
        let exchange = self.exchange(&credentials);
        let stored = exchange.and_then(|exchange| self.finish(credentials, exchange));
        if stored.is_err() {
            self.forget_incomplete_pair(&server_url, &name);
        }
        stored
    }

    /// The same for a person. A client has seen that the password is right before it calls
    /// [`Logins::store`]; here the fallback gets only what the registry was seen to accept.
    ///
    /// # Errors
    /// As [`Logins::store`], and [`Kind::Rejected`] where only the fallback would have it.
    pub fn log_in(&mut self, credentials: Credentials) -> Result<()> {
        let exchange = self.exchange_for(&credentials, Checked::ByNobody)?;
        self.finish(credentials, exchange)
    }

    fn finish(&mut self, credentials: Credentials, exchange: Exchange) -> Result<()> {
        match exchange {
            Exchange::Done(login) => {
                // A keychain may take a minute, and needs no password.
                drop(credentials);
                self.keep_login(&login)
            }
            Exchange::Impossible { why, .. } => self.hand_over(&credentials, why),
        }
    }

    /// The first half of [`Logins::store`]: keeps nothing, and hands nothing to the fallback.
    ///
    /// # Errors
    /// Any but that it is impossible.
    pub fn exchange(&mut self, credentials: &Credentials) -> Result<Exchange> {
        self.exchange_for(credentials, Checked::ByTheClient)
    }

    fn exchange_for(&mut self, credentials: &Credentials, checked: Checked) -> Result<Exchange> {
        let url = parse_url(&credentials.server_url)?;
        let username = &credentials.username;
        if username.len() > MAX_USERNAME_BYTES || username.chars().any(char::is_control) {
            return Err(Error::new(
                Kind::Usage,
                "the user name is too long or has control characters",
            ));
        }
        if checked == Checked::ByNobody && url.is_docker_hub_oauth() {
            let fact = format!("{} is where Docker keeps its own tokens", url.asked());
            return Err(Error::new(Kind::Usage, fact)
                .hint("log in to Docker Hub with: docker-credential-refresh login"));
        }
        let is_kept_as_it_came =
            username == IDENTITY_TOKEN_USERNAME && checked == Checked::ByTheClient;
        if is_kept_as_it_came || url.is_docker_hub_oauth() {
            check_token(credentials.secret.expose())
                .map_err(|shape| Error::new(Kind::Usage, format!("the token {shape}")))?;
            let destination = self.ready_to_keep()?;
            let token = RefreshToken::new(credentials.secret.expose().to_owned());
            // Docker Hub's OAuth pairs are given back as they came, whatever their username.
            let opaque = url.is_docker_hub_oauth();
            let account =
                if username == IDENTITY_TOKEN_USERNAME && !opaque { "" } else { username };
            let (account, token) = (account.to_owned(), LoginToken::AsItCame(token));
            return Ok(Exchange::Done(NewLogin { url, account, destination, token }));
        }
        if credentials.secret.expose().is_empty() {
            return Err(Error::new(Kind::Usage, "the password is empty").hint("log in again"));
        }
        self.exchange_password(url, credentials, checked)
    }

    /// The second half of [`Logins::store`].
    ///
    /// # Errors
    /// As [`Logins::store`]; the token is revoked then, where that is possible.
    pub fn keep_login(&mut self, login: &NewLogin) -> Result<()> {
        let NewLogin { url, account, destination, token } = login;
        self.keep(url, account, destination, token)
    }

    /// Gives up a token that is not to be kept after all: revoked where that is possible.
    pub fn give_up(&mut self, login: &NewLogin) {
        let NewLogin { url, account, destination, token } = login;
        let name = destination.keychain.name();
        let record = token.record(&self.settings.profile, url, account, name);
        self.take_back(&record, token);
    }

    fn exchange_password(
        &mut self,
        url: ServerUrl,
        credentials: &Credentials,
        checked: Checked,
    ) -> Result<Exchange> {
        let certs_d = self.certs_d.clone();
        let settings = self.settings.clone();
        let mut registry = Registry::new(&url, &settings, &certs_d)?;
        let ready = self.ready_for(&url)?;
        let http = Http::new(NETWORK_DEADLINE)?;
        let challenge = registry.challenge(&http);
        registry.notes().iter().for_each(|note| self.note(note));
        let personal = self.personal_token_to_keep(&url, credentials);
        let exchange = match challenge {
            Err(why) if why.kind == Kind::NoRefreshToken => {
                let name = &credentials.username;
                match self.check_at_registry(personal, ready, &mut registry, &http, name)? {
                    Some((token, destination)) => {
                        let account = name.clone();
                        Exchange::Done(NewLogin { url: url.clone(), account, destination, token })
                    }
                    None => Exchange::impossible(why),
                }
            }
            challenge => match registry.judge(challenge?) {
                Err(why) if why.kind == Kind::Trust => Exchange::impossible(why),
                endpoint => {
                    self.exchange_at(endpoint?, ready, &url, &http, credentials, personal)?
                }
            },
        };
        let Exchange::Impossible { why, accepted } = exchange else { return Ok(exchange) };
        if checked == Checked::ByNobody
            && !accepted
            // One that is not installed is told before the password is sent.
            && let Some(fallback) = self.fallback(&url)?
            && !registry.check_password(&http, &credentials.username, &credentials.secret)?
        {
            let fact = format!(
                "{}; the password could not be checked, so it was not handed to {}, and \
                 nothing was changed",
                why.fact,
                fallback.name()
            );
            let unchecked = Error { fact, ..why };
            // A trust rule's own says how to allow the realm.
            return Err(match unchecked.kind {
                Kind::Trust => unchecked,
                _ => unchecked.hint("log in with a client that checks it, such as docker login"),
            });
        }
        Ok(Exchange::Impossible { why: self.offer_to_keep(why, &url, credentials), accepted })
    }

    fn exchange_at(
        &mut self,
        endpoint: TokenEndpoint,
        ready: Option<Destination>,
        url: &ServerUrl,
        http: &Http,
        credentials: &Credentials,
        personal: Option<PersonalToken>,
    ) -> Result<Exchange> {
        let destination = ready.map_or_else(|| self.ready_to_keep(), Ok)?;
        let own = self.settings.registry(url);
        let login = Login {
            username: &credentials.username,
            password: &credentials.secret,
            client_id: own.client_id.as_deref(),
        };
        let server = TokenServer::new(http, &endpoint);
        match obtain(&server, &login) {
            Ok(token) => {
                let account = match &credentials.username[..] {
                    IDENTITY_TOKEN_USERNAME => String::new(),
                    username => username.to_owned(),
                };
                let (url, token) = (url.clone(), LoginToken::Proven { token, endpoint });
                Ok(Exchange::Done(NewLogin { url, account, destination, token }))
            }
            Err(why) if why.kind == Kind::NoRefreshToken => {
                let personal = personal.filter(|_| !credentials.username.contains(':'));
                let Some(token) = personal else {
                    return Ok(Exchange::Impossible { why, accepted: server.has_accepted() });
                };
                check_basic(&server, &login)?;
                let (url, account) = (url.clone(), credentials.username.clone());
                let token = LoginToken::Personal { token, endpoint: Some(endpoint) };
                Ok(Exchange::Done(NewLogin { url, account, destination, token }))
            }
            Err(error) => Err(error),
        }
    }

    /// The fallback takes a login that cannot be exchanged; without one it is refused.
    ///
    /// # Errors
    /// Why it could not be exchanged, or that of the fallback.
    pub fn hand_over(&mut self, credentials: &Credentials, why: Error) -> Result<()> {
        let url = &parse_url(&credentials.server_url)?;
        let Some(fallback) = self.fallback(url)? else {
            if why.kind == Kind::Trust {
                return Err(why);
            }
            let (file, name) = (self.settings.file.display(), url.registry_key());
            return Err(why.also(format!(
                "the password was not kept; to hand such logins to another helper, set fallback = \
                 \"NAME\" in {file} or {PREFIX}FALLBACK=NAME, or choose one for {name} \
                 in credHelpers"
            )));
        };
        self.make_way(url, fallback.name())?;
        let before = self.kept_since(url)?;
        let handed = fallback.store(url.asked(), &credentials.username, &credentials.secret);
        handed.map_err(|error| {
            let fact = format!("{}; {}", why.fact, error.fact);
            Error { fact, ..error }
        })?;
        let name = fallback.name();
        // To log out removes it in the fallback as well.
        let erased = self.erase_replaced(url, before, ", and log in again").map_err(|error| {
            let message = format!(
                "the login was handed to {name}, but the previous one is still here: {}",
                error.fact
            );
            Error { fact: message, ..error }
        })?;
        let Some(erased) = erased else {
            self.note(&format!(
                "another login for {} was kept here in the meantime, so this one was not left in {name}",
                url.asked()
            ));
            return fallback.erase(url).map(drop);
        };
        self.note(&format!("{}; the login was handed to {name}", why.fact));
        if let Some((record, token)) = erased {
            self.revoke_erased(&record, &token);
        }
        Ok(())
    }
}
