//! Whether logins still work, as their token servers say, and what is remembered of that.

use jiff::Timestamp;

use super::refresh::refused;
use super::{Logins, parse_url};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::login_record::{Credential, Found, LastCheck, LoginRecord, Verdict};
use crate::registry::Registry;
use crate::scope::Scope;
use crate::token::USED_AS;

/// What asking for one login came to.
pub struct Checked {
    /// The record that it was asked with.
    pub record: LoginRecord,
    /// What the token server said.
    pub last: LastCheck,
    /// Whose login it is, if the access token tells.
    pub account: Option<String>,
}

impl Checked {
    /// Of what a check came to, with whose login it is; none if the token server was not heard, but
    /// for a reason here.
    pub fn of(record: &LoginRecord, outcome: Result<Option<&str>, &Error>) -> Option<Self> {
        let (result, account) = match outcome {
            Ok(account) => (Verdict::Valid, account.map(str::to_owned)),
            Err(error) => (verdict(error)?, None),
        };
        let last = LastCheck { at: Timestamp::now(), result };
        Some(Self { record: record.clone(), last, account })
    }

    /// Whether it was rejected, or is no longer as it was said to be.
    pub fn is_news(&self) -> bool {
        let before = self.record.checked.map(|last| last.result);
        let now = self.last.result;
        now == Verdict::Rejected || before.is_some_and(|before| before != now)
    }

    /// What a record says from then on: a login that works is proven by that.
    pub fn apply(&self, login: &mut LoginRecord) {
        login.checked = Some(self.last);
        if self.last.result == Verdict::Valid && !login.proven {
            login.proven = true;
            login.proven_as = Some(USED_AS.to_owned());
        }
        if let Some(account) = self.account.as_ref().filter(|_| login.account.is_empty()) {
            login.account.clone_from(account);
        }
    }
}

/// What an error of a check says of the login.
pub fn verdict(error: &Error) -> Option<Verdict> {
    match error.kind {
        Kind::Rejected => Some(Verdict::Rejected),
        Kind::Network => Some(Verdict::Unreachable),
        _ => None,
    }
}

impl Logins<'_> {
    /// Whether a login works, seen by asking for an access token for nothing in particular; whose it
    /// is, if that tells.
    ///
    /// # Errors
    /// As [`Logins::refresh`].
    pub fn check_login(&mut self, record: &LoginRecord) -> Result<Option<String>> {
        if record.credential != Credential::RefreshToken {
            let item = self.item(record)?;
            if record.credential.is_personal(&item.token) {
                return self.check_personal(record, &item).map(|()| None);
            }
        }
        let error = match self.try_refresh(record, &[])? {
            Ok(tokens) => return Ok(tokens.account),
            Err(refusal) => refused(record, &refusal),
        };
        // As for the proof: some token servers refresh only for the scope that the challenge names.
        if matches!(error.kind, Kind::Rejected | Kind::Other)
            && let Some(scopes) = self.challenged_scopes(record)
        {
            return self.refresh(record, &scopes).map(|granted| granted.account);
        }
        Err(error)
    }

    fn challenged_scopes(&self, record: &LoginRecord) -> Option<Vec<Scope>> {
        let url = parse_url(&record.key).ok()?;
        let http = Http::new(NETWORK_DEADLINE).ok()?;
        let mut registry = Registry::new(&url, &self.settings, &self.certs_d).ok()?;
        let scope = registry.challenge(&http).ok()?.scope?;
        Scope::parse_list(&scope)
    }

    /// Writes down what was said of logins that are still the same.
    ///
    /// # Errors
    /// Those of the records, which are as they were.
    pub fn remember(&mut self, all: &[Checked]) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let store = self.records.clone();
        let locked = store.lock()?;
        let Found::Records(mut records) = locked.read()? else { return Ok(()) };
        for checked in all {
            let Checked { record, .. } = checked;
            let now = records.find(&record.profile, &record.key);
            if let Some(mut login) = now.filter(|now| now.since == record.since).cloned() {
                checked.apply(&mut login);
                records.put(login);
            }
        }
        locked.prepare(&records)?.commit()
    }
}
