//! Proxies: by the rules of Go's clients, and never for this machine's own hosts.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustls::{ServerConnection, StreamOwned};

use crate::mock_token_server::{Pair, TokenServer};
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
    for name in ["HTTPS_PROXY", "https_proxy"] {
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

/// docker/docs#9745, docker/cli#4501: Go's clients go directly where these say so.
#[test]
fn no_proxy_excepts_as_it_does_for_docker() {
    for (no_proxy, directly) in [
        ("*.corp.invalid", true),
        (".corp.invalid", true),
        ("corp.invalid", true),
        ("x.example, CORP.invalid:5000 ", true),
        ("*", true),
        ("corp.invalid:443", false),
        ("*.reg.corp.invalid", false),
        ("10.0.0.0/8", false),
    ] {
        let (address, asked) = proxy();
        let user = User::new();
        user.set("HTTPS_PROXY", &address);
        user.set("NO_PROXY", no_proxy);
        user.store("reg.corp.invalid:5000", "alice", PASSWORD).failed_with(&["cannot reach"]);
        assert_eq!(asked.try_iter().next().is_none(), directly, "{no_proxy}");
    }
}

#[test]
fn variables_that_go_does_not_read_are_not_read() {
    for name in ["ALL_PROXY", "all_proxy", "HTTP_PROXY"] {
        let (address, asked) = proxy();
        let user = User::new();
        user.set(name, &address);
        user.store("registry.invalid:5000", "alice", PASSWORD).failed_with(&["cannot reach"]);
        assert_eq!(asked.try_iter().next(), None, "{name}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_and_never_gone_around() {
    // Directly, the registry would be there.
    let server = TokenServer::builder().user("alice", PASSWORD).plain_http().start();
    let port = server.registry_host().rsplit_once(':').unwrap().1.to_owned();
    for value in [
        "ftp://user:proxy-password@127.0.0.1:1",
        "socks4://user:proxy-password@127.0.0.1:1",
        "http://user:proxy-password@127.0.0.1:99999",
        "http://user:proxy-password@",
    ] {
        let user = User::new();
        user.secret("proxy-password");
        user.set("https_proxy", value);
        let outcome = user.store(&format!("0.0.0.0:{port}"), "alice", PASSWORD);
        outcome.failed_with(&["cannot reach", "https_proxy", "socks5://", "NO_PROXY"]);
        assert!(server.journal().is_empty(), "{value}");
    }
}

#[test]
fn cve_2016_5386_a_cgi_program_does_not_take_its_clients_proxy() {
    let (address, asked) = proxy();
    let server = TokenServer::builder().user("alice", PASSWORD).plain_http().start();
    let port = server.registry_host().rsplit_once(':').unwrap().1.to_owned();
    let user = User::new();
    let host = format!("0.0.0.0:{port}");
    user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", &host);
    user.set("HTTP_PROXY", &address);
    user.set("REQUEST_METHOD", "GET");
    user.store(&host, "alice", PASSWORD).failed_with(&["HTTP_PROXY", "REQUEST_METHOD"]);
    assert_eq!(asked.try_iter().next(), None);
}

/// docker/roadmap#100: a SOCKS proxy looks the names up, and is logged in to if it asks.
#[test]
fn a_login_goes_through_a_socks_proxy() {
    let server = TokenServer::builder().user("alice", PASSWORD).plain_http().start();
    let port = server.registry_host().rsplit_once(':').unwrap().1.to_owned();
    let host = format!("registry.invalid:{port}");
    server.set_realm(&server.token_endpoint().replace("127.0.0.1", "registry.invalid"));
    for (scheme, credentials) in
        [("socks5", ""), ("socks5h", ""), ("SOCKS5", "user:proxy%2Dpassword@")]
    {
        server.clear_journal();
        let (address, asked) = socks(!credentials.is_empty());
        let user = User::new();
        user.secret("proxy-password");
        user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", &host);
        for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
            user.set(name, &format!("{scheme}://{credentials}{address}"));
        }
        user.store(&host, "alice", PASSWORD).succeeded();
        assert_eq!(server.journal().requests().len(), 3, "{scheme}");
        let asked: Vec<_> = asked.try_iter().collect();
        assert!(asked.len() >= 2 && asked.iter().all(|to| *to == host), "{asked:?}");
        user.set("HTTPS_PROXY", &format!("{scheme}://{credentials}127.0.0.1:1"));
        let outcome = user.store(&host, "alice", PASSWORD);
        outcome.failed_with(&["through the proxy in HTTPS_PROXY"]);
    }
}

/// A SOCKS5 proxy (RFC 1928, RFC 1929) that leads to this machine, and tells where it was asked to.
fn socks(with_password: bool) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, asked) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let tell = tell.clone();
            // Who hangs up half-way is no matter.
            thread::spawn(move || serve(client, with_password, &tell).ok());
        }
    });
    (address, asked)
}

fn serve(mut client: TcpStream, with_password: bool, tell: &Sender<String>) -> std::io::Result<()> {
    let mut take = {
        let mut client = client.try_clone()?;
        move |count: usize| -> std::io::Result<Vec<u8>> {
            let mut bytes = vec![0; count];
            client.read_exact(&mut bytes).map(|()| bytes)
        }
    };
    let methods = take(2)?[1];
    let offered = take(methods.into())?;
    let method = if with_password { 2 } else { 0 };
    assert!(offered.contains(&method), "{offered:?}");
    client.write_all(&[5, method])?;
    if with_password {
        let length = take(2)?[1];
        let name = take(length.into())?;
        let length = take(1)?[0];
        let password = take(length.into())?;
        assert_eq!((&*name, &*password), (&b"user"[..], &b"proxy-password"[..]));
        client.write_all(&[1, 0])?;
    }
    let request = take(5)?;
    assert_eq!(&request[..4], [5, 1, 0, 3], "a name, not an address");
    let name = String::from_utf8(take(request[4].into())?).unwrap();
    let port = take(2)?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    // The test may be over.
    let _over = tell.send(format!("{name}:{port}"));
    let server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        let copied = std::io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Both).ok();
        copied
    });
    let (mut from, mut to) = (client, server);
    std::io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Both).ok();
    back.join().ok();
    Ok(())
}

/// A proxy with a certificate, which leads to nothing that speaks TLS, and forwards plain requests
/// to this machine; it tells the head of each.
fn tls_proxy(pair: &Pair) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://user:proxy-password@{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    let config = pair.config();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            // Whoever hangs up has what they came for.
            forward(StreamOwned::new(connection, socket), &tell).ok();
        }
    });
    (address, asked)
}

fn forward(
    mut client: StreamOwned<ServerConnection, TcpStream>,
    tell: &Sender<String>,
) -> std::io::Result<()> {
    loop {
        let head = head(&mut client)?;
        let _over = tell.send(head.clone());
        if head.starts_with("CONNECT ") {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let _hello = client.read(&mut [0; 4096])?;
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
        let (method, rest) = head.split_once(" http://registry.invalid:").unwrap();
        let (port, rest) = rest.split_once('/').unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port.parse().unwrap()))?;
        write!(server, "{method} /{rest}")?;
        copy_body(&head, &mut client, &mut server)?;
        let answer = self::head(&mut server)?;
        client.write_all(answer.as_bytes())?;
        copy_body(&answer, &mut server, &mut client)?;
    }
}

fn head(from: &mut impl Read) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn copy_body(head: &str, from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let head = head.to_ascii_lowercase();
    let length = head.split_once("content-length: ").map(|(_, rest)| rest.lines().next().unwrap());
    std::io::copy(&mut from.take(length.map_or(0, |n| n.parse().unwrap())), to)?;
    to.flush()
}

#[test]
fn a_login_goes_through_a_proxy_with_tls_of_its_own() {
    let server = TokenServer::builder().user("alice", PASSWORD).plain_http().start();
    let port = server.registry_host().rsplit_once(':').unwrap().1.to_owned();
    let host = format!("registry.invalid:{port}");
    server.set_realm(&server.token_endpoint().replace("127.0.0.1", "registry.invalid"));
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let pair = Pair { certificate, key: key.serialize_pem() };
    let (address, asked) = tls_proxy(&pair);
    let user = User::new();
    user.secret("proxy-password");
    for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
        user.set(name, &address);
    }
    user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", &host);
    // Nobody vouches for the proxy yet: it gets neither its password nor a request.
    user.store(&host, "alice", PASSWORD).failed_with(&["UnknownIssuer"]);
    assert_eq!(asked.try_iter().next(), None);
    let trusted = user.home().join("proxy.crt");
    std::fs::write(&trusted, &pair.certificate).unwrap();
    user.set("SSL_CERT_FILE", trusted.to_str().unwrap());
    user.store(&host, "alice", PASSWORD).succeeded();
    let asked: Vec<_> = asked.try_iter().collect();
    let firsts = ["CONNECT registry", "GET http", "POST http", "POST http"];
    assert_eq!(asked.len(), firsts.len(), "{asked:?}");
    for (head, first) in asked.iter().zip(firsts) {
        assert!(head.starts_with(first), "{head}");
        assert!(head.contains("proxy-authorization: Basic dXNlcjpwcm94eS1wYXNzd29yZA=="), "{head}");
    }
}

/// The hello goes to the proxy itself, and a plain answer says nothing about the host behind.
#[test]
fn a_proxy_with_tls_of_its_own_is_spoken_to_in_tls() {
    let (address, asked) = proxy();
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", "registry.invalid:5000");
    user.set("HTTPS_PROXY", &address.replace("http://", "https://user:proxy-password@"));
    user.secret("proxy-password");
    let outcome = user.store("registry.invalid:5000", "alice", PASSWORD);
    outcome.failed_with(&["TLS failed: the proxy in HTTPS_PROXY does not speak TLS"]);
    let hello = asked.try_iter().next().unwrap();
    assert!(!hello.contains("CONNECT") && !hello.contains("Proxy-Authorization"), "{hello}");

    // It would be shown the registry's client certificate.
    let folder = user.certs_d("registry.invalid:5000");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("client.cert"), "").unwrap();
    std::fs::write(folder.join("client.key"), "").unwrap();
    let outcome = user.store("registry.invalid:5000", "alice", PASSWORD);
    outcome.failed_with(&["client.cert cannot be used through the https:// proxy in HTTPS_PROXY"]);
}
