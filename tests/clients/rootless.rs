//! Real rootless podman, as an ordinary user without a desktop: `configure` makes the key of the `file`
//! keychain, and podman in its user namespace and the helper outside of it see one login.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::docker_cli::HELPER;
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::process::{Finished, run};
use crate::round_trip::clients::{ENCODED, PASSWORD, push_image};
use crate::runner::{LIMIT, assert_no_file_has};

/// What the machine's root does: a user of its own, in an `/etc` that nobody else sees.
const MACHINE: &str = r#"
set -eu
mount --make-rprivate /
mkdir "$WORK/etc"
mount -t tmpfs -o mode=755 none "$WORK/etc"
cp -a /etc/. "$WORK/etc"
mount --bind "$WORK/etc" /etc
useradd --create-home --home-dir "$WORK/home" --shell /bin/sh rootless-test
cp "$HELPER" "$WORK/bin/docker-credential-refresh"
exec runuser -u rootless-test -- env --ignore-environment HOME="$WORK/home" \
    PATH="$WORK/bin:/usr/bin:/bin" REGISTRY="$REGISTRY" PASSWORD="$PASSWORD" sh "$WORK/user.sh"
"#;

/// What the user does. Each step says what it is about.
const USER: &str = r#"
set -eu
cd
export XDG_RUNTIME_DIR="$HOME/run" CONTAINERS_STORAGE_CONF="$HOME/storage.conf"
mkdir -m 700 "$XDG_RUNTIME_DIR"
printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' \
    "$HOME/graph" "$XDG_RUNTIME_DIR/storage" > "$CONTAINERS_STORAGE_CONF"
password=$PASSWORD
unset PASSWORD
image=docker://$REGISTRY/alice/app:1
key=$HOME/.config/docker-credential-refresh/age-identity.txt
step() { echo "=== $*"; }
refresh() { docker-credential-refresh "$@"; }
ask() { printf %s "$REGISTRY" | docker-credential-refresh get || :; }

step is rootless
podman info --format '{{.Host.Security.Rootless}}'
step configure
refresh configure --fallback none 2>&1
stat --format 'mode %a' "$key"
cp -p "$key" "$HOME/key"
step configure again
refresh configure
refresh unconfigure > "$HOME/undone"
refresh configure --fallback none > "$HOME/redone"
cmp "$key" "$HOME/key" && echo the same key
step podman login
printf %s "$password" | podman login --tls-verify=false -u alice --password-stdin "$REGISTRY" 2>&1
step outside
refresh list
refresh status
step in the namespace
podman unshare docker-credential-refresh list
step podman pull
podman pull --tls-verify=false "$image" 2>&1
podman images --format '{{.Repository}}'
step podman logout
podman logout "$REGISTRY"
ask
step login outside
printf %s "$password" | refresh login -u alice --password-stdin "$REGISTRY" 2>&1
podman pull --tls-verify=false "$image" > "$HOME/pulled" 2>&1
step logout outside
refresh logout "$REGISTRY" 2>&1
podman pull --tls-verify=false "$image" 2>&1 || echo refused
podman unshare rm -rf "$HOME/graph"
"#;

/// What was printed at a step.
fn step<'a>(done: &'a Finished, name: &str) -> &'a str {
    let all = done.stdout.split("=== ");
    let found = all.filter_map(|step| step.split_once('\n')).find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no step {name}: {done}")).1
}

#[test]
fn rootless_podman_and_the_helper_see_one_login_beside_docker_registry() {
    let server = TokenServer::builder().profile(Profile::PostOnly).user("alice", PASSWORD);
    let server = server.plain_http().start();
    let registry = RealRegistry::start(&server).expect("a registry");
    let host = registry.host();
    push_image(&host);
    let work = tempfile::tempdir().expect("a folder");
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o711)).expect("a mode");
    fs::create_dir(work.path().join("bin")).expect("a folder");
    fs::write(work.path().join("machine.sh"), MACHINE).expect("a file");
    fs::write(work.path().join("user.sh"), USER).expect("a file");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh"]).arg(work.path().join("machine.sh"));
    command.env("WORK", work.path()).env("HELPER", HELPER);
    command.env("REGISTRY", &host).env("PASSWORD", PASSWORD);
    let done = run(&mut command, b"", LIMIT).success();

    let has = |name: &str, text: &str| {
        let said = step(&done, name);
        assert!(said.contains(text), "{name}: no {text:?} in {said}");
    };
    has("is rootless", "true");
    has("configure", "a new age identity");
    has("configure", "rootless podman calls helpers in a user namespace");
    has("configure", "mode 600");
    has("configure again", "Nothing to change");
    has("configure again", "the same key");
    has("podman login", "Login Succeeded!");
    let listed = format!("{{\"{host}\":\"\\u003ctoken\\u003e\"}}");
    has("outside", &listed);
    has("outside", "file");
    has("in the namespace", &listed);
    has("podman pull", &format!("{host}/alice/app"));
    has("podman logout", "Removed login credentials");
    has("podman logout", "credentials not found in native keychain");
    has("login outside", "Login Succeeded");
    has("logout outside", "refused");
    has("logout outside", "authentication required");
    for secret in [PASSWORD, ENCODED] {
        assert_no_file_has(&work.path().join("home"), secret.as_bytes());
    }
}
