//! `keygen`: a new identity for the `file` keychain, kept nowhere.

use super::streams::Streams;
use crate::error::Result;
use crate::keychain::new_identity;
use crate::logins::Logins;

pub(super) fn run(logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let (identity, public_key) = new_identity();
    // A comment, so that both streams together are an identity file too.
    let _unheard = writeln!(logins.notes, "# public key: {public_key}");
    streams.print(identity.expose())
}
