//! `list`: from the records; reads no secret and unlocks nothing.

use std::collections::BTreeMap;

use super::Helper;
use crate::error::Result;
use crate::keychain::{self, KeychainName};
use crate::login_record::Found;
use crate::protocol::IDENTITY_TOKEN_USERNAME;
use crate::server_url::ServerUrl;

/// Server URL to username.
pub type Logins = BTreeMap<String, String>;

impl Helper<'_> {
    /// Our logins, and those of the fallbacks.
    ///
    /// # Errors
    /// Records that could not be read. What else cannot be read is left out, with a note: one
    /// failure would make a legacy `docker build` drop every login.
    pub fn list(&mut self) -> Result<(Logins, Logins)> {
        let recorded: Vec<(KeychainName, String, String, String)> = match self.records.read()? {
            Found::Records(records) => records
                .of_profile(&self.settings.profile)
                .map(|r| {
                    (r.keychain.clone(), r.key.clone(), r.server_url.clone(), r.account.clone())
                })
                .collect(),
            Found::Missing | Found::Damaged(_) => {
                let listed = self.unrecorded().into_iter();
                let flat = listed.flat_map(|(keychain, logins)| {
                    logins.into_iter().map(move |l| (keychain.clone(), l.key, l.account))
                });
                return Ok((
                    flat.map(|(_, url, account)| entry(url, account)).collect(),
                    self.others(),
                ));
            }
        };
        let mut asked: Vec<(KeychainName, bool)> = Vec::new();
        let mut ours = Logins::new();
        for (keychain, key, url, account) in recorded {
            let readable = match asked.iter().find(|(name, _)| *name == keychain) {
                Some((_, readable)) => *readable,
                None => {
                    let readable = self.is_readable(&keychain);
                    asked.push((keychain.clone(), readable));
                    readable
                }
            };
            if readable && self.is_reachable(&keychain, &key) {
                ours.extend([entry(url, account)]);
            }
        }
        Ok((ours, self.others()))
    }

    fn is_readable(&mut self, name: &KeychainName) -> bool {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let outcome = self.open(name, &options).and_then(|keychain| keychain.check());
        if let Err(error) = &outcome {
            self.note(&format!("logins in {name} are left out: {error}"));
        }
        outcome.is_ok()
    }

    /// Of a keychain that is readable.
    fn is_reachable(&mut self, name: &KeychainName, key: &str) -> bool {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let outcome = self.open(name, &options).and_then(|keychain| keychain.check_login(key));
        if let Err(error) = &outcome {
            self.note(&format!("the login for {key} is left out: {error}"));
        }
        outcome.is_ok()
    }

    fn others(&mut self) -> Logins {
        let mut others = Logins::new();
        for name in self.settings.fallbacks() {
            match self.fallback_named(&name).and_then(|fallback| fallback.list()) {
                Ok(listed) => others.extend(listed.into_iter().filter(|(url, _)| {
                    // A helper set for one registry is not asked for others.
                    let owner = ServerUrl::parse(url).ok().map(|u| self.settings.fallback_for(&u));
                    owner.unwrap_or_else(|| self.settings.fallback.clone()).as_ref() == Some(&name)
                })),
                Err(error) => self.note(&format!("the logins of {name} are left out: {error}")),
            }
        }
        others
    }
}

/// Docker Hub's OAuth keys have a username of their own.
fn entry(server_url: String, account: String) -> (String, String) {
    let opaque = ServerUrl::parse(&server_url).is_ok_and(|url| url.is_docker_hub_oauth());
    let username = if opaque { account } else { IDENTITY_TOKEN_USERNAME.to_owned() };
    (server_url, username)
}
