//! `store`: exchanges a password, proves the token, keeps only that.

use std::time::Duration;

use jiff::Timestamp;

use super::{Helper, parse_url};
use crate::error::{Error, Kind, Result, SERVER_TEXT_CHARS, printable};
use crate::http::Http;
use crate::keychain::{self, Choice, Keychain};
use crate::login_record::LoginRecord;
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME};
use crate::registry::{Registry, TokenEndpoint};
use crate::secret::{RefreshToken, check_token};
use crate::server_url::ServerUrl;
use crate::settings::ENVIRONMENT_PREFIX;
use crate::token::{Login, Proven, TokenServer, obtain};

/// All network of one `store`.
const NETWORK_DEADLINE: Duration = Duration::from_secs(30);
/// For the attempt to take back a token that could not be kept.
const REVOCATION_DEADLINE: Duration = Duration::from_secs(5);
const MAX_USERNAME_BYTES: usize = 1024;

/// A token that may be kept.
enum Obtained {
    /// Exchanged or given, and seen to work.
    Proven { proven: Proven, endpoint: TokenEndpoint },
    /// A client's own: kept as it came, without network.
    AsItCame(RefreshToken),
}

impl Helper<'_> {
    /// Keeps a login.
    ///
    /// # Errors
    /// Any; then the former login is as it was.
    pub fn store(&mut self, credentials: Credentials) -> Result<()> {
        let url = parse_url(&credentials.server_url)?;
        let username = &credentials.username;
        if username.len() > MAX_USERNAME_BYTES || username.chars().any(char::is_control) {
            return Err(Error::new(
                Kind::Usage,
                "the user name is over-long or has control characters",
            ));
        }
        if username == IDENTITY_TOKEN_USERNAME || url.is_docker_hub_oauth() {
            check_token(credentials.secret.expose())
                .map_err(|shape| Error::new(Kind::Usage, format!("the token {shape}")))?;
            let keychain = self.keychain_for_new_logins()?;
            let token = RefreshToken::new(credentials.secret.expose().to_owned());
            return self.keep(&url, username, &keychain, Obtained::AsItCame(token));
        }
        if credentials.secret.expose().is_empty() {
            return Err(Error::new(Kind::Usage, "the password is empty").hint("log in again"));
        }
        match self.exchange_and_keep(&url, &credentials) {
            Err(error) if matches!(error.kind, Kind::NoRefreshToken | Kind::Trust) => {
                self.hand_over(&url, &credentials, error)
            }
            outcome => outcome,
        }
    }

    fn exchange_and_keep(&mut self, url: &ServerUrl, credentials: &Credentials) -> Result<()> {
        let http = Http::new(NETWORK_DEADLINE)?;
        let certs_d = self.certs_d.clone();
        let settings = self.settings.clone();
        let endpoint = Registry::new(url, &settings, &certs_d)?.token_endpoint(&http)?;
        // Before the password is sent: a prompt that is dismissed now costs nothing.
        let keychain = self.keychain_for_new_logins()?;
        let own = settings.registry(url);
        let login = Login {
            username: &credentials.username,
            password: &credentials.secret,
            client_id: own.client_id.as_deref(),
        };
        let proven = obtain(&TokenServer::new(&http, &endpoint), &login)?;
        drop(http);
        self.keep(url, &credentials.username, &keychain, Obtained::Proven { proven, endpoint })
    }

    /// Opened and unlocked.
    fn keychain_for_new_logins(&mut self) -> Result<Keychain> {
        let options = self.options();
        let opened = match &self.settings.keychain {
            Choice::Named(name) => self.open(name, &options),
            Choice::Auto => {
                keychain::choose(&self.settings.profile, &options).map(|(chosen, _)| chosen)
            }
        };
        opened
            .and_then(|keychain| keychain.unlock().map(|()| keychain))
            .map_err(|error| self.keychain_error(error))
    }

    /// The keychain first, then the record; the old one goes last.
    fn keep(
        &mut self,
        url: &ServerUrl,
        account: &str,
        keychain: &Keychain,
        obtained: Obtained,
    ) -> Result<()> {
        let record = self.new_record(url, account, keychain, &obtained);
        if let Err(error) = self.replace(url, keychain, &record, obtained.token()) {
            return Err(self.take_back(url, &record, obtained, error));
        }
        if let Obtained::Proven { proven, .. } = &obtained {
            for note in &proven.notes {
                self.note(note);
            }
        }
        if let Err(error) = self.fallback(url).and_then(|f| f.map_or(Ok(()), |f| f.erase(url))) {
            self.note(&format!("a former login may be left in the fallback helper: {error}"));
        }
        let (what, lifetime) =
            (if record.proven { "refresh token" } else { "token" }, keychain.lifetime());
        let name = keychain.name();
        self.note(&format!("{what} for {} kept in keychain {name} {lifetime}", url.asked()));
        Ok(())
    }

    fn new_record(
        &self,
        url: &ServerUrl,
        account: &str,
        keychain: &Keychain,
        obtained: &Obtained,
    ) -> LoginRecord {
        let record = LoginRecord {
            profile: self.settings.profile.clone(),
            key: url.key().to_owned(),
            server_url: url.asked().to_owned(),
            // Docker Hub's OAuth pairs are given back as they came, whatever their username.
            account: if account == IDENTITY_TOKEN_USERNAME && !url.is_docker_hub_oauth() {
                String::new()
            } else {
                account.to_owned()
            },
            keychain: keychain.name().clone(),
            proven: false,
            realm: None,
            service: None,
            obtained_as: None,
            proven_as: None,
            since: Timestamp::now(),
            expires: None,
        };
        match obtained {
            Obtained::AsItCame(token) => {
                LoginRecord { expires: crate::token::expiry_of(token), ..record }
            }
            Obtained::Proven { proven, endpoint } => LoginRecord {
                proven: true,
                realm: Some(endpoint.realm.url().to_string()),
                service: endpoint.service.clone(),
                obtained_as: proven.obtained_as.clone(),
                proven_as: Some(proven.proven_as.to_owned()),
                expires: proven.expires,
                ..record
            },
        }
    }

    fn replace(
        &mut self,
        url: &ServerUrl,
        keychain: &Keychain,
        record: &LoginRecord,
        token: &RefreshToken,
    ) -> Result<()> {
        let store = self.records.clone();
        let locked = store.lock()?;
        let mut records = self.records_or_rebuilt(&locked)?;
        let former = records.find(&record.profile, &record.key).cloned();
        records.put(record.clone());
        // All that can fail for want of space, before the keychain is touched.
        let prepared = locked.prepare(&records)?;
        let key = url.key();
        let failed = |e| self.keychain_error(e);
        let old_item = match keychain.get(key) {
            Ok(item) => Some(item),
            Err(keychain::Error::Absent | keychain::Error::Damaged { .. }) => None,
            Err(error) => return Err(failed(error)),
        };
        keychain.put(key, &record.account, token).map_err(failed)?;
        if let Err(error) = prepared.commit() {
            let restored = match &old_item {
                Some(old) => keychain.put(key, &old.account, &old.token),
                None => keychain.delete(key),
            };
            return Err(match restored {
                Ok(()) => error,
                Err(lost) => {
                    error.hint(format!("and the former token could not be put back: {lost}"))
                }
            });
        }
        self.note_moved_realm(former.as_ref(), record);
        if let Some(former) = former.filter(|former| former.keychain != record.keychain) {
            self.delete_moved(&former);
        }
        Ok(())
    }

    /// The token rests in another keychain now; the old one need not keep its own.
    fn delete_moved(&mut self, former: &LoginRecord) {
        let options = self.options_unless_dismissed();
        match self.open(&former.keychain, &options).and_then(|k| k.delete(&former.key)) {
            Ok(()) | Err(keychain::Error::Absent) => {}
            Err(error) => {
                self.note(&format!("the former token is left in {}: {error}", former.keychain));
            }
        }
    }

    fn note_moved_realm(&mut self, former: Option<&LoginRecord>, new: &LoginRecord) {
        let former = former.and_then(|record| record.realm.as_deref());
        if let (Some(before), Some(now)) = (former, new.realm.as_deref())
            && before != now
        {
            // A realm's query is the registry's own words, of any length.
            let shown = |realm| printable(realm, SERVER_TEXT_CHARS);
            let (name, now, before) = (&new.server_url, shown(now), shown(before));
            self.note(&format!("logins for {name} now go to {now}, before to {before}"));
        }
    }

    /// A token that could not be kept must not live on at the server, where that can be helped.
    fn take_back(
        &mut self,
        url: &ServerUrl,
        record: &LoginRecord,
        obtained: Obtained,
        error: Error,
    ) -> Error {
        let Obtained::Proven { proven, .. } = obtained else { return error };
        if proven.obtained_as.is_some()
            && let Err(why) = self.revoke(url, record, proven.token(), REVOCATION_DEADLINE)
        {
            self.note(&format!("the new token was not kept, and not revoked either: {why}"));
        }
        error
    }

    /// The fallback takes a login that cannot be exchanged; without one it is refused.
    fn hand_over(&mut self, url: &ServerUrl, credentials: &Credentials, why: Error) -> Result<()> {
        let Some(fallback) = self.fallback(url)? else {
            if why.kind == Kind::Trust {
                return Err(why);
            }
            let (file, name) = (self.settings.file.display(), url.registry_key());
            return Err(why.hint(format!(
                "the password was not kept; to hand such logins to another helper, set fallback = \
                 \"NAME\" in {file} or {ENVIRONMENT_PREFIX}FALLBACK=NAME, or choose one for {name} \
                 in credHelpers"
            )));
        };
        fallback.store(credentials)?;
        self.erase_ours(url)?;
        let name = fallback.name();
        self.note(&format!("{}; the login was handed to {name}", why.message));
        Ok(())
    }
}

impl Obtained {
    fn token(&self) -> &RefreshToken {
        match self {
            Self::Proven { proven, .. } => proven.token(),
            Self::AsItCame(token) => token,
        }
    }
}
