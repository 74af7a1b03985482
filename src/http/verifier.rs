//! Which server certificates are accepted: those that webpki accepts, and one more that Go accepts.
//!
//! `openssl req -x509` marks what it makes as a CA, and many registries present just that certificate,
//! which their users put in `certs.d`. webpki refuses every CA as a server's certificate; Go
//! accepts one that is itself among the trusted ones, and so does Docker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::roots::{Roots, System};

/// webpki's verifier, made when a server presents its certificate: until then the system's roots need
/// not be read.
#[derive(Debug)]
pub(super) struct Verifier {
    system: Arc<Roots>,
    /// Trusted besides.
    own: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    webpki: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
    /// Set once a server has presented a valid certificate.
    has_verified: Arc<AtomicBool>,
}

impl Verifier {
    pub(super) fn new(
        system: Arc<Roots>,
        own: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
        has_verified: Arc<AtomicBool>,
    ) -> Self {
        Self { system, own, provider, webpki: OnceLock::new(), has_verified }
    }

    fn webpki(&self) -> Result<&WebPkiServerVerifier, Error> {
        let made = self.webpki.get_or_init(|| {
            let System { roots, problem, .. } = self.system.get();
            let mut roots = roots.clone();
            self.own.iter().try_for_each(|own| roots.add(own.clone()))?;
            if roots.is_empty() {
                return Err(Error::Other(OtherError(Arc::new(problem.clone()))));
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                .build()
                .map_err(|error| Error::General(error.to_string()))
        });
        made.as_deref().map_err(Clone::clone)
    }

    /// Whether it is, byte for byte, among those that are trusted.
    fn is_trusted(&self, certificate: &CertificateDer<'_>) -> bool {
        self.system.get().certificates.iter().chain(&self.own).any(|trusted| trusted == certificate)
    }
}

/// Whether the only objection is that a CA presents its own certificate. webpki checks the dates before
/// that, and the purpose and the name after it.
pub(super) fn is_ca_as_server(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(why))
        if matches!(why.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)))
}

/// Whether a certificate may be a server's (RFC 5280 section 4.2.1.12), as Go checks too: it names
/// no purposes, or that one, or any. The object identifiers in DER are looked for as they are.
fn is_for_servers(certificate: &CertificateDer<'_>) -> bool {
    const EXTENDED_KEY_USAGE: &[u8] = b"\x06\x03\x55\x1d\x25";
    const SERVER_AUTH: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    const ANY: &[u8] = b"\x06\x04\x55\x1d\x25\x00";
    let has = |oid: &[u8]| certificate.windows(oid.len()).any(|bytes| bytes == oid);
    !has(EXTENDED_KEY_USAGE) || has(SERVER_AUTH) || has(ANY)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.webpki()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let verified = match verified {
            Err(error)
                if is_ca_as_server(&error)
                    && self.is_trusted(end_entity)
                    && is_for_servers(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        };
        verified.inspect(|_| self.has_verified.store(true, Ordering::Relaxed))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
