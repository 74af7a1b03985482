//! The root of the small crate (see `run`, and `fuzz/run`): `src/lib.rs` with the modules that need neither
//! network nor keychains.
#![allow(dead_code, unused_imports)]

pub mod challenge;
pub mod docker_config {
    mod check;
    mod document;
    mod edit;
    mod entry;
    mod logins;
    pub mod names;

    pub use document::{Document, Previous, Setting};
    pub use edit::Splice;
    pub use entry::{Entry, EntryKind};
}
pub mod environment;
pub mod error;
pub mod external_helper;
pub mod fallback;
mod files;
pub mod http {
    pub mod proxy;
}
pub mod keychain {
    mod error;
    mod name;
    mod store;

    pub(crate) use external::entry as external_entry;
    pub use name::{Choice, KeychainName, UnknownKeychain};
    #[cfg(fuzzing)]
    pub use secret_service::fuzzing as secret_service_answers;
    pub use store::DEFAULT_PROFILE;

    pub mod external {
        pub mod entry;
    }
    #[cfg(fuzzing)]
    mod secret_service {
        mod calls;
        pub mod fuzzing;
        mod identity;
        mod peer;
        mod wire;
    }
}
pub mod login_record;
mod nearest;
pub mod origin;
pub mod personal_token;
mod progress;
pub mod protocol;
pub mod realm;
pub mod scope;
pub mod secret;
pub mod server_url;
pub mod settings;
pub mod text;
pub mod token {
    mod jwt;
    mod printed;
    mod response;
    mod seconds;

    pub use printed::{NotPrinted, Printed};
    pub use response::TokenResponse;
}
pub mod token_api;
pub mod trace;
