//! Which certificates a connection trusts and presents: the system's roots and Docker's `certs.d`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use zeroize::Zeroizing;

use super::certs_d::folder_name;
use super::roots::Roots;
use super::verifier::Verifier;
use crate::error::{Error, Kind, Result};
use crate::server_url::Host;
use crate::text::reason;

/// What one origin adds to the system's roots.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trust {
    authorities: Vec<CertificateDer<'static>>,
    /// Certificate and key files; read when a client is made.
    pair: Option<(PathBuf, PathBuf)>,
    /// What could not be read, and so adds nothing.
    notes: Vec<String>,
}

impl Trust {
    /// What `certs.d` and the setting `ca_file` say for a host.
    ///
    /// # Errors
    /// Files that cannot be read or hold no certificate, and half a client pair, naming the file.
    pub fn of_host(
        directories: &[PathBuf],
        host: &Host,
        port: u16,
        ca_file: Option<&Path>,
    ) -> Result<Self> {
        let mut trust = Self::default();
        if let Some(file) = ca_file {
            let bytes = fs::read(file).map_err(|e| unreadable(file, &e))?;
            trust.authorities.extend(authorities(file, &bytes)?);
        }
        // Docker's daemon and containers/image name the folder as the user spells the registry.
        let mut names = vec![folder_name(format!("{host}:{port}"))];
        if port == 443 {
            names.insert(0, folder_name(host.to_string()));
        }
        for directory in directories {
            for name in &names {
                trust.read_directory(&directory.join(name))?;
            }
        }
        Ok(trust)
    }

    /// The trust in a realm of the same site: its own, and the registry's CAs. The registry's
    /// client pair goes along only to the same host.
    #[must_use]
    pub fn with_registry(mut self, registry: &Self, same_host: bool) -> Self {
        for authority in &registry.authorities {
            if !self.authorities.contains(authority) {
                self.authorities.push(authority.clone());
            }
        }
        if same_host && self.pair.is_none() {
            self.pair.clone_from(&registry.pair);
        }
        self
    }

    /// What could not be read, for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file of the client certificate, if there is one.
    pub(super) fn pair(&self) -> Option<&Path> {
        self.pair.as_ref().map(|(certificate, _)| certificate.as_path())
    }

    fn read_directory(&mut self, directory: &Path) -> Result<()> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(());
            }
            // Docker's daemon reads it as root; containers/image leaves it out as well.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                self.left_out(directory, &e);
                return Ok(());
            }
            Err(e) => return Err(unreadable(directory, &e)),
        };
        let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        files.sort();
        for file in &files {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
            let other = |extension: &str| {
                let half = file.with_extension(extension);
                if files.contains(&half) {
                    return Ok(half);
                }
                let (file, half) = (file.display(), half.display());
                Err(Error::new(Kind::Network, format!("{file} has no {half} next to it"))
                    .hint("a client certificate needs its key; add the file or remove its half"))
            };
            match extension {
                "crt" => match fs::read(file) {
                    // Docker takes what it can use, and skips the rest.
                    Ok(bytes) => match authorities(file, &bytes) {
                        Ok(found) => self.authorities.extend(found),
                        Err(why) => self.notes.push(format!("{}; it is left out", why.fact)),
                    },
                    // Another user's file, or a link to one that is gone.
                    Err(e)
                        if matches!(
                            e.kind(),
                            io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
                        ) =>
                    {
                        self.left_out(file, &e);
                    }
                    Err(e) => return Err(unreadable(file, &e)),
                },
                "cert" => self.pair = Some((file.clone(), other("key")?)),
                "key" => drop(other("cert")?),
                _ => {}
            }
        }
        Ok(())
    }

    fn left_out(&mut self, path: &Path, why: &io::Error) {
        let path = path.display();
        self.notes.push(format!("no certificate of {path} is used: {}", reason(why)));
    }

    /// The TLS configuration for a client of this trust, which tells whether anyone was verified.
    ///
    /// # Errors
    /// A client pair that cannot be used.
    pub(super) fn client_config(
        &self,
        system: &Arc<Roots>,
        has_verified: Arc<AtomicBool>,
    ) -> std::result::Result<ClientConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (system, own) = (system.clone(), self.authorities.clone());
        let verifier = Arc::new(Verifier::new(system, own, provider.clone(), has_verified));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let Some((certificate, key)) = &self.pair else {
            return Ok(builder.with_no_client_auth());
        };
        let no_use = |file: &Path, why: &dyn std::fmt::Display| {
            format!("the client certificate in {} cannot be used: {why}", file.display())
        };
        let chain = read_certificates(certificate).map_err(|e| e.to_string())?;
        // The parser's error could quote the key.
        let pem = fs::read(key).map(Zeroizing::new);
        let pem = pem.map_err(|e| unreadable(key, &e).to_string())?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| no_use(key, &"there is no key in it"))?;
        builder.with_client_auth_cert(chain, key).map_err(|e| no_use(certificate, &e))
    }
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = fs::read(file).map_err(|e| unreadable(file, &e))?;
    parse_certificates(file, &bytes)
}

fn parse_certificates(file: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(bytes).filter_map(|c| c.ok()).collect();
    if certificates.is_empty() {
        let message = format!("{} holds no PEM certificate", file.display());
        return Err(Error::new(Kind::Network, message).hint("replace or remove it"));
    }
    Ok(certificates)
}

/// The certificates that can be trusted to sign others, or to be a server's own.
fn authorities(file: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let mut found = parse_certificates(file, bytes)?;
    found.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    if found.is_empty() {
        let message = format!("{} holds no certificate that can be used", file.display());
        return Err(Error::new(Kind::Network, message).hint("replace or remove it"));
    }
    Ok(found)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let hint = if error.kind() == io::ErrorKind::NotFound {
        "correct its path (~ is not expanded here), or create it"
    } else {
        "correct its permissions, or remove it"
    };
    Error::new(Kind::Network, format!("cannot read {}: {}", path.display(), reason(error)))
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(vec!["ca".into()]).unwrap().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn certs_d_is_read_for_the_host_and_port_alone() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("h.example:5000");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ca.crt"), authority() + &authority()).unwrap();
        fs::write(folder.join("notes.txt"), "x").unwrap();
        let host = Host::parse("h.example").unwrap();
        let directories = [directory.path().to_owned()];
        let read = |port| Trust::of_host(&directories, &host, port, None).unwrap();
        assert_eq!(read(5000).authorities.len(), 2);
        assert!(read(5001).authorities.is_empty() && read(443).authorities.is_empty());
    }

    #[test]
    fn a_lone_half_of_a_client_pair_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("h.example");
        fs::create_dir(&folder).unwrap();
        let host = Host::parse("h.example").unwrap();
        let directories = [directory.path().to_owned()];
        for (half, other) in [("client.cert", "client.key"), ("client.key", "client.cert")] {
            fs::write(folder.join(half), authority()).unwrap();
            let error = Trust::of_host(&directories, &host, 443, None).err().unwrap();
            assert!(error.fact.contains(other), "{error}");
            fs::remove_file(folder.join(half)).unwrap();
        }
    }

    #[test]
    fn a_client_pair_goes_to_its_own_host_only() {
        let pair = Some((PathBuf::from("a.cert"), PathBuf::from("a.key")));
        let registry = Trust {
            authorities: vec![CertificateDer::from(vec![1])],
            pair: pair.clone(),
            notes: vec![],
        };
        let elsewhere = Trust::default().with_registry(&registry, false);
        assert_eq!((elsewhere.authorities.len(), elsewhere.pair), (1, None));
        assert_eq!(Trust::default().with_registry(&registry, true).pair, pair);
    }
}
