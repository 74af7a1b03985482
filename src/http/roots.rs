//! The CA certificates of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, load_native_certs};

use crate::environment::variable;
use crate::text::reason;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// The system's roots, read once: while a connection is made, or when a server is verified.
#[derive(Debug, Default)]
pub(super) struct Roots {
    read: OnceLock<System>,
    ahead: Mutex<Option<JoinHandle<System>>>,
}

/// What there is.
#[derive(Debug)]
pub(super) struct System {
    pub(super) roots: RootCertStore,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Why there may be none.
    pub(super) problem: NoRoots,
}

/// Why no CA certificate can be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoRoots {
    why: String,
    /// The next step.
    pub remedy: String,
}

impl Roots {
    /// Begins to read them on another thread: they are some 150 files, and a connection takes as long.
    pub(super) fn read_ahead(&self) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if ahead.is_none() && self.read.get().is_none() {
            // Without a thread, they are read when they are needed.
            *ahead = thread::Builder::new().name("roots".to_owned()).spawn(System::read).ok();
        }
    }

    pub(super) fn get(&self) -> &System {
        self.read.get_or_init(|| {
            let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
            ahead.and_then(|reading| reading.join().ok()).unwrap_or_else(System::read)
        })
    }
}

impl System {
    fn read() -> Self {
        let found = load();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs.iter().cloned());
        let problem = named_by_variables().unwrap_or_else(|| {
            let why = found.errors.first().map_or("there are none".to_owned(), ToString::to_string);
            NoRoots {
                why: format!("no CA certificates of this system can be used ({why})"),
                remedy: "install them, as the package ca-certificates does".to_owned(),
            }
        });
        Self { roots, certificates: found.certs, problem }
    }
}

/// To Go, and so to the clients, an empty variable is one that is not set.
#[cfg(target_os = "linux")]
fn load() -> CertificateResult {
    let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
    if !is_empty(FILE) || variable(FOLDERS).is_some() {
        return load_native_certs();
    }
    // The library would read a file without a name.
    let system = openssl_probe::probe();
    let folders = system.cert_dir.iter().map(|folder| (None, Some(folder.as_path())));
    let mut found = CertificateResult::default();
    for (file, folder) in folders.chain([(system.cert_file.as_deref(), None)]) {
        let mut more = rustls_native_certs::load_certs_from_paths(file, folder);
        found.certs.append(&mut more.certs);
        found.errors.append(&mut more.errors);
    }
    found.certs.sort_unstable_by(|a, b| a.cmp(b));
    found.certs.dedup();
    found
}

#[cfg(not(target_os = "linux"))]
fn load() -> CertificateResult {
    load_native_certs()
}

/// What is wrong with the variables, where they name files in the place of the system's.
fn named_by_variables() -> Option<NoRoots> {
    let file = variable(FILE).map(|file| (FILE, file));
    let (name, value) = file.or_else(|| Some((FOLDERS, variable(FOLDERS)?)))?;
    let what = std::env::split_paths(&value).find_map(|path| trouble(&path));
    let what = what.unwrap_or_else(|| "which holds no certificate that can be used".to_owned());
    let remedy = format!("correct {name}, or unset it");
    Some(NoRoots { why: format!("{name} is {}, {what}", Path::new(&value).display()), remedy })
}

fn trouble(path: &Path) -> Option<String> {
    let opened = match fs::metadata(path) {
        Ok(found) if found.is_dir() => fs::read_dir(path).map(drop),
        _ => File::open(path).map(drop),
    };
    match opened {
        Ok(()) => None,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Some("which does not exist".to_owned()),
        Err(e) => Some(format!("which cannot be read: {}", reason(&e))),
    }
}
