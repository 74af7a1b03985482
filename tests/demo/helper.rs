//! Builds the helper, and runs it as Docker does: one verb, stdin, stdout.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const NAME: &str = "docker-credential-refresh";
/// What a desktop's keyring is found by, and a keychain that the user asks for.
const PASSED_ON: [&str; 6] = [
    "PATH",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DOCKER_CREDENTIAL_REFRESH_KEYCHAIN",
];

/// The helper in a HOME of its own.
pub struct Helper {
    program: PathBuf,
    home: PathBuf,
    profile: String,
}

/// What a run came to.
pub struct Ran {
    /// Exit status 0.
    pub ok: bool,
    /// Without the last newline.
    pub stdout: String,
    /// The same.
    pub stderr: String,
}

/// The helper as it was built last, where this demo is run by itself: then there may be no cargo. Under
/// cargo, it is built anew, since its sources may have changed.
pub fn beside(demo: &Path) -> Option<PathBuf> {
    let folder = demo.parent().filter(|folder| folder.ends_with("examples"))?.parent()?;
    let program = folder.join(format!("{NAME}{}", env::consts::EXE_SUFFIX));
    (env::var_os("CARGO").is_none() && program.is_file()).then_some(program)
}

/// Builds the helper with the cargo that runs this demo, and says where it is.
pub fn build() -> Result<PathBuf, String> {
    eprintln!("Building {NAME} ...");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    // With the demo, which is built already: alone, its dependencies would have fewer features, and
    // each run of the demo would build them twice.
    command.args(["build", "--quiet", "--bin", NAME, "--example", "demo"]);
    command.arg("--message-format=json-render-diagnostics");
    command.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    // What `cargo run` says of this package to this process would have the build scripts of others
    // (ring's) run anew.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"].iter().any(|start| text.starts_with(start))
        {
            command.env_remove(&name);
        }
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot run {}: {e}", Path::new(&cargo).display()))?;
    if !output.status.success() {
        return Err(format!("cannot build {NAME}; see above"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    built.ok_or_else(|| format!("cargo does not say where it put {NAME}"))
}

impl Helper {
    /// Nothing is run yet.
    pub fn new(program: PathBuf, home: PathBuf, profile: String) -> Self {
        Self { program, home, profile }
    }

    /// Its private HOME.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Trusts a CA for one registry, where Docker itself looks for it.
    pub fn trust(&self, host: &str, pem: &str) -> Result<(), String> {
        let folder = self.home.join(".config/docker/certs.d").join(host);
        let written =
            fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("ca.crt"), pem));
        written.map_err(|e| format!("cannot write below {}: {e}", folder.display()))
    }

    /// Runs one verb.
    pub fn run(&self, verb: &str, stdin: &str) -> Result<Ran, String> {
        let failed = |e: std::io::Error| format!("cannot run {}: {e}", self.program.display());
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(&self.program)
            .arg(verb)
            .env_clear()
            .envs(passed_on)
            .env("HOME", &self.home)
            .env("TMPDIR", &self.home)
            .env("DOCKER_CREDENTIAL_REFRESH_PROFILE", &self.profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            // One that ends without reading has its reasons, and tells them.
            let _unread = pipe.write_all(stdin.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Ok(Ran {
            ok: output.status.success(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}
