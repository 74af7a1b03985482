//! A registry under every name that reaches it: for host names there is a proxy that connects all of them,
//! for loopback a relay on `::1`.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::docker_cli::DockerCli;
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::process::Finished;
use crate::scenario::NO_ENGINE;

pub const PASSWORD: &str = "a password of alice";
/// `base64(alice:PASSWORD)`
const ENCODED: &str = "YWxpY2U6YSBwYXNzd29yZCBvZiBhbGljZQ==";
/// Another login, so that Docker does not take whatever helper it finds for an empty file.
pub const CONFIG: &str = r#"{"auths":{"other.example":{"auth":"b3RoZXI6b3RoZXI="}}}"#;

/// A real registry, the token server behind it, and how to get there.
pub struct Site {
    server: TokenServer,
    _registry: RealRegistry,
    proxy: String,
}

impl Site {
    /// One that is called by host names; `token_host` is what its token server is called.
    pub fn named(names: &[&'static str], token_host: &'static str) -> (Self, u16) {
        let certified: Vec<_> = names.iter().copied().chain([token_host]).collect();
        let server = Self::server(&certified);
        Self::start(server, |_| format!("https://{token_host}/token"), token_host)
    }

    /// One on this machine, by one of its names.
    pub fn local(name: &'static str) -> (Self, u16) {
        let server = Self::server(&[]);
        let (site, port) = Self::start(server, |port| format!("https://{name}:{port}/token"), "");
        if name == "[::1]" {
            for port in [port, port_of(&site.server.registry_host())] {
                relay(TcpListener::bind(("::1", port)).expect("a port of ::1"), port);
            }
        }
        (site, port)
    }

    fn server(names: &[&'static str]) -> TokenServer {
        // Docker gets no token by itself, and hands the password to the helper.
        let server = TokenServer::builder().profile(Profile::PostOnly).user("alice", PASSWORD);
        server.names(names).start()
    }

    fn start(
        server: TokenServer,
        realm: impl Fn(u16) -> String,
        token_host: &'static str,
    ) -> (Self, u16) {
        let token_port = port_of(&server.registry_host());
        let registry = RealRegistry::start_with_realm(&server, &realm(token_port));
        let registry = registry.expect("a registry");
        let port = port_of(&registry.host());
        let proxy = proxy(move |host| if host == token_host { token_port } else { port });
        (Self { server, _registry: registry, proxy }, port)
    }

    /// A user of docker who reaches it.
    pub fn user(&self) -> DockerCli {
        let cli = DockerCli::new([
            ("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into()),
            ("SSL_CERT_FILE".into(), self.server.ca_file().into()),
            ("HTTPS_PROXY".into(), self.proxy.clone().into()),
        ]);
        cli.write_config(CONFIG);
        cli.helper_command(&["keygen", "--install"]).success();
        cli
    }
}

/// Logs in as a person does.
pub fn log_in(cli: &DockerCli, name: &str) -> Finished {
    let named: &[&str] = if name.is_empty() { &[] } else { &[name] };
    let arguments = [&["login", "--username", "alice", "--password-stdin"], named].concat();
    cli.docker(NO_ENGINE, &arguments, PASSWORD)
}

/// Whether the login for a registry lets Docker look for an image: there is none.
pub fn works(cli: &DockerCli, registry: &str) -> bool {
    let image = format!("{registry}/alice/none:1");
    let text = cli.docker(NO_ENGINE, &["manifest", "inspect", &image], "").text();
    assert!(
        text.contains("no such manifest")
            || text.contains("denied")
            || text.contains("unauthorized"),
        "{text}"
    );
    text.contains("no such manifest")
}

/// How often the password is in Docker's file.
pub fn passwords(cli: &DockerCli) -> usize {
    let text = cli.config().to_string();
    text.matches(ENCODED).count() + text.matches(PASSWORD).count()
}

pub fn port_of(host: &str) -> u16 {
    host.rsplit_once(':').expect("a port").1.parse().expect("a number")
}

/// A proxy that connects a host with the port of this machine that `route` says.
pub fn proxy(route: impl Fn(&str) -> u16 + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().expect("a handle"));
            let (mut first, mut line) = (String::new(), String::new());
            reader.read_line(&mut first).expect("a request");
            while reader.read_line(&mut line).expect("a header") > 2 {
                line.clear();
            }
            let target = first.split(' ').nth(1).unwrap_or_default();
            let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
            let port = route(&host.to_lowercase());
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").expect("an answer");
            join(client, port);
        }
    });
    address
}

/// Everything that comes to a listener goes to the same port of 127.0.0.1.
pub fn relay(listener: TcpListener, port: u16) {
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            join(client, port);
        }
    });
}

fn join(client: TcpStream, port: u16) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let both = || (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
    let (there, back) = (both(), both());
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            // Either side may be gone.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    copy(there.0, there.1);
    copy(back.1, back.0);
}
