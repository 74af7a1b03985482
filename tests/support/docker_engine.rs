//! A Docker Engine of the test's own: nothing of the machine's daemon is used or changed.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Pid;
use tempfile::TempDir;

use crate::process::{Running, end};

/// dockerd with its own data, state and socket; it stops on drop, and its containerd with it.
pub struct DockerEngine {
    // Before the folder that it works in.
    daemon: Option<Running>,
    folder: TempDir,
}

impl DockerEngine {
    /// Starts it and waits until it answers; `trusted` is the file of the CAs that it believes.
    /// Needs root.
    pub fn start(trusted: Option<&Path>) -> Self {
        Self::start_with(trusted.map(|file| ("SSL_CERT_FILE".into(), file.into())))
    }

    /// The same with these variables.
    pub fn start_with(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let folder = tempfile::Builder::new().prefix("engine-").tempdir().expect("a folder");
        let within = |name: &str| folder.path().join(name);
        // A file of our own, or the machine's /etc/docker/daemon.json would count.
        fs::write(within("daemon.json"), "{}").expect("write the settings");
        let socket = within("docker.sock");
        let mut command = Command::new("dockerd");
        command.env_clear().envs(variables);
        let mut daemon = Running::start(
            command
                .arg("--config-file")
                .arg(within("daemon.json"))
                .arg("--data-root")
                .arg(within("data"))
                .arg("--exec-root")
                .arg(within("exec"))
                .arg("--pidfile")
                .arg(within("docker.pid"))
                .arg(format!("--host=unix://{}", socket.display()))
                // Push and pull need no container network, and the machine's stays as it is.
                .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
                .args(["--ip-forward=false", "--ip-masq=false"])
                // All that it could possibly log is there for the canary scan.
                .arg("--debug")
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("HOME", folder.path()),
            &within("dockerd.log"),
        );
        daemon.wait_until(Duration::from_secs(60), || answers(&socket));
        Self { daemon: Some(daemon), folder }
    }

    /// For the variable `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// Its data, state and log.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The containerd that it started, if it did (one of the machine's may be in use instead).
    fn containerd(&self) -> Option<(Pid, PathBuf)> {
        let file = self.folder.path().join("exec/containerd/containerd.pid");
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        Some((Pid::from_raw(pid)?, PathBuf::from(format!("/proc/{pid}/cmdline"))))
    }
}

impl Drop for DockerEngine {
    fn drop(&mut self) {
        let containerd = self.containerd();
        self.daemon.take();
        let root = self.folder.path().display().to_string();
        if let Some((pid, arguments)) = containerd {
            // Still there only if dockerd had to be killed; the id may be another's by now.
            let runs = || fs::read_to_string(&arguments).is_ok_and(|text| text.contains(&root));
            if runs() {
                end(pid, || !runs());
            }
        }
        // A daemon that ended in a hurry leaves its mounts, and the folder could not be removed.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let paths = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for path in paths.filter(|path| path.starts_with(&root)) {
            let _ = Command::new("umount").arg("--lazy").arg(path).status();
        }
    }
}

/// The socket is there before the daemon is ready; this is what the Docker CLI asks first.
fn answers(socket: &Path) -> bool {
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains(" 200 "))
}
