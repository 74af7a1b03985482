//! A connection to the session bus that never blocks longer than it is told, so it needs no thread
//! of its own.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

mod answer;
mod call;

pub(super) use answer::Answer;
pub(super) use call::{Call, Values};

use answer::FIXED_HEADER;

use crate::text::hex;

/// No answer to these calls is anywhere near this.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Most answers fit.
const BUFFER_BYTES: usize = 4096;

/// What is sent and read may hold a secret: the allocator wipes it.
pub(super) struct Wire {
    socket: UnixStream,
    end: Instant,
    serial: u32,
    /// To be sent with the next calls. At first the greeting: the bus needs no pause after the
    /// authentication, and reads on where it ends.
    unsent: Vec<u8>,
    is_welcome: bool,
    /// One for all reads, however small the parts are in which the bus hands over an answer: to clear
    /// and to wipe it costs more than to read.
    buffer: Vec<u8>,
    /// So much at its start was read but not yet taken.
    filled: usize,
}

impl Wire {
    /// Connects; `None` for whatever is not plain and quick.
    pub(super) fn connect(address: &str, limit: Duration) -> Option<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = (AddressFamily::UNIX, SocketType::STREAM);
        let socket = rustix::net::socket_with(kind.0, kind.1, flags, None).ok()?;
        // A bus that hangs has a full queue at some time: then `connect` would block forever.
        rustix::net::connect(&socket, &parse(address)?).ok()?;
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(false).ok()?;
        let end = Instant::now() + limit;
        // D-Bus specification, "Authentication Protocol": EXTERNAL, by the uid that the socket tells.
        let uid = rustix::process::geteuid().as_raw().to_string();
        let uid = hex(uid.as_bytes());
        let unsent = format!("\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n").into_bytes();
        let buffer = vec![0; BUFFER_BYTES];
        let mut wire =
            Self { socket, end, serial: 0, unsent, is_welcome: false, buffer, filled: 0 };
        // The bus wants it first; its answer tells nothing that is needed.
        wire.tell(&Call::to_bus("Hello"));
        Some(wire)
    }

    /// Sends it with the next calls, and does not wait.
    pub(super) fn tell(&mut self, call: &Call) {
        self.serial += 1;
        self.unsent.extend(call.bytes(self.serial));
    }

    /// Sends all, then waits for all, also where one is an error; `None` if one does not come in
    /// time.
    pub(super) fn ask<const N: usize>(&mut self, calls: [Call; N]) -> Option<[Answer; N]> {
        let first = self.serial + 1;
        calls.iter().for_each(|call| self.tell(call));
        self.send()?;
        if !self.is_welcome {
            self.welcome()?;
        }
        let mut answers = [const { None }; N];
        while answers.iter().any(Option::is_none) {
            let message = self.message()?;
            // Others are signals, or answer what nobody waits for.
            let place = message.reply_serial().and_then(|serial| serial.checked_sub(first));
            if let Some(answer) = place.and_then(|place| answers.get_mut(place as usize)) {
                *answer = Some(message);
            }
        }
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        answers.try_into().ok()
    }

    /// The answer to the greeting: whether the bus takes us.
    fn welcome(&mut self) -> Option<()> {
        let end = loop {
            match self.read().iter().position(|byte| *byte == b'\n') {
                Some(end) => break end,
                None => self.fill()?,
            }
        };
        self.is_welcome = self.take(end + 1).starts_with(b"OK ");
        self.is_welcome.then_some(())
    }

    fn message(&mut self) -> Option<Answer> {
        loop {
            if let Some(start) = self.read().first_chunk::<FIXED_HEADER>() {
                let length = Answer::length(start).filter(|length| *length <= MAX_MESSAGE_BYTES)?;
                if self.filled >= length {
                    return Answer::read(self.take(length));
                }
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Option<()> {
        self.socket.set_read_timeout(Some(self.left()?)).ok()?;
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        let size = self.socket.read(&mut self.buffer[self.filled..]).ok()?;
        self.filled += size;
        (size > 0).then_some(())
    }

    fn read(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let taken = self.buffer[..length].to_vec();
        self.buffer.copy_within(length..self.filled, 0);
        self.filled -= length;
        taken
    }

    fn send(&mut self) -> Option<()> {
        self.socket.set_write_timeout(Some(self.left()?)).ok()?;
        self.socket.write_all(&self.unsent).ok()?;
        self.unsent.clear();
        Some(())
    }

    fn left(&self) -> Option<Duration> {
        self.end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

/// One UNIX socket; anything more is left to libdbus.
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
