//! The mock token server's own tests: the token specification, OAuth2, revocation, metadata.

mod fault_tests;
mod profile_tests;
mod transcript_tests;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::mock_token_server::client::Reply;
use crate::mock_token_server::{
    AuthorizationKind, Builder, Client, Opening, Profile, TokenServer, hash,
};

const PASSWORD: &str = "correct horse";

fn alice() -> Builder {
    TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A GET of the token endpoint as alice.
fn get(server: &TokenServer, query: &str, password: &str) -> Reply {
    let url = format!("{}?{query}", server.token_endpoint());
    let header = basic("alice", password);
    Client::new(server).get(&url, &[("Authorization", header.as_str())]).unwrap()
}

/// A POST to the token endpoint, with the fields that every grant needs.
fn post(server: &TokenServer, fields: &[(&str, &str)]) -> Reply {
    let mut form = vec![("service", "mock-registry"), ("client_id", "docker")];
    form.extend(fields);
    Client::new(server).post(&server.token_endpoint(), &form).unwrap()
}

fn login(server: &TokenServer, password: &str) -> Reply {
    let fields = [
        ("grant_type", "password"),
        ("access_type", "offline"),
        ("username", "alice"),
        ("password", password),
    ];
    post(server, &fields)
}

fn refresh(server: &TokenServer, token: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    fields.extend(more);
    post(server, &fields)
}

fn text(reply: &Reply, field: &str) -> String {
    reply.json()[field].as_str().unwrap_or_default().to_owned()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn ping(server: &TokenServer, path: &str, token: &str) -> Reply {
    let url = format!("{}{path}", server.registry_url());
    let header = format!("Bearer {token}");
    Client::new(server).get(&url, &[("Authorization", header.as_str())]).unwrap()
}

#[test]
fn a_login_from_challenge_to_registry() {
    let server = alice().start();
    let client = Client::new(&server);
    let ping_url = format!("{}/v2/", server.registry_url());
    let challenge = client.get(&ping_url, &[]).unwrap();
    assert_eq!(challenge.status, 401);
    let realm = server.token_endpoint();
    let expected = format!("Bearer realm=\"{realm}\",service=\"mock-registry\"");
    assert_eq!(challenge.all("www-authenticate"), [expected]);

    let reply = login(&server, PASSWORD);
    assert_eq!((reply.status, reply.all("cache-control")), (200, vec!["no-store"]));
    let refresh_token = text(&reply, "refresh_token");
    let scopes = [
        ("scope", "repository:alice/app:pull,push repository:bob/app:push"),
        ("scope", "repository:bob/app:pull"),
    ];
    let reply = refresh(&server, &refresh_token, &scopes);
    let granted = "repository:alice/app:pull,push repository:bob/app:pull";
    assert_eq!(text(&reply, "scope"), granted);
    assert_eq!(text(&reply, "refresh_token"), refresh_token);
    let token = text(&reply, "access_token");
    let claims = claims(&token);
    assert_eq!(claims["aud"], "mock-registry");
    assert_eq!(claims["access"][1]["name"], "bob/app");
    assert_eq!(ping(&server, "/v2/", &token).status, 200);
    assert_eq!(ping(&server, "/v2/alice/app/tags/list", &token).status, 200);
    let other = ping(&server, "/v2/carol/app/tags/list", &token);
    assert_eq!(other.status, 401);
    let header = other.all("www-authenticate")[0];
    let end = "scope=\"repository:carol/app:pull\",error=\"insufficient_scope\"";
    assert!(header.ends_with(end), "{header}");
    assert_eq!(ping(&server, "/v2/", "nonsense").status, 401);
}

#[test]
fn the_get_form_of_the_specification() {
    let server = alice().start();
    let reply = get(&server, "service=mock-registry&scope=repository:x:pull,push", PASSWORD);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["token"], reply.json()["access_token"]);
    assert_eq!(reply.json()["refresh_token"], Value::Null);
    let access = json!([{"type": "repository", "name": "x", "actions": ["pull"]}]);
    assert_eq!(claims(&text(&reply, "token"))["access"], access);

    let reply = get(&server, "offline_token=true&client_id=docker&account=alice", PASSWORD);
    let token = text(&reply, "refresh_token");
    let live = server.live_refresh_tokens();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].hash, hash(&token));
    assert_eq!((live[0].account.as_str(), live[0].client_id.as_str()), ("alice", "docker"));
    assert_eq!(refresh(&server, &token, &[]).status, 200);

    let reply = get(&server, "", "wrong");
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["errors"][0]["code"], "UNAUTHORIZED");
    assert_eq!(get(&server, "service=other", PASSWORD).status, 400);
    assert_eq!(get(&server, "offline_token=perhaps", PASSWORD).status, 400);
    assert_eq!(get(&server, "scope=nonsense", PASSWORD).status, 400);
}

#[test]
fn the_errors_of_oauth2() {
    let server = alice().start();
    let error = |reply: Reply| (reply.status, text(&reply, "error"));
    let is = |status: u16, name: &str| (status, name.to_owned());
    assert_eq!(error(login(&server, "wrong")), is(400, "invalid_grant"));
    assert_eq!(error(refresh(&server, "wrong", &[])), is(400, "invalid_grant"));
    assert_eq!(error(post(&server, &[])), is(400, "invalid_request"));
    let strange = [("grant_type", "client_credentials")];
    assert_eq!(error(post(&server, &strange)), is(400, "unsupported_grant_type"));
    let no_user = [("grant_type", "password"), ("password", PASSWORD)];
    assert_eq!(error(post(&server, &no_user)), is(400, "invalid_request"));
    let token = server.issue_refresh_token("alice", "docker");
    let scope = [("scope", "nonsense")];
    assert_eq!(error(refresh(&server, &token, &scope)), is(400, "invalid_scope"));
    let client = Client::new(&server);
    for missing in ["service", "client_id"] {
        let mut form = vec![("service", "mock-registry"), ("client_id", "docker")];
        form.retain(|(name, _)| *name != missing);
        form.extend([("grant_type", "refresh_token"), ("refresh_token", token.as_str())]);
        let reply = client.post(&server.token_endpoint(), &form).unwrap();
        assert_eq!(error(reply), is(400, "invalid_request"), "{missing}");
    }
}

#[test]
fn tokens_are_bound_to_service_and_client() {
    let server = alice().bind_client_id().start();
    let token = server.issue_refresh_token("alice", "docker");
    assert_eq!(refresh(&server, &token, &[]).status, 200);
    let client = Client::new(&server);
    for (service, client_id) in [("other", "docker"), ("mock-registry", "oras-go")] {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("service", service),
            ("client_id", client_id),
        ];
        let reply = client.post(&server.token_endpoint(), &form).unwrap();
        assert_eq!(reply.status, 400, "{service} {client_id}");
    }
}

#[test]
fn revocation_and_metadata() {
    let server = alice().metadata_field("extra", 1).start();
    let client = Client::new(&server);
    let url = format!("{}/.well-known/oauth-authorization-server", server.token_origin());
    let metadata = client.get(&url, &[]).unwrap();
    assert_eq!(text(&metadata, "issuer"), server.issuer());
    assert_eq!(metadata.json()["extra"], 1);
    let endpoint = text(&metadata, "revocation_endpoint");
    let token = text(&login(&server, PASSWORD), "refresh_token");
    for token in [token.as_str(), "unknown"] {
        assert_eq!(client.post(&endpoint, &[("token", token)]).unwrap().status, 200);
    }
    assert_eq!(client.post(&endpoint, &[]).unwrap().status, 400);
    assert_eq!(server.live_refresh_tokens(), []);
    assert_eq!(refresh(&server, &token, &[]).status, 400);

    let server = alice().no_revocation().no_metadata().start();
    let client = Client::new(&server);
    for path in ["/revoke", "/.well-known/oauth-authorization-server"] {
        let url = format!("{}{path}", server.token_origin());
        assert_eq!(client.post(&url, &[("token", "x")]).unwrap().status, 404);
        assert_eq!(client.get(&url, &[]).unwrap().status, 404);
    }
}

#[test]
fn refresh_tokens_of_a_size_and_with_an_end() {
    let server = alice().token_length(3000).start();
    assert_eq!(text(&login(&server, PASSWORD), "refresh_token").len(), 3000);
    let lifetime = Duration::from_millis(1500);
    let server = alice().token_length(3000).jwt_refresh_tokens(lifetime).start();
    let token = text(&login(&server, PASSWORD), "refresh_token");
    assert!(token.len() >= 3000 && token.len() < 3010, "{}", token.len());
    assert!(claims(&token)["exp"].is_number());
    assert_eq!(refresh(&server, &token, &[]).status, 200);
    std::thread::sleep(lifetime);
    assert_eq!(refresh(&server, &token, &[]).status, 400);
}

#[test]
fn the_journal_has_everything_but_the_secrets() {
    let server = alice().separate_registry().start();
    assert_ne!(server.registry_url(), server.token_origin());
    let token = text(&login(&server, PASSWORD), "refresh_token");
    get(&server, "service=mock-registry", PASSWORD);
    refresh(&server, &token, &[("unheard_of", PASSWORD)]);
    let journal = server.journal();
    assert_eq!(journal.lines(), ["POST /token 200", "GET /token 200", "POST /token 200"]);
    assert_eq!((journal.passwords_sent(), journal.connections_used()), (2, 3));
    assert_eq!(journal.connections()[0].opening, Opening::Tls);
    assert_eq!(journal[0].parameter("username"), Some("alice"));
    assert!(journal[0].has("password", PASSWORD));
    let password_hash = hash(PASSWORD);
    assert_eq!(journal[0].parameter("password"), Some(password_hash.as_str()));
    let user = "alice".to_owned();
    assert_eq!(journal[1].authorization, AuthorizationKind::Basic { user, password_hash });
    assert!(journal[2].has("refresh_token", &token) && !journal[2].has_password());
    let printed = format!("{journal:?}");
    assert!(!printed.contains(PASSWORD) && !printed.contains(&token), "{printed}");
}

#[test]
fn plain_http_answers_a_tls_hello_as_go_does_and_the_reverse() {
    let server = alice().plain_http().start();
    assert_eq!(login(&server, PASSWORD).status, 200);
    let url = server.registry_url().replace("http://", "https://");
    let error = Client::new(&server).get(&url, &[]).err().unwrap().to_string();
    assert!(error.contains("corrupt message"), "{error}");
    assert_eq!(server.journal().connections()[1].opening, Opening::HelloOnPlain);

    let server = alice().start();
    let url = server.registry_url().replace("https://", "http://");
    let reply = Client::new(&server).get(&url, &[]).unwrap();
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body, b"Client sent an HTTP request to an HTTPS server.\n");
}

#[test]
fn one_connection_takes_several_requests() {
    let server = alice().plain_http().start();
    let mut socket = TcpStream::connect(server.registry_host()).unwrap();
    let mut answers = BufReader::new(socket.try_clone().unwrap());
    for last in [false, false, true] {
        let end = if last { "Connection: close\r\n\r\n" } else { "\r\n" };
        socket.write_all(format!("GET /nowhere HTTP/1.1\r\nHost: x\r\n{end}").as_bytes()).unwrap();
        let mut line = String::new();
        while line != "404 page not found\n" {
            line.clear();
            assert_ne!(answers.read_line(&mut line).unwrap(), 0);
        }
    }
    assert_eq!(answers.read(&mut [0]).unwrap(), 0);
    let journal = server.journal();
    let counts = (journal.len(), journal.connections_used(), journal.connections().len());
    assert_eq!(counts, (3, 1, 1));
}

#[test]
fn a_client_certificate_may_be_asked_for() {
    let server = alice().require_client_certificate().start();
    let url = format!("{}/v2/", server.registry_url());
    assert!(Client::new(&server).get(&url, &[]).is_err());
    let client = Client::with_certificate(&server, server.client_certificate());
    assert_eq!(client.get(&url, &[]).unwrap().status, 401);
    let openings: Vec<_> = server.journal().connections().iter().map(|c| c.opening).collect();
    assert_eq!(openings, [Opening::TlsFailed, Opening::Tls]);
}

#[test]
fn nothing_is_left_when_it_stops() {
    // Another test's server may take the port at once.
    assert!((0..3).any(|_| refuses_after_its_stop()), "somebody listens");
}

fn refuses_after_its_stop() -> bool {
    let server = alice().start();
    let (host, directory) = (server.registry_host(), server.directory().to_owned());
    assert!(server.ca_file().starts_with(&directory) && server.jwt_cert_file().is_file());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&directory.metadata().unwrap()) & 0o777, 0o700);
    let idle = TcpStream::connect(&host).unwrap();
    drop(server);
    assert!(!directory.exists());
    let refused = TcpStream::connect(&host).is_err();
    drop(idle);
    refused
}
