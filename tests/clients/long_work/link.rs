//! A way to a registry that can be made slow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A port that leads to a server; all its connections share the speed.
pub struct Link {
    host: String,
    speed: Arc<Speed>,
}

struct Speed {
    /// Without a limit if it is 0.
    bytes_a_second: AtomicU64,
    /// When the next byte may pass.
    free: Mutex<Instant>,
}

impl Link {
    /// One as fast as can be to `server`.
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("bound").to_string();
        let speed = Speed { bytes_a_second: AtomicU64::new(0), free: Mutex::new(Instant::now()) };
        let speed = Arc::new(speed);
        let (server, shared) = (server.to_owned(), speed.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A registry that has ended answers nobody.
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let both = || (client.try_clone().expect("a handle"), server.try_clone());
                let ((client, server), speed) = (both(), shared.clone());
                let server = server.expect("a handle");
                let back = (server.try_clone().expect("a handle"), client.try_clone());
                thread::spawn(move || speed.copy(client, server));
                let speed = shared.clone();
                thread::spawn(move || speed.copy(back.0, back.1.expect("a handle")));
            }
        });
        Self { host, speed }
    }

    /// What a user types.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// From now on so many bytes pass in a second, both ways together.
    pub fn slow_down(&self, bytes_a_second: u64) {
        self.speed.bytes_a_second.store(bytes_a_second, Ordering::Relaxed);
    }

    /// No limit any more.
    pub fn speed_up(&self) {
        self.slow_down(0);
    }
}

impl Speed {
    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 2048];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            self.wait(length as u64);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // Either side may be gone.
        let _ = to.shutdown(Shutdown::Write);
    }

    fn wait(&self, bytes: u64) {
        let bytes_a_second = self.bytes_a_second.load(Ordering::Relaxed);
        if bytes_a_second == 0 {
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = (*free).max(Instant::now()) + Duration::from_secs(bytes) / bytes_a_second as u32;
        let until = *free;
        drop(free);
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}
