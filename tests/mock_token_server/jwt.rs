//! Signed tokens that the real `registry` accepts: RS256, the certificate in `x5c`.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, rand_core::OsRng};
use serde_json::Value;

struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    certificate_pem: String,
}

/// One key for the process: making it takes a second or more in a debug build.
fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| {
        let key = RsaPrivateKey::new(&mut OsRng, 2048).expect("an RSA key can be made");
        let pkcs8 = key.to_pkcs8_der().expect("the key can be written as PKCS#8");
        let pair =
            KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_bytes().into(), &PKCS_RSA_SHA256)
                .expect("the key can sign a certificate");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Mock token server JWT signer");
        let certificate = params.self_signed(&pair).expect("the certificate can be signed");

        let mut header = Header::new(Algorithm::RS256);
        header.x5c = Some(vec![STANDARD.encode(certificate.der())]);
        let pkcs1 = key.to_pkcs1_der().expect("the key can be written as PKCS#1");
        let (n, e) = (key.n().to_bytes_be(), key.e().to_bytes_be());
        Signer {
            encoding: EncodingKey::from_rsa_der(pkcs1.as_bytes()),
            decoding: DecodingKey::from_rsa_raw_components(&n, &e),
            header,
            certificate_pem: certificate.pem(),
        }
    })
}

/// The certificate for the registry's `rootcertbundle`.
pub fn certificate_pem() -> &'static str {
    &signer().certificate_pem
}

/// Signs the claims.
pub fn sign(claims: &Value) -> String {
    let signer = signer();
    jsonwebtoken::encode(&signer.header, claims, &signer.encoding).expect("claims can be signed")
}

/// The claims of a token that is ours, in time and for this audience.
pub fn verify(token: &str, issuer: &str, audience: &str) -> Option<Value> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    jsonwebtoken::decode(token, &signer().decoding, &validation).ok().map(|data| data.claims)
}
