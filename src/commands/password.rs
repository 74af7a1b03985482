//! The password of a login's account, for the APIs that delete a token by it alone.

use super::streams::{Streams, cannot_ask, typed};
use crate::error::Result;
use crate::login_record::LoginRecord;
use crate::secret::Password;
use crate::text::{SERVER_TEXT_CHARS, printable};

/// From standard input, or from a person on a terminal; none where there is neither.
pub(super) fn ask(
    record: &LoginRecord,
    from_stdin: bool,
    streams: &mut Streams<'_>,
) -> Result<Option<Password>> {
    if !streams.interactive {
        return if from_stdin { streams.piped_secret("password").map(Some) } else { Ok(None) };
    }
    let shown = |text| printable(text, SERVER_TEXT_CHARS);
    let (account, server) = (shown(&record.account), shown(&record.server_url));
    let prompt = format!("Password of {account} at {server}, to delete the token: ");
    let typed = typed(&prompt).map_err(|e| cannot_ask("password", &e))?;
    Ok((!typed.is_empty()).then(|| Password::new(typed)))
}
