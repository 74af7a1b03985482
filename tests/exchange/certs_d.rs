//! `certs.d` as it is found: folders and files that others own, links that lead nowhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::mock_token_server::TokenServer;
use crate::support::user::{Outcome, User};

const PASSWORD: &str = "correct horse battery";
/// PEM, and no certificate in it.
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nMAAwADAA\n-----END CERTIFICATE-----\n";
const DENIED: &str = "is used: Permission denied";

/// Someone who trusts the server by a setting, whatever there is in `certs.d`.
fn user(server: &TokenServer) -> User {
    let (user, host) = (User::new(), server.registry_host());
    let file = server.ca_file().display().to_string();
    user.settings(&format!("[registry.\"{host}\"]\nca_file = {file:?}\n"));
    fs::create_dir_all(user.certs_d(&host)).unwrap();
    user
}

fn forbid(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
}

/// In a user namespace, where root may not read what has no mode bits either.
fn store(user: &User, server: &TokenServer) -> Outcome {
    let (host, name) = (server.registry_host(), "alice");
    user.secret(PASSWORD);
    let payload = serde_json::json!({"ServerURL": host, "Username": name, "Secret": PASSWORD});
    user.run_under(&["unshare", "--user"], "store", payload.to_string().as_bytes())
}

/// docker/for-linux#396, moby#37840, helm#7280: `/etc/docker` is root's alone.
#[test]
fn a_folder_that_may_not_be_looked_into_adds_no_trust_and_stops_nothing() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = user(&server);
    let folder = user.certs_d(&server.registry_host());
    let above = folder.parent().unwrap();
    for closed in [&folder, above] {
        forbid(closed);
        store(&user, &server).succeeded().noted(DENIED);
        fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert!(!store(&user, &server).succeeded().stderr.contains("certificate"));
}

#[test]
fn a_ca_that_cannot_be_read_adds_no_trust_and_stops_nothing() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = user(&server);
    let folder = user.certs_d(&server.registry_host());
    fs::write(folder.join("other.crt"), "").unwrap();
    forbid(&folder.join("other.crt"));
    store(&user, &server).succeeded().noted(DENIED);
    fs::remove_file(folder.join("other.crt")).unwrap();
    symlink("/nowhere", folder.join("gone.crt")).unwrap();
    store(&user, &server).succeeded().noted("gone.crt is used: No such file or directory");
    for (text, why) in [("", "no PEM certificate"), (BROKEN, "no certificate that can be used")] {
        fs::write(folder.join("odd.crt"), text).unwrap();
        store(&user, &server).succeeded().noted(&format!("odd.crt holds {why}; it is left out"));
    }
    fs::remove_file(folder.join("odd.crt")).unwrap();
    // It would have been needed: then the note comes beside the error.
    user.settings("");
    fs::write(folder.join("ca.crt"), server.ca_pem().unwrap()).unwrap();
    store(&user, &server).succeeded();
    forbid(&folder.join("ca.crt"));
    store(&user, &server).failed_with(&["UnknownIssuer"]).noted(DENIED);
}

/// moby#40236, moby#21148: the pair is root's, and cannot be half of one.
#[test]
fn a_client_pair_that_cannot_be_read_is_named() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = user(&server);
    let folder = user.certs_d(&server.registry_host());
    for (name, text) in [("client.cert", server.ca_pem().unwrap()), ("client.key", String::new())] {
        fs::write(folder.join(name), text).unwrap();
    }
    store(&user, &server).failed_with(&["client.key", "there is no key in it"]);
    for file in ["client.key", "client.cert"] {
        forbid(&folder.join(file));
        store(&user, &server).failed_with(&[file, "Permission denied"]);
    }
}
