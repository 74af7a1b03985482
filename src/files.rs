//! Files of ours: who may read them, and how one is replaced.

pub(crate) mod atomic;
pub(crate) mod private;
