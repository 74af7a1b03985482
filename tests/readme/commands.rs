//! A reader who does what a page says, in a home of their own, at the bundled server.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use docker_credential_refresh::keychain::{Keychain, KeychainName, Options};
use docker_credential_refresh::protocol::HELPER_NAME;
use docker_credential_refresh::settings::{Settings, Variables};
use serde_json::Value;

use super::blocks::Block;
use super::{REGISTRY, developer, release};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::User;

/// The binary under test.
pub const HELPER: &str = env!("CARGO_BIN_EXE_docker-credential-refresh");
const PASSWORD: &str = "correct horse battery";
/// The profile of the README's example, which a developer may really have.
const OTHER_PROFILE: &str = "PROFILE=work ";
/// The home that the README's outputs name.
const SHOWN_HOME: &str = "/home/alice";

/// A program that is not there, for which commands were left out.
pub static LEFT_OUT: OnceLock<&str> = OnceLock::new();

/// What the commands of a block printed.
pub struct Printed {
    pub text: String,
    /// All of it is shown in the README.
    pub whole: bool,
}

pub struct Reader {
    server: TokenServer,
    user: User,
    other: OtherProfile,
    /// Outside of the home, where no file may hold the password.
    outside: tempfile::TempDir,
}

/// Logs out of the other profile, also when a command failed.
struct OtherProfile(String);

impl Reader {
    pub fn new() -> Self {
        // As at a registry that issues refresh tokens: docker gets one by itself, and hands it over.
        let server =
            TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD).start();
        let user = User::trusting(&server);
        user.secret(PASSWORD);
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("password"), PASSWORD).unwrap();
        let other = OtherProfile(format!("{}-work", user.profile()));
        let reader = Self { server, user, other, outside };
        std::os::unix::fs::symlink(HELPER, reader.bin().join("docker-credential-refresh")).unwrap();
        // The README's example of a fallback; it has no logins.
        reader.script("docker-credential-secretservice", "#!/bin/sh\n[ $1 != list ] || echo {}\n");
        // Looked for by name alone: that these clients then log in is seen by `tests/clients`.
        reader.script("podman", "#!/bin/sh\nexit 1\n");
        reader
    }

    /// What the README's quick start does, which the other pages build on.
    pub fn starts_as_the_readme_says(&self) {
        self.shell("docker-credential-refresh configure --fallback none");
        self.shell("docker-credential-refresh login registry.example.com");
    }

    /// Puts a script on the reader's PATH, and says where.
    pub fn script(&self, name: &str, text: &str) -> String {
        self.user.program(name, text);
        self.bin().join(name).display().to_string()
    }

    fn bin(&self) -> std::path::PathBuf {
        let bin = self.user.home().join("bin");
        fs::create_dir_all(&bin).unwrap();
        bin
    }

    /// Writes a file as the README shows it, and has its readers understand it.
    pub fn write(&self, path: &str, block: &Block) {
        let text = block.text.replace(REGISTRY, &self.server.registry_host());
        let file = self.user.home().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
        match path {
            ".docker/config.json" => {
                let config: Value = serde_json::from_str(&text).unwrap();
                let named = [&config["credsStore"], &config["credHelpers"]];
                let own = &config["credHelpers"][self.server.registry_host()];
                assert!(named.contains(&&HELPER_NAME.into()) || own == HELPER_NAME, "{text}");
            }
            ".config/docker-credential-refresh/config.toml" => {
                assert_eq!(file, self.user.settings_file());
                let settings = Settings::load(file.parent().unwrap(), &Variables::of([])).unwrap();
                assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
            }
            ".config/containers/registries.conf.d/50-docker-credential-refresh.conf" => {
                let config: toml_edit::DocumentMut = text.parse().unwrap();
                let helpers = config["credential-helpers"].as_array().unwrap();
                let names: Vec<_> = helpers.iter().filter_map(|name| name.as_str()).collect();
                assert_eq!(names, [HELPER_NAME]);
            }
            _ => panic!("a file that nothing reads: {path}"),
        }
    }

    /// Runs each line; nothing printed if they had to be left out.
    pub fn run(&self, block: &Block) -> Option<Printed> {
        let needed = [("docker log", "docker"), ("curl ", "curl")];
        let mut needed = needed.iter().filter(|(command, _)| block.text.contains(command));
        if let Some((_, absent)) = needed.find(|(_, program)| !on_path(program)) {
            LEFT_OUT.set(absent).ok();
            eprintln!("left out, because there is no {absent} on PATH:\n{}", block.text);
            assert!(std::env::var("CI").as_deref() != Ok("true"), "left out, under CI=true");
            return None;
        }
        if block.text.contains("docker-credential-refresh import") {
            self.leave_password();
        }
        let mut text = String::new();
        let mut whole = false;
        for line in block.text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                // A release build takes minutes; `tests/run` makes one.
                ["cargo", "install", "--locked", "--path", "."] => check_install(),
                ["cargo", "run", "--example", ref arguments @ .., ">", file] => {
                    assert_eq!(run_example(arguments), fs::read_to_string(file).unwrap(), "{line}");
                }
                ["cargo", "run", "--example", ref arguments @ ..] => {
                    text.push_str(&run_example(arguments));
                    whole = true;
                }
                _ if developer::is_for_developers(line) => developer::check(line),
                _ if line.contains("$RELEASE") => self.install(line),
                _ => text.push_str(&self.shell(line)),
            }
        }
        if block.text.contains("docker-credential-refresh import") {
            self.assert_no_password_lies_about();
        }
        // The README's names again.
        let text = text.replace(&self.server.registry_host(), REGISTRY);
        let text = text.replace(self.user.home().to_str().unwrap(), SHOWN_HOME);
        Some(Printed { text, whole })
    }

    /// Installs from a release that has the helper under test.
    fn install(&self, line: &str) {
        let release = self.outside.path().join("release");
        release::lay_out(&release);
        self.shell(&format!("RELEASE=file://{}\n{line}", release.display()));
        self.shell("\"$HOME/.local/bin/docker-credential-refresh\" version");
    }

    /// A password in docker's file, as it was before there was a helper.
    fn leave_password(&self) {
        let file = self.user.home().join(".docker/config.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let auth = STANDARD.encode(format!("alice:{PASSWORD}"));
        config["auths"][self.server.registry_host()] = serde_json::json!({ "auth": auth });
        fs::write(file, config.to_string()).unwrap();
    }

    /// No password lies in docker's file any more.
    fn assert_no_password_lies_about(&self) {
        let text = fs::read_to_string(self.user.home().join(".docker/config.json")).unwrap();
        assert!(!text.contains(&STANDARD.encode(format!("alice:{PASSWORD}"))), "{text}");
    }

    /// stdout and stderr of a line that has to succeed.
    fn shell(&self, line: &str) -> String {
        let mut line = line.replace(REGISTRY, &self.server.registry_host());
        line = line.replace(OTHER_PROFILE, &format!("PROFILE={} ", self.other.0));
        if line.contains("docker login ") || line.contains("docker-credential-refresh login ") {
            // A person is asked; a test is not.
            line.push_str(" -u alice --password-stdin <\"$PASSWORD_FILE\"");
        }
        let output = Command::new("sh")
            .args(["-c", &line])
            .env_clear()
            .env("HOME", self.user.home())
            .env("PATH", prepended(&self.bin()))
            .env("PASSWORD_FILE", self.outside.path().join("password"))
            // No daemon: then docker logs in by itself.
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .env("DOCKER_CREDENTIAL_REFRESH_PROFILE", self.user.profile())
            // Else podman's logins would be those of whoever runs the tests.
            .env("XDG_RUNTIME_DIR", self.user.home().join("run"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert!(output.status.success(), "{line}: {printed}");
        printed
    }
}

impl Drop for OtherProfile {
    fn drop(&mut self) {
        let keychain = Keychain::open(&KeychainName::Kernel, &self.0, &Options::default());
        let Ok(keychain) = keychain else { return };
        for login in keychain.list().unwrap_or_default().logins {
            keychain.delete(&login.key).ok();
        }
    }
}

/// Cargo in this repository, as a developer calls it.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        // Cargo's word about this package would have build scripts of others run anew; a desktop's
        // keyring or a developer's settings would change what is printed.
        let text = name.to_string_lossy();
        let unwanted = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "OUT_DIR",
            "DBUS_",
            "XDG_RUNTIME",
            "DOCKER_CREDENTIAL",
        ];
        if unwanted.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// What an example prints. The demo shows the helper that the tests have, since building it now
/// would take it away from the tests beside this one.
fn run_example(arguments: &[&str]) -> String {
    let mut all = vec!["run", "--quiet", "--example"];
    all.extend(arguments);
    if arguments == ["demo"] {
        all.extend(["--", "--helper", HELPER]);
    }
    let output = cargo(&all).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {all:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `cargo install` would put on PATH.
fn check_install() {
    let output = cargo(&["metadata", "--no-deps", "--offline", "--format-version=1"]).output();
    let metadata: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let targets = metadata["packages"][0]["targets"].as_array().unwrap();
    let bins = targets.iter().filter(|target| target["kind"][0] == "bin");
    let names: Vec<_> = bins.map(|target| &target["name"]).collect();
    assert_eq!(names, ["docker-credential-refresh"]);
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn prepended(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}
