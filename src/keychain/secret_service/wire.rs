//! A connection to the session bus that never blocks longer than it is told, so that it needs no
//! thread of its own. The messages are libdbus's, the socket is ours.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use dbus::Message;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use zeroize::Zeroizing;

/// No answer to a `get` is near this.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

pub(super) struct Wire {
    socket: UnixStream,
    end: Instant,
    serial: u32,
    /// To be sent with the first messages: the bus needs no pause after the authentication, and
    /// reads on where it ends.
    greeting: Option<String>,
    /// What was read and not yet taken; it may hold a secret.
    read: Zeroizing<Vec<u8>>,
}

impl Wire {
    /// Connects; `None` for whatever is not plain and quick.
    pub(super) fn connect(address: &str, limit: Duration) -> Option<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = (AddressFamily::UNIX, SocketType::STREAM);
        let socket = rustix::net::socket_with(kind.0, kind.1, flags, None).ok()?;
        // A bus that hangs has a full queue at some time: then `connect` would block for ever.
        rustix::net::connect(&socket, &parse(address)?).ok()?;
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(false).ok()?;
        let end = Instant::now() + limit;
        // D-Bus specification, "Authentication Protocol": EXTERNAL, by the uid that the socket tells.
        let uid = rustix::process::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
        let greeting = Some(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n"));
        Some(Self { socket, end, serial: 0, greeting, read: Zeroizing::new(Vec::new()) })
    }

    /// The answer to the greeting: whether the bus takes us.
    fn is_welcome(&mut self) -> Option<()> {
        let end = loop {
            match self.read.iter().position(|byte| *byte == b'\n') {
                Some(end) => break end,
                None => self.fill()?,
            }
        };
        let accepted = self.read.starts_with(b"OK ");
        self.read.drain(..=end);
        accepted.then_some(())
    }

    /// Sends all, then waits for all; `None` if one fails or does not come in time.
    pub(super) fn ask<const N: usize>(&mut self, calls: [Message; N]) -> Option<[Message; N]> {
        let first = self.serial + 1;
        let greeting = self.greeting.take();
        let mut bytes = Zeroizing::new(greeting.as_deref().unwrap_or_default().as_bytes().to_vec());
        for mut call in calls {
            self.serial += 1;
            call.set_serial(self.serial);
            let append = |part: &[u8]| {
                bytes.extend_from_slice(part);
                Ok::<(), std::convert::Infallible>(())
            };
            let Ok(()) = call.marshal(append);
        }
        self.write(&bytes)?;
        if greeting.is_some() {
            self.is_welcome()?;
        }
        let mut answers = [const { None }; N];
        while answers.iter().any(Option::is_none) {
            let mut message = self.message()?;
            // Signals, such as that we have a name, are nobody's answer.
            let place = message.get_reply_serial().and_then(|serial| serial.checked_sub(first));
            if let Some(answer) = place.and_then(|place| answers.get_mut(place as usize)) {
                message.as_result().ok()?;
                *answer = Some(message);
            }
        }
        let answers: Vec<Message> = answers.into_iter().flatten().collect();
        answers.try_into().ok()
    }

    fn message(&mut self) -> Option<Message> {
        loop {
            let needed = Message::demarshal_bytes_needed(&self.read).ok()?;
            if needed > MAX_MESSAGE_BYTES {
                return None;
            }
            if self.read.len() >= needed.max(16) {
                let message = Message::demarshal(&self.read[..needed]).ok()?;
                self.read.drain(..needed);
                return Some(message);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Option<()> {
        self.socket.set_read_timeout(Some(self.left()?)).ok()?;
        let mut part = Zeroizing::new([0; 4096]);
        match self.socket.read(&mut part[..]) {
            Ok(0) | Err(_) => None,
            Ok(size) => {
                self.read.extend_from_slice(&part[..size]);
                Some(())
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.socket.set_write_timeout(Some(self.left()?)).ok()?;
        self.socket.write_all(bytes).ok()
    }

    fn left(&self) -> Option<Duration> {
        self.end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

/// One UNIX socket; anything more is libdbus's to understand.
fn parse(address: &str) -> Option<SocketAddrUnix> {
    let parts = address.strip_prefix("unix:")?;
    if parts.contains([';', '%']) {
        return None;
    }
    parts.split(',').find_map(|part| match part.split_once('=')? {
        ("path", path) => SocketAddrUnix::new(path).ok(),
        ("abstract", name) => SocketAddrUnix::new_abstract_name(name.as_bytes()).ok(),
        _ => None,
    })
}
