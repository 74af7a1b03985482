//! Proxies: asked by the usual variables, and never for this machine's own hosts.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::mock_token_server::TokenServer;
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

/// A proxy that refuses all, and tells what it was asked.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let count = socket.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            let first = text.lines().next().unwrap_or_default().to_owned();
            // The test may be over.
            let _over = tell.send(first);
            let _gone = socket.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn the_usual_variables_name_one() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (address, asked) = proxy();
        let user = User::new();
        user.set(name, &address);
        user.store("registry.invalid:5000", "alice", PASSWORD).failed_with(&["cannot reach"]);
        assert_eq!(
            asked.try_iter().next().as_deref(),
            Some("CONNECT registry.invalid:5000 HTTP/1.1")
        );
    }
}

#[test]
fn no_proxy_and_this_machines_own_hosts_go_around_it() {
    let (address, asked) = proxy();
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.set("HTTPS_PROXY", &address);
    user.set("NO_PROXY", "registry.invalid");
    user.store("registry.invalid", "alice", PASSWORD).failed_with(&["cannot reach"]);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    assert_eq!(asked.try_iter().next(), None);
}
