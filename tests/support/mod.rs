//! What tests share.

pub mod keychains;
pub mod user;
