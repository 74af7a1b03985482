//! skopeo's other commands, buildah's, and the Docker SDK for Python: each by one login that the helper keeps.

use std::fs;

use crate::docker_cli::{DockerCli, HELPER};
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::round_trip::clients::{PASSWORD, push_image};

#[test]
fn podmans_companions_copy_sync_build_and_delete_beside_docker_registry() {
    let server = TokenServer::builder().profile(Profile::PostOnly).user("alice", PASSWORD);
    let server = server.user_scope("alice", "repository:alice/*:*").plain_http().start();
    let registry = RealRegistry::start(&server).expect("a registry");
    let host = registry.host();
    push_image(&host);
    let cli = DockerCli::new([("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into())]);
    let cli = cli.with_storage();
    cli.program(HELPER, &["keygen", "--install"]).success();
    cli.program(HELPER, &["configure", "--fallback", "none"]).success();
    let image = |name: &str| format!("docker://{host}/alice/{name}");
    let skopeo = |arguments: &[&str]| cli.program("skopeo", arguments);
    let (insecure, both) =
        ("--tls-verify=false", ["--src-tls-verify=false", "--dest-tls-verify=false"]);
    skopeo(&["inspect", insecure, &image("app:1")]).failure();

    let login = ["login", insecure, "-u", "alice", "--password-stdin", &host];
    cli.program_with("skopeo", &login, PASSWORD).success();
    let sent = server.journal().passwords_sent();
    skopeo(&["inspect", insecure, &image("app:1")]).success();
    skopeo(&["list-tags", insecure, &image("app")]).success();
    skopeo(&["copy", both[0], both[1], &image("app:1"), &image("copy:1")]).success();
    skopeo(&["copy", both[0], &image("copy:1"), "dir:saved"]).success();
    let from = format!("{host}/alice/app");
    skopeo(&["sync", both[0], "--src=docker", "--dest=dir", &from, "synced"]).success();
    fs::write(cli.root().join("Dockerfile"), format!("FROM {host}/alice/copy:1\nLABEL a=b\n"))
        .expect("a file");
    let built = format!("{host}/alice/built:1");
    cli.program("buildah", &["build", insecure, "--tag", &built, "."]).success();
    cli.program("buildah", &["push", insecure, &built]).success();
    skopeo(&["delete", insecure, &image("copy:1")]).success();
    skopeo(&["inspect", insecure, &image("copy:1")]).failure();
    assert_eq!(server.journal().passwords_sent(), sent, "a password was used again");

    skopeo(&["logout", &host]).success();
    let refused = skopeo(&["inspect", insecure, &image("app:1")]).failure();
    assert!(refused.stderr.contains("authentication required"), "{refused}");
}

/// The SDK asks the helper itself, and hands what it gets to the daemon.
#[test]
fn the_docker_sdk_for_python_gets_the_identity_token() {
    let server = TokenServer::builder().profile(Profile::PostOnly).user("alice", PASSWORD);
    let server = server.plain_http().start();
    let host = server.registry_host();
    let cli = DockerCli::new([("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into())]);
    cli.program(HELPER, &["keygen", "--install"]).success();
    let script =
        "import docker.auth, sys; print(docker.auth.load_config().resolve_authconfig(sys.argv[1]))";
    let ask = || cli.program("/usr/bin/python3", &["-c", script, &host]).success().stdout;
    assert_eq!(ask().trim(), "None");
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    cli.program_with(HELPER, &login, PASSWORD).success();
    let answer = ask();
    assert!(
        answer.contains("'IdentityToken': ") && !answer.contains("Username"),
        "no identity token"
    );
}
