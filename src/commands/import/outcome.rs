//! What became of each login, as a table and as JSON.

use serde::Serialize;

use crate::commands::clients::found_login::{FoundLogin, Way};
use crate::commands::configure::Took;
use crate::commands::outcomes::outcome_table;
use crate::text::printable;

/// What became of one login, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its password would be sent to the token server: the outcome is not known beforehand.
    WouldTry,
    /// It would be moved as it is.
    WouldMove,
    /// A refresh token is kept, and the password removed.
    Exchanged,
    /// It is kept here unchanged.
    Moved,
    /// It cannot be exchanged, and configure gave it to the fallback.
    HandedOver,
    /// It cannot be exchanged, and stays where it was.
    Stays,
    /// Something went wrong.
    Failed,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    server: String,
    account: String,
    from: String,
    /// What became of it.
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Row {
    /// A row for a login; the reason is one line.
    pub fn new(found: &FoundLogin, outcome: Outcome, reason: Option<String>) -> Self {
        Self {
            server: found.server_url.clone(),
            account: found.account.clone(),
            from: found.place(),
            outcome,
            reason: reason.map(|reason| printable(&reason, usize::MAX)),
        }
    }

    /// What would become of a login.
    pub fn planned(found: &FoundLogin) -> Self {
        match &found.way {
            Way::Exchange => Self::new(found, Outcome::WouldTry, None),
            Way::Move => Self::new(found, Outcome::WouldMove, None),
            Way::Stays(why) | Way::Unusable(why) => {
                Self::new(found, Outcome::Stays, Some(why.clone()))
            }
        }
    }

    /// What configure did with a login.
    pub fn taken(found: &FoundLogin, took: Took) -> Self {
        let outcome = match (took, &found.way) {
            (Took::HandedOver, _) => Outcome::HandedOver,
            (Took::Kept, Way::Move) => Outcome::Moved,
            (Took::Kept, _) => Outcome::Exchanged,
        };
        Self::new(found, outcome, None)
    }

    /// As a sentence, when it is done.
    pub fn sentence(&self) -> String {
        let Self { server, from, .. } = self;
        let why = self.reason.as_ref().map_or(String::new(), |why| format!(": {why}"));
        match self.outcome {
            Outcome::WouldTry => format!("{server} in {from} would be tried"),
            Outcome::WouldMove => format!("{server} in {from} would be moved"),
            Outcome::Exchanged => {
                format!("{server} was exchanged, and its password removed from {from}")
            }
            Outcome::Moved => format!("{server} was moved, and its token removed from {from}"),
            Outcome::HandedOver => {
                format!("{server} was handed to the fallback, and its password removed from {from}")
            }
            Outcome::Stays => format!("{server} stays in {from}{why}"),
            Outcome::Failed => format!("{server} in {from} failed{why}"),
        }
    }
}

impl Outcome {
    fn shown(self) -> &'static str {
        match self {
            Self::WouldTry => "would be tried",
            Self::WouldMove => "would be moved",
            Self::Exchanged => "exchanged",
            Self::Moved => "moved",
            Self::HandedOver => "handed over",
            Self::Stays => "stays",
            Self::Failed => "failed",
        }
    }
}

/// The rows under a heading, in columns.
pub fn table(rows: &[Row]) -> String {
    outcome_table(rows.iter().map(|row| [&row.server, &row.account, row.outcome.shown()]))
}
