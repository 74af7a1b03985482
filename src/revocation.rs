//! Revocation (RFC 7009) at the configured endpoint, or at the one that the token server's
//! metadata names (RFC 8414).

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use crate::error::{Error, Kind, Remedy, Result};
use crate::http::trust::Trust;
use crate::http::{Body, Failure, Http};
use crate::origin::{Origin, same_site};
use crate::realm::TrustedUrl;
use crate::secret::RefreshToken;
use crate::text::{SERVER_TEXT_CHARS, printable};

const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// Where a token can be revoked.
#[derive(Debug)]
pub struct Endpoint(TrustedUrl);

impl Endpoint {
    /// Finds the endpoint for tokens of one realm; none if the server names none.
    ///
    /// # Errors
    /// A configured endpoint that is not a URL or would downgrade to plain http, or a server that is out of reach.
    pub fn find(
        http: &Http,
        realm: &Origin,
        trust: &Trust,
        configured: Option<&str>,
    ) -> Result<Option<Self>> {
        if let Some(configured) = configured {
            let trusted = TrustedUrl::set_for(realm, configured);
            return trusted.map(|url| Some(Self(url))).ok_or_else(|| {
                Error::new(Kind::Usage, "the setting revocation_endpoint is not an https URL")
                    .hint("correct it, or remove it")
            });
        }
        Ok(Metadata::fetch(http, realm, trust)?.and_then(|metadata| metadata.revocation))
    }

    /// Where it is, for messages.
    pub fn url(&self) -> &Url {
        self.0.url()
    }

    /// Which certificates it is asked with. The realm's CAs hold for the realm's own site alone, and its
    /// client pair for its own host (CVE-2019-10214): a configured endpoint may be anywhere.
    ///
    /// # Errors
    /// Those of [`Trust::of_host`].
    pub fn trust(&self, realm: &Origin, of_realm: &Trust, certs_d: &[PathBuf]) -> Result<Trust> {
        let origin = self.0.origin();
        if origin == realm {
            return Ok(of_realm.clone());
        }
        let own = Trust::of_host(certs_d, &origin.host, origin.port, None)?;
        Ok(if same_site(&origin.host, &realm.host) {
            own.with_registry(of_realm, origin.host == realm.host)
        } else {
            own
        })
    }

    /// Asks the server to revoke; whether it did is known only by trying the token.
    ///
    /// # Errors
    /// A server that is out of reach, or answers anything but 200.
    pub fn revoke(
        &self,
        http: &Http,
        trust: &Trust,
        client_id: &str,
        token: &RefreshToken,
    ) -> Result<()> {
        let host = self.url().host_str().unwrap_or_default();
        let form = [
            ("token", token.expose()),
            ("token_type_hint", "refresh_token"),
            ("client_id", client_id),
        ];
        let answer = http
            .send(&self.0, trust, &Body::Form(&form))
            .map_err(|e| e.during(&format!("cannot revoke at {host}")))?;
        if answer.status == 200 {
            return Ok(());
        }
        let message = format!("{host} answered the revocation with {}", answer.describe());
        // RFC 7009 section 2.2.1: after a 503 the token is still alive, and worth another try.
        Err(if answer.status >= 500 || answer.status == 429 {
            Error::new(Kind::Network, message).try_again_later()
        } else {
            Error::new(Kind::RevocationUnconfirmed, message).remedy(Remedy::RevokeThere)
        })
    }
}

/// The endpoint on the token server's own origin, where codes may be sent; or else what was named.
pub type DeviceAuthorization = std::result::Result<TrustedUrl, String>;

/// What the metadata of a token server tell.
#[derive(Debug)]
pub struct Metadata {
    /// Where tokens are revoked, if it names an endpoint on its own origin.
    pub revocation: Option<Endpoint>,
    /// Where logins by a browser begin (RFC 8628).
    pub device_authorization: Option<DeviceAuthorization>,
}

impl Metadata {
    /// Asks for them; none if there are none, or another issuer's.
    ///
    /// # Errors
    /// A server that is out of reach, or a page in their place.
    pub fn fetch(http: &Http, realm: &Origin, trust: &Trust) -> Result<Option<Self>> {
        let address = format!("{realm}{METADATA_PATH}");
        let url = Url::parse(&address).map_err(|e| Error::new(Kind::Other, e.to_string()))?;
        let answer = http
            .ask(&url, trust)
            .map_err(|e| e.during(&format!("cannot ask {realm} for its metadata")))?;
        if answer.status >= 500 {
            let message =
                format!("{realm} answered the request for its metadata with {}", answer.describe());
            return Err(Error::new(Kind::Network, message).try_again_later());
        }
        if answer.status != 200 {
            return Ok(None);
        }
        let unreadable = |e: Failure| e.during(&format!("cannot ask {realm} for its metadata"));
        let content = answer.content().map_err(unreadable)?;
        // A page from something in between does not mean that the server has none.
        if serde_json::from_slice::<serde::de::IgnoredAny>(&content).is_err() {
            let message =
                format!("{realm} answered the request for its metadata with something else");
            return Err(Error::new(Kind::Network, message).try_again_later());
        }
        Ok(Self::read(&content, realm))
    }

    fn read(body: &[u8], realm: &Origin) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members {
            issuer: String,
            revocation_endpoint: Option<String>,
            device_authorization_endpoint: Option<serde_json::Value>,
        }
        let members: Members = serde_json::from_slice(body).ok()?;
        // RFC 8414 section 3.3: the issuer must be the one that was asked.
        if members.issuer != realm.to_string() {
            return None;
        }
        let revocation = members.revocation_endpoint;
        let revocation = revocation.and_then(|named| TrustedUrl::named_by(realm, &named));
        let named = members.device_authorization_endpoint;
        let device_authorization =
            named.as_ref().and_then(serde_json::Value::as_str).map(|named| {
                let trusted = TrustedUrl::named_by(realm, named);
                trusted.ok_or_else(|| printable(named, SERVER_TEXT_CHARS))
            });
        Some(Self { revocation: revocation.map(Endpoint), device_authorization })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_counts_only_from_the_issuer_asked_and_for_its_own_origin() {
        let realm: Origin = "https://auth.example.com".parse().unwrap();
        let read = |json: &str| Metadata::read(json.as_bytes(), &realm)?.revocation;
        let json = |issuer: &str, endpoint: &str| {
            format!(r#"{{"issuer":"{issuer}","revocation_endpoint":"{endpoint}","x":1}}"#)
        };
        let own = "https://auth.example.com";
        assert!(read(&json(own, "https://auth.example.com/revoke")).is_some());
        for (issuer, endpoint) in [
            ("https://auth.example.com/", "https://auth.example.com/revoke"),
            ("https://other.example", "https://auth.example.com/revoke"),
            (own, "https://evil.example/revoke"),
            (own, "http://auth.example.com/revoke"),
            (own, "https://auth.example.com:8443/revoke"),
            (own, "/revoke"),
        ] {
            assert!(read(&json(issuer, endpoint)).is_none(), "{issuer} {endpoint}");
        }
        let device = |endpoint: &str| {
            let json =
                format!(r#"{{"issuer":"{own}","device_authorization_endpoint":"{endpoint}"}}"#);
            Metadata::read(json.as_bytes(), &realm).unwrap().device_authorization.unwrap()
        };
        assert!(device("https://auth.example.com/device").is_ok());
        for endpoint in ["https://evil.example/d", "http://auth.example.com/d", "/d", ""] {
            assert_eq!(device(endpoint).unwrap_err(), endpoint);
        }
        assert!(read("[]").is_none() && read(r#"{"issuer":"https://auth.example.com"}"#).is_none());
    }

    /// The threat: a settings file that names an endpoint on another host.
    #[test]
    fn cve_2019_10214_the_realms_certificates_go_to_its_own_site_and_its_pair_to_its_own_host() {
        let certs_d = tempfile::tempdir().unwrap();
        let folder = certs_d.path().join("auth.example.com");
        std::fs::create_dir(&folder).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["ca".into()]).unwrap().self_signed(&key).unwrap();
        for name in ["ca.crt", "client.cert", "client.key"] {
            std::fs::write(folder.join(name), certificate.pem()).unwrap();
        }
        let certs_d = [certs_d.path().to_owned()];
        let realm: Origin = "https://auth.example.com".parse().unwrap();
        let of_realm = Trust::of_host(&certs_d, &realm.host, realm.port, None).unwrap();
        let authorities_alone = Trust::default().with_registry(&of_realm, false);
        for (endpoint, expected) in [
            ("https://auth.example.com/revoke", &of_realm),
            ("https://auth.example.com:8443/revoke", &of_realm),
            ("https://www.example.com/revoke", &authorities_alone),
            ("https://auth.example.org/revoke", &Trust::default()),
        ] {
            let endpoint = Endpoint(TrustedUrl::set_for(&realm, endpoint).unwrap());
            let trust = endpoint.trust(&realm, &of_realm, &certs_d).unwrap();
            assert!(trust == *expected, "{}", endpoint.url());
        }
        assert!(of_realm != authorities_alone && authorities_alone != Trust::default());
    }
}
