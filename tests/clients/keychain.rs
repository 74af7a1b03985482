//! The keychains that a Docker user on Linux may have, and what lies in them.

use std::any::Any;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::docker_cli::{DockerCli, HELPER};
use crate::keychains::gnome_keyring::GnomeKeyring;
use crate::keychains::keepassxc::KeePassXc;
use crate::keychains::kwallet::KWallet;
use crate::keychains::pass::Pass;

/// One of them, made for one scenario.
pub struct Keychain {
    /// The name under which the helper speaks of it.
    pub name: &'static str,
    /// What a program needs to reach it. Where `auto` finds it, it is not named.
    pub environment: Vec<(OsString, OsString)>,
    /// Where its files are, if not in the user's home: for the canary scan.
    pub files: Option<PathBuf>,
    count: fn(&DockerCli, &str) -> usize,
    /// Ends with this value.
    _service: Option<Box<dyn Any + Send + Sync>>,
}

impl Keychain {
    /// The kernel's, without any bus in the environment.
    pub fn kernel() -> Self {
        Self::new("kernel", in_kernel)
    }

    /// Encrypted files, with a new identity in the environment, and no bus.
    pub fn file() -> Self {
        let made = Command::new(HELPER).arg("keygen").output().expect("keygen");
        let identity = String::from_utf8(made.stdout).expect("UTF-8");
        let variable = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
        Self::new("file", in_files).set(variable, identity.trim())
    }

    /// An unlocked GNOME Keyring on a bus of its own.
    pub fn gnome_keyring() -> Self {
        let keyring = GnomeKeyring::start();
        Self::new("secret-service", in_secret_service).on_bus(keyring.environment(), keyring)
    }

    /// A KeePassXC on a bus of its own, with an unlocked database.
    pub fn keepassxc() -> Self {
        let keepassxc = KeePassXc::start();
        Self::new("secret-service", in_secret_service).on_bus(keepassxc.environment(), keepassxc)
    }

    /// A KWallet on a bus of its own, opened as at login.
    pub fn kwallet() -> Self {
        let kwallet = KWallet::start();
        Self::new("secret-service", in_secret_service).on_bus(kwallet.environment(), kwallet)
    }

    /// A password store of `pass` with a gpg key, through `docker-credential-pass`.
    pub fn helper_pass() -> Self {
        let pass = Pass::start();
        let mut keychain = Self::new("helper:pass", in_pass).named();
        for (name, value) in pass.environment() {
            if name == "PASSWORD_STORE_DIR" {
                keychain.files = Some(value.clone().into());
            }
            keychain = keychain.set(name, &value);
        }
        keychain.served_by(pass)
    }

    /// An unlocked GNOME Keyring, through `docker-credential-secretservice`.
    pub fn helper_secretservice() -> Self {
        let keyring = GnomeKeyring::start();
        let keychain = Self::new("helper:secretservice", in_secretservice_helper).named();
        keychain.on_bus(keyring.environment(), keyring)
    }

    fn new(name: &'static str, count: fn(&DockerCli, &str) -> usize) -> Self {
        // The kernel's keyring is the machine's, and each helper looks into it while there are no
        // records: a profile keeps our logins apart from those of its user.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let profile = format!("clients-{}-{number}", std::process::id());
        let made = Self { name, environment: Vec::new(), files: None, count, _service: None };
        made.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &profile)
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A service whose bus has a HOME of its own, for the service's files; the user has another.
    fn on_bus(
        mut self,
        of_bus: Vec<(&'static str, String)>,
        service: impl Any + Send + Sync,
    ) -> Self {
        for (name, value) in of_bus {
            if name == "HOME" {
                self.files = Some(value.into());
            } else {
                self = self.set(name, &value);
            }
        }
        self.served_by(service)
    }

    fn served_by(mut self, service: impl Any + Send + Sync) -> Self {
        self._service = Some(Box::new(service));
        self
    }

    /// One that `auto` would not take.
    fn named(self) -> Self {
        let name = self.name;
        self.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", name)
    }

    /// How many logins of the helper for this registry it holds, asked without the helper.
    pub fn items(&self, cli: &DockerCli, registry: &str) -> usize {
        (self.count)(cli, registry)
    }
}

fn in_secret_service(cli: &DockerCli, registry: &str) -> usize {
    let wanted = ["service", "docker-credential-refresh", "username", registry];
    let search = [&["search", "--all", "--unlock"][..], &wanted].concat();
    let found = cli.program("secret-tool", &search).stdout;
    found.lines().filter(|line| line.starts_with("secret = ")).count()
}

/// Under the names of the other helper, which the registry is a part of.
fn in_secretservice_helper(cli: &DockerCli, registry: &str) -> usize {
    let found = cli.program("secret-tool", &["search", "--all", "--unlock", "docker_cli", "1"]);
    let servers = found.stderr.lines().filter_map(|line| line.strip_prefix("attribute.server = "));
    servers.filter(|server| server.contains(registry)).count()
}

/// Its names are of its own making; what it lists it has.
fn in_pass(cli: &DockerCli, registry: &str) -> usize {
    let list = cli.program("docker-credential-pass", &["list"]).success().stdout;
    let list: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&list).expect("JSON");
    list.keys().filter(|server| server.contains(registry)).count()
}

fn in_kernel(cli: &DockerCli, registry: &str) -> usize {
    // Not /proc/keys: a key that was unlinked stays there until it is collected.
    let list = "keyctl list @u; keyctl list $(keyctl get_persistent @s)";
    let keys = cli.program("keyctl", &["session", "-", "sh", "-c", list]).success();
    let ours = |line: &&str| line.contains("docker-credential-refresh");
    let ours = keys.stdout.lines().filter(ours).filter(|line| line.contains(registry));
    // The same key is in both; without its id each line would count twice.
    ours.map(|line| line.split(':').next()).collect::<HashSet<_>>().len()
}

/// Their names tell no registry, and a scenario has but one.
fn in_files(cli: &DockerCli, _: &str) -> usize {
    let folder = cli.root().join("home/.local/share/docker-credential-refresh/logins");
    let names = fs::read_dir(folder).expect("the folder of logins").map(|e| e.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|e| e == "age")).count()
}
