//! The listening sockets and their threads; all of them end when the server is dropped.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::{precedes, serve};
use super::fault::At;
use super::journal::Origin;
use super::shared::{Shared, lock};

/// One listening socket, open or closed.
struct Listener {
    origin: Origin,
    address: SocketAddr,
    open: Mutex<Option<Open>>,
    /// While it is closed.
    reserved: Mutex<Option<Reserved>>,
}

struct Open {
    closing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// The server as its threads see it.
pub struct Server {
    pub shared: Shared,
    listeners: Vec<Listener>,
    /// The sockets of connections under way, to be shut down at the end.
    sockets: Mutex<HashMap<u64, TcpStream>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stopping: AtomicBool,
    count: AtomicU64,
}

impl Server {
    /// Serves on sockets that are bound already: the registry's, and the token endpoint's if it
    /// has one of its own.
    pub fn start(shared: Shared, sockets: Vec<TcpListener>) -> io::Result<Arc<Self>> {
        let origins = [Origin::Registry, Origin::Token];
        let mut listeners = Vec::new();
        for (socket, origin) in sockets.iter().zip(origins) {
            let address = socket.local_addr()?;
            let (open, reserved) = Default::default();
            listeners.push(Listener { origin, address, open, reserved });
        }
        let server = Arc::new(Self {
            shared,
            listeners,
            sockets: Mutex::default(),
            threads: Mutex::default(),
            stopping: AtomicBool::new(false),
            count: AtomicU64::new(0),
        });
        for (index, socket) in sockets.into_iter().enumerate() {
            server.listen(&server.listeners[index], socket);
        }
        Ok(server)
    }

    fn listen(self: &Arc<Self>, listener: &Listener, socket: TcpListener) {
        let closing = Arc::new(AtomicBool::new(false));
        let (server, origin, end) = (self.clone(), listener.origin, closing.clone());
        let thread = thread::spawn(move || {
            for accepted in socket.incoming() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                // A connection that was gone before it was accepted is no connection.
                accepted.and_then(|stream| server.accept(origin, stream)).ok();
            }
        });
        *lock(&listener.open) = Some(Open { closing, thread });
    }

    fn accept(self: &Arc<Self>, origin: Origin, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        lock(&self.sockets).insert(number, stream.try_clone()?);
        self.shared.accepted(number, origin);
        let server = self.clone();
        let thread = thread::spawn(move || {
            serve(&server, origin, number, stream);
            // The last handle: this is what closes the connection.
            lock(&server.sockets).remove(&number);
        });
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Closes the listeners that [`Fault::Refused`](super::Fault::Refused) wants closed from the
    /// start, and opens those again that nothing wants closed.
    pub fn apply_refused(self: &Arc<Self>) {
        let one_origin = self.shared.one_origin();
        let at_once = |at: At| match at {
            At::Exchange | At::ExchangePost | At::ExchangeGet => !one_origin,
            At::Proof | At::DevicePoll | At::Entra => false,
            At::ApiVersion | At::ApiList | At::ApiCreate | At::ApiDelete => false,
            At::Challenge | At::Revocation | At::Metadata | At::Device => true,
        };
        let refused: Vec<At> = lock(&self.shared.faults).refused().collect();
        for listener in &self.listeners {
            let mut here =
                refused.iter().filter(|at| at.origin(one_origin) == listener.origin).peekable();
            if here.peek().is_none() {
                self.reopen(listener);
            } else if here.any(|at| at_once(*at)) {
                listener.close();
            }
        }
    }

    /// Closes the listener whose next step is to be refused, before this one is answered; whether
    /// the connection is to be closed as well.
    pub fn refuse_after(&self, step: At, status: u16) -> bool {
        let one_origin = self.shared.one_origin();
        let refused: Vec<At> = lock(&self.shared.faults).refused().collect();
        let next = refused.into_iter().find(|&at| precedes(step, status, at, one_origin));
        let Some(next) = next else { return false };
        let origin = next.origin(one_origin);
        self.listeners.iter().filter(|l| l.origin == origin).for_each(Listener::close);
        true
    }

    fn reopen(self: &Arc<Self>, listener: &Listener) {
        if lock(&listener.open).is_none() && !self.stopping.load(Ordering::SeqCst) {
            let socket = TcpListener::bind(listener.address).expect("the port is still free");
            *lock(&listener.reserved) = None;
            self.listen(listener, socket);
        }
    }

    /// Waits, but not beyond the end of the server.
    ///
    /// # Errors
    /// `Interrupted` when the server stops.
    pub fn wait(&self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.stopping.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            thread::sleep(Duration::from_millis(20).min(time));
        }
        Ok(())
    }

    /// Ends all threads and waits for them.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.listeners.iter().for_each(Listener::close);
        for socket in lock(&self.sockets).values() {
            // One that is closed already needs no shutdown.
            socket.shutdown(Shutdown::Both).ok();
        }
        let threads: Vec<_> = lock(&self.threads).drain(..).collect();
        for thread in threads {
            // Its panic was printed when it happened.
            thread.join().ok();
        }
    }
}

impl Listener {
    fn close(&self) {
        let mut open = lock(&self.open);
        if let Some(Open { closing, thread }) = open.take() {
            closing.store(true, Ordering::SeqCst);
            // A connection wakes the thread out of accept(); if it fails, it has ended already.
            TcpStream::connect(self.address).ok();
            thread.join().ok();
            *lock(&self.reserved) = reserve(self.address).ok();
        }
    }
}

/// A socket that has a port, and does not listen there: nobody else gets the port, and whoever connects
/// to it is refused.
#[cfg(unix)]
type Reserved = std::os::fd::OwnedFd;
#[cfg(not(unix))]
type Reserved = ();

#[cfg(unix)]
fn reserve(address: SocketAddr) -> io::Result<Reserved> {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    // A listener of this server can be bound there all the same.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    Ok(socket)
}

#[cfg(not(unix))]
fn reserve(_: SocketAddr) -> io::Result<Reserved> {
    Ok(())
}
