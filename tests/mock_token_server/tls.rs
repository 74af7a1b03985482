//! A certificate authority of the server's own, and the certificates it is to be known by.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use super::random;

/// The names the listeners go by; Docker Hub's through a proxy that leads here.
const NAMES: [&str; 5] =
    ["127.0.0.1", "::1", "localhost", "registry-1.docker.io", "auth.docker.io"];

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Pair {
    /// Shows the certificate whether or not it goes with the key, as a thief would.
    pub fn config(&self) -> Arc<ServerConfig> {
        let provider = rustls::crypto::ring::default_provider();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a PEM key");
        let key = provider.key_provider.load_private_key(key).expect("a key that ring takes");
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let chain = vec![certificate.expect("a PEM certificate")];
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let builder = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions");
        Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(shown)))
    }
}

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one, with a name of its own so that several can stand in one bundle.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        let name = format!("Mock token server CA {}", random::text(8));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("a CA can sign itself"))
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate for these names.
    fn issue(&self, names: &[&str], expired: bool, purpose: ExtendedKeyUsagePurpose) -> Issued {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params.distinguished_name.push(DnType::CommonName, "Mock token server");
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        if expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.0).expect("the CA can sign");
        Issued { certificate, key }
    }
}

struct Issued {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Issued {
    fn pair(&self) -> Pair {
        Pair { certificate: self.certificate.pem(), key: self.key.serialize_pem() }
    }

    fn config(&self, clients: Option<&Authority>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.as_ref().der().clone()).expect("the CA is valid");
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().expect("it has a root"))
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = builder.with_single_cert(vec![self.certificate.der().clone()], key);
        Arc::new(config.expect("the certificate goes with its key"))
    }
}

/// All that the listeners need.
pub struct Tls {
    /// What clients are to trust.
    pub authority: Arc<Authority>,
    /// The proper certificate, for a registry beside this server.
    pub server: Pair,
    /// What a client may show, where one is asked for.
    pub client: Pair,
    /// The proper one.
    pub good: Arc<ServerConfig>,
    /// Out of date since 2020.
    pub expired: Arc<ServerConfig>,
    /// For another name.
    pub wrong_host: Arc<ServerConfig>,
    /// From an authority that nobody trusts.
    pub unknown_ca: Arc<ServerConfig>,
}

impl Tls {
    /// Makes the certificates, for `more` names as well; with `ask_clients`, a client has to show one too.
    pub fn new(authority: Arc<Authority>, more: &[&str], ask_clients: bool) -> Self {
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        let names = [&NAMES, more].concat();
        let server = authority.issue(&names, false, ServerAuth);
        let expired = authority.issue(&names, true, ServerAuth);
        let wrong_host = authority.issue(&["other.example"], false, ServerAuth);
        let unknown_ca = Authority::new().issue(&NAMES, false, ServerAuth);
        let client = authority.issue(&["client.example"], false, ClientAuth);
        let clients = ask_clients.then_some(&*authority);
        Self {
            server: server.pair(),
            client: client.pair(),
            good: server.config(clients),
            expired: expired.config(clients),
            wrong_host: wrong_host.config(clients),
            unknown_ca: unknown_ca.config(clients),
            authority,
        }
    }
}
