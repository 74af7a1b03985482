//! `configure`
use super::Streams;
use crate::cli::Configure;
use crate::error::Result;
use crate::helper::Helper;
pub(super) fn run(_: &Configure, _: &mut Helper<'_>, _: &mut Streams<'_>) -> Result<()> {
    Ok(())
}
