//! How many requests and connections a login costs.

use std::collections::BTreeSet;

use super::steps;
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

fn store(server: &TokenServer) {
    let user = User::trusting(server);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    assert_eq!(steps(&server.journal()), ["ping", "post", "refresh"]);
    assert!(server.journal().requests().iter().all(|request| request.tls));
}

#[test]
fn a_plain_store_is_three_requests_on_one_connection() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    store(&server);
    assert_eq!(server.journal().connections().len(), 1);
}

#[test]
fn and_on_two_where_registry_and_token_server_are_two_origins() {
    let server = TokenServer::builder().user("alice", PASSWORD).separate_registry().start();
    store(&server);
    assert_eq!(server.journal().connections().len(), 2);
}

#[test]
fn what_is_sent_is_what_the_specification_names_and_nothing_else() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    store(&server);
    let journal = server.journal();
    let names = |at: usize| -> Vec<String> {
        journal.requests()[at].parameters.iter().map(|p| p.name.clone()).collect()
    };
    let grant = ["grant_type", "service", "client_id"];
    assert!(names(0).is_empty());
    assert_eq!(names(1), [&grant[..], &["access_type", "username", "password"]].concat());
    assert_eq!(names(2), [&grant[..], &["refresh_token"]].concat());
    assert!(journal.requests()[1].has("client_id", "docker-credential-refresh"));
    let headers: BTreeSet<_> = journal.requests()[1].header_names.iter().map(|h| &**h).collect();
    let expected = ["accept", "accept-encoding", "content-length", "content-type", "host"];
    assert_eq!(headers, [&expected[..], &["user-agent"]].concat().into_iter().collect());
    assert!(journal.requests()[2].has("client_id", "docker"));
}

#[test]
fn the_query_of_the_realm_is_kept() {
    let server = TokenServer::builder().profile(Profile::GetOnly).user("alice", PASSWORD).start();
    server.set_realm(&format!("{}?tenant=a%20b", server.token_endpoint()));
    let user = User::trusting(&server);
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["status 404"]);
    let journal = server.journal();
    let mut asked = journal.requests().iter().filter(|request| request.path == "/token");
    assert!(asked.all(|request| request.has("tenant", "a b")), "{:?}", journal.lines());
}
