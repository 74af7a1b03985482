//! The password of a login's account, for the APIs that delete a token by it alone.

use super::streams::Streams;
use crate::error::{Error, Kind, Result};
use crate::login_record::LoginRecord;
use crate::secret::Password;
use crate::text::{SERVER_TEXT_CHARS, printable};

/// From standard input, or from a person on a terminal; none where there is neither.
pub(super) fn ask(
    record: &LoginRecord,
    from_stdin: bool,
    streams: &mut Streams<'_>,
) -> Result<Option<Password>> {
    if from_stdin {
        return streams.piped_secret().map(Some);
    }
    if !streams.interactive {
        return Ok(None);
    }
    let shown = |text| printable(text, SERVER_TEXT_CHARS);
    let (account, server) = (shown(&record.account), shown(&record.server_url));
    let typed = rpassword::prompt_password(format!(
        "Password of {account} at {server}, to delete the token: "
    ));
    let typed = typed.map_err(|e| {
        Error::new(Kind::Other, format!("cannot prompt for the password: {}", e.kind()))
    })?;
    Ok((!typed.is_empty()).then(|| Password::new(typed)))
}
