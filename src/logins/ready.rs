//! What must hold here before anything is sent to a registry: a keychain that can be written to, and
//! records that can be changed. Only then is a token, or a prompt that is dismissed, no loss.

use super::Logins;
use crate::challenge::BearerChallenge;
use crate::error::Result;
use crate::http::Http;
use crate::keychain::{self, Choice, Keychain, KeychainName};
use crate::registry::{Registry, TokenEndpoint};
use crate::server_url::ServerUrl;

/// An unlocked keychain, and why `auto` chose it.
pub struct Destination {
    /// Where logins are to be kept.
    pub keychain: Keychain,
    /// Why this one, if that was decided now.
    pub why: Option<String>,
}

impl Logins<'_> {
    /// What a login needs before anything is sent to its registry: a prompt that is dismissed now costs
    /// nothing, nor does a folder that cannot be written. None where a fallback may take the login,
    /// which needs neither, but must be there; [`Logins::ready_to_keep`] then comes before the password
    /// is sent.
    ///
    /// # Errors
    /// As [`Logins::ready_to_keep`], and that the fallback is not installed.
    pub fn ready_for(&mut self, url: &ServerUrl) -> Result<Option<Destination>> {
        match self.fallback(url)? {
            Some(_) => Ok(None),
            None => self.ready_to_keep().map(Some),
        }
    }

    /// What a new login needs here: a keychain, opened and unlocked, and records that can be changed.
    /// May ask a person.
    ///
    /// # Errors
    /// [`Kind::Keychain`](crate::error::Kind::Keychain), and those of the records.
    pub fn ready_to_keep(&mut self) -> Result<Destination> {
        let choice = self.settings.keychain.clone();
        let destination = self.open_to_write(&choice)?;
        self.records.check_writable()?;
        Ok(destination)
    }

    /// A keychain, opened and unlocked, which may ask a person.
    ///
    /// # Errors
    /// [`Kind::Keychain`](crate::error::Kind::Keychain).
    pub fn open_to_write(&mut self, choice: &Choice) -> Result<Destination> {
        let options = self.options();
        let opened = match choice {
            Choice::Named(name) => self.open(name, &options).map(|keychain| (keychain, None)),
            Choice::Auto => keychain::choose(&self.settings.profile, &options)
                .map(|(keychain, why)| (keychain, Some(why))),
        };
        opened
            .and_then(|(keychain, why)| keychain.unlock().map(|()| Destination { keychain, why }))
            .map_err(|error| self.keychain_error(error))
    }

    /// What a registry asks for; what there is to say of it is passed on.
    ///
    /// # Errors
    /// As [`Registry::challenge`].
    pub(super) fn ask_for_challenge(
        &mut self,
        registry: &mut Registry<'_>,
        http: &Http,
    ) -> Result<BearerChallenge> {
        let challenge = registry.challenge(http);
        registry.notes().iter().for_each(|note| self.note(note));
        challenge
    }

    /// Where a registry sends its clients.
    ///
    /// # Errors
    /// As [`Registry::challenge`] and [`Registry::judge`].
    pub(super) fn ask_for_endpoint(
        &mut self,
        registry: &mut Registry<'_>,
        http: &Http,
    ) -> Result<TokenEndpoint> {
        let challenge = self.ask_for_challenge(registry, http)?;
        registry.judge(challenge)
    }

    /// Checks that a login in this keychain can be changed, before anything is sent to its server.
    pub(super) fn ready_to_change(&self, name: &KeychainName) -> Result<()> {
        let unlocked = self.open(name, &self.options()).and_then(|keychain| keychain.unlock());
        unlocked.map_err(|error| self.keychain_error(error))?;
        self.records.check_writable()
    }

    /// Unlocks the keychain of a login if it is locked, which may ask a person.
    ///
    /// # Errors
    /// [`Kind::Keychain`](crate::error::Kind::Keychain).
    pub fn unlock_for_reading(&mut self, name: &KeychainName) -> Result<()> {
        let options = self.options();
        let unlocked = self.open(name, &options).and_then(|keychain| match keychain.check() {
            Err(keychain::Error::Locked { .. }) => keychain.unlock(),
            // Reading the login itself will tell.
            Err(keychain::Error::Damaged { .. } | keychain::Error::Elsewhere { .. }) => Ok(()),
            outcome => outcome,
        });
        unlocked.map_err(|error| self.keychain_error(error))
    }
}
