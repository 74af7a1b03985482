//! HTTP/1.1 on a blocking stream: one request in, one answer out.

use std::io::{self, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;
use url::form_urlencoded;

use super::chunked;

/// What the `Authorization` header holds. No `Debug`: it is a credential.
pub enum Authorization {
    /// There is none.
    None,
    /// A username and a password.
    Basic(String, String),
    /// A bearer token.
    Bearer(String),
    /// Anything else, as it came.
    Other(String),
}

/// A request as it came. No `Debug`: there are credentials in it.
pub struct Incoming {
    /// `GET`, `POST`, ….
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Of the query, in order.
    pub query: Vec<(String, String)>,
    /// Of the form in the body, in order.
    pub form: Vec<(String, String)>,
    /// The body, where it is JSON.
    pub json: Option<Value>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The client takes no second answer on this connection.
    pub close: bool,
}

impl Incoming {
    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The first form field of that name.
    pub fn form(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// What the `Authorization` header holds.
    pub fn authorization(&self) -> Authorization {
        let Some(value) = self.header("authorization") else { return Authorization::None };
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            return Authorization::Bearer(rest.trim().to_owned());
        }
        let basic = scheme.eq_ignore_ascii_case("basic").then(|| {
            let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            Some(Authorization::Basic(user.to_owned(), password.to_owned()))
        });
        basic.flatten().unwrap_or_else(|| Authorization::Other(value.to_owned()))
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Reads one request; `None` at the end of the connection. `buffer` keeps what came early.
///
/// # Errors
/// What the stream says, and `InvalidData` for anything that is no HTTP/1 request.
pub fn read_request(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Option<Incoming>> {
    loop {
        if let Some((mut incoming, head, length)) = parse_head(buffer)? {
            let body = match length {
                Length::Bytes(length) => {
                    while buffer.len() < head + length {
                        fill_more(from, buffer)?;
                    }
                    buffer.drain(..head + length).skip(head).collect()
                }
                Length::Chunked => {
                    buffer.drain(..head);
                    chunked::read_chunks(from, buffer)?
                }
            };
            let kind = incoming.header("content-type").unwrap_or_default();
            if kind.starts_with("application/x-www-form-urlencoded") {
                incoming.form = form_urlencoded::parse(&body).into_owned().collect();
            } else if kind.starts_with("application/json") {
                incoming.json = serde_json::from_slice(&body).ok();
            }
            return Ok(Some(incoming));
        }
        if !fill(from, buffer)? {
            return Ok(None);
        }
    }
}

/// How the end of a body is found.
enum Length {
    Bytes(usize),
    /// skopeo, podman and buildah send their token requests so.
    Chunked,
}

/// Reads more, of which there must be some.
pub(super) fn fill_more(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    if fill(from, buffer)? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn fill(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 8192];
    let read = from.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..read]);
    Ok(read > 0)
}

/// The request without its body, the length of its head, and that of its body.
fn parse_head(buffer: &[u8]) -> io::Result<Option<(Incoming, usize, Length)>> {
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(buffer).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut incoming = Incoming {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        form: Vec::new(),
        json: None,
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
            .collect(),
        close: parsed.version == Some(0),
    };
    let connection = incoming.header("connection").unwrap_or_default();
    incoming.close |= connection.eq_ignore_ascii_case("close");
    match incoming.header("transfer-encoding") {
        None => {}
        Some("chunked") => return Ok(Some((incoming, head, Length::Chunked))),
        Some(_) => return Err(invalid("no client sends another transfer coding than chunked")),
    }
    let length = incoming.header("content-length").unwrap_or("0").parse();
    let length = length.map_err(|_| invalid("the Content-Length is no number"))?;
    Ok(Some((incoming, head, Length::Bytes(length))))
}

/// An answer to be sent.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// In order; `Content-Length`, `Date` and `Connection` are added unless they are here.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with a text.
    pub fn text(status: u16, body: &str) -> Self {
        let headers = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type".into(), "application/json".into())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces a header.
    pub fn replace(self, name: &str, value: impl Into<String>) -> Self {
        self.without(name).with(name, value)
    }

    /// Takes a header out.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The bytes of the wire, and how many of them are the head.
    pub fn to_bytes(&self, close: bool) -> (Vec<u8>, usize) {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.has("date") {
            head.push_str(&format!("Date: {}\r\n", http_date(Timestamp::now())));
        }
        if !self.has("content-length") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        if close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        let length = bytes.len();
        bytes.extend_from_slice(&self.body);
        (bytes, length)
    }
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7).
pub fn http_date(time: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).expect("the year has four digits")
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_requests_in_one_piece_are_read_one_by_one() {
        let bytes = b"POST /token?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\
            Content-Type: application/x-www-form-urlencoded\r\n\r\nb=2&b=3\
            GET /v2/ HTTP/1.0\r\nAuthorization: basic YTpiOmM=\r\n\r\n";
        let mut from = &bytes[..];
        let mut buffer = Vec::new();
        let post = read_request(&mut from, &mut buffer).unwrap().unwrap();
        assert_eq!(
            (post.path.as_str(), post.query("a"), post.form("b")),
            ("/token", Some("1"), Some("2"))
        );
        assert_eq!(post.form.len(), 2);
        assert!(!post.close);
        let get = read_request(&mut from, &mut buffer).unwrap().unwrap();
        assert!(get.close);
        let Authorization::Basic(user, password) = get.authorization() else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("a", "b:c"));
        assert!(read_request(&mut from, &mut buffer).unwrap().is_none());
    }
}
