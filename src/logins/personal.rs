//! Personal tokens: kept as they are where there is nothing to exchange them for, if that is set.

use super::Logins;
use super::new_login::LoginToken;
use super::ready::Destination;
use super::refresh::{refused, url_of};
use crate::error::{Error, Kind, Remedy, Result, Setting};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::keychain::Item;
use crate::login_record::LoginRecord;
use crate::mint;
use crate::personal_token::{PersonalToken, form_of, page_of};
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME};
use crate::registry::Registry;
use crate::scope::Scope;
use crate::secret::Password;
use crate::server_url::ServerUrl;
use crate::token::{Answer, NULL_GUID, Refusal, TokenResponse, TokenServer};

impl Logins<'_> {
    /// The personal token that a login is by, if it is to be kept.
    pub(super) fn personal_token_to_keep(
        &self,
        url: &ServerUrl,
        credentials: &Credentials<Password>,
    ) -> Option<PersonalToken> {
        let name = &credentials.username;
        let is_wanted = |token: &PersonalToken| {
            self.settings.keeps_personal_tokens(url)
                || token.form.is_of_docker_hub() && self.completes_docker_hub_login(url, name)
        };
        let token = PersonalToken::recognize(&credentials.secret);
        token.filter(|token| !is_a_token_already(name) && is_wanted(token))
    }

    /// Whether a registry without a token server accepts it, and where it goes then.
    pub(super) fn check_at_registry(
        &mut self,
        token: Option<PersonalToken>,
        ready: Option<Destination>,
        registry: &mut Registry<'_>,
        http: &Http,
        username: &str,
    ) -> Result<Option<(LoginToken, Destination)>> {
        let Some(token) = token else { return Ok(None) };
        let destination = ready.map_or_else(|| self.ready_to_keep(), Ok)?;
        let is_accepted = registry.check_password(http, username, token.to_keep())?;
        Ok(is_accepted.then_some((LoginToken::Personal { token, endpoint: None }, destination)))
    }

    /// Names the setting that keeps such a token, where it is not set.
    pub(super) fn offer_to_keep(
        &self,
        why: Error,
        url: &ServerUrl,
        credentials: &Credentials<Password>,
    ) -> Error {
        let is_set = self.settings.keeps_personal_tokens(url);
        match form_of(credentials.secret.expose()) {
            Some(form) if why.kind == Kind::NoRefreshToken && !is_set => {
                let setting =
                    Setting::new("personal_tokens = \"keep\"").in_file(&self.settings.file);
                let setting = Remedy::from(setting.or_variable("PERSONAL_TOKENS=keep"));
                why.also(setting.when(format!("to keep a {} as it is", form.name)))
            }
            _ => why,
        }
    }

    /// An access token by a personal token that is kept, or the server's refusal.
    ///
    /// # Errors
    /// As [`Logins::refresh`]; [`Kind::NoRefreshToken`] where the registry has no access tokens.
    pub(super) fn access_by_personal(
        &self,
        record: &LoginRecord,
        item: &Item,
        scopes: &[Scope],
    ) -> Result<std::result::Result<TokenResponse, Refusal>> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        let server = TokenServer::new(&http, &endpoint);
        Ok(match server.access(account_of(record, item), &item.token, scopes)? {
            Answer::Tokens(tokens) if tokens.access.is_some() => Ok(tokens),
            Answer::Tokens(_) => Err(Refusal { status: 200, code: None }),
            Answer::Refused(refusal) => Err(refusal),
        })
    }

    /// Whether a personal token that is kept is still accepted.
    pub(super) fn check_personal(&self, record: &LoginRecord, item: &Item) -> Result<()> {
        match self.access_by_personal(record, item, &[]) {
            Ok(answer) => answer.map(drop).map_err(|refusal| refused(record, &refusal)),
            Err(why) if why.kind == Kind::NoRefreshToken => {
                let url = url_of(record)?;
                let http = Http::new(NETWORK_DEADLINE)?;
                let mut registry = Registry::new(&url, &self.settings, &self.certs_d)?;
                let account = account_of(record, item);
                let is_accepted = registry.check_password(&http, account, &item.token)?;
                if is_accepted { Ok(()) } else { Err(why) }
            }
            Err(error) => Err(error),
        }
    }
}

/// No registry revokes a personal token by RFC 7009: where its owner does.
pub fn where_revoked(record: &LoginRecord) -> String {
    if let Some(how) = record.minted.as_ref().and_then(mint::how_to_delete) {
        return how;
    }
    let page = url_of(record).ok().and_then(|url| page_of(url.registry_key()));
    page.map_or_else(
        || "revoke it where it was made".to_owned(),
        |page| format!("revoke it at {page}"),
    )
}

/// The two names that say that the secret is a refresh token.
pub(super) fn is_a_token_already(username: &str) -> bool {
    [NULL_GUID, IDENTITY_TOKEN_USERNAME].contains(&username)
}

/// A helper as keychain keeps no account, and a record that was made again may have none.
fn account_of<'a>(record: &'a LoginRecord, item: &'a Item) -> &'a str {
    if record.account.is_empty() { &item.account } else { &record.account }
}
