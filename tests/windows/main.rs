//! Windows, by way of Wine. `tests/windows/run` builds this twice: for Windows it is the contract
//! suite of the keychain; for this machine it is what starts the program as its clients do.

#[cfg(windows)]
#[path = "../keychain"]
mod keychain {
    mod agent;
    mod contract;
}
#[cfg(windows)]
#[path = "../support"]
mod support {
    #[allow(dead_code)] // each test binary uses its own part of the support code
    pub mod keychains {
        pub mod agent;
        pub mod memory;
    }
}

#[cfg(unix)]
#[path = "../mock_token_server/mod.rs"]
mod mock_token_server;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod suite;
#[cfg(unix)]
mod wine;
