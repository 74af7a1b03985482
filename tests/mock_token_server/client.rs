//! A client as small as can be, for the server's own tests and the demo: one request, one answer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::server::TokenServer;
use super::tls::Pair;

/// An answer.
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Reply {
    /// All headers of that name, given in lower case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(n, _)| n == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Trusts one server's CA and nothing else.
pub struct Client {
    tls: Arc<ClientConfig>,
}

impl Client {
    /// A client that trusts the server.
    pub fn new(server: &TokenServer) -> Self {
        Self::with_certificate(server, None)
    }

    /// The same, with a certificate of its own to show.
    pub fn with_certificate(server: &TokenServer, pair: Option<Pair>) -> Self {
        let mut roots = RootCertStore::empty();
        if let Some(pem) = server.ca_pem() {
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is a certificate");
            roots.add(der).expect("it is a CA");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_root_certificates(roots);
        let tls = match pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
                let chain = vec![chain.expect("it is a certificate")];
                builder.with_client_auth_cert(chain, key.expect("it is a key")).expect("they match")
            }
        };
        Self { tls: Arc::new(tls) }
    }

    /// `GET`.
    ///
    /// # Errors
    /// What the connection says.
    pub fn get(&self, url: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
        self.send("GET", url, headers, "")
    }

    /// `POST` of a form.
    ///
    /// # Errors
    /// What the connection says.
    pub fn post(&self, url: &str, form: &[(&str, &str)]) -> io::Result<Reply> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", url, &[kind], &body)
    }

    /// Any method.
    ///
    /// # Errors
    /// What the connection says.
    pub fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let url = Url::parse(url).map_err(io::Error::other)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let socket = TcpStream::connect((host.as_str(), url.port_or_known_default().unwrap_or(0)))?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = body.len();
        request.push_str(&format!("Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"));
        let mut bytes = Vec::new();
        if url.scheme() == "https" {
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            let connection = ClientConnection::new(self.tls.clone(), name);
            let mut stream = StreamOwned::new(connection.map_err(io::Error::other)?, socket);
            exchange(&mut stream, &request, &mut bytes)?;
        } else {
            exchange(&mut { socket }, &request, &mut bytes)?;
        }
        parse(&bytes)
    }
}

fn exchange(stream: &mut (impl Read + Write), send: &str, into: &mut Vec<u8>) -> io::Result<()> {
    stream.write_all(send.as_bytes())?;
    stream.flush()?;
    stream.read_to_end(into).map(drop)
}

fn parse(bytes: &[u8]) -> io::Result<Reply> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Response::new(&mut headers);
    let head = match parsed.parse(bytes).map_err(io::Error::other)? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Ok(Reply {
        status: parsed.code.unwrap_or(0),
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
            .collect(),
        body: bytes[head..].to_vec(),
    })
}
