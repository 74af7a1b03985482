//! `list`: from the records; reads no secret and unlocks nothing.

use std::collections::BTreeMap;

use super::Logins;
use crate::error::Result;
use crate::external_helper::HelperName;
use crate::keychain::{self, KeychainName};
use crate::login_record::{Credential, Found, LoginRecord, Records};
use crate::protocol::IDENTITY_TOKEN_USERNAME;
use crate::server_url::ServerUrl;

/// Server URL to username.
pub type Names = BTreeMap<String, String>;

impl Logins<'_> {
    /// Our logins, and those of the fallbacks.
    ///
    /// # Errors
    /// Records that could not be read. What else cannot be read is left out, with a note: one
    /// failure would make a legacy `docker build` drop every login.
    pub fn list(&mut self) -> Result<(Names, Names)> {
        let profile = self.settings.profile.clone();
        let records = match self.records.read()? {
            Found::Records(records) => records,
            Found::Missing | Found::Damaged(_) => Records::rebuilt(),
        };
        let mut by_keychain: BTreeMap<&KeychainName, Vec<&LoginRecord>> = BTreeMap::new();
        for record in records.of_profile(&profile) {
            by_keychain.entry(&record.keychain).or_default().push(record);
        }
        let mut ours = Names::new();
        for (name, recorded) in by_keychain {
            let readable = self.readable(name, recorded).into_iter();
            ours.extend(readable.map(|r| (r.server_url.clone(), username(r).to_owned())));
        }
        if !records.is_complete(&profile) {
            let mut found = self.unrecorded().found;
            found.retain(|(_, login)| records.find(&profile, &login.key).is_none());
            let rebuilt = found.into_iter().map(|(name, login)| self.rebuilt(name, login));
            ours.extend(rebuilt.map(|r| (r.server_url.clone(), username(&r).to_owned())));
        }
        Ok((ours, self.in_fallbacks()))
    }

    /// The logins in a keychain that are not known to be unreadable. It is asked once, unless one
    /// may be damaged or elsewhere, which says nothing about the others.
    fn readable<'r>(
        &mut self,
        name: &KeychainName,
        mut logins: Vec<&'r LoginRecord>,
    ) -> Vec<&'r LoginRecord> {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let mut left_out = None;
        let checked = self.open(name, &options).and_then(|keychain| match keychain.check() {
            Err(keychain::Error::Damaged { .. } | keychain::Error::Elsewhere { .. }) => {
                logins.retain(|login| match keychain.check_login(&login.key) {
                    Ok(()) | Err(keychain::Error::Absent) => true,
                    Err(error) => {
                        let (names, _) = left_out.get_or_insert((Vec::new(), error));
                        names.push(login.server_url.as_str());
                        false
                    }
                });
                Ok(())
            }
            checked => checked,
        });
        if let Err(error) = checked {
            self.note(&format!("logins in {name} are left out: {error}"));
            logins.clear();
        }
        if let Some((names, error)) = left_out {
            let names = names.join(", ");
            self.note(&format!("logins in {name} are left out ({names}): {error}"));
        }
        logins
    }

    /// The logins of the fallbacks; one that fails is left out, with a note.
    pub fn in_fallbacks(&mut self) -> Names {
        self.by_fallback().into_iter().flat_map(|(_, names)| names).collect()
    }

    /// The same, of each by itself.
    pub(super) fn by_fallback(&mut self) -> Vec<(HelperName, Names)> {
        let mut others = Vec::new();
        for name in self.settings.fallbacks() {
            match self.fallback_named(&name).and_then(|fallback| fallback.list()) {
                Ok(mut listed) => {
                    // A helper set for one registry is not asked for others.
                    listed.retain(|url, _| {
                        let own =
                            ServerUrl::parse(url).ok().map(|u| self.settings.fallback_for(&u));
                        let owner = own.unwrap_or_else(|| self.settings.fallback.clone());
                        owner.as_ref() == Some(&name)
                    });
                    others.push((name, listed));
                }
                Err(error) => self.note(&format!("the logins of {name} are left out: {error}")),
            }
        }
        others
    }
}

/// What `get` answers with the secret, as far as that is known without a look at it.
fn username(record: &LoginRecord) -> &str {
    if record.credential == Credential::PersonalToken || record.is_docker_hub_oauth() {
        &record.account
    } else {
        IDENTITY_TOKEN_USERNAME
    }
}
