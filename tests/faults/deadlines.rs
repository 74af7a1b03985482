//! Servers that never come to an end: the helper does, because no client puts a limit on it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::attacks::{PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::User;

/// 15 s for a request, three attempts of 5 s and their pauses for a connection; and what a busy
/// machine takes to start a process.
const ONE_REQUEST: Duration = Duration::from_secs(15 + 6);
/// 30 s for everything.
const ALL: Duration = Duration::from_secs(30 + 5);

fn ends(fault: &Fault, at: At) {
    let server = server().separate_registry().fault(at, fault.clone()).start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let start = Instant::now();
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    let (took, what) = (start.elapsed(), format!("{fault:?} at {at:?}"));
    outcome.failed_with(&[super::was_doing(at)]);
    assert!(took < ONE_REQUEST, "{what} took {took:?}");
    // Not by chance: these do not end by themselves.
    assert!(took > Duration::from_secs(4), "{what} took {took:?}");
    // Never again where it may have arrived, and never where it cannot be answered.
    let arrives = usize::from(at != At::Challenge && !fault.is_of_connection());
    assert_eq!(server.journal().passwords_sent(), arrives, "{what}");
    previous.survives(&user);
}

/// A registry and token server that answers everything at last, each time after 12 s.
fn slow_to_the_last() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in socket.incoming() {
            thread::spawn(move || answer_slowly(stream.unwrap(), port));
        }
    });
    port
}

fn answer_slowly(mut stream: TcpStream, port: u16) {
    let mut bytes = [0; 8192];
    while let Ok(size @ 1..) = stream.read(&mut bytes) {
        let (status, header) = match &bytes[..size] {
            [0x16, ..] => ("400 No TLS here", "X: y".to_owned()),
            [b'G', ..] => {
                thread::sleep(Duration::from_secs(12));
                let realm = format!("http://127.0.0.1:{port}/token");
                ("401 Unauthorized", format!("WWW-Authenticate: Bearer realm=\"{realm}\""))
            }
            _ => {
                thread::sleep(Duration::from_secs(12));
                ("404 Not Found", "X: y".to_owned())
            }
        };
        let answer = format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\n\r\n");
        // Whoever has hung up misses it.
        stream.write_all(answer.as_bytes()).ok();
    }
}

fn ends_in_all() {
    let user = User::new();
    let host = format!("127.0.0.1:{}", slow_to_the_last());
    let previous = Previous::login(&user, &host);
    let start = Instant::now();
    user.store(&host, "alice", PASSWORD).failed_with(&["no answer in time"]);
    let took = start.elapsed();
    assert!(took > Duration::from_secs(25) && took < ALL, "{took:?}");
    previous.survives(&user);
}

#[test]
fn every_endless_server_is_left_in_time() {
    // All at once, because each takes its whole deadline.
    thread::scope(|scope| {
        scope.spawn(ends_in_all);
        for at in [At::Challenge, At::Exchange, At::Proof] {
            for fault in [Fault::BlackHole, Fault::OneByteASecond, Fault::EndlessInformational] {
                scope.spawn(move || ends(&fault, at));
            }
        }
        for at in [At::Challenge, At::Exchange] {
            scope.spawn(move || ends(&Fault::SilentOnAccept, at));
        }
    });
}
