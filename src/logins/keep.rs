//! Keeping a login: keychain, record and fallback change together or not at all.

use super::Logins;
use super::item::{NewItem, item_to_replace};
use super::new_login::LoginToken;
use super::ready::Destination;
use crate::error::Result;
use crate::keychain::Keychain;
use crate::login_record::LoginRecord;
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;
use crate::text::{SERVER_TEXT_CHARS, printable};

impl Logins<'_> {
    /// The keychain first, then the record; the old one goes last.
    ///
    /// # Errors
    /// Any; then the previous login is as it was, and the token revoked where possible.
    pub(super) fn keep(
        &mut self,
        url: &ServerUrl,
        account: &str,
        destination: &Destination,
        token: &LoginToken,
    ) -> Result<()> {
        let Destination { keychain, why } = destination;
        let record = token.record(&self.settings.profile, url, account, keychain.name());
        if let Err(error) = self.replace(url, keychain, &record, token.secret()) {
            // A server that issues one token per account returned the previous login's.
            let is_kept = keychain.get(url.key()).is_ok_and(|i| i.token == *token.secret());
            if !is_kept {
                self.take_back(&record, token);
            }
            return Err(error);
        }
        if let LoginToken::Proven { token, .. } = token {
            for note in &token.notes {
                self.note(note);
            }
        }
        let what = match token {
            LoginToken::Proven { .. } => "refresh token",
            LoginToken::Personal { .. } => "personal token",
            LoginToken::Minted { .. } => "minted token",
            LoginToken::AsItCame(_) => "unproven token",
        };
        let because = why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        let (name, lifetime) = (keychain.name(), keychain.lifetime());
        self.note(&format!(
            "{what} for {} stored in the {name} keychain {lifetime}{because}",
            url.asked()
        ));
        Ok(())
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
        let previous = records.find(&record.profile, &record.key).cloned();
        let mut record = record.clone();
        if let Some(previous) = &previous {
            record = record.after(previous);
        }
        records.put(record.clone());
        // Everything that can fail for lack of space, before the keychain is touched.
        let prepared = locked.prepare(&records)?;
        let account = record.account.clone();
        let item = NewItem { keychain, account: &account, token };
        // What no record tells of is no login: looking for it may open a prompt, for a database of
        // KeePassXC that has nothing to do with this.
        let old_item = match previous {
            Some(_) => {
                item_to_replace(keychain, &record.key).map_err(|e| self.keychain_error(e))?
            }
            None => None,
        };
        self.put(&record.key, item, old_item, || prepared.commit())?;
        self.note_moved_realm(previous.as_ref(), &record);
        if let Some(left) = self.delete_left(&locked, &mut records, &mut record, item)? {
            self.note(&left.to_string());
        }
        // Under the lock still: a login that is handed over meanwhile must not take this one for the
        // previous one, and have its own removed here.
        if let Err(error) = self.fallback(url).and_then(|f| f.map_or(Ok(false), |f| f.erase(url))) {
            self.note(&format!("a previous login may be left in the fallback helper: {error}"));
        }
        Ok(())
    }

    fn note_moved_realm(&mut self, previous: Option<&LoginRecord>, new: &LoginRecord) {
        let previous = previous.and_then(|record| record.realm.as_deref());
        if let (Some(before), Some(now)) = (previous, new.realm.as_deref())
            && before != now
        {
            // A realm's query is the registry's own words, of any length.
            let shown = |realm| printable(realm, SERVER_TEXT_CHARS);
            let (name, now, before) = (&new.server_url, shown(now), shown(before));
            self.note(&format!("logins for {name} now go to {now}, previously to {before}"));
        }
    }

    /// A token that could not be kept should not stay valid at the server.
    pub(super) fn take_back(&mut self, record: &LoginRecord, token: &LoginToken) {
        if let LoginToken::Minted { fresh, .. } = token {
            self.take_back_minted(fresh);
        } else if let LoginToken::Proven { token, .. } = token
            && token.obtained_as.is_some()
            && let Err(why) = self.try_to_revoke(record, token.secret())
        {
            self.note(&format!(
                "the new token of {} was not kept, and could not be revoked: {}",
                record.server_url, why.fact
            ));
        }
    }
}
