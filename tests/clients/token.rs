//! `token` at a real registry: its catalogue and a manifest with scopes that were granted, and a
//! refusal of one that was not. The kernel keyring keeps the login.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::docker_cli::HELPER;
use crate::mock_token_server::{Client, Profile, RealRegistry, TokenServer};
use crate::process::{Finished, run};

const PASSWORD: &str = "pass w\u{f6}rd-of-alice";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn digest(content: &str) -> String {
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

struct Shop {
    home: tempfile::TempDir,
    server: TokenServer,
    registry: RealRegistry,
    client: Client,
}

impl Shop {
    fn open() -> Self {
        let server = TokenServer::builder()
            .profile(Profile::Specification)
            .user("alice", PASSWORD)
            .user_scope("alice", "repository:alice/app:pull,push")
            .user_scope("alice", "registry:catalog:*")
            .start();
        let registry = RealRegistry::start(&server).expect("a registry");
        let home = tempfile::tempdir().unwrap();
        let certs = home.path().join(".config/docker/certs.d");
        let folders = [registry.host(), server.registry_host()];
        for folder in folders.map(|host| certs.join(host)) {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("ca.crt"), server.ca_pem().unwrap()).unwrap();
        }
        let client = Client::new(&server);
        Self { home, server, registry, client }
    }

    fn helper(&self, arguments: &[&str], input: &str) -> Finished {
        let mut command = Command::new(HELPER);
        command.args(arguments).env_clear().env("HOME", self.home.path());
        let profile = format!("real-registry-{}", std::process::id());
        command.env("DOCKER_CREDENTIAL_REFRESH_PROFILE", profile);
        command.env("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
        run(&mut command, input.as_bytes(), Duration::from_secs(60))
    }

    fn bearer(&self, scope: &str) -> String {
        let token = self.helper(&["token", &self.registry.host(), "--scope", scope], "").success();
        format!("Bearer {}", token.stdout.trim_end())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v2/{path}", self.registry.url())
    }

    /// Uploads an image without layers, with a token of the helper.
    fn push(&self) -> String {
        let bearer = self.bearer("repository:alice/app:pull,push");
        let authorized = ("Authorization", bearer.as_str());
        let config = "{}";
        let upload =
            self.client.send("POST", &self.url("alice/app/blobs/uploads/"), &[authorized], "");
        let upload = upload.unwrap();
        assert_eq!(upload.status, 202, "{}", self.registry.log());
        let place = format!("{}&digest={}", upload.all("location")[0], digest(config));
        let blob = self.client.send("PUT", &place, &[authorized], config).unwrap();
        assert_eq!(blob.status, 201, "{}", self.registry.log());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(),
                "digest": digest(config),
            },
            "layers": [],
        })
        .to_string();
        let headers = [authorized, ("Content-Type", MANIFEST)];
        let pushed =
            self.client.send("PUT", &self.url("alice/app/manifests/1"), &headers, &manifest);
        assert_eq!(pushed.unwrap().status, 201, "{}", self.registry.log());
        manifest
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.helper(&["logout", "--all"], "");
    }
}

#[test]
fn kernel_real_registry_answers_what_was_granted_and_nothing_else() {
    let shop = Shop::open();
    let host = shop.registry.host();
    let login = ["login", host.as_str(), "-u", "alice", "--password-stdin"];
    shop.helper(&login, PASSWORD).success();
    let manifest = shop.push();

    let bearer = shop.bearer("registry:catalog:*");
    let catalogue = shop.client.get(&shop.url("_catalog"), &[("Authorization", &bearer)]).unwrap();
    assert_eq!(catalogue.json(), json!({"repositories": ["alice/app"]}), "{}", shop.registry.log());

    let bearer = shop.bearer("repository:alice/app:pull");
    let headers = [("Authorization", bearer.as_str()), ("Accept", MANIFEST)];
    let pulled = shop.client.get(&shop.url("alice/app/manifests/1"), &headers).unwrap();
    assert_eq!((pulled.status, pulled.body), (200, manifest.into_bytes()));
    let other = shop.client.get(&shop.url("alice/other/manifests/1"), &headers).unwrap();
    assert_eq!(other.status, 401, "of another repository");

    let refused = shop.helper(&["token", &host, "--scope", "repository:bob/app:pull"], "");
    let refused = refused.failure();
    assert!(refused.stderr.contains("did not grant repository:bob/app:pull"), "{}", refused.stderr);
    assert_eq!(shop.server.journal().passwords_sent(), 1);
}
