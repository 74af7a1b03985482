//! `unconfigure`
use super::Streams;
use crate::error::Result;
use crate::helper::Helper;
pub(super) fn run(_: &mut Helper<'_>, _: &mut Streams<'_>) -> Result<()> {
    Ok(())
}
