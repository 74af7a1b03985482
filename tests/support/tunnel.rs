//! A proxy that leads to one server of this machine, whatever name it is asked for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Starts it; the answer is what `HTTPS_PROXY` takes.
pub fn to(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = server.clone();
            // Whoever hangs up half-way has what they came for.
            thread::spawn(move || lead(client, &server).ok());
        }
    });
    address
}

fn lead(mut client: TcpStream, server: &str) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    assert!(head.starts_with(b"CONNECT "), "{}", String::from_utf8_lossy(&head));
    let server = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Both).ok();
    });
    let (mut from, mut to) = (client, server);
    std::io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Both).ok();
    back.join().ok();
    Ok(())
}
