//! One connection: its faults, TLS or not, and one request after the other.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fault::{At, Fault};
use super::journal::{AuthorizationKind, Opening, Origin, Parameter, Request, hash, redact};
use super::listener::Server;
use super::routes;
use super::shared::lock;
use super::stream::{Stream, drain, linger};
use super::wire::{Answer, Authorization, Incoming, read_request};

/// The first byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// What Go's servers answer to a TLS hello; clients tell by it that the port speaks plain HTTP.
const HELLO_REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\
    \r\nConnection: close\r\n\r\n400 Bad Request";

/// What Go's servers answer to plain HTTP where TLS is spoken.
const PLAIN_REFUSED: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Serves a connection to its end.
pub fn serve(server: &Arc<Server>, origin: Origin, number: u64, socket: TcpStream) {
    let shared = &server.shared;
    let fault = lock(&shared.faults).take_for_connection(origin, shared.one_origin());
    let mut config = shared.tls.as_ref().map(|tls| &tls.good);
    if let (Some(fault), Some(tls)) = (&fault, &shared.tls) {
        match fault {
            Fault::TlsOff => config = None,
            Fault::ExpiredCertificate => config = Some(&tls.expired),
            Fault::WrongHostCertificate => config = Some(&tls.wrong_host),
            Fault::UnknownCa => config = Some(&tls.unknown_ca),
            _ => {}
        }
    }
    match &fault {
        Some(Fault::CloseOnAccept) => return shared.opening(number, Opening::Fault),
        Some(Fault::SilentOnAccept) => {
            shared.opening(number, Opening::Fault);
            return drain(&socket);
        }
        _ => {}
    }
    let mut first = [0];
    if !matches!(socket.peek(&mut first), Ok(1)) {
        return;
    }
    let hello = first[0] == TLS_HANDSHAKE;
    let refuse = |opening: Opening, answer: &[u8]| {
        shared.opening(number, opening);
        say(&socket, answer);
    };
    match (&fault, hello, config) {
        (Some(Fault::AnswerHello(bytes)), ..) => refuse(Opening::Fault, bytes),
        (_, true, None) => refuse(Opening::HelloOnPlain, HELLO_REFUSED),
        (_, false, Some(_)) => refuse(Opening::PlainOnTls, PLAIN_REFUSED),
        (_, false, None) => {
            shared.opening(number, Opening::Plain);
            requests(server, origin, number, Stream::Plain(socket));
        }
        (_, true, Some(config)) => match handshake(config, socket) {
            Ok(stream) => {
                shared.opening(number, Opening::Tls);
                requests(server, origin, number, Stream::Tls(Box::new(stream)));
            }
            Err(_) => shared.opening(number, Opening::TlsFailed),
        },
    }
}

/// Reads what has come so far, answers it, and closes.
fn say(mut socket: &TcpStream, answer: &[u8]) {
    let mut chunk = [0; 4096];
    // Whoever has hung up needs no answer.
    if socket.read(&mut chunk).is_ok() && socket.write_all(answer).is_ok() {
        linger(socket);
    }
}

fn handshake(
    config: &Arc<ServerConfig>,
    mut socket: TcpStream,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let mut connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

fn requests(server: &Arc<Server>, origin: Origin, number: u64, mut stream: Stream) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = read_request(&mut stream, &mut buffer) {
        let step = routes::step(&server.shared, &request);
        let mut faults = Vec::new();
        if let Some(step) = step {
            faults = lock(&server.shared.faults).take_for_request(step);
        }
        let tls = matches!(stream, Stream::Tls(_));
        let index = {
            let mut journal = lock(&server.shared.journal);
            journal.requests.push(entry(&request, origin, number, tls));
            journal.requests.len() - 1
        };
        if let Some(fault) = faults.iter().find(|fault| fault.leaves_unanswered()) {
            return unanswered(server, stream, fault);
        }
        let replacement = faults.iter().find_map(Fault::replacement);
        let answer =
            replacement.unwrap_or_else(|| routes::answer(&server.shared, origin, &request));
        let mut answer = faults.iter().fold(answer, |answer, fault| fault.change(answer));
        if request.method == "HEAD" {
            answer = answer.clone().with("Content-Length", answer.body.len().to_string());
            answer.body.clear();
        }
        if let Some(entry) = lock(&server.shared.journal).requests.get_mut(index) {
            entry.status = Some(answer.status);
        }
        let last = step.is_some_and(|step| server.refuse_after(step, answer.status));
        let close = request.close || last;
        let sent = send(server, &mut stream, &answer, &faults, close);
        if sent.is_err() || close || faults.contains(&Fault::TruncatedBody) {
            break;
        }
    }
    stream.finish();
}

fn send(
    server: &Server,
    stream: &mut Stream,
    answer: &Answer,
    faults: &[Fault],
    close: bool,
) -> io::Result<()> {
    let (mut bytes, head) = answer.to_bytes(close);
    if faults.contains(&Fault::TruncatedBody) {
        bytes.truncate(head + answer.body.len() / 2);
    }
    if faults.contains(&Fault::OneByteASecond) {
        for byte in bytes {
            stream.write_all(&[byte])?;
            stream.flush()?;
            server.wait(Duration::from_secs(1))?;
        }
        return Ok(());
    }
    stream.write_all(&bytes)?;
    stream.flush()
}

fn unanswered(server: &Server, mut stream: Stream, fault: &Fault) {
    match fault {
        Fault::BlackHole => drain(stream.socket()),
        Fault::Reset => {
            let socket = socket2::SockRef::from(stream.socket());
            socket.set_linger(Some(Duration::ZERO)).expect("a socket can be set not to linger");
        }
        Fault::EndlessInformational => {
            let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
            endless(server, &mut stream, hints);
        }
        Fault::EndlessBody => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            if stream.write_all(head).is_ok() {
                endless(server, &mut stream, chunk.as_bytes());
            }
        }
        Fault::Raw(bytes) => {
            // Whoever has hung up before does not get the good-bye either.
            stream.write_all(bytes).ok();
            stream.finish();
        }
        _ => {}
    }
}

/// Writes the same again and again, until the client has had enough or the server stops.
fn endless(server: &Server, stream: &mut Stream, bytes: &[u8]) {
    while stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
        && server.wait(Duration::from_millis(5)).is_ok()
    {}
}

fn entry(request: &Incoming, listener: Origin, connection: u64, tls: bool) -> Request {
    let parameter = |in_form: bool| {
        move |(name, value): &(String, String)| Parameter {
            name: name.clone(),
            value: redact(name, value),
            in_form,
        }
    };
    let query = request.query.iter().map(parameter(false));
    Request {
        connection,
        listener,
        tls,
        method: request.method.clone(),
        path: request.path.clone(),
        parameters: query.chain(request.form.iter().map(parameter(true))).collect(),
        authorization: match request.authorization() {
            Authorization::None => AuthorizationKind::None,
            Authorization::Basic(user, password) => {
                AuthorizationKind::Basic { user, password_hash: hash(&password) }
            }
            Authorization::Bearer(token) => AuthorizationKind::Bearer { hash: hash(&token) },
            Authorization::Other(header) => AuthorizationKind::Other { hash: hash(&header) },
        },
        user_agent: request.header("user-agent").unwrap_or_default().to_owned(),
        header_names: request.headers.iter().map(|(name, _)| name.clone()).collect(),
        referer: request.header("referer").map(str::to_owned),
        status: None,
    }
}

/// The steps after which a listener may have to close, in [`Server::refuse_after`].
pub fn precedes(step: At, status: u16, refused: At, one_origin: bool) -> bool {
    match (step, refused) {
        (At::Challenge, At::Exchange | At::ExchangePost | At::ExchangeGet) => one_origin,
        (At::ExchangePost | At::ExchangeGet, At::Proof) => status == 200,
        (At::ExchangePost, At::ExchangeGet) => status != 200,
        (At::Device, At::DevicePoll) => status == 200,
        _ => false,
    }
}
