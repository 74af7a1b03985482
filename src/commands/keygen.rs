//! `keygen`: a new identity for the `file` keychain, printed or put where that looks for it.

use super::streams::Streams;
use crate::cli::Keygen;
use crate::error::Result;
use crate::keychain::{install_identity, new_identity};
use crate::logins::Logins;

pub(super) fn run(
    keygen: &Keygen,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    if keygen.install {
        return streams.print(&install_identity()?.display().to_string());
    }
    let (identity, public_key) = new_identity();
    // A comment, so that both streams together are an identity file too.
    let _unheard = writeln!(logins.notes, "# public key: {public_key}");
    streams.print(identity.expose())
}
