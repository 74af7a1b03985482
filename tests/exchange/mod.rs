//! The exchange: what the helper does with each kind of server, and how often it sends a password.

mod certs_d;
mod connections;
mod profiles;
mod proxy;
mod unkept;

use crate::mock_token_server::{Journal, Request};

/// The requests in one word each, as the journal has them.
pub fn steps(journal: &Journal) -> Vec<String> {
    journal.requests().iter().map(step).collect()
}

fn step(request: &Request) -> String {
    let get = |name| request.parameter(name);
    match (request.method.as_str(), get("grant_type"), get("offline_token")) {
        ("GET", ..) if request.path == "/v2/" => "ping".into(),
        ("POST", Some("password"), _) => "post".into(),
        ("POST", Some("refresh_token"), _) if get("scope").is_some() => "refresh-scope".into(),
        ("POST", Some("refresh_token"), _) => "refresh".into(),
        ("GET", _, Some("true")) => "get-offline".into(),
        ("GET", ..) if get("account").is_some() => "get".into(),
        (method, ..) => format!("{method} {}", request.path),
    }
}
