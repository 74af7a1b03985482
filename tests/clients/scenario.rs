//! A user, a registry behind a token server, a keychain, and perhaps a Docker Engine.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::canary::{Canary, Watch};
use crate::docker_cli::DockerCli;
use crate::docker_engine::DockerEngine;
use crate::keychain::Keychain;
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::process::Finished;

/// The one user of the token server.
pub const USER: &str = "alice";

/// Where nothing listens: what a machine without Docker Engine looks like to the CLI.
pub const NO_ENGINE: &str = "unix:///nonexistent/docker.sock";

/// What a scenario is made of.
pub struct Setup {
    /// How the token server behaves.
    pub profile: Profile,
    /// Where refresh tokens rest.
    pub keychain: Keychain,
    /// With a Docker Engine, or the CLI alone.
    pub engine: bool,
    /// Registry and token server with certificates of a CA of their own, or without TLS.
    pub tls: bool,
}

/// All that takes part; whatever of it is a process ends with it.
pub struct Scenario {
    pub cli: DockerCli,
    pub keychain: Keychain,
    pub server: TokenServer,
    pub password: String,
    registry: RealRegistry,
    engine: Option<DockerEngine>,
    watch: Option<Watch>,
    canary: Canary,
    said: String,
}

impl Scenario {
    /// Starts everything, with a password that occurs nowhere else.
    pub fn start(setup: Setup) -> Self {
        Self::start_with(setup, unique_password(), None)
    }

    /// The same with a given password, and a setting of the helper's.
    pub fn start_with(setup: Setup, password: String, setting: Option<(&str, &str)>) -> Self {
        let Setup { profile, keychain, engine, tls } = setup;
        let canary = Canary::new(&password);
        let watch = Some(canary.watch());
        let server = TokenServer::builder().profile(profile).user(USER, &password);
        let server = if tls { server } else { server.plain_http() }.start();
        let registry = RealRegistry::start(&server).expect("a registry");
        let trusted = tls.then(|| server.ca_file());
        let engine = engine.then(|| DockerEngine::start(trusted.as_deref()));
        let trust = trusted.map(|file| ("SSL_CERT_FILE".into(), file.into()));
        let setting = setting.map(|(name, value)| (name.into(), value.into()));
        let environment = keychain.environment.iter().cloned().chain(trust).chain(setting);
        let cli = DockerCli::new(environment);
        let said = String::new();
        Self { cli, keychain, server, password, registry, engine, watch, canary, said }
    }

    /// What a user types to name the registry.
    pub fn registry(&self) -> String {
        self.registry.host()
    }

    /// For the variable `DOCKER_HOST`.
    pub fn engine_host(&self) -> String {
        self.engine.as_ref().map_or(NO_ENGINE.to_owned(), DockerEngine::host)
    }

    /// Runs `docker`.
    pub fn docker(&mut self, arguments: &[&str], input: &str) -> Finished {
        let finished = self.cli.docker(&self.engine_host(), arguments, input);
        self.said += &finished.text();
        finished
    }

    /// `docker login`, with the password on stdin.
    pub fn log_in(&mut self, password: &str) -> Finished {
        let registry = self.registry();
        self.docker(&["login", "--username", USER, "--password-stdin", &registry], password)
    }

    /// Hands the helper a payload as a client would that got no token by itself.
    pub fn store(&mut self, secret: &str) -> Finished {
        let registry = self.registry();
        let payload =
            serde_json::json!({"ServerURL": registry, "Username": USER, "Secret": secret});
        let finished = self.cli.helper("store", &payload.to_string());
        self.said += &finished.text();
        finished
    }

    /// The refresh token that any client gets for the registry; none when logged out.
    pub fn token(&self) -> Option<String> {
        let answer = self.cli.helper("get", &self.registry());
        if !answer.status.success() {
            assert_eq!(answer.stdout.trim(), "credentials not found in native keychain");
            return None;
        }
        let answer: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!(answer["Username"], "<token>");
        Some(answer["Secret"].as_str().expect("a secret").to_owned())
    }

    /// Makes an image under a name at the registry.
    pub fn import(&mut self, image: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("hello"), "hello\n").expect("a file");
        let layer = folder.path().join("layer.tar");
        let [from, to] = [folder.path(), &layer].map(|path| path.to_str().expect("UTF-8"));
        self.cli.program("tar", &["-C", from, "-cf", to, "hello"]).success();
        self.docker(&["import", to, image], "").success();
    }

    /// Pushes an image and pulls it by a login that clients get as it is, with its username, and send by
    /// Basic to the token endpoint at `path`; the secret that they get.
    pub fn push_and_pull_by_basic(&mut self, path: &str) -> String {
        let registry = self.registry();
        assert_eq!(self.cli.calls(), ["store"]);
        assert_eq!(
            self.cli.config(),
            serde_json::json!({"auths": {&registry: {}}, "credsStore": "refresh"})
        );
        let image = self.image();
        self.import(&image);
        self.docker(&["push", &image], "").success();
        self.docker(&["rmi", &image], "").success();
        self.docker(&["pull", &image], "").success();
        assert_eq!(self.cli.calls(), ["get", "get"]);
        let journal = self.server.journal();
        let last = journal.iter().rfind(|request| request.path == path).expect("a request");
        assert_eq!((last.method.as_str(), last.status), ("GET", Some(200)));
        let answer = self.cli.helper("get", &registry).success();
        let answer: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!((&answer["ServerURL"], &answer["Username"]), (&registry.into(), &USER.into()));
        answer["Secret"].as_str().expect("a secret").to_owned()
    }

    /// Nothing is kept, and the image can no longer be pushed.
    pub fn assert_logged_out(&mut self) {
        assert_eq!(self.keychain.items(&self.cli, &self.registry()), 0);
        let image = self.image();
        self.docker(&["push", &image], "").failure();
    }

    fn image(&self) -> String {
        format!("{}/{USER}/hello:1", self.registry())
    }

    /// Searches everything for the password and for the tokens, and says what was searched.
    #[track_caller]
    pub fn assert_no_copies(mut self, tokens: &[String]) {
        let journal = format!("{:?}", self.server.journal());
        let watch = self.watch.take().expect("one watch");
        let report = self.search(self.canary.scan().processes(watch), &journal).assert_clean();
        println!("password: {report}");
        assert!(report.files > 0 && report.processes > 0, "nothing was searched");
        for token in tokens {
            let report = self.search(Canary::new(token).scan(), &journal).assert_clean();
            println!("refresh token: {report}");
        }
    }

    fn search(&self, scan: crate::canary::Scan, journal: &str) -> crate::canary::Scan {
        let registry = self.registry.directory();
        let always = [self.cli.root(), &registry, self.server.directory()];
        let engine = self.engine.as_ref().map(DockerEngine::root);
        let roots = always.into_iter().chain(self.keychain.files.as_deref()).chain(engine);
        let scan = roots.fold(scan, |scan, root: &Path| scan.root(root));
        scan.text("what the clients printed", &self.said).text("the journal", journal)
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        // The kernel's keyring outlives the scenario; a test that failed must leave no key in it.
        if self.keychain.name == "kernel" {
            self.cli.helper_command(&["logout", "--all"]);
        }
    }
}

/// Found by no accident, and spelled differently in JSON, URLs and forms.
pub fn unique_password() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_nanos();
    format!("pass wörd&<{now:x}/{number}+\"{}", std::process::id())
}
