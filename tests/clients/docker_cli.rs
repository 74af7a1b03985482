//! The Docker CLI in a home of its own, with the helper recorded as it is called.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Finished, run};
use crate::script;

/// The binary under test.
pub const HELPER: &str = env!("CARGO_BIN_EXE_docker-credential-refresh");

/// How long any client command may take; long work takes longer at its full size.
fn limit() -> Duration {
    Duration::from_secs(if std::env::var_os("FULL_SIZE").is_some() { 900 } else { 150 })
}

/// What a new user writes into Docker's settings.
const CONFIG: &str = r#"{"credsStore": "refresh"}"#;

/// A helper that keeps each login in a file.
const OTHER_HELPER: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
mkdir -p "$HOME/other"
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
file() { printf %s "$HOME/other/"; printf %s "$1" | tr / _; }
input=$(cat)
case $1 in
store) printf %s "$input" > "$(file "$(printf %s "$input" | field ServerURL)")" ;;
get) cat "$(file "$input")" 2>/dev/null || { echo credentials not found in native keychain; exit 1; } ;;
erase) rm -f "$(file "$input")" ;;
list)
    printf {
    comma=
    for login in "$HOME/other"/*; do
        [ -e "$login" ] || continue
        printf '%s"%s":"%s"' "$comma" "$(field ServerURL <"$login")" "$(field Username <"$login")"
        comma=,
    done
    echo }
    ;;
esac
"#;

/// A private HOME, and the environment in which all programs of a scenario run.
pub struct DockerCli {
    folder: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl DockerCli {
    /// A home with nothing but the one setting, and what the given environment adds.
    pub fn new(more: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let folder = tempfile::Builder::new().prefix("home-").tempdir().expect("a folder");
        let within = |name: &str| folder.path().join(name);
        for name in ["home/.docker", "bin", "runtime"] {
            fs::create_dir_all(within(name)).expect("a folder");
        }
        fs::set_permissions(within("runtime"), fs::Permissions::from_mode(0o700)).expect("mode");
        fs::write(within("home/.docker/config.json"), CONFIG).expect("write the settings");
        record_calls(&within("bin/docker-credential-refresh"), &within("calls"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(within("bin")).chain(std::env::split_paths(&path));
        let mut environment: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), std::env::join_paths(path).expect("PATH")),
            ("HOME".into(), within("home").into()),
            ("DOCKER_CONFIG".into(), within("home/.docker").into()),
            ("XDG_RUNTIME_DIR".into(), within("runtime").into()),
        ];
        environment.extend(more);
        Self { folder, environment }
    }

    /// The home and all that was recorded: for the canary scan.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable for all later runs.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.into(), value.into()));
    }

    /// Storage of its own for podman and buildah, which needs no help of the kernel.
    pub fn with_storage(mut self) -> Self {
        let root = self.root().display();
        let text = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{root}/graph\"\nrunroot = \"{root}/run\"\n"
        );
        let file = self.root().join("storage.conf");
        fs::write(&file, text).expect("write the settings");
        self.set("CONTAINERS_STORAGE_CONF", file);
        self
    }

    /// Puts the helper `other` on PATH, which keeps each login in a file.
    pub fn other_helper(&self) {
        script::make(&self.root().join("bin/docker-credential-other"), OTHER_HELPER);
    }

    /// Runs `docker` with the daemon at `host`.
    pub fn docker(&self, host: &str, arguments: &[&str], input: &str) -> Finished {
        let mut command = self.command(newest_docker());
        run(command.env("DOCKER_HOST", host).args(arguments), input.as_bytes(), limit())
    }

    /// Runs the helper as a client does.
    pub fn helper(&self, verb: &str, input: &str) -> Finished {
        run(self.command(HELPER).arg(verb), input.as_bytes(), limit())
    }

    /// Runs a command of the helper's for people, as it is on PATH.
    pub fn helper_command(&self, arguments: &[&str]) -> Finished {
        self.program(HELPER, arguments)
    }

    /// Any program in the same environment.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Finished {
        run(self.command(name).args(arguments), b"", limit())
    }

    /// The same with something on stdin.
    pub fn program_with(&self, name: &str, arguments: &[&str], input: &str) -> Finished {
        run(self.command(name).args(arguments), input.as_bytes(), limit())
    }

    /// The verbs that the helper was called with by other programs since the last time.
    pub fn calls(&self) -> Vec<String> {
        let file = self.folder.path().join("calls/verbs");
        let verbs = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        verbs.lines().map(str::to_owned).collect()
    }

    /// Puts other settings of Docker's in the place of what a new user writes.
    pub fn write_config(&self, text: &str) {
        fs::write(self.root().join("home/.docker/config.json"), text).expect("write the settings");
    }

    /// Docker's settings file.
    pub fn config(&self) -> Value {
        let text = fs::read(self.folder.path().join("home/.docker/config.json")).expect("read");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The login records; none if there is no file of them.
    pub fn records(&self) -> Vec<Value> {
        let folder = self.folder.path().join("home/.local/state/docker-credential-refresh");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.flatten().map(|entry| entry.path());
        let files = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
        let parse = |path| serde_json::from_slice::<Value>(&fs::read(path).expect("read"));
        let logins = files.map(|path| parse(path).expect("JSON")["logins"].take());
        logins.flat_map(|logins| logins.as_array().expect("a list").clone()).collect()
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(self.root());
        command
    }
}

/// Puts a script in the helper's place that notes verb and environment, then becomes the helper.
fn record_calls(path: &Path, calls: &Path) {
    fs::create_dir(calls).expect("a folder");
    let calls = calls.display();
    let text = format!(
        "#!/bin/sh\necho \"$*\" >> '{calls}/verbs'\nenv > '{calls}/environment'.$$\n\
         exec '{HELPER}' \"$@\"\n"
    );
    script::make(path, &text);
}

/// The newest of all `docker` on PATH: a machine may have its distribution's and its maker's.
pub fn newest_docker() -> &'static Path {
    static NEWEST: OnceLock<PathBuf> = OnceLock::new();
    NEWEST.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let candidates = std::env::split_paths(&path).map(|folder| folder.join("docker"));
        candidates
            .filter(|file| file.is_file())
            .max_by_key(|file| version(file))
            .expect("docker on PATH")
    })
}

/// Whether `docker login https://HOST/` looks up `HOST`: Docker 20.10 does not.
pub fn strips_schemes() -> bool {
    version(newest_docker()) >= vec![23]
}

/// `Docker version 28.2.2, build e6534b4` as `[28, 2, 2]`; nothing if it does not run.
fn version(docker: &Path) -> Vec<u32> {
    let said = Command::new(docker).arg("--version").output();
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let number = text.split_whitespace().nth(2).unwrap_or_default();
    number.split(['.', '+', ',', '-']).map_while(|part| part.parse().ok()).collect()
}
