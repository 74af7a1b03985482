//! Debian's registry takes the server's tokens. Part of the `clients` target, since it has to be
//! installed.

use serde_json::json;

use crate::mock_token_server::{Client, RealRegistry, TokenServer};

#[test]
fn the_real_registry_takes_a_token_with_the_scope_and_no_other() {
    let https = TokenServer::builder().user("alice", "correct horse");
    let http = TokenServer::builder().user("alice", "correct horse").plain_http();
    for builder in [https, http] {
        let server = builder.start();
        let registry = RealRegistry::start(&server).unwrap();
        let client = Client::new(&server);
        let challenge = client.get(&format!("{}/v2/", registry.url()), &[]).unwrap();
        assert_eq!(challenge.status, 401);
        let realm = format!("Bearer realm=\"{}\"", server.token_endpoint());
        let header = challenge.all("www-authenticate")[0].to_owned();
        assert!(header.starts_with(&realm), "{header}");

        let token = server.issue_refresh_token("alice", "docker");
        let service = server.service();
        let url = format!("{}/v2/alice/app/tags/list", registry.url());
        let ask = |scope: &str| {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("service", service.as_str()),
                ("client_id", "docker"),
                ("scope", scope),
            ];
            let reply = client.post(&server.token_endpoint(), &form).unwrap().json();
            let header = format!("Bearer {}", reply["access_token"].as_str().unwrap());
            let reply = client.get(&url, &[("Authorization", header.as_str())]).unwrap();
            (reply.status, reply.json()["errors"][0]["code"].clone())
        };
        // 404: the scope let it through, and the repository is empty.
        let found = ask("repository:alice/app:pull,push");
        assert_eq!(found, (404, json!("NAME_UNKNOWN")), "{}", registry.log());
        let refused = ask("repository:alice/other:pull");
        assert_eq!(refused, (401, json!("UNAUTHORIZED")), "{}", registry.log());
    }
}
