//! A connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

/// A connection that requests are read from.
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// Inside TLS.
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Says good-bye in TLS, and closes so that nothing sent is lost.
    pub fn finish(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            // The other side may be gone already, which is an end as well.
            stream.flush().ok();
        }
        linger(self.socket());
    }
}

/// Ends our side and waits a moment for the other's: bytes left unread would make the close a
/// reset, and that may overtake the answer.
pub fn linger(socket: &TcpStream) {
    let quiet = socket
        .shutdown(Shutdown::Write)
        .and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(200))));
    if quiet.is_ok() {
        drain(socket);
    }
}

/// Reads and forgets, until the end, an error or the socket's time-out.
pub fn drain(mut socket: &TcpStream) {
    let mut chunk = [0; 4096];
    while matches!(socket.read(&mut chunk), Ok(read) if read > 0) {}
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
