//! A proxy of the test's own: through it the helper reaches names that do not exist.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::user::User;

/// What a `CONNECT` leads to.
#[derive(Clone)]
pub enum Tunnel {
    /// Someone who answers the first bytes with these, and hangs up.
    Answers(Vec<u8>),
    /// A server.
    To(SocketAddr),
    /// Nothing: 502.
    Refused,
}

/// Its thread ends with the process of the tests; it holds nothing but its port.
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `answer` is the whole answer to a request that is no `CONNECT`.
    pub fn start(tunnel: Tunnel, answer: &str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: socket.local_addr().unwrap(), heads: Arc::default() };
        let (heads, answer) = (proxy.heads.clone(), answer.to_owned());
        thread::spawn(move || {
            for stream in socket.incoming() {
                let (heads, answer, tunnel) = (heads.clone(), answer.clone(), tunnel.clone());
                thread::spawn(move || serve(stream.unwrap(), &heads, &tunnel, &answer));
            }
        });
        proxy
    }

    /// Sends a user's requests this way.
    pub fn set(&self, user: &User) {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            user.set(name, &format!("http://{}", self.address));
        }
    }

    /// The first line of each request.
    pub fn requests(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// Requests that did not ask for a tunnel: plain http.
    pub fn plain(&self) -> Vec<String> {
        self.requests().into_iter().filter(|line| !line.starts_with("CONNECT ")).collect()
    }
}

fn serve(mut stream: TcpStream, heads: &Mutex<Vec<String>>, tunnel: &Tunnel, answer: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return;
        }
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let connect = head.starts_with("CONNECT ");
    heads.lock().unwrap().push(head);
    // Whoever has hung up misses the rest.
    match tunnel {
        Tunnel::To(server) if connect => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
            splice(stream, TcpStream::connect(server).unwrap());
        }
        Tunnel::Answers(bytes) if connect => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
            if matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                stream.write_all(bytes).ok();
            }
        }
        Tunnel::Refused if connect => {
            stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").ok();
        }
        _ => {
            stream.write_all(answer.as_bytes()).ok();
        }
    }
}

fn splice(client: TcpStream, server: TcpStream) {
    let pump = |mut from: TcpStream, mut to: TcpStream| {
        // An end in one direction is an end of the other.
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Both).ok();
    };
    let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let back = thread::spawn(move || pump(from, to));
    pump(client, server);
    back.join().unwrap();
}
