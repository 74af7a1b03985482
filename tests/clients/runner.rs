//! A machine without a desktop that runs jobs, beside a registry with TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::docker_cli::HELPER;
use crate::docker_engine::DockerEngine;
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::process::{Finished, run};
use crate::script;

pub const PLAIN: &str = include_str!("../ci_recipes/plain.sh");
pub const LIMIT: Duration = Duration::from_secs(120);
pub const ALICE: (&str, &str) = ("alice", "pass w\u{f6}rd-of-alice");
/// Never in an environment, as those of jobs are.
pub const CAROL: (&str, &str) = ("carol", "pass w\u{f6}rd-of-carol");
pub const BOB: (&str, &str) = ("bob", "pass w\u{f6}rd-of-bob");

/// A machine that runs jobs, all as one user in one home.
pub struct Runner {
    pub folder: tempfile::TempDir,
    pub server: TokenServer,
    pub registry: RealRegistry,
    pub engine: Option<DockerEngine>,
}

impl Runner {
    pub fn new(engine: bool) -> Self {
        let server = TokenServer::builder().profile(Profile::PostOnly).user(ALICE.0, ALICE.1);
        let server = server.user(BOB.0, BOB.1).user(CAROL.0, CAROL.1).start();
        let registry = RealRegistry::start(&server).expect("a registry");
        let engine = engine.then(|| DockerEngine::start(Some(&server.ca_file())));
        let runner = Self { folder: tempfile::tempdir().unwrap(), server, registry, engine };
        for name in ["home", "bin", "tmp", "work", "work.tmp"] {
            fs::create_dir(runner.at(name)).unwrap();
        }
        // As Docker's default seccomp profile has it. Only for the helper: nothing else needs it.
        let calls = "keyctl,add_key,request_key";
        runner.program(
            "docker-credential-refresh",
            &format!(
                "exec strace -f -qq -o /dev/null -e trace={calls} -e inject={calls}:error=EPERM \
                 '{HELPER}' \"$@\""
            ),
        );
        fs::write(runner.at("work/Dockerfile"), "FROM scratch\nCOPY app /app\n").unwrap();
        fs::write(runner.at("work/app"), "app\n").unwrap();
        // What a rootless container sets up once: storage without a kernel's help.
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            runner.at("home").display()
        );
        fs::write(runner.at("storage.conf"), storage).unwrap();
        runner
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a script on PATH, before all others.
    pub fn program(&self, name: &str, text: &str) {
        script::make(&self.at("bin").join(name), &format!("#!/bin/sh\n{text}\n"));
    }

    pub fn image(&self, account: &str) -> String {
        format!("{}/{account}/app:1", self.registry.host())
    }

    /// A shell with what the job of an account is given, but for the password.
    pub fn shell(&self, account: &str, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command.args(["-eo", "pipefail", "-c", script]).current_dir(self.at("work"));
        command.env_clear().env("PATH", format!("{}:{path}", self.at("bin").display()));
        command.env("HOME", self.at("home")).env("TMPDIR", self.at("tmp"));
        command.env("SSL_CERT_FILE", self.server.ca_file());
        command.env("CONTAINERS_STORAGE_CONF", self.at("storage.conf"));
        command.env("REGISTRY", self.registry.host()).env("REGISTRY_USER", account);
        command.env("IMAGE", self.image(account)).env("DOCKER_BUILDKIT", "0");
        let nowhere = || "unix:///nonexistent/docker.sock".to_owned();
        command.env("DOCKER_HOST", self.engine.as_ref().map_or_else(nowhere, DockerEngine::host));
        command
    }

    /// What holds after every job: pushed without the password, logged out, nothing left.
    pub fn assert_clean(&self, jobs: &[Finished], accounts: &[(&str, &str)]) {
        for job in jobs {
            for (_, password) in accounts {
                assert!(!job.text().contains(password), "a password was shown");
            }
        }
        let journal = self.server.journal();
        assert_eq!(journal.passwords_sent(), accounts.len(), "{:?}", journal.lines());
        let data = self.at("home/.local/share/docker-credential-refresh/logins");
        let names = fs::read_dir(data).expect("the file keychain was used");
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["lock", "names"], "no login is left");
        let records = self.at("home/.local/state/docker-credential-refresh/logins.json");
        assert!(!fs::read_to_string(records).unwrap().contains(&self.registry.host()));
        for (_, password) in accounts {
            assert_no_file_has(self.folder.path(), password.as_bytes());
        }
    }
}

pub fn assert_no_file_has(folder: &Path, secret: &[u8]) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_no_file_has(&entry.path(), secret);
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap();
            let found = content.windows(secret.len()).any(|bytes| bytes == secret);
            assert!(!found, "{} has a password", entry.path().display());
        }
    }
}

pub fn plain(runner: &Runner, recipe: &str, (account, password): (&str, &str)) -> Finished {
    let file = runner.at(&format!("{account}.sh"));
    fs::write(&file, recipe).unwrap();
    let mut shell = runner.shell(account, &format!("exec sh '{}'", file.display()));
    run(shell.env("REGISTRY_PASSWORD", password), b"", LIMIT)
}
