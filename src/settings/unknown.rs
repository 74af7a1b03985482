//! What is set and means nothing, such as a misspelt name: the verbs go on without it, and the commands
//! refuse it.

use crate::error::{Error, Kind};

/// One such setting or variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    what: String,
    meant: Option<String>,
}

impl Unknown {
    pub(super) fn new(what: String, meant: Option<impl Into<String>>) -> Self {
        Self { what, meant: meant.map(Into::into) }
    }

    /// For what goes on without it.
    pub fn ignored(&self) -> String {
        let meant = self.meant.as_ref().map(|meant| format!("; did you mean {meant}?"));
        format!("{} is ignored{}", self.what, meant.unwrap_or_default())
    }

    /// For what does not.
    pub fn refused(&self) -> Error {
        let next = match &self.meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => "correct or remove it".to_owned(),
        };
        Error::new(Kind::Usage, &self.what).hint(next)
    }
}
