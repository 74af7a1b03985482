//! From what a client or a person gave to a token, or to why there is none to be had.

use super::new_login::{LoginToken, NewLogin};
use super::personal::is_a_token_already;
use super::ready::Destination;
use super::{Logins, parse_url};
use crate::environment::PROGRAM;
use crate::error::{Error, Kind, Remedy, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::personal_token::PersonalToken;
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME};
use crate::registry::{Registry, TokenEndpoint};
use crate::secret::{Password, check_token};
use crate::server_url::ServerUrl;
use crate::token::{PasswordLogin, TokenServer, check_basic, obtain, prove_given};

const MAX_USERNAME_BYTES: usize = 1024;

/// The outcome of an exchange that did not fail.
#[expect(clippy::large_enum_variant, reason = "there is one, and it lives for one call")]
pub enum Exchange {
    /// A token was issued, or the client brought one; the password is gone, unless the API that made a
    /// token deletes tokens only with the password (`Fresh`).
    Done(NewLogin),
    /// There is no lasting token to be had, or a trust rule refused the realm.
    Impossible {
        /// Which of these.
        why: Error,
        /// What the fallback may take.
        credentials: Credentials<Password>,
    },
}

/// Why there is no token.
struct NoToken {
    why: Error,
    /// Whether the token server accepted the password nevertheless.
    accepted: bool,
}

/// Who has seen that a password is right, where no token shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckedBy {
    /// Clients log in at the registry before they call `store`.
    Client,
    Nobody,
}

impl From<Error> for NoToken {
    fn from(why: Error) -> Self {
        Self { why, accepted: false }
    }
}

/// Raw or percent-encoded.
fn has_control_characters(username: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(username);
    username.chars().any(char::is_control) || decoded.into_iter().any(|b| b.is_ascii_control())
}

impl Logins<'_> {
    /// The first half of [`Logins::store`]: keeps nothing, and hands nothing to the fallback.
    ///
    /// # Errors
    /// All but those that make it [`Exchange::Impossible`].
    pub fn exchange(&mut self, credentials: Credentials<Password>) -> Result<Exchange> {
        self.exchange_for(credentials, CheckedBy::Client)
    }

    pub(super) fn exchange_for(
        &mut self,
        credentials: Credentials<Password>,
        checked: CheckedBy,
    ) -> Result<Exchange> {
        let url = parse_url(&credentials.server_url)?;
        let username = &credentials.username;
        if username.is_empty() {
            return Err(Error::new(Kind::Usage, "the username is empty")
                .hint("name the account with -u NAME"));
        }
        if username.len() > MAX_USERNAME_BYTES || has_control_characters(username) {
            return Err(Error::new(
                Kind::Usage,
                "the username is too long or has control characters",
            ));
        }
        if checked == CheckedBy::Nobody && url.is_docker_hub_oauth() {
            let fact = format!("{} is where Docker keeps its own tokens", url.asked());
            return Err(
                Error::new(Kind::Usage, fact).remedy(Remedy::LogInWith(format!("{PROGRAM} login")))
            );
        }
        let is_kept_as_it_came =
            username == IDENTITY_TOKEN_USERNAME && checked == CheckedBy::Client;
        if is_kept_as_it_came || url.is_docker_hub_oauth() {
            return self.take_as_it_came(url, credentials).map(Exchange::Done);
        }
        if credentials.secret.expose().is_empty() {
            return Err(Error::new(Kind::Usage, "the password is empty").log_in_again());
        }
        self.exchange_password(&url, credentials, checked)
    }

    /// A client's own token: nobody is asked about it.
    fn take_as_it_came(
        &mut self,
        url: ServerUrl,
        credentials: Credentials<Password>,
    ) -> Result<NewLogin> {
        let Credentials { username, secret, .. } = credentials;
        check_token(secret.expose())
            .map_err(|shape| Error::new(Kind::Usage, format!("the token {shape}")))?;
        let destination = self.ready_to_keep()?;
        let token = LoginToken::AsItCame(secret.as_token());
        // Docker Hub's OAuth pairs are given back as they came, whatever their username.
        let account = if url.is_docker_hub_oauth() { username } else { named_account(&username) };
        Ok(NewLogin { url, account, destination, token })
    }

    fn exchange_password(
        &mut self,
        url: &ServerUrl,
        credentials: Credentials<Password>,
        checked: CheckedBy,
    ) -> Result<Exchange> {
        let (certs_d, settings) = (self.certs_d.clone(), self.settings.clone());
        let mut registry = Registry::new(url, &settings, &certs_d)?;
        let http = Http::new(NETWORK_DEADLINE)?;
        let ready = self.ready_for(url)?;
        let challenge = self.ask_for_challenge(&mut registry, &http);
        let personal = self.personal_token_to_keep(url, &credentials);
        let outcome = match challenge {
            Err(why) if why.kind == Kind::NoRefreshToken => {
                let account = &credentials.username;
                let taken =
                    self.check_at_registry(personal, ready, &mut registry, &http, account)?;
                taken.ok_or_else(|| why.into()).map(|(token, destination)| NewLogin {
                    url: url.clone(),
                    account: account.clone(),
                    destination,
                    token,
                })
            }
            challenge => match registry.judge(challenge?) {
                Err(why) if why.kind == Kind::Trust => Err(why.into()),
                endpoint => {
                    self.exchange_at(endpoint?, ready, url, &http, &credentials, personal)?
                }
            },
        };
        let NoToken { why, accepted } = match outcome {
            Ok(login) => return Ok(Exchange::Done(login)),
            Err(none) => none,
        };
        if checked == CheckedBy::Nobody && !accepted {
            self.check_before_handing_over(&mut registry, &http, &credentials, &why)?;
        }
        let why = self.offer_to_keep(why, url, &credentials);
        Ok(Exchange::Impossible { why, credentials })
    }

    fn exchange_at(
        &mut self,
        endpoint: TokenEndpoint,
        ready: Option<Destination>,
        url: &ServerUrl,
        http: &Http,
        credentials: &Credentials<Password>,
        personal: Option<PersonalToken>,
    ) -> Result<std::result::Result<NewLogin, NoToken>> {
        let destination = ready.map_or_else(|| self.ready_to_keep(), Ok)?;
        let own = self.settings.registry(url);
        let login = PasswordLogin {
            username: &credentials.username,
            password: &credentials.secret,
            client_id: own.client_id.as_deref(),
        };
        let server = TokenServer::new(http, &endpoint);
        let obtained = match is_a_token_already(login.username) {
            true => prove_given(&server, login.password.as_token()),
            false => obtain(&server, &login),
        };
        self.take_back_unkept(url, &endpoint, &destination, server.take_unkept());
        let token = match obtained {
            Ok(token) => LoginToken::Proven { token, endpoint },
            Err(why) if why.kind == Kind::NoRefreshToken => {
                let accepted = server.has_accepted();
                let personal = personal.filter(|_| !credentials.username.contains(':'));
                match (self.mint(url, &server, http, &endpoint, credentials), personal) {
                    (Ok(Some(fresh)), _) => LoginToken::Minted { fresh: Box::new(fresh), endpoint },
                    (Ok(None), Some(token)) => {
                        check_basic(&server, &login)?;
                        LoginToken::Personal { token, endpoint: Some(endpoint) }
                    }
                    (Ok(None), None) => return Ok(Err(NoToken { why, accepted })),
                    (Err(none), _) if none.kind == Kind::NoRefreshToken => {
                        let fact = format!("{}, and {}", why.fact, none.fact);
                        return Ok(Err(NoToken { why: Error { fact, ..none }, accepted }));
                    }
                    (Err(error), _) => return Err(error),
                }
            }
            Err(error) => return Err(self.or_by_page(error, url, &endpoint, http)),
        };
        let (url, account) = (url.clone(), named_account(&credentials.username));
        Ok(Ok(NewLogin { url, account, destination, token }))
    }
}

/// Whose login it is, as far as the username tells.
fn named_account(username: &str) -> String {
    if username == IDENTITY_TOKEN_USERNAME { String::new() } else { username.to_owned() }
}
