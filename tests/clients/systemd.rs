//! The README's service, started by a real systemd: as process 1 of a namespace of its own, where
//! what it and the recipe write (`/etc`, `/run`, `/var/lib`, its control groups) is private.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::canary::Canary;
use crate::docker_cli::HELPER;
use crate::process::{Finished, run};
use crate::runner::{ALICE, CAROL, LIMIT, PLAIN, Runner, plain};

const SETUP: &str = include_str!("../headless/service.sh");
const UNIT: &str = include_str!("../headless/puller.service");
const CREDENTIAL: &str = "LoadCredentialEncrypted=";

/// What a machine does before somebody installs the service, and then the boot.
/// `$WORK` has the files of the test, `$GROUP` is the name of a control group.
const MACHINE: &str = r#"
set -eu
if [ "$1" = first ]; then
    mount --make-rprivate /
    mount -t cgroup2 none "$WORK/groups"
    mkdir "$WORK/groups/$GROUP"
    echo $$ > "$WORK/groups/$GROUP/cgroup.procs"
    umount "$WORK/groups"
    exec unshare --cgroup sh "$0" second
fi
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=755 none /run
# On a disk: systemd refuses to keep the machine's key in memory.
mkdir "$WORK/lib"
mount --bind "$WORK/lib" /var/lib
mkdir /run/etc /run/bin
cp -a /etc/. /run/etc
mount --bind /run/etc /etc
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
cp "$HELPER" /run/bin/docker-credential-refresh
cp "$SSL_CERT_FILE" /run/ca.crt
export SSL_CERT_FILE=/run/ca.crt PATH="/run/bin:$PATH"
( . "$WORK/service.sh" )
cp "$WORK/puller.service" /etc/systemd/system
mkdir /etc/systemd/system/puller.service.d
cp "$WORK/test.conf" /etc/systemd/system/puller.service.d
: > "$WORK/console"
mount --bind "$WORK/console" /dev/console
# Else it would raise limits of the machine itself.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
# Credentials come by mounts, which systemd expects to spread.
mount --make-rshared /
export container=other
exec env --ignore-environment container=other PATH="$PATH" \
    /lib/systemd/systemd --unit=puller.service --log-target=console --show-status=no
"#;

/// Sets the service up and starts it once; it ends with the service's exit status.
fn boot(runner: &Runner, unit: &str, image: &str) -> (Finished, String) {
    let work = runner.at("tmp");
    let here = |text: &str| {
        let text = text.replace("registry.example.com/team/app:latest", image);
        text.replace("registry.example.com", &runner.registry.host())
    };
    let login = "login registry.example.com\n";
    assert!(SETUP.ends_with(login));
    // A person is asked; a test is not.
    let setup = SETUP.replace(login, "login registry.example.com -u carol --password-stdin\n");
    let engine = runner.engine.as_ref().unwrap();
    let log = work.join("service.log");
    let around = format!(
        "[Unit]\nDefaultDependencies=no\nSuccessAction=exit-force\nFailureAction=exit-force\n\
         [Service]\nEnvironment=PATH=/run/bin:/usr/bin:/bin DOCKER_HOST={}\n\
         StandardOutput=append:{log}\nStandardError=append:{log}\n",
        engine.host(),
        log = log.display(),
    );
    let files =
        [("service.sh", &setup), ("puller.service", &unit.to_owned()), ("test.conf", &around)];
    for (name, text) in files {
        fs::write(work.join(name), here(text)).unwrap();
    }
    fs::write(work.join("machine.sh"), MACHINE).unwrap();
    fs::write(&log, "").unwrap();
    fs::create_dir_all(work.join("groups")).unwrap();
    if work.join("lib").exists() {
        fs::remove_dir_all(work.join("lib")).unwrap();
    }
    // The group docker may use the daemon, which is in a folder of root's here.
    fs::set_permissions(engine.root(), fs::Permissions::from_mode(0o711)).unwrap();
    let group = format!("docker-credential-refresh-{}", std::process::id());
    let machine = work.join("machine.sh").display().to_string();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--uts", "--ipc"]);
    command.args(["sh", &machine, "first"]);
    command.env("WORK", &work).env("GROUP", &group).env("HELPER", HELPER);
    command.env("SSL_CERT_FILE", runner.server.ca_file());
    let booted = run(&mut command, CAROL.1.as_bytes(), LIMIT);
    let remove = "mount -t cgroup2 none \"$0\" && find \"$0/$1\" -depth -type d -exec rmdir {} \\;";
    let mut clean = Command::new("unshare");
    clean.args(["--mount", "sh", "-c", remove]).arg(work.join("groups")).arg(group);
    run(&mut clean, b"", LIMIT).success();
    let console = fs::read_to_string(work.join("console")).unwrap_or_default();
    let said = fs::read_to_string(&log).unwrap();
    (booted, format!("{said}\n--- console:\n{console}"))
}

#[test]
fn docker_pulls_in_a_service_of_systemd_with_a_daemon() {
    let runner = Runner::new(true);
    let canary = Canary::new(CAROL.1);
    let watch = canary.watch();
    let image = runner.image("alice");
    // A job pushes the image, and logs out.
    plain(&runner, PLAIN, ALICE).success();
    let removed = run(&mut runner.shell("alice", &format!("docker rmi {image}")), b"", LIMIT);
    removed.success();

    let pulls = || {
        let journal = runner.server.journal();
        let granted = journal.iter().filter(|request| request.status == Some(200));
        granted
            .filter(|r| r.has("client_id", "docker") && r.has("grant_type", "refresh_token"))
            .filter(|r| r.parameter("scope").is_some_and(|scope| scope.ends_with(":pull")))
            .count()
    };
    let before = pulls();
    let (booted, said) = boot(&runner, UNIT, &image);
    assert!(booted.status.success(), "{booted}\n{said}");
    assert!(booted.stderr.contains("stored in the file keychain until it is deleted"), "{booted}");
    assert!(said.contains("Downloaded newer image") || said.contains("Pull complete"), "{said}");
    assert_eq!(pulls(), before + 1, "{said}");

    // The key is what it takes.
    let without: Vec<_> = UNIT.lines().filter(|line| !line.starts_with(CREDENTIAL)).collect();
    let (booted, said) = boot(&runner, &without.join("\n"), &image);
    assert!(!booted.status.success(), "{booted}\n{said}");
    assert!(said.contains("there is no age identity"), "{said}");
    let scan = canary.scan().processes(watch).root(runner.folder.path()).assert_clean();
    println!("service: {scan}");
}
