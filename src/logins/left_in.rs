//! Keychains that a login was moved away from, and its items there.

use super::Logins;
use super::item::NewItem;
use crate::error::{Error, Remedy, Result};
use crate::keychain::{self, KeychainName};
use crate::login_record::{Locked, LoginRecord, Prepared, Records};
use crate::settings::to_type;
use crate::text::shell_word;

impl Logins<'_> {
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
                Error { fact: message, ..self.keychain_error(e) }.log_in_again()
            })?;
        }
        records.put(record.clone());
        // A record that still names an empty place does no harm.
        let _unwritten = locked.prepare(records).and_then(Prepared::commit);
        Ok(outcome.err().map(|error| {
            let (keychain, server) = (&record.keychain, shell_word(&record.server_url));
            let step = format!("migrate --to {keychain} {server}");
            let finish = Remedy::Run(to_type(&record.profile, &step));
            error.also(finish.when("to finish later"))
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
                let message = format!("the previous token remains in {name}: {}", error.fact);
                outcome = Err(Error { fact: message, ..error });
                true
            }
        });
        outcome
    }
}
