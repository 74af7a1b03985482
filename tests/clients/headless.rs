//! The recipes of the README for machines without a desktop, to the letter.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::canary::Canary;
use crate::docker_cli::HELPER;
use crate::keychain::Keychain;
use crate::mock_token_server::Profile;
use crate::process::{Finished, run};
use crate::runner::{ALICE, LIMIT, Runner};
use crate::scenario::{Scenario, Setup};

const CONTAINER: &str = include_str!("../headless/container.sh");
const CRONTAB: &str = include_str!("../headless/crontab");
const SSH: &str = include_str!("../headless/ssh.sh");

/// Runs a recipe with what the account is given.
fn recipe(runner: &Runner, name: &str, text: &str, input: &str) -> Finished {
    let file = runner.at(name);
    fs::write(&file, text).unwrap();
    let mut shell = runner.shell(ALICE.0, &format!("exec sh '{}'", file.display()));
    shell.env("REGISTRY_PASSWORD", ALICE.1).env("SCOPE", "repository:alice/app:pull");
    run(shell.env("TOOLS", "tools:1"), input.as_bytes(), LIMIT)
}

/// The helper with its libraries, and the system's CAs: what a small image has.
fn image(runner: &Runner) {
    let root = runner.at("image");
    let put = |from: &Path, to: &str| {
        let to = root.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    put(Path::new(HELPER), "bin/docker-credential-refresh");
    put(&runner.server.ca_file(), "etc/ssl/certs/ca-certificates.crt");
    let needed = run(Command::new("ldd").arg(HELPER), b"", LIMIT).success().stdout;
    for library in needed.split_whitespace().filter(|word| word.starts_with('/')) {
        put(Path::new(library), library);
    }
    let import = format!("tar -C '{}' -c . | docker import - tools:1", root.display());
    run(&mut runner.shell(ALICE.0, &import), b"", LIMIT).success();
    // The tests' daemon has no network for containers but the machine's.
    let path = std::env::var("PATH").unwrap();
    let with_network = "[ \"$1\" != run ] || { shift; set -- run --network host \"$@\"; }";
    runner.program("docker", &format!("{with_network}\nPATH='{path}'\nexec docker \"$@\""));
}

#[test]
fn docker_runs_a_container_that_logs_in_with_a_daemon() {
    let runner = Runner::new(true);
    let canary = Canary::new(ALICE.1);
    image(&runner);
    let engine = runner.engine.as_ref().unwrap();

    // Without an identity there is nothing, and it says what would do, before a password is sent.
    let bare = CONTAINER.lines().filter(|line| !line.contains("AGE_IDENTITY"));
    let refused = recipe(&runner, "bare.sh", &bare.collect::<Vec<_>>().join("\n"), "").failure();
    for part in
        ["secret-service: ", "file: there is no age identity", "kernel: keyctl is forbidden"]
    {
        assert!(refused.stderr.contains(part), "{refused}");
    }
    assert_eq!(refused.status.code(), Some(6), "{refused}");
    assert_eq!(runner.server.journal().passwords_sent(), 0);

    let done = recipe(&runner, "container.sh", CONTAINER, "").success();
    assert!(done.stderr.contains("stored in the file keychain until it is deleted"), "{done}");
    assert_eq!(done.stdout.lines().last().unwrap().split('.').count(), 3, "a JWT: {done}");
    assert_eq!(runner.server.journal().passwords_sent(), 1);
    let identity = fs::metadata(runner.at("work/age-identity.txt")).unwrap();
    assert_eq!(identity.permissions().mode() & 0o777, 0o600);

    // Another container, later: the key and the volume are all that it takes.
    let get = CONTAINER.split("printf ").next().unwrap().to_owned()
        + "printf %s \"$REGISTRY\" | tools docker-credential-refresh get\n";
    let answer = recipe(&runner, "get.sh", &get, "").success().stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let token = Canary::new(answer["Secret"].as_str().unwrap());
    for canary in [canary, token] {
        let [data, log] = ["data", "dockerd.log"].map(|name| engine.root().join(name));
        let scan = canary.scan().root(&data).root(&log).root(runner.folder.path());
        println!("container: {}", scan.assert_clean());
    }
}

/// With the directory that a login by SSH mostly has: the daemon then says nothing of where it is.
#[test]
fn gnome_keyring_in_a_shell_by_ssh_beside_a_real_registry() {
    for runtime in [None, Some("run")] {
        let runner = Runner::new(false);
        let session = |password: &str, commands: &str| {
            let mut text = SSH.to_owned();
            if let Some(name) = runtime {
                let folder = runner.at(name);
                let set = format!(
                    "mkdir -pm 700 '{0}'; export XDG_RUNTIME_DIR='{0}'; exec dbus-",
                    folder.display()
                );
                text = text.replace("exec dbus-", &set);
            }
            let done = recipe(&runner, "ssh.sh", &text, &format!("{password}\n{commands}\n"));
            assert!(!done.text().contains(ALICE.1), "the environment was shown: {done}");
            done
        };
        let login = "printf %s \"$REGISTRY_PASSWORD\" | \
                     docker-credential-refresh login -u alice --password-stdin \"$REGISTRY\"";
        let done = session("keyring", login).success();
        let kept = "stored in the secret-service keychain until it is deleted (the desktop's keyring \
                    is unlocked)";
        assert!(done.stderr.contains(kept), "{done}");

        let get = "printf %s \"$REGISTRY\" | docker-credential-refresh get";
        let answer = session("keyring", get).success();
        assert!(answer.stdout.contains("\"<token>\"") || answer.stdout.contains("u003ctoken"));

        let locked = session("another", get).failure();
        assert!(locked.stderr.contains("The keyring is not open"), "{locked}");
        assert_eq!(locked.stdout, "", "no shell was opened");
    }
}

/// The lines of a crontab: what they set, and the commands.
fn parsed(crontab: &str) -> (Vec<(&str, &str)>, Vec<String>) {
    let (commands, set): (Vec<_>, Vec<_>) = crontab.lines().partition(|line| line.contains('*'));
    let command = |line: &str| line.split(' ').skip(5).collect::<Vec<_>>().join(" ");
    let set = set.into_iter().map(|line| line.split_once('=').expect("a variable"));
    (set.collect(), commands.into_iter().map(command).collect())
}

/// Runs the job of the crontab as cron does: little in the environment, no session.
fn cron(all: &Scenario, crontab: &str, image: &str, runtime: Option<&Path>) -> Finished {
    let (set, commands) = parsed(crontab);
    let [command] = &commands[..] else { panic!("{commands:?}") };
    let mut sh = Command::new("sh");
    sh.args(["-c", &command.replace("registry.example.com/team/app:latest", image)]);
    sh.env_clear().env("HOME", all.cli.root().join("home")).env("LOGNAME", "alice");
    sh.env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin").env("DOCKER_HOST", all.engine_host());
    for (name, value) in set {
        match (name, runtime) {
            // Where the recipe has /usr/local/bin is the helper.
            ("PATH", _) => {
                let bin = all.cli.root().join("bin").display().to_string();
                sh.env(name, value.replace("/usr/local/bin", &bin));
            }
            ("XDG_RUNTIME_DIR", Some(runtime)) => {
                sh.env(name, runtime);
            }
            ("XDG_RUNTIME_DIR", None) => {}
            _ => panic!("{name}"),
        }
    }
    for (name, value) in &all.keychain.environment {
        // A setting of the tests; the others are what a session has, and cron has not.
        if name.to_string_lossy().starts_with("DOCKER_CREDENTIAL_REFRESH_") {
            sh.env(name, value);
        }
    }
    run(&mut sh, b"", LIMIT)
}

/// Logs in, and leaves an image at the registry that is not here.
fn with_image(keychain: Keychain) -> (Scenario, String) {
    let setup = Setup { profile: Profile::PostOnly, keychain, engine: true, tls: false };
    let mut all = Scenario::start(setup);
    all.log_in(&all.password.clone()).success();
    let image = format!("{}/alice/hello:1", all.registry());
    all.import(&image);
    all.docker(&["push", &image], "").success();
    all.docker(&["rmi", &image], "").success();
    (all, image)
}

#[test]
fn docker_pulls_from_cron_with_a_daemon_and_kernel_keyring() {
    let (all, image) = with_image(Keychain::kernel());
    cron(&all, CRONTAB, &image, None).success();
}

#[test]
fn docker_pulls_from_cron_with_a_daemon_and_gnome_keyring_by_the_users_bus() {
    let (all, image) = with_image(Keychain::gnome_keyring());
    let refused = cron(&all, CRONTAB, &image, None).failure();
    assert!(refused.stderr.contains("there is no D-Bus session bus"), "{refused}");
    // A bus of systemd's is at this place of the user's directory.
    let value = |wanted: &str| {
        let found = all.keychain.environment.iter().find(|(name, _)| name == wanted);
        found.unwrap().1.to_str().unwrap()
    };
    let socket = value("DBUS_SESSION_BUS_ADDRESS").split(['=', ',']).nth(1).unwrap();
    let runtime = Path::new(value("XDG_RUNTIME_DIR"));
    fs::hard_link(socket, runtime.join("bus")).unwrap();
    cron(&all, CRONTAB, &image, Some(runtime)).success();
}
