//! What tests share.

pub mod keychains;
