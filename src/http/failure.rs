//! Why there is no answer: the HTTP library's errors, told apart and put into words.

use std::error::Error as StdError;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use url::Url;

use super::certs_d::file_for;
use super::proxy::Unusable;
use super::roots::NoRoots;
use super::verifier::is_ca_as_server;
use crate::error::{Error, Kind};
use crate::text::{SERVER_TEXT_CHARS, printable, reason};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host answered the TLS hello with bytes that are no TLS record.
    #[error("it does not speak TLS")]
    NotTls,
    /// The handshake, or certificates of our own; nothing was sent.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// No CA certificate is known; nothing was sent.
    #[error("{0}")]
    NoRoots(NoRoots),
    /// The server's certificate is of no CA that is trusted. With the host and port.
    #[error("TLS failed: {0}")]
    UnknownIssuer(String, String),
    /// The server's certificate is not valid, or not for its name.
    #[error("TLS failed: {0}")]
    BadCertificate(String),
    /// `openssl req -x509` makes such certificates. RFC 5280 section 4.2.1.9 keeps CAs and servers
    /// apart, so one is accepted only if it is itself among the trusted ones.
    #[error("TLS failed: the server presents a CA certificate as its own")]
    CaAsServer(String),
    /// No connection; nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// The request may have arrived.
    #[error("no answer in time")]
    Timeout,
    /// The proxy that the environment names; nothing was sent.
    #[error("{0}")]
    Proxy(Unusable),
    /// Body over 1 MiB or headers over 64 KiB.
    #[error("its answer is too large")]
    TooLarge,
    /// The content coding of its body.
    #[error("its answer cannot be read: {0}")]
    Coding(String),
    /// It is not HTTP as it should be.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    /// The request may have arrived.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl Failure {
    /// Whether the request may have been answered, and acted on.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::NotTls
            | Self::Tls(_)
            | Self::NoRoots(_)
            | Self::UnknownIssuer(..)
            | Self::BadCertificate(_)
            | Self::CaAsServer(_)
            | Self::Connect(_)
            | Self::Proxy(_) => false,
            Self::Timeout
            | Self::TooLarge
            | Self::Coding(_)
            | Self::Unreadable(_)
            | Self::Broken(_) => true,
        }
    }

    /// As an error of the operation `what`, such as "cannot reach h".
    pub fn during(&self, what: &str) -> Error {
        let error = Error::new(Kind::Network, format!("{what}: {self}"));
        match self {
            Self::CaAsServer(at) => error.hint(format!(
                "if that certificate is your own, put it in {}, or have it sign another one for the \
                 server",
                places(at)
            )),
            Self::NoRoots(none) => error.hint(none.remedy.clone()),
            Self::Proxy(_) => error.hint(
                "correct it (http://, https://, socks5:// or socks5h://HOST:PORT), unset it, or \
                 add the host to NO_PROXY",
            ),
            Self::UnknownIssuer(_, at) => {
                error.hint(format!("if its CA is your own, put it in {}", places(at)))
            }
            Self::BadCertificate(_) => error.hint(
                "check the name and this machine's clock, or tell the operator of the server",
            ),
            Self::Connect(_) | Self::Timeout => {
                error.hint("check the name, the network and any proxy")
            }
            _ => error,
        }
    }
}

/// Where a CA or a certificate of one's own goes.
fn places(host_and_port: &str) -> String {
    let file = file_for(host_and_port.to_owned());
    let file = file.map_or("certs.d".to_owned(), |file| file.display().to_string());
    format!("{file}, the setting ca_file or SSL_CERT_FILE")
}

fn host_and_port(error: &reqwest::Error) -> String {
    let port = |url: &Url| url.port_or_known_default().unwrap_or_default();
    let name = |url: &Url| Some(format!("{}:{}", url.host_str()?, port(url)));
    error.url().and_then(name).unwrap_or_else(|| "HOST:PORT".to_owned())
}

/// When a certificate was or will be valid, by the day: the library tells it in seconds.
fn out_of_date(error: &rustls::CertificateError) -> Option<String> {
    use rustls::CertificateError::{ExpiredContext, NotValidYetContext};
    let day = |time: &UnixTime| {
        let at = Timestamp::from_second(time.as_secs().try_into().ok()?).ok()?;
        Some(at.strftime("%Y-%m-%d").to_string())
    };
    let (what, limit, now) = match error {
        ExpiredContext { time, not_after } => ("expired on", not_after, time),
        NotValidYetContext { time, not_before } => ("is not valid before", not_before, time),
        _ => return None,
    };
    let (limit, now) = (day(limit)?, day(now)?);
    Some(format!("the server's certificate {what} {limit}, and this machine's clock says {now}"))
}

pub(super) fn classify(error: &reqwest::Error) -> Failure {
    if let Some(tls) = find::<rustls::Error>(error) {
        use rustls::{CertificateError, InvalidMessage};
        let why = printable(&tls.to_string(), SERVER_TEXT_CHARS);
        // Our own verifier's.
        if let rustls::Error::Other(rustls::OtherError(own)) = tls
            && let Some(none) = own.downcast_ref::<NoRoots>()
        {
            return Failure::NoRoots(none.clone());
        }
        return match tls {
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Failure::NotTls,
            other if is_ca_as_server(other) => Failure::CaAsServer(host_and_port(error)),
            _ if !error.is_connect() => Failure::Broken(why),
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Failure::UnknownIssuer(why, host_and_port(error))
            }
            rustls::Error::InvalidCertificate(error) => {
                Failure::BadCertificate(out_of_date(error).unwrap_or(why))
            }
            // Our own verifier's.
            rustls::Error::General(why) => Failure::Tls(printable(why, SERVER_TEXT_CHARS)),
            _ => Failure::Tls(why),
        };
    }
    if error.is_connect() {
        return Failure::Connect(if error.is_timeout() {
            "no connection within 5 s".into()
        } else {
            printable(&innermost(error), SERVER_TEXT_CHARS)
        });
    }
    if error.is_timeout() {
        return Failure::Timeout;
    }
    let why = printable(&innermost(error), SERVER_TEXT_CHARS);
    match find::<hyper::Error>(error) {
        // Not HTTP, or a head that is too large.
        Some(error) if error.is_parse() => Failure::Unreadable(why),
        _ => Failure::Broken(why),
    }
}

/// Looks for an error of one type in the chain, and inside I/O errors, which hide what they carry.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = carried.and_then(|inner| find::<T>(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The last cause: the outer ones repeat the URL, whose query could hold anything.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    reason(last)
}
