//! `configure` beside the logins that podman, skopeo and buildah find now: none that worked is dead after.

use std::fs;

use base64::Engine;
use serde_json::{Value, json};

use crate::docker_cli::{DockerCli, HELPER};
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};

const PASSWORD: &str = "a password of alice";

/// A login that is accepted leads to an image that is not there; another leads nowhere.
fn works(cli: &DockerCli, client: &str, host: &str) -> bool {
    let image = format!("docker://{host}/alice/none:1");
    let verb = if client == "skopeo" { "inspect" } else { "pull" };
    let text = cli.program(client, &[verb, "--tls-verify=false", &image]).text();
    text.contains("manifest unknown")
}

#[test]
fn no_login_that_worked_is_dead_after_configure() {
    let server = TokenServer::builder().profile(Profile::PostOnly).user("alice", PASSWORD);
    let server = server.plain_http().start();
    let registry = RealRegistry::start(&server).expect("a registry");
    let host = registry.host();
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
    let entry = |name: &str| -> Value { json!({name: {"auth": auth}}) };
    let url = format!("http://{host}/v1/");
    let shapes: [(&str, &str, Value); 5] = [
        ("docker's file", ".docker/config.json", json!({"auths": entry(&host)})),
        ("docker's file, as a URL", ".docker/config.json", json!({"auths": entry(&url)})),
        (".dockercfg", ".dockercfg", entry(&host)),
        ("auth.json", ".config/containers/auth.json", json!({"auths": entry(&host)})),
        ("XDG_RUNTIME_DIR", "../runtime/containers/auth.json", json!({"auths": entry(&host)})),
    ];
    let ways: [&[&str]; 3] = [&[], &["--no-podman"], &["--registry", &host]];
    println!("{:26} {:34} {:8} before after", "login in", "configure", "client");
    let mut worked = 0;
    for (shape, file, content) in &shapes {
        for way in ways {
            let cli =
                DockerCli::new([("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into())]);
            let home = cli.root().join("home");
            fs::write(home.join(".docker/config.json"), "{}").unwrap();
            let path = home.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content.to_string()).unwrap();
            cli.program(HELPER, &["keygen", "--install"]).success();
            let clients = ["podman", "skopeo", "buildah"];
            let before = clients.map(|client| works(&cli, client, &host));
            let arguments = [&["configure", "--fallback", "none"], way].concat();
            cli.program(HELPER, &arguments).success();
            let after = clients.map(|client| works(&cli, client, &host));
            for (at, client) in clients.iter().enumerate() {
                let (way, before, after) = (way.join(" "), before[at], after[at]);
                println!("{shape:26} {way:34} {client:8} {before:6} {after}");
                assert!(after || !before, "{client} lost the login in {shape}");
                worked += usize::from(before);
            }
        }
    }
    assert!(worked > 15, "only {worked} logins worked before");
}
