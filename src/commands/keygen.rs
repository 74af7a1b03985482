//! `keygen`: a new identity for the `file` keychain, kept nowhere.

use super::Streams;
use crate::error::Result;
use crate::helper::Helper;
use crate::keychain::new_identity;

pub(super) fn run(helper: &mut Helper<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let (identity, public_key) = new_identity();
    // A comment, so that both streams together are an identity file too.
    let _unheard = writeln!(helper.notes, "# public key: {public_key}");
    streams.print(identity.expose())
}
