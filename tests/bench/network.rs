//! A `store` over a network of 50 ms: the mock token server behind a wire that is as slow.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::helper::Helper;
use crate::mock_token_server::TokenServer;

/// There and back.
pub const ROUND_TRIP: Duration = Duration::from_millis(50);

/// One to connect, one for TLS, and one for each of challenge, exchange and proof.
pub const ROUND_TRIPS: u32 = 5;

/// A registry with a user, reached over the slow wire.
pub struct SlowRegistry {
    server: TokenServer,
    address: SocketAddr,
}

/// What one `store` took.
pub struct Stored {
    pub milliseconds: f64,
    pub requests: usize,
    pub connections: usize,
}

impl SlowRegistry {
    pub fn start() -> Self {
        let server = TokenServer::builder().user("alice", "secret").start();
        let address = slow_wire(server.registry_host().parse().expect("a socket's address"));
        let endpoint = server.token_endpoint();
        let realm = endpoint.replace(&server.registry_host(), &address.to_string());
        server.set_realm(&realm);
        Self { server, address }
    }

    /// Stores a password there, which the helper exchanges for a token.
    pub fn store(&self, helper: &Helper) -> Stored {
        self.server.clear_journal();
        let payload =
            format!(r#"{{"ServerURL":"{}","Username":"alice","Secret":"secret"}}"#, self.address);
        let helper = helper.with("SSL_CERT_FILE", self.server.ca_file().as_os_str());
        let milliseconds = helper.store_payload(&payload);
        let journal = self.server.journal();
        let (requests, connections) = (journal.requests().len(), journal.connections_used());
        Stored { milliseconds, requests, connections }
    }
}

/// Where what is sent arrives after half a round trip; the first bytes after one and a half, since
/// the loopback device has connected at once.
fn slow_wire(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be bound");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            let server = TcpStream::connect(to).expect("the server");
            for stream in [&client, &server] {
                stream.set_nodelay(true).expect("a socket that sends at once");
            }
            let connected = Instant::now() + ROUND_TRIP;
            let copy = |stream: &TcpStream| stream.try_clone().expect("a second handle");
            pump(copy(&client), copy(&server), connected);
            pump(server, client, connected);
        }
    });
    address
}

fn pump(mut from: TcpStream, mut to: TcpStream, connected: Instant) {
    let (sender, receiver) = channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(size @ 1..) = from.read(&mut buffer) {
            let due = Instant::now().max(connected) + ROUND_TRIP / 2;
            if sender.send((due, buffer[..size].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || -> io::Result<()> {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            to.write_all(&bytes)?;
        }
        to.shutdown(Shutdown::Write)
    });
}
