//! Debian's real `docker-registry`, set up to trust a [`TokenServer`].

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::server::{TokenServer, private_directory};

/// What the program is called: Debian's name, then upstream's.
const NAMES: [&str; 2] = ["docker-registry", "registry"];

/// How a registry knows its users.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// By tokens from the [`TokenServer`], with this realm in the challenge.
    Realm(&'a str),
    /// By Basic alone, with a file of names and bcrypt hashes.
    Htpasswd(&'a Path),
}

/// A running registry; it is killed, and its storage removed, when this is dropped.
pub struct RealRegistry {
    child: Child,
    directory: TempDir,
    port: u16,
    tls: bool,
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl RealRegistry {
    /// Where the program is, if it is installed.
    pub fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let directories: Vec<_> = std::env::split_paths(&path).collect();
        let find = |name| directories.iter().map(|d| d.join(name)).find(|path| path.is_file());
        NAMES.into_iter().find_map(find)
    }

    /// Starts it on a free port: with a certificate of the server's CA, or over plain HTTP if the
    /// server speaks that. Its challenge names the server's token endpoint as the realm.
    ///
    /// # Errors
    /// The program is not installed, cannot be started, or does not listen within 20 s.
    pub fn start(server: &TokenServer) -> io::Result<Self> {
        Self::start_with_realm(server, &server.token_endpoint())
    }

    /// The same with another realm in the challenge.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_realm(server: &TokenServer, realm: &str) -> io::Result<Self> {
        Self::start_as(server, Access::Realm(realm), None)
    }

    /// The same with another way in; with TLS, only for clients that show a certificate of `clients`, if that
    /// is given.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_as(
        server: &TokenServer,
        access: Access<'_>,
        clients: Option<&Path>,
    ) -> io::Result<Self> {
        let program = Self::program().ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "docker-registry not on PATH")
        })?;
        let directory = private_directory("real-registry-")?;
        let at = |name: &str| directory.path().join(name);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut tls = String::new();
        if let Some(pair) = server.server_certificate() {
            fs::write(at("server.crt"), pair.certificate)?;
            fs::write(at("server.key"), pair.key)?;
            tls = format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                at("server.crt").display(),
                at("server.key").display(),
            );
            if let Some(file) = clients {
                tls += &format!("    clientcas:\n      - {}\n", file.display());
            }
        }
        let auth = match access {
            Access::Realm(realm) => format!(
                "token:\n    realm: {realm}\n    service: {service}\n    issuer: {issuer}\n    \
                 rootcertbundle: {certificate}\n",
                service = server.service(),
                issuer = server.issuer(),
                certificate = server.jwt_cert_file().display(),
            ),
            Access::Htpasswd(file) => {
                format!("htpasswd:\n    realm: a registry\n    path: {}\n", file.display())
            }
        };
        let config = format!(
            "version: 0.1\n\
             log:\n  level: info\n  accesslog:\n    disabled: true\n\
             storage:\n  filesystem:\n    rootdirectory: {storage}\n  delete:\n    enabled: true\n\
             http:\n  addr: 127.0.0.1:{port}\n  secret: only-for-tests\n{tls}\
             auth:\n  {auth}",
            storage = at("storage").display(),
        );
        fs::write(at("config.yml"), config)?;
        let log = File::create(at("log"))?;
        let child = Command::new(program)
            .arg("serve")
            .arg(at("config.yml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut registry = Self { child, directory, port, tls: server.is_tls() };
        registry.wait_until_it_listens()?;
        Ok(registry)
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() > end {
                return Err(io::Error::other(format!("no registry: {}", self.log())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// `127.0.0.1:PORT`: what a user would `docker login`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.host())
    }

    /// The process, for a scan of its arguments and environment.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Configuration, storage and log.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
