//! Keeping a login: keychain, record and fallback change together or not at all.

use super::{Logins, to_type};
use crate::error::{Error, Result};
use crate::keychain::{self, Item, Keychain, KeychainName};
use crate::login_record::{Credential, Locked, LoginRecord, Prepared, Records};
use crate::personal_token::PersonalToken;
use crate::registry::TokenEndpoint;
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;
use crate::text::{SERVER_TEXT_CHARS, printable, shell_word};
use crate::token::{ProvenToken, account_of, expiry_of};

/// The token of a new login: the only kinds that may be kept.
pub(super) enum LoginToken {
    /// Exchanged or given, and seen to work.
    Proven { token: ProvenToken, endpoint: TokenEndpoint },
    /// Seen to be accepted as it is, at the token endpoint or, where there is none, at the registry.
    Personal { token: PersonalToken, endpoint: Option<TokenEndpoint> },
    /// A client's own: kept as it came, without network.
    AsItCame(RefreshToken),
}

/// An unlocked keychain, and why `auto` chose it.
pub struct Destination {
    /// Where logins are to be kept.
    pub keychain: Keychain,
    /// Why this one, if that was decided now.
    pub why: Option<String>,
}

/// An item to be put into a keychain.
#[derive(Clone, Copy)]
pub(super) struct NewItem<'a> {
    pub(super) keychain: &'a Keychain,
    pub(super) account: &'a str,
    pub(super) token: &'a RefreshToken,
}

impl LoginToken {
    fn secret(&self) -> &RefreshToken {
        match self {
            Self::Proven { token, .. } => token.secret(),
            Self::Personal { token, .. } => token.to_keep(),
            Self::AsItCame(token) => token,
        }
    }

    pub(super) fn record(
        &self,
        profile: &str,
        url: &ServerUrl,
        account: &str,
        keychain: &KeychainName,
    ) -> LoginRecord {
        let mut record = LoginRecord::new(profile, url.key(), keychain.clone());
        record.server_url = url.asked().to_owned();
        record.account = account.to_owned();
        match self {
            Self::AsItCame(token) => {
                record.expires = expiry_of(token);
                if record.account.is_empty() {
                    record.account = account_of(token).unwrap_or_default();
                }
            }
            Self::Personal { endpoint, .. } => {
                record.proven = true;
                record.credential = Credential::PersonalToken;
                record.realm = endpoint.as_ref().map(|at| at.realm.url().to_string());
                record.service = endpoint.as_ref().and_then(|at| at.service.clone());
            }
            Self::Proven { token, endpoint } => {
                record.proven = true;
                record.realm = Some(endpoint.realm.url().to_string());
                record.service.clone_from(&endpoint.service);
                record.obtained_as.clone_from(&token.obtained_as);
                record.proven_as = Some(token.proven_as.to_owned());
                record.expires = token.expires;
            }
        }
        record
    }
}

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
            LoginToken::AsItCame(_) => "unproven token",
        };
        let because = why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        let (name, lifetime) = (keychain.name(), keychain.lifetime());
        self.note(&format!(
            "{what} for {} kept in keychain {name} {lifetime}{because}",
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

    /// Stores a token under its key, then the records; or neither.
    pub(super) fn put(
        &self,
        key: &str,
        item: NewItem<'_>,
        old_item: Option<Item>,
        commit: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let NewItem { keychain, account, token } = item;
        let outcome = keychain.put(key, account, token).map_err(|e| self.keychain_error(e));
        outcome
            .and_then(|()| commit())
            .map_err(|error| put_back(keychain, key, token, old_item.as_ref(), error))
    }

    /// The token is in another keychain now; the previous ones need not keep theirs. Where one
    /// cannot be deleted, the record remembers it, and the result says where, and the next step.
    ///
    /// # Errors
    /// The token went with the previous one.
    pub(super) fn delete_left(
        &self,
        locked: &Locked<'_>,
        records: &mut Records,
        record: &mut LoginRecord,
        item: NewItem<'_>,
    ) -> Result<Option<Error>> {
        if record.left_in.is_empty() {
            return Ok(None);
        }
        record.left_in.retain(|name| !name.is_same_program(&record.keychain));
        let outcome = self.delete_in(&mut record.left_in, &record.key);
        // Two names may still mean one place, such as a script that starts the other helper.
        if let Err(keychain::Error::Absent) = item.keychain.get(&record.key) {
            let again = item.keychain.put(&record.key, item.account, item.token);
            again.map_err(|e| {
                let message = format!("the login for {} is lost: {e}", record.server_url);
                Error { fact: message, ..self.keychain_error(e) }.hint("log in again")
            })?;
        }
        records.put(record.clone());
        // A record that still names an empty place does no harm.
        let _unwritten = locked.prepare(records).and_then(Prepared::commit);
        Ok(outcome.err().map(|error| {
            let (keychain, server) = (&record.keychain, shell_word(&record.server_url));
            let step = format!("migrate --to {keychain} {server}");
            error.also(format!("to finish later, run: {}", to_type(&record.profile, &step)))
        }))
    }

    /// Deletes a key in keychains that it was moved away from; those that fail remain in the list.
    pub(super) fn delete_in(&self, names: &mut Vec<KeychainName>, key: &str) -> Result<()> {
        let options = self.options_unless_dismissed();
        let mut outcome = Ok(());
        names.retain(|name| match self.open(name, &options).and_then(|k| k.delete(key)) {
            Ok(()) | Err(keychain::Error::Absent) => false,
            Err(error) => {
                let error = self.keychain_error(error);
                let message = format!("the previous token is left in {name}: {}", error.fact);
                outcome = Err(Error { fact: message, ..error });
                true
            }
        });
        outcome
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
        if let LoginToken::Proven { token, .. } = token
            && token.obtained_as.is_some()
            && let Err(why) = self.try_to_revoke(record, token.secret())
        {
            self.note(&format!(
                "the new token was not kept, and could not be revoked: {}",
                why.fact
            ));
        }
    }
}

/// What would have to be restored; a damaged item cannot be.
pub(super) fn item_to_replace(
    keychain: &Keychain,
    key: &str,
) -> std::result::Result<Option<Item>, keychain::Error> {
    use keychain::Error::{Absent, Damaged, Elsewhere};
    match keychain.get(key) {
        Ok(item) => Ok(Some(item)),
        Err(Absent | Elsewhere { .. } | Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Undoes a failed change: a `put` may have changed the item before it failed.
fn put_back(
    keychain: &Keychain,
    key: &str,
    new: &RefreshToken,
    old: Option<&Item>,
    error: Error,
) -> Error {
    let restored = match (item_to_replace(keychain, key), old) {
        (Ok(Some(now)), Some(old)) if now.token == old.token && now.account == old.account => {
            Ok(())
        }
        (Ok(_), Some(old)) => keychain.put(key, &old.account, &old.token),
        (Ok(Some(now)), None) if now.token == *new => keychain.delete(key),
        (Ok(_), None) => Ok(()),
        // There was no login to restore, so this is the one just put there.
        (Err(_), None) => keychain.delete(key),
        (Err(lost), Some(_)) => Err(lost),
    };
    match restored {
        Ok(()) | Err(keychain::Error::Absent) => error,
        Err(lost) if old.is_some() => {
            error.also(format!("and the previous token could not be restored: {lost}"))
        }
        Err(lost) => error.also(format!("and the new token may still be in the keychain: {lost}")),
    }
}
