//! A user of all clients, with one login in one keychain.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::kinds::{Kept, Kind, Kinds};
use crate::docker_cli::{DockerCli, HELPER, newest_docker};
use crate::docker_engine::DockerEngine;
use crate::keychain::Keychain;
use crate::round_trip::clients::PASSWORD;

/// What all seats are in.
pub struct World {
    pub kinds: Kinds,
    engine: DockerEngine,
}

impl World {
    pub fn start() -> Self {
        let kinds = Kinds::start();
        let engine = DockerEngine::start_with(kinds.environment.iter().cloned());
        Self { kinds, engine }
    }
}

pub struct Seat<'a> {
    pub kind: &'a Kind,
    cli: DockerCli,
    keychain: Keychain,
    helper: &'static str,
}

impl<'a> Seat<'a> {
    /// Logged in nowhere, with clients that ask `helper`.
    fn new(world: &World, kind: &'a Kind, keychain: Keychain, helper: &'static str) -> Self {
        let environment = world.kinds.environment.iter().chain(&keychain.environment).cloned();
        let mut cli = DockerCli::new(environment).with_storage();
        cli.other_helper();
        // As `docker login` leaves it.
        cli.write_config(&json!({"auths": {&kind.host: {}}, "credsStore": helper}).to_string());
        let newest = newest_docker().parent().expect("a folder").as_os_str().to_owned();
        let path = std::env::var_os("PATH").expect("PATH");
        let bin = cli.root().join("bin").into_os_string();
        let path = [bin, newest, path].join(std::ffi::OsStr::new(":"));
        let tools = std::env::var_os("CLIENTS").expect("tests/clients/matrix/run sets it");
        for (name, value) in [
            ("PATH", path),
            ("TOOLS", tools),
            ("DOCKER_HOST", world.engine.host().into()),
            ("REGISTRY", kind.host.clone().into()),
            ("APP", format!("{}/alice/app:1", kind.host).into()),
            ("NEW", format!("{}/alice/new:1", kind.host).into()),
        ] {
            cli.set(name, value);
        }
        let settings = cli.root().join("home/.config/containers/registries.conf.d");
        fs::create_dir_all(&settings).expect("a folder");
        let write =
            |name: &str, text: String| fs::write(settings.join(name), text).expect("a file");
        write("10-helper.conf", format!("credential-helpers = [\"{helper}\"]\n"));
        if kind.is_plain {
            let host = &kind.host;
            write(
                "20-plain.conf",
                format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"),
            );
            cli.set("PLAIN", "1");
        }
        if kind.kept == Kept::Password {
            cli.set("BASIC", "1");
        }
        Self { kind, cli, keychain, helper }
    }

    /// Without a login, and with clients that ask `helper`.
    pub fn logged_out(world: &World, kind: &'a Kind, helper: &'static str) -> Self {
        Self::new(world, kind, Keychain::file(), helper)
    }

    /// With one that the helper made.
    pub fn logged_in(world: &World, kind: &'a Kind, keychain: Keychain) -> Self {
        let mut seat = Self::new(world, kind, keychain, "refresh");
        match kind.kept {
            Kept::RefreshToken => {}
            Kept::Password => {
                seat.cli.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
            }
            Kept::PersonalToken => {
                seat.cli.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
            }
            Kept::MintedToken => seat.cli.set("DOCKER_CREDENTIAL_REFRESH_MINT", "auto"),
        }
        let login = ["login", &kind.host, "-u", "alice", "--password-stdin"];
        let done = seat.cli.program_with(HELPER, &login, kind.secret()).success();
        if kind.kept != Kept::Password {
            assert!(done.stderr.contains(seat.keychain.name), "{done}");
        }
        seat
    }

    /// The same login, in another helper.
    pub fn at_a_peer(&self, world: &World) -> Self {
        let peer = Self::new(world, self.kind, Keychain::file(), "other");
        let answer = self.cli.helper("get", &self.kind.host).success().stdout;
        let mut login: Value = serde_json::from_str(&answer).expect("JSON");
        login["ServerURL"] = json!(self.kind.host);
        let store = ["store"];
        peer.cli.program_with("docker-credential-other", &store, &login.to_string()).success();
        peer
    }

    /// Lets a client do all it can, and answers with everything it said if it failed.
    pub fn uses(&self, client: &str) -> Result<(), String> {
        let before = self.kind.server.journal().len();
        let outcome = self.lets(&[client], "");
        if matches!(self.kind.kept, Kept::RefreshToken | Kept::MintedToken) {
            let journal = self.kind.server.journal();
            let sent = journal.iter().skip(before).filter(|request| request.has_secret(PASSWORD));
            assert_eq!(sent.count(), 0, "{client} had the password: {outcome:?}");
        }
        outcome
    }

    /// Lets a client log in, use that login and log out.
    pub fn logs_in(&self, client: &str) -> Result<(), String> {
        self.lets(&[client, "login"], self.kind.secret())?;
        if self.helper == "refresh" {
            let answer = self.cli.helper("get", &self.kind.host);
            let is_password = self.kind.kept == Kept::Password;
            if !answer.status.success() || answer.stdout.contains(PASSWORD) != is_password {
                return Err(format!("after the login the helper answers {answer}"));
            }
        }
        self.lets(&[client, "logout"], "")?;
        let left = self.cli.program(&format!("docker-credential-{}", self.helper), &["list"]);
        if left.stdout.trim() == "{}" { Ok(()) } else { Err(format!("after the logout: {left}")) }
    }

    fn lets(&self, client: &[&str], input: &str) -> Result<(), String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/matrix/client");
        let words = [&["--kill-after=5", "100", script.to_str().expect("UTF-8")], client].concat();
        let done = self.cli.program_with("timeout", &words, input);
        if done.status.success() { Ok(()) } else { Err(done.to_string()) }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // The kernel's keyring outlives it.
        self.cli.program(HELPER, &["logout", "--all"]);
    }
}
