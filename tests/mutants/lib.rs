//! The root of the small crate (see `run`): `src/lib.rs` with the modules that need neither network nor
//! system.
#![allow(dead_code, unused_imports)]

pub mod challenge;
pub mod docker_config {
    mod check;
    mod document;
    mod edit;
    mod entry;
    pub mod names;

    pub use document::{Document, Previous, Setting};
    pub use edit::Splice;
    pub use entry::{Entry, Login};
}
pub mod error;
pub mod http {
    pub mod proxy;
}
pub mod origin;
pub mod protocol;
pub mod realm;
pub mod scope;
pub mod secret;
pub mod server_url;
pub mod text;
pub mod token {
    mod jwt;
    mod response;
    mod seconds;

    pub use response::TokenResponse;
}
