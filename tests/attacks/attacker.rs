//! A listener in the attacker's place: it remembers every connection and every byte.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Listens on every address of the machine, so that each spelling of one would get here.
pub struct Attacker {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Attacker {
    pub fn listen() -> Self {
        Self::answering(b"")
    }

    /// Says this to whatever comes first on a connection.
    pub fn answering(answer: &'static [u8]) -> Self {
        // Both families at once where there is IPv6.
        let socket = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0"));
        let socket = socket.expect("a port can be bound");
        let address = socket.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = seen.clone();
        let thread = std::thread::spawn(move || {
            for stream in socket.incoming() {
                let bytes = hear(stream.expect("a connection"), answer);
                if bytes == STOP {
                    break;
                }
                connections.lock().unwrap().push(bytes);
            }
        });
        Self { address, seen, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What came over each connection so far.
    pub fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }

    /// Nobody connected at all.
    #[track_caller]
    pub fn saw_nothing(&self, what: &str) {
        let seen = self.seen();
        assert!(seen.is_empty(), "{what}: {} connections", seen.len());
    }
}

const STOP: &[u8] = b"stop";

/// Reads what comes first, answers, and hangs up.
fn hear(mut stream: TcpStream, answer: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let size = stream.read(&mut bytes).unwrap_or_default();
    bytes.truncate(size);
    // Whoever has hung up needs no answer.
    stream.write_all(answer).ok();
    bytes
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let stop = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()));
        if stop.and_then(|mut stream| stream.write_all(STOP)).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // Its panic was printed when it happened.
            thread.join().ok();
        }
    }
}
