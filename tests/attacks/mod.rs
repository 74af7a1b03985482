//! What an attacker could try, each test named for the attack and opening with the threat.

pub mod attacker;
mod disclosure;
mod helper_names;
mod items;
mod plain_http;
mod previous;
mod process;
mod prompts;
mod proxy;
mod realms;
mod redirects;
mod server_urls;
mod state_files;
mod terminal;
mod tls;

pub use attacker::Attacker;
pub use previous::Previous;

use crate::mock_token_server::{Builder, Profile, TokenServer};

pub const PASSWORD: &str = "correct horse battery";

/// A server that would take the password and issue a token, if only it were asked.
pub fn server() -> Builder {
    TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD)
}

/// A way to any host that is answered by someone without TLS.
pub fn no_tls_proxy(user: &crate::support::user::User) -> proxy::Proxy {
    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let proxy = proxy::Proxy::start(proxy::Tunnel::Answers(answer), "");
    proxy.set(user);
    proxy
}
