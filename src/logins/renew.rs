//! A login that has expired, renewed by a command that the settings name. It is the one thing that
//! may make a `get` slow.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::Logins;
use super::refresh::url_of;
use crate::error::{Error, Kind, Result};
use crate::external_helper::TokenCommand;
use crate::http::{Http, NETWORK_DEADLINE};
use crate::login_record::LoginRecord;
use crate::settings::to_type;
use crate::text::{SERVER_TEXT_CHARS, printable, shell_word};
use crate::token::{NotPrinted, Printed, ProvenToken, TokenServer, exchange_entra, prove_given};

/// For the command. What it prints is proven within the network's own deadline; with that, and a prompt of
/// the keychain before and after, it is over before those who wait for the lock give up.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(30);

impl Logins<'_> {
    /// The command that renews a login, if one is set.
    ///
    /// # Errors
    /// None that a recorded login has.
    pub fn renew_command(&self, record: &LoginRecord) -> Result<Option<TokenCommand>> {
        if record.is_docker_hub_oauth() {
            return Ok(None);
        }
        Ok(self.settings.registry(&url_of(record)?).renew)
    }

    /// Renews a login, one process at a time: whoever waited takes what came of it. Without `now`,
    /// only one that has expired.
    ///
    /// # Errors
    /// Any; the login and its record are as they were.
    pub fn renew(
        &mut self,
        record: &LoginRecord,
        command: &TokenCommand,
        now: bool,
    ) -> Result<LoginRecord> {
        let asked = SystemTime::now();
        let lock = self.records.lock_renewal(&record.profile, &record.key)?;
        let current = self.find_exact(&record.key)?;
        if current.expires != record.expires || !(now || has_expired(&current)) {
            return Ok(current);
        }
        if lock.has_failed_since(asked) {
            return Err(Error::new(Kind::Other, "another process has just tried and failed"));
        }
        let renewed = self.renew_locked(&current, command);
        if renewed.is_err() {
            lock.note_failure();
        }
        renewed?;
        self.find_exact(&record.key)
    }

    fn renew_locked(&mut self, record: &LoginRecord, command: &TokenCommand) -> Result<()> {
        // What can fail here, before anything is started or sent.
        let old = self.item_unless_dismissed(record)?;
        if record.credential.is_personal(&old.token) {
            return Err(Error::new(Kind::Usage, "it is a personal token")
                .hint("remove the setting renew, or log in with a refresh token"));
        }
        self.records.check_writable()?;
        let output = command.run(RENEW_DEADLINE).map_err(|why| Error::new(Kind::Other, why))?;
        let url = url_of(record)?;
        let printed = Printed::read(&output, url.registry_key()).map_err(|why| {
            let program = command.program();
            Error::new(
                Kind::Other,
                match why {
                    NotPrinted::NoToken => {
                        format!("{program} printed something that is not a token")
                    }
                    NotPrinted::OfAnother(other) => {
                        let other = printable(&other, SERVER_TEXT_CHARS);
                        format!("{program} printed a token for {other}")
                    }
                },
            )
        })?;
        drop(output);
        let http = Http::new(NETWORK_DEADLINE)?;
        let endpoint = self.endpoint_of(&http, record)?;
        let server = TokenServer::new(&http, &endpoint);
        let token = match printed {
            Printed::Refresh(token) => token,
            Printed::Entra(token) => exchange_entra(&server, None, &token)?,
        };
        let proven: ProvenToken = prove_given(&server, token)?;
        self.keep_changed(record, &old, proven.secret(), |login| {
            login.expires = proven.expires;
            login.proven = true;
            login.realm = Some(endpoint.realm.url().to_string());
            login.service.clone_from(&endpoint.service);
            login.obtained_as = None;
            login.proven_as = Some(proven.proven_as.to_owned());
            // What was said of the previous token is not said of this one.
            login.checked = None;
        })
    }
}

/// By its own date.
pub fn has_expired(record: &LoginRecord) -> bool {
    record.expires.is_some_and(|at| at <= Timestamp::now())
}

/// That a login could not be renewed, for whoever asked for it.
pub fn not_renewed(record: &LoginRecord, why: &Error) -> Error {
    let name = &record.server_url;
    let fact = format!("the login for {name} could not be renewed: {}", why.fact);
    let login = to_type(&record.profile, &format!("login {}", shell_word(name)));
    let login = format!("log in again with: {login}");
    let hint = why.remedy.as_ref().map_or(login.clone(), |first| format!("{first}, or {login}"));
    Error::new(why.kind, fact).hint(hint)
}
