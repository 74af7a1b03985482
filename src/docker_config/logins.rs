//! The logins in a client's file: naming them, reading the secret of one, and taking one out.

use super::check::AUTHS;
use super::document::Document;
use super::edit::{self, Step};
use super::entry::{Entry, LOGIN_FIELDS};
use crate::error::Result;
use crate::secret::Password;

impl Document {
    /// The logins in it.
    pub fn entries(&self) -> Vec<Entry> {
        self.logins().into_iter().map(|(entry, _)| entry).collect()
    }

    /// The secret of one of them; none if it was changed or removed since it was seen.
    pub fn secret_of(&self, seen: &Entry) -> Option<Password> {
        let mut logins = self.logins().into_iter();
        logins.find(|(entry, _)| entry == seen).map(|(_, secret)| secret)
    }

    /// What is left when all logins are taken out: the settings.
    ///
    /// # Errors
    /// As [`Document::remove`].
    pub fn without_logins(mut self) -> Result<Self> {
        for entry in self.entries() {
            self.remove(&entry)?;
        }
        Ok(self)
    }

    fn logins(&self) -> Vec<(Entry, Password)> {
        self.with_root(|root| {
            let auths = root.and_then(|root| match self.legacy {
                true => Some(root),
                false => edit::find(root, AUTHS)?.value.as_object(),
            });
            let entries = auths.into_iter().flat_map(|auths| &auths.properties);
            let read = |property: &jsonc_parser::ast::ObjectProp<'_>| {
                Entry::read(property.name.as_str(), property.value.as_object()?)
            };
            entries.filter_map(read).collect()
        })
    }

    /// Removes a login, if it is still the same; anything else in its entry stays, and an entry
    /// with nothing else is removed.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn remove(&mut self, entry: &Entry) -> Result<bool> {
        if !self.entries().contains(entry) {
            return Ok(false);
        }
        let name = Step::Registry(&entry.server_url);
        let path = if self.legacy { vec![name] } else { vec![Step::Field(AUTHS), name] };
        while let Some(field) = self.with_object(&path, |fields| {
            let login = |field: &&&str| edit::find(fields, field).is_some();
            LOGIN_FIELDS.iter().find(login)
        })? {
            self.cut(&path, Step::Field(field))?;
        }
        if self.with_object(&path, |fields| fields.properties.is_empty())? {
            self.cut(&path[..path.len() - 1], name)?;
        }
        Ok(true)
    }
}
