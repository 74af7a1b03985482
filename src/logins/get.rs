//! `get`: never touches the network, unless the settings name a command that renews logins; and never
//! takes "could not look" for "not found".

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::find::gone;
use super::renew::{has_expired, not_renewed};
use super::{Logins, parse_url};
use crate::error::{Kind, Result};
use crate::keychain::{self, Item};
use crate::login_record::{Credential, LoginRecord, Lookup, Stamp};
use crate::protocol::{self, Credentials, IDENTITY_TOKEN_USERNAME};
use crate::secret::{Password, RefreshToken};
use crate::server_url::ServerUrl;
use crate::text::shell_word;

/// What `get` answers.
pub enum Answer {
    /// A login that is kept here: its secret is a token.
    Kept(Credentials<RefreshToken>),
    /// A login as the fallback has it.
    Fallback(Credentials<Password>),
}

impl Answer {
    /// Writes it as the protocol has it.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (server_url, username, secret) = match self {
            Self::Kept(Credentials { server_url, username, secret }) => {
                (server_url, username, secret.expose())
            }
            Self::Fallback(Credentials { server_url, username, secret }) => {
                (server_url, username, secret.expose())
            }
        };
        protocol::write_credentials(out, server_url, username, secret)
    }
}

/// How long before it expires a login is reported.
const LAST_DAY: SignedDuration = SignedDuration::from_hours(24);

impl Logins<'_> {
    /// The login for a server URL, as an identity token; a personal token as it is.
    ///
    /// # Errors
    /// [`protocol::not_found`] if there is none; any other if that could not be found out.
    pub fn get(&mut self, server_url: &str) -> Result<Answer> {
        let url = parse_url(server_url)?;
        let stamp = self.records.stamp();
        match self.records.look_up(&self.settings.profile, url.keys())? {
            Lookup::Found(record) => {
                let record = self.renewed(*record)?;
                self.get_recorded(&url, record, stamp)
            }
            // No keychain is contacted: public registries are asked for all the time.
            Lookup::Absent => self.get_elsewhere(&url),
            Lookup::Unknown => self.get_unrecorded(&url),
            Lookup::Damaged(why) => {
                let file = self.records.file();
                self.note(&format!(
                    "{} cannot be used ({why}); the next login rebuilds it",
                    file.display()
                ));
                self.get_unrecorded(&url)
            }
        }
    }

    /// The record, once the login is renewed if it has expired and a command for that is set.
    fn renewed(&mut self, record: LoginRecord) -> Result<LoginRecord> {
        if !has_expired(&record) {
            return Ok(record);
        }
        match self.renew_command(&record)? {
            // A dead token is no answer: clients would say that the user is not authorized.
            Some(command) => match self.renew(&record, &command, false) {
                // What follows tells whether it is gone or was logged out.
                Err(gone) if gone.kind == Kind::NotLoggedIn => Ok(record),
                renewed => renewed.map_err(|why| not_renewed(&record, &why)),
            },
            None => Ok(record),
        }
    }

    /// The login of a record that was read from the file with this stamp.
    fn get_recorded(
        &mut self,
        url: &ServerUrl,
        mut record: LoginRecord,
        mut stamp: Option<Stamp>,
    ) -> Result<Answer> {
        let options = self.options_unless_dismissed();
        loop {
            let found =
                self.open(&record.keychain, &options).and_then(|k| match record.credential {
                    // The keychain may know the account, which the record may not.
                    Credential::Unknown => k.get(&record.key),
                    _ => k
                        .token(&record.key)
                        .map(|token| Item { account: record.account.clone(), token }),
                });
            let is_absent =
                matches!(found, Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. }));
            let before = std::mem::replace(&mut stamp, self.records.stamp());
            // Also where something was found: after a logout, it may be a login that is being stored, which
            // nobody else sees before it has its record.
            if is_absent || stamp != before {
                let login = |r: &LoginRecord| (r.key.clone(), r.keychain.clone(), r.since);
                match self.records.look_up(&record.profile, url.keys())? {
                    // Moved, or logged out and perhaps in again, since the records were read; of a path, the
                    // host's login is left then.
                    Lookup::Found(now) if login(&now) != login(&record) => {
                        record = *now;
                        continue;
                    }
                    // Logged out since, perhaps into the fallback: nothing was lost.
                    Lookup::Absent => return self.get_elsewhere(url),
                    _ => {}
                }
            }
            return match found {
                Ok(item) => {
                    self.note_expiry(&record);
                    self.answer(url, record.credential, item)
                }
                Err(keychain::Error::Absent) => {
                    self.note(&gone(&record).log_in_again().to_string());
                    Err(protocol::not_found())
                }
                Err(error) => Err(self.keychain_error(error)),
            };
        }
    }

    /// Without complete records, each keychain that may hold the login is asked.
    fn get_unrecorded(&mut self, url: &ServerUrl) -> Result<Answer> {
        let (names, must_answer) = self.unrecorded_places();
        let options = self.options_unrecorded(must_answer);
        for name in names {
            let found = self.open(&name, &options).and_then(|keychain| {
                let mut keys = url.keys();
                loop {
                    match keys.next().map(|key| keychain.get(key)) {
                        None => return Err(keychain::Error::Absent),
                        Some(Err(keychain::Error::Absent)) => {}
                        Some(found) => return found,
                    }
                }
            });
            match found {
                Ok(item) => return self.answer(url, Credential::Unknown, item),
                Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. }) => {}
                Err(error) if error.is_out_of_reach() && !must_answer => {}
                Err(error) => return Err(self.keychain_error(error)),
            }
        }
        self.get_elsewhere(url)
    }

    /// With a fallback, its answer is the answer.
    fn get_elsewhere(&self, url: &ServerUrl) -> Result<Answer> {
        match self.fallback(url)? {
            Some(fallback) => fallback.get(url.asked()).map(Answer::Fallback),
            None => Err(protocol::not_found()),
        }
    }

    fn note_expiry(&mut self, record: &LoginRecord) {
        if matches!(self.renew_command(record), Ok(Some(_))) {
            return;
        }
        let left = |at: &Timestamp| at.duration_since(Timestamp::now());
        if let Some(expires) = record.expires.filter(|at| left(at) <= LAST_DAY) {
            let name = &record.server_url;
            let has = if left(&expires).is_positive() { "expires at" } else { "expired at" };
            self.note(&format!(
                "login for {name} {has} {expires:.0}; log in again with: docker login {}",
                shell_word(name)
            ));
        }
    }

    /// A refresh token as an identity token; what clients are to send as it is, with its account.
    fn answer(&mut self, url: &ServerUrl, credential: Credential, item: Item) -> Result<Answer> {
        let is_personal = credential.is_personal(&item.token);
        if is_personal && item.account.is_empty() {
            let name = url.asked();
            self.note(&format!("the account of the login for {name} is lost; log in again"));
            return Err(protocol::not_found());
        }
        let is_as_it_came = is_personal || url.is_docker_hub_oauth();
        let username =
            if is_as_it_came { item.account } else { IDENTITY_TOKEN_USERNAME.to_owned() };
        let server_url = url.asked().to_owned();
        Ok(Answer::Kept(Credentials { server_url, username, secret: item.token }))
    }
}
