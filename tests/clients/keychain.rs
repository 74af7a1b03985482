//! The two keychains that a Docker user on Linux has, and what lies in them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::docker_cli::DockerCli;
use crate::keychains::gnome_keyring::GnomeKeyring;

/// One of them, made for one scenario.
pub enum Keychain {
    /// An unlocked GNOME Keyring on a bus of its own.
    GnomeKeyring(GnomeKeyring),
    /// The kernel's, without any bus in the environment.
    Kernel,
}

impl Keychain {
    /// The name under which the helper speaks of it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GnomeKeyring(_) => "secret-service",
            Self::Kernel => "kernel",
        }
    }

    /// What a program needs to reach it. Which keychain to take is left to the helper.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        match self {
            // The bus has a HOME of its own, for the keyring's files; the user has another.
            Self::GnomeKeyring(keyring) => {
                let of_bus = keyring.environment().into_iter().filter(|(name, _)| *name != "HOME");
                of_bus.map(|(name, value)| (name.into(), value.into())).collect()
            }
            Self::Kernel => {
                // The user keyring is the machine's: a profile keeps our logins apart in it.
                static NUMBER: AtomicU32 = AtomicU32::new(0);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let profile = format!("clients-{}-{number}", std::process::id());
                vec![("DOCKER_CREDENTIAL_REFRESH_PROFILE".into(), profile.into())]
            }
        }
    }

    /// Where its files are, for the canary scan.
    pub fn files(&self) -> Option<PathBuf> {
        match self {
            Self::GnomeKeyring(keyring) => {
                let home = keyring.environment().into_iter().find(|(name, _)| *name == "HOME");
                Some(home.expect("the keyring has a HOME").1.into())
            }
            Self::Kernel => None,
        }
    }

    /// How many logins of the helper for this registry it holds, asked without the helper.
    pub fn items(&self, cli: &DockerCli, registry: &str) -> usize {
        match self {
            Self::GnomeKeyring(_) => {
                let wanted = ["service", "docker-credential-refresh", "username", registry];
                let search = [&["search", "--all"][..], &wanted].concat();
                let found = cli.program("secret-tool", &search).stdout;
                found.lines().filter(|line| line.starts_with("secret = ")).count()
            }
            Self::Kernel => {
                // Not /proc/keys: a key that was unlinked stays there until it is collected.
                let list = "keyctl list @u; keyctl list $(keyctl get_persistent @s)";
                let keys = cli.program("keyctl", &["session", "-", "sh", "-c", list]).success();
                let ours = |line: &&str| line.contains("docker-credential-refresh");
                let ours = keys.stdout.lines().filter(ours).filter(|line| line.contains(registry));
                // The same key is in both; without its id each line would count twice.
                ours.map(|line| line.split(':').next()).collect::<HashSet<_>>().len()
            }
        }
    }
}
