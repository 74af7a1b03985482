//! Each fault is on the wire what it says.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PASSWORD, Reply, alice, login, refresh, text};
use crate::mock_token_server::fault::At::{Challenge, Exchange, ExchangePost, Metadata, Proof};
use crate::mock_token_server::{At, Client, Fault, Opening, TokenServer};

/// An answer to a login by POST, with that fault in it.
fn with(fault: Fault) -> Reply {
    let server = alice().fault(ExchangePost, fault).start();
    login(&server, PASSWORD)
}

fn ping(server: &TokenServer) -> std::io::Result<Reply> {
    Client::new(server).get(&format!("{}/v2/", server.registry_url()), &[])
}

/// What a plain connection gets to read after a request, and how it ends.
fn raw(fault: Fault, patience: Duration) -> (Vec<u8>, Option<ErrorKind>) {
    let server = alice().plain_http().fault(Challenge, fault).start();
    let mut socket = TcpStream::connect(server.registry_host()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // A fault may have closed it before.
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok();
    let (end, mut bytes, mut chunk) = (Instant::now() + patience, Vec::new(), [0; 4096]);
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => return (bytes, None),
            Ok(read) => bytes.extend(&chunk[..read]),
            Err(error) if error.kind() != ErrorKind::WouldBlock => {
                return (bytes, Some(error.kind()));
            }
            Err(_) => {}
        }
        if Instant::now() > end {
            return (bytes, Some(ErrorKind::TimedOut));
        }
    }
}

#[test]
fn connections_that_end_or_do_not() {
    let soon = Duration::from_millis(400);
    assert_eq!(raw(Fault::Reset, soon), (vec![], Some(ErrorKind::ConnectionReset)));
    assert_eq!(raw(Fault::BlackHole, soon), (vec![], Some(ErrorKind::TimedOut)));
    assert_eq!(raw(Fault::SilentOnAccept, soon), (vec![], Some(ErrorKind::TimedOut)));
    assert_eq!(raw(Fault::CloseWithoutBytes, soon), (vec![], None));
    assert_eq!(raw(Fault::AnswerHello(b"SSH-2.0".into()), soon), (b"SSH-2.0".into(), None));
    assert_eq!(raw(Fault::Raw(b"HTTP/9".into()), soon), (b"HTTP/9".into(), None));
    let (bytes, _) = raw(Fault::CloseOnAccept, soon);
    assert_eq!(bytes, b"");
}

#[test]
fn slow_and_endless() {
    let (bytes, end) = raw(Fault::OneByteASecond, Duration::from_millis(2500));
    assert_eq!(end, Some(ErrorKind::TimedOut));
    assert!(b"HTTP/1.1".starts_with(&bytes) && (2..=4).contains(&bytes.len()), "{bytes:?}");
    let (bytes, end) = raw(Fault::EndlessInformational, Duration::from_millis(400));
    assert_eq!(end, Some(ErrorKind::TimedOut));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.matches("HTTP/1.1 103 ").count() > 10, "{text}");
    let (bytes, end) = raw(Fault::EndlessBody, Duration::from_millis(400));
    assert_eq!(end, Some(ErrorKind::TimedOut));
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK") && bytes.len() > 1024 * 1024);
}

#[test]
fn refused_from_the_step_that_was_named() {
    for separate in [false, true] {
        let builder = alice().fault(At::Proof, Fault::Refused);
        let server = if separate { builder.separate_registry() } else { builder }.start();
        assert_eq!(ping(&server).unwrap().status, 401);
        let token = text(&login(&server, PASSWORD), "refresh_token");
        let refused = |origin: String| Client::new(&server).get(&origin, &[]).err().unwrap().kind();
        assert_eq!(refused(server.token_origin()), ErrorKind::ConnectionRefused);
        assert_eq!(ping(&server).is_ok(), separate);
        server.clear_faults();
        assert_eq!(refresh(&server, &token, &[]).status, 200);

        server.set_fault(Exchange, Fault::Refused);
        assert_eq!(ping(&server).unwrap().status, 401);
        assert_eq!(refused(server.token_origin()), ErrorKind::ConnectionRefused);
        server.clear_faults();
        server.set_fault(Challenge, Fault::Refused);
        assert_eq!(ping(&server).err().unwrap().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(Client::new(&server).get(&server.token_origin(), &[]).is_ok(), separate);
    }
}

#[test]
fn certificates_of_the_token_listener_only() {
    let cases = [
        (Fault::ExpiredCertificate, "Expired"),
        (Fault::WrongHostCertificate, "not valid for"),
        (Fault::UnknownCa, "UnknownIssuer"),
        (Fault::TlsOff, "corrupt message"),
    ];
    for (fault, expected) in cases {
        let server = alice().separate_registry().fault(Exchange, fault).start();
        assert_eq!(ping(&server).unwrap().status, 401);
        let error = Client::new(&server).get(&server.token_endpoint(), &[]).err().unwrap();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected), "{expected}: {text}");
        assert_ne!(server.journal().connections()[1].opening, Opening::Tls);
        server.clear_faults();
        assert_eq!(login(&server, PASSWORD).status, 200);
    }
}

#[test]
fn bodies_that_are_too_much() {
    let reply = with(Fault::OverlongBody);
    assert!(reply.body.len() > 1024 * 1024 && reply.json()["refresh_token"].is_string());
    let reply = with(Fault::HugeHeaders);
    assert!(reply.headers.iter().map(|(_, value)| value.len()).sum::<usize>() > 64 * 1024);
    let reply = with(Fault::TruncatedBody);
    let length: usize = reply.all("content-length")[0].parse().unwrap();
    assert!(reply.body.len() < length && !reply.body.is_empty());
    let nested = with(Fault::DeepNesting).body;
    assert_eq!(nested.iter().filter(|&&byte| byte == b'{').count(), 100_000);
}

/// Unpacked by the real `gzip`, which checks length and checksum too.
#[cfg(unix)]
#[test]
fn the_bomb_goes_off() {
    use std::process::{Command, Stdio};
    let reply = with(Fault::GzipBomb);
    assert_eq!(reply.all("content-encoding"), ["gzip"]);
    assert!(reply.body.len() < 1024 * 1024, "{}", reply.body.len());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bomb.gz");
    std::fs::write(&file, &reply.body).unwrap();
    let output = Command::new("gzip").arg("-dc").arg(file).stderr(Stdio::inherit()).output();
    let output = output.unwrap();
    assert!(output.status.success() && output.stdout.len() > 60 * 1024 * 1024);
    assert!(output.stdout.starts_with(b"    ") && output.stdout.ends_with(b"\"}"));
}

#[test]
fn json_that_is_not_as_it_should_be() {
    let whole = with(Fault::DateOff(0)).json();
    assert!(whole["access_token"].is_string() && whole["expires_in"].is_number());
    assert_eq!(with(Fault::InvalidJson).json(), Value::Null);
    assert!(with(Fault::JsonArray).json()[0]["refresh_token"].is_string());
    assert_eq!(with(Fault::JsonNull).body, b"null");
    assert_eq!(with(Fault::Body("x".into())).body, b"x");
    let twins = String::from_utf8(with(Fault::DuplicateKeys).body).unwrap();
    assert_eq!(twins.matches("\"refresh_token\":").count(), 2, "{twins}");
    let wrong = with(Fault::WrongTypes).json();
    assert!(wrong["access_token"].is_number() && wrong["expires_in"].is_string());
    let set = Fault::SetField("refresh_token".into(), json!(["x"]));
    assert_eq!(with(set).json()["refresh_token"], json!(["x"]));
    assert_eq!(with(Fault::RemoveField("expires_in".into())).json()["expires_in"], Value::Null);
    assert_eq!(with(Fault::TokenType("mac".into())).json()["token_type"], "mac");
    let only = with(Fault::OnlyToken).json();
    assert!(only["token"].is_string() && only["access_token"].is_null());
    let only = with(Fault::OnlyAccessToken).json();
    assert!(only["token"].is_null() && only["access_token"].is_string());
}

#[test]
fn tokens_that_are_none() {
    let tokens = |fault: Fault| {
        let body = with(fault).json();
        [body["access_token"].clone(), body["refresh_token"].clone()]
    };
    assert_eq!(tokens(Fault::NoTokens), [Value::Null, Value::Null]);
    assert_eq!(tokens(Fault::EmptyTokens), [json!(""), json!("")]);
    let [token, _] = tokens(Fault::UnprintableTokens);
    assert!(token.as_str().unwrap().contains(['\n', '\u{e9}']));
    let [_, token] = tokens(Fault::OverlongTokens);
    assert_eq!(token.as_str().unwrap().len(), 16 * 1024 + 1);
}

#[test]
fn other_answers() {
    let reply = with(Fault::oauth(403, "access_denied"));
    assert_eq!((reply.status, text(&reply, "error").as_str()), (403, "access_denied"));
    let reply = with(Fault::status(503));
    assert_eq!((reply.status, reply.json()), (503, Value::Null));
    let reply = with(Fault::retry_after(429, "Fri, 31 Dec 1999 23:59:59 GMT"));
    assert_eq!(reply.all("retry-after"), ["Fri, 31 Dec 1999 23:59:59 GMT"]);
    for status in [301, 302, 303, 307, 308] {
        let reply = with(Fault::Redirect(status, "https://other.example/x".into()));
        assert_eq!(
            (reply.status, reply.all("location")),
            (status, vec!["https://other.example/x"])
        );
    }
    let reply = with(Fault::Challenge(vec!["Basic a".into(), "Bearer b".into()]));
    assert_eq!((reply.status, reply.all("www-authenticate")), (401, vec!["Basic a", "Bearer b"]));
    let reply = with(Fault::CaptivePortal);
    assert_eq!((reply.status, reply.all("content-type")), (200, vec!["text/html"]));
    assert_eq!(with(Fault::ContentType(None)).all("content-type").len(), 0);
    assert_eq!(with(Fault::ContentType(Some("a/b".into()))).all("content-type"), ["a/b"]);
    let date = with(Fault::DateOff(-30)).all("date")[0].to_owned();
    assert!(date.contains(" 19") || date.contains(" 20"), "{date}");
    assert_ne!(date[12..16], with(Fault::DateOff(0)).all("date")[0][12..16]);
}

#[test]
fn faults_come_and_go_at_run_time() {
    let server = alice().fault_times(Proof, Fault::status(500), 1).start();
    let token = text(&login(&server, PASSWORD), "refresh_token");
    assert_eq!(refresh(&server, &token, &[]).status, 500);
    assert_eq!(refresh(&server, &token, &[]).status, 200);
    server.set_fault(Exchange, Fault::status(500));
    server.set_fault(Exchange, Fault::status(501));
    assert_eq!(login(&server, PASSWORD).status, 501);
    server.set_fault(Metadata, Fault::BlackHole);
    server.clear_faults();
    assert_eq!(login(&server, PASSWORD).status, 200);
}
