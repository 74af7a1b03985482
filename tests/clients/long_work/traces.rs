//! What clients and helpers leave behind: keys, processes, files and open files of the keychain's service.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::scenario::Scenario;

/// What is there at one time.
#[derive(Debug, PartialEq)]
pub struct Traces {
    /// Of the kernel's keyring.
    keys: usize,
    /// In the user's home, and of the keychain.
    files: BTreeSet<PathBuf>,
    /// Programs of the user's.
    processes: BTreeSet<String>,
    /// Open files of the service, the bus and the like.
    handles: usize,
}

impl Traces {
    pub fn of(all: &Scenario) -> Self {
        let profile = variable(all, "DOCKER_CREDENTIAL_REFRESH_PROFILE");
        let keys = fs::read_to_string("/proc/keys").expect("/proc/keys");
        let ours = format!("docker-credential-refresh:{profile}:");
        let mut files = BTreeSet::new();
        for name in ["home", "runtime"] {
            collect(&all.cli.root().join(name), &mut files);
        }
        let service = all.keychain.files.clone();
        service.iter().for_each(|folder| collect(folder, &mut files));
        let (mut processes, mut handles) = (BTreeSet::new(), 0);
        let user = all.cli.root().display().to_string();
        let service = service.map(|folder| folder.display().to_string());
        for process in fs::read_dir("/proc").expect("/proc").flatten() {
            // One that has ended meanwhile has no environment.
            let read = |name: &str| fs::read(process.path().join(name)).unwrap_or_default();
            let environment = read("environ");
            let environment = String::from_utf8_lossy(&environment);
            if environment.contains(&user) {
                processes.insert(String::from_utf8_lossy(&read("cmdline")).replace('\0', " "));
            } else if service.as_ref().is_some_and(|service| environment.contains(service)) {
                handles += fs::read_dir(process.path().join("fd")).map_or(0, Iterator::count);
            }
        }
        let keys = keys.lines().filter(|line| line.contains(&ours)).count();
        Self { keys, files, processes, handles }
    }

    /// Panics unless it is so again within some seconds.
    pub fn assert_again(&self, all: &Scenario) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let now = Self::of(all);
            if now == *self {
                return;
            }
            assert!(Instant::now() < deadline, "before: {self:#?}\nafter: {now:#?}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn variable(all: &Scenario, name: &str) -> String {
    let mut variables = all.keychain.environment.iter();
    let (_, value) = variables.find(|(known, _)| known == name).expect("it is set");
    value.to_str().expect("UTF-8").to_owned()
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        }
        files.insert(path);
    }
}
