//! What goes wrong by itself: the network, the server, and what is at the other end of the pipes.

mod command_sweep;
mod crowd;
mod deadlines;
mod file;
mod kernel;
mod network;
mod no_network;
mod orders;
mod protocol;
mod sweep;

use crate::mock_token_server::At;

/// What an error at a step says was being done.
fn was_doing(at: At) -> &'static str {
    match at {
        At::Challenge => "cannot reach",
        At::Proof => "cannot refresh the login",
        _ => "cannot log in",
    }
}
