//! `list`: from the records; reads no secret and unlocks nothing.

use std::collections::BTreeMap;

use super::Logins;
use crate::error::Result;
use crate::external_helper::HelperName;
use crate::keychain::{self, KeychainName};
use crate::login_record::{Credential, Found, Records, Summary};
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
        let mut file = Vec::new();
        let records = match self.records.read_summaries(&mut file)? {
            Found::Records(records) => records,
            Found::Missing | Found::Damaged(_) => Records::rebuilt(),
        };
        let mut by_keychain: BTreeMap<&KeychainName, Vec<&Summary<'_>>> = BTreeMap::new();
        for login in records.all().filter(|login| login.profile == profile) {
            by_keychain.entry(&login.keychain).or_default().push(login);
        }
        let readable = by_keychain.into_iter().flat_map(|(name, all)| self.readable(name, all));
        let mut ours: Names = readable.map(name_and_user).collect();
        if !records.is_complete(&profile) {
            let is_recorded =
                |key: &str| records.all().any(|login| login.profile == profile && login.key == key);
            let mut found = self.unrecorded().found;
            found.retain(|(_, login)| !is_recorded(&login.key));
            let rebuilt = found.into_iter().map(|(name, login)| self.rebuilt(name, login));
            ours.extend(rebuilt.map(|record| name_and_user(&Summary::from(&record))));
        }
        Ok((ours, self.in_fallbacks()))
    }

    /// The logins in a keychain that are not known to be unreadable. It is asked once, unless one
    /// may be damaged or elsewhere, which says nothing about the others.
    fn readable<'r>(
        &mut self,
        name: &KeychainName,
        mut logins: Vec<&'r Summary<'r>>,
    ) -> Vec<&'r Summary<'r>> {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let mut left_out = None;
        let checked = self.open(name, &options).and_then(|keychain| match keychain.check() {
            Err(keychain::Error::Damaged { .. } | keychain::Error::Elsewhere { .. }) => {
                logins.retain(|login| match keychain.check_login(&login.key) {
                    Ok(()) | Err(keychain::Error::Absent) => true,
                    Err(error) => {
                        let (names, _) = left_out.get_or_insert((Vec::new(), error));
                        names.push(&*login.server_url);
                        false
                    }
                });
                Ok(())
            }
            checked => checked,
        });
        if let Err(error) = checked {
            self.note(&format!("logins in {name} are not listed: {error}"));
            logins.clear();
        }
        if let Some((names, error)) = left_out {
            let names = names.join(", ");
            self.note(&format!("logins in {name} are not listed ({names}): {error}"));
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
                Err(error) => self.note(&format!("the logins of {name} are not listed: {error}")),
            }
        }
        others
    }
}

/// With what `get` answers beside the secret, as far as that is known without a look at it.
fn name_and_user(login: &Summary<'_>) -> (String, String) {
    let has_account = login.credential == Credential::PersonalToken || login.is_docker_hub_oauth();
    let user = if has_account { &*login.account } else { IDENTITY_TOKEN_USERNAME };
    ((*login.server_url).to_owned(), user.to_owned())
}
