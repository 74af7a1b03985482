//! Where one other helper is both: the fallback, or where logins are imported from, and the keychain
//! (`helper:NAME`). Each login in it is one of ours or one of the fallback's.

use super::Logins;
use crate::error::Result;
use crate::external_helper::HelperName;
use crate::fallback::{Fallback, Ours};
use crate::keychain::{Choice, DEFAULT_PROFILE, KeychainName, external_entry};
use crate::login_record::{Found, LoginRecord, Lookup};
use crate::server_url::ServerUrl;

impl Logins<'_> {
    /// Another helper, without the logins of ours in it.
    ///
    /// # Errors
    /// It cannot be started, or records that could not be read.
    pub fn fallback_named(&self, name: &HelperName) -> Result<Fallback> {
        let keychain = KeychainName::Helper(name.clone());
        let mut ours = Ours { names: Vec::new(), all_tokens: self.is_set(&keychain) };
        if let Found::Records(records) = self.records.read()? {
            let is_there =
                |r: &&LoginRecord| r.keychain == keychain || r.left_in.contains(&keychain);
            let there = records.all().filter(is_there);
            ours.names.extend(there.flat_map(|r| external_entry::names(&r.key, &r.profile)));
            // Rebuilt records do not know the logins of other profiles, which look like a client's.
            ours.all_tokens &= self.settings.profile != DEFAULT_PROFILE;
        }
        Fallback::find(name, ours)
    }

    /// Before the fallback takes a login: ours, of whatever profile, must not be under the exact
    /// name that it will get.
    pub(super) fn make_way(&self, url: &ServerUrl, name: &HelperName) -> Result<()> {
        let keychain = KeychainName::Helper(name.clone());
        let store = self.records.clone();
        let recorded = match store.look_up(DEFAULT_PROFILE, std::iter::once(url.asked()))? {
            Lookup::Found(record) => is_in(&record, &keychain),
            Lookup::Absent => false,
            Lookup::Unknown | Lookup::Damaged(_) => self.is_set(&keychain),
        };
        if !recorded {
            return Ok(());
        }
        let _locked = store.lock()?;
        (self.open_keychain)(&keychain, DEFAULT_PROFILE, &self.options())
            .and_then(|keychain| keychain.make_way(url.asked()))
            .map_err(|error| self.keychain_error(error))
    }

    fn is_set(&self, keychain: &KeychainName) -> bool {
        matches!(&self.settings.keychain, Choice::Named(name) if name == keychain)
    }
}

/// Whether a login's token is there, or one that it left behind.
fn is_in(record: &LoginRecord, keychain: &KeychainName) -> bool {
    record.keychain == *keychain || record.left_in.contains(keychain)
}
