//! A password store of `pass` with a real gpg key, for Debian's `docker-credential-pass`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// Whose key it is.
pub const KEY: &str = "pass@example.com";

/// The store; its gpg-agent ends with this value.
pub struct Pass {
    dir: tempfile::TempDir,
}

impl Pass {
    /// One whose key has no passphrase.
    pub fn start() -> Self {
        Self::with_passphrase("")
    }

    /// One whose key is locked, once the agent forgot: and nobody is there to be asked.
    pub fn with_passphrase(passphrase: &str) -> Self {
        let pass = Self { dir: tempfile::tempdir().unwrap() };
        let gnupg = pass.dir.path().join("gnupg");
        fs::create_dir(&gnupg).unwrap();
        fs::set_permissions(&gnupg, fs::Permissions::from_mode(0o700)).unwrap();
        // Twenty at once run out of locked memory without this, and find no key then.
        let agent = "auto-expand-secmem\npinentry-program /bin/false\n";
        fs::write(gnupg.join("gpg-agent.conf"), agent).unwrap();
        let mut key = pass.command("gpg");
        key.args(["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase]);
        key.args(["--quick-generate-key", KEY, "default", "default", "never"]);
        succeed(&mut key);
        succeed(pass.command("pass").args(["init", KEY]));
        pass
    }

    /// What a child process needs to use it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        vec![("GNUPGHOME", path("gnupg")), ("PASSWORD_STORE_DIR", path("store"))]
    }

    /// A program that uses the store.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment()).env("HOME", self.dir.path());
        command
    }

    /// Makes the agent forget the passphrase.
    pub fn lock(&self) {
        succeed(self.command("gpgconf").args(["--kill", "gpg-agent"]));
    }

    /// Encrypts to another key from now on.
    pub fn encrypt_to(&self, key: &str) {
        fs::write(self.dir.path().join("store/.gpg-id"), format!("{key}\n")).unwrap();
    }

    /// Deletes the secret key for good.
    pub fn lose_the_key(&self) {
        fs::remove_dir_all(self.dir.path().join("gnupg/private-keys-v1.d")).unwrap();
        self.lock();
    }

    /// The entries of docker's helpers, each as `SERVER URL: USERNAME`.
    pub fn entries(&self) -> Vec<String> {
        let folder = self.dir.path().join("store/docker-credential-helpers");
        let mut entries = Vec::new();
        for server in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            let url = URL_SAFE.decode(server.file_name().into_encoded_bytes()).unwrap();
            let url = String::from_utf8(url).unwrap();
            for file in fs::read_dir(server.path()).unwrap().map(Result::unwrap) {
                let name = file.file_name().into_string().unwrap();
                entries.push(format!("{url}: {}", name.strip_suffix(".gpg").unwrap()));
            }
        }
        entries.sort();
        entries
    }

    /// Keeps a login as a client with `"credsStore": "pass"` does.
    pub fn plant(&self, server_url: &str, username: &str, secret: &str) {
        let login =
            serde_json::json!({"ServerURL": server_url, "Username": username, "Secret": secret});
        let done = self.helper("store", &login.to_string());
        assert!(done.status.success(), "{done:?}");
    }

    /// What the helper itself answers.
    pub fn helper(&self, verb: &str, stdin: &str) -> Output {
        let mut command = self.command("docker-credential-pass");
        let piped = command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // It may not have been started.
        let _ = self.command("gpgconf").args(["--kill", "gpg-agent"]).output();
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
