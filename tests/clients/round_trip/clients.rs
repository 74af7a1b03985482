//! A user of all four clients, and which of them get at an image.

use std::fmt;
use std::fs;
use std::path::Path;

use super::shapes::{OTHER, Shape};
use crate::docker_cli::{DockerCli, HELPER};
use crate::process::Finished;
use crate::runner::assert_no_file_has;
use crate::scenario::NO_ENGINE;

pub const PASSWORD: &str = "a password of alice";
/// `base64(alice:PASSWORD)`
pub const ENCODED: &str = "YWxpY2U6YSBwYXNzd29yZCBvZiBhbGljZQ==";
const CLIENTS: [&str; 4] = ["docker", "podman", "skopeo", "buildah"];

/// Those for whom something works.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Who([bool; 4]);

impl Who {
    pub fn contains(self, others: Self) -> bool {
        self.0.iter().zip(others.0).all(|(mine, theirs)| *mine || !theirs)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = CLIENTS.iter().zip(self.0).filter(|(_, works)| *works).map(|(name, _)| *name);
        f.write_str(&match named.collect::<Vec<_>>()[..] {
            [] => "none".to_owned(),
            ["docker", "podman", "skopeo", "buildah"] => "all".to_owned(),
            ref some => some.join(", "),
        })
    }
}

/// A user with settings and logins from before.
pub struct User {
    cli: DockerCli,
    host: String,
}

impl User {
    pub fn new(host: &str, shape: &Shape, token: impl Fn() -> String) -> Self {
        let mut cli = DockerCli::new([
            ("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into()),
            ("DOCKER_CONFIG".into(), "".into()),
        ])
        .with_storage();
        for (name, file) in &shape.environment {
            cli.set(name, cli.root().join(file));
        }
        let root = cli.root();
        cli.other_helper();
        // Docker takes whatever helper it finds while it has no settings of its own.
        cli.write_config(r#"{"auths":{"other.example":{}}}"#);
        for (name, content) in &shape.files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, content.replace("TOKEN", &token())).expect("a file");
        }
        cli.program(HELPER, &["keygen", "--install"]).success();
        let user = Self { cli, host: host.to_owned() };
        if shape.in_other {
            let login =
                serde_json::json!({"ServerURL": host, "Username": "alice", "Secret": PASSWORD});
            user.cli
                .program_with("docker-credential-other", &["store"], &login.to_string())
                .success();
        }
        user
    }

    /// Sets the clients up; what it says is in the way is done first.
    pub fn configure(&self, arguments: &[&str]) {
        let arguments = [&["configure"], arguments].concat();
        let done = self.cli.program(HELPER, &arguments);
        if !done.status.success() {
            let (_, advice) = done.stderr.split_once("log out there (podman ").expect("advice");
            let command = advice.split(')').next().expect("a command");
            self.client("podman", &command.split(' ').collect::<Vec<_>>()).success();
            self.cli.program(HELPER, &arguments).success();
        }
    }

    /// Takes over what `configure` left to `import`.
    pub fn import(&self) {
        for from in ["docker-config", "podman"] {
            let done = self.cli.program(HELPER, &["import", "--yes", "--from", from]);
            // A wrong password stays where it is.
            assert!(done.status.success() || done.stderr.contains("refused the user"), "{done}");
        }
    }

    /// Answers with what it told the user.
    pub fn unconfigure(&self) -> String {
        self.cli.program(HELPER, &["unconfigure"]).success().stderr
    }

    /// Which clients get at the image.
    pub fn who_pulls(&self) -> Who {
        Who(CLIENTS.map(|client| self.pulls(client)))
    }

    /// Which clients log in, pull and log out, with no password left in a file; where the user wants docker
    /// to keep it there, it may be.
    pub fn each_logs_in_and_out(&self, shape: &Shape) -> Who {
        let what = shape.name;
        Who(CLIENTS.map(|client| {
            // podman, skopeo and buildah refuse to log in while a token is there.
            self.client(client, &["logout", &self.host]);
            self.log_in(client).success();
            let home = self.cli.root().join("home");
            for entry in fs::read_dir(&home).expect("the home").flatten() {
                if entry.file_name() != OTHER && !(shape.is_pinned && client == "docker") {
                    no_password(&entry.path());
                }
            }
            let pulled = self.pulls(client);
            self.client(client, &["logout", &self.host]).success();
            assert!(!self.pulls(client), "{what}: {client} is logged out, and pulls");
            pulled
        }))
    }

    fn log_in(&self, client: &str) -> Finished {
        let mut arguments = vec!["login", "--username", "alice", "--password-stdin"];
        if client != "docker" {
            arguments.push("--tls-verify=false");
        }
        arguments.push(&self.host);
        match client {
            "docker" => self.cli.docker(NO_ENGINE, &arguments, PASSWORD),
            _ => self.cli.program_with(client, &arguments, PASSWORD),
        }
    }

    fn pulls(&self, client: &str) -> bool {
        let image = format!("{}/alice/app:1", self.host);
        let transport = format!("docker://{image}");
        let arguments: &[&str] = match client {
            "docker" => &["manifest", "inspect", "--insecure", &image],
            "skopeo" => &["inspect", "--tls-verify=false", &transport],
            "podman" => &["pull", "--tls-verify=false", &transport],
            _ => &["pull", "--policy=always", "--tls-verify=false", &transport],
        };
        let finished = self.client(client, arguments);
        let refused = ["unauthorized", "authentication required", "error getting credentials"];
        let text = finished.text();
        let done = finished.status.success();
        assert!(done || refused.iter().any(|word| text.contains(word)), "{finished}");
        done
    }

    fn client(&self, client: &str, arguments: &[&str]) -> Finished {
        match client {
            "docker" => self.cli.docker(NO_ENGINE, arguments, ""),
            _ => self.cli.program(client, arguments),
        }
    }
}

fn no_password(path: &Path) {
    for secret in [PASSWORD, ENCODED] {
        if path.is_dir() {
            assert_no_file_has(path, secret.as_bytes());
        } else {
            let text = fs::read_to_string(path).expect("a text");
            assert!(!text.contains(secret), "{} has a password", path.display());
        }
    }
}

/// Puts an image with one file into the registry.
pub fn push_image(host: &str) {
    let cli = DockerCli::new([]).with_storage();
    let root = cli.root();
    fs::write(root.join("app"), "app\n").expect("a file");
    cli.program("tar", &["-cf", "layer.tar", "app"]).success();
    cli.program("podman", &["import", "layer.tar", "app:1"]).success();
    let to = format!("docker://{host}/alice/app:1");
    let login = format!("--creds=alice:{PASSWORD}");
    // Docker 20.10 shows no other manifests.
    let push = ["push", "--format=v2s2", "--tls-verify=false", &login, "app:1", &to];
    cli.program("podman", &push).success();
}
