//! The tests of the package: one binary, a file for each behaviour.

mod mock_token_server;
#[path = "mock_token_server/tests.rs"]
mod mock_token_server_tests;
