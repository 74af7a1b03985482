//! A session bus of a test's own, with a HOME and an `XDG_RUNTIME_DIR` of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Ends a process that the test has started, by its id, and waits for it.
pub struct Process(pub Child);

impl Process {
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends the program that the bus has started, if it has, by the id that it left in a file.
pub struct OnDemand(PathBuf);

impl OnDemand {
    pub fn was_started(&self) -> bool {
        self.0.exists()
    }
}

impl Drop for OnDemand {
    fn drop(&mut self) {
        let pid = fs::read_to_string(&self.0).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It may have ended with its bus.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The next call of the service.
pub struct NextCall(Process);

impl NextCall {
    /// Waits until it is on the bus, whether or not it is answered.
    pub fn wait(mut self) {
        let lines = BufReader::new(self.0.0.stdout.take().unwrap()).lines();
        let (sender, called) = channel();
        thread::spawn(move || {
            if lines.map_while(Result::ok).any(|line| line.starts_with("method call")) {
                sender.send(()).unwrap();
            }
        });
        called.recv_timeout(Duration::from_secs(60)).expect("a call");
    }
}

/// The bus; it ends with this value.
pub struct Bus {
    address: String,
    _daemon: Process,
    dir: tempfile::TempDir,
}

impl Bus {
    /// A bus that starts no services by itself.
    pub fn start() -> Self {
        Self::with_services(None)
    }

    /// A bus that starts the services whose files are in this folder.
    pub fn with_services(services: Option<&Path>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["home", "run"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(dir.path().join(name), private).unwrap();
        }
        let services = services.map(|dir| format!("<servicedir>{}</servicedir>", dir.display()));
        // The limits are those of a desktop's bus.
        let config = format!(
            "<busconfig><type>session</type><listen>unix:dir={}</listen><auth>EXTERNAL</auth>{}\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/>\
             <allow eavesdrop='true'/><allow own='*'/></policy>\
             <limit name='max_connections_per_user'>100000</limit>\
             <limit name='max_completed_connections'>100000</limit>\
             <limit name='max_incomplete_connections'>10000</limit></busconfig>",
            dir.path().join("run").display(),
            services.unwrap_or_default(),
        );
        let path = dir.path().join("bus.conf");
        fs::write(&path, config).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", path.display()));
        command
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut daemon = private_environment(&mut command, dir.path())
            .spawn()
            .expect("dbus-daemon, of the package dbus");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(!address.is_empty(), "dbus-daemon told no address");
        Self { address, _daemon: Process(daemon), dir }
    }

    /// What a child process needs to be on this bus, without a display.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", self.address.clone()),
            ("HOME", path("home")),
            ("XDG_RUNTIME_DIR", path("run")),
        ]
    }

    /// What is its own, and ends with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A command on this bus.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        private_environment(&mut command, self.dir.path()).envs(self.environment());
        command
    }

    /// Lets the bus start this command line when the Secret Service is wanted; `services` is the
    /// folder that it was started with.
    pub fn starts_on_demand(&self, services: &Path, command_line: &str) -> OnDemand {
        let pid = services.join("pid");
        let script = format!("echo $$ >'{}'; exec {command_line}", pid.display());
        let service = format!(
            "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sh -c \"{script}\"\n"
        );
        fs::write(services.join("org.freedesktop.secrets.service"), service).unwrap();
        let mut reload = self.command("dbus-send");
        reload.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
        let done = reload.arg("org.freedesktop.DBus.ReloadConfig").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        OnDemand(pid)
    }

    /// Listens for a call of the Secret Service.
    pub fn next_call(&self) -> NextCall {
        let mut monitor = self.command("dbus-monitor");
        monitor.arg("type='method_call',destination='org.freedesktop.secrets'");
        let mut monitor =
            Process(monitor.stdout(Stdio::piped()).spawn().expect("dbus-monitor, of dbus"));
        // The first word is about the monitor itself: it listens.
        monitor.0.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        NextCall(monitor)
    }

    /// What is sent to these names while `act` runs: by whom, and the name of the call or signal.
    pub fn messages_to(&self, names: &[&str], act: impl FnOnce()) -> Vec<(String, String)> {
        let lines = self.lines_to(names, act);
        let messages = lines.iter().filter(|line| is_message(line));
        messages
            .map(|line| (part(line, "sender="), part(line, "member=")))
            // The bus tells its monitor what that has.
            .filter(|(sender, _)| sender.starts_with(':'))
            .collect()
    }

    /// What is sent to these names while `act` runs, with all arguments.
    pub fn lines_to(&self, names: &[&str], act: impl FnOnce()) -> Vec<String> {
        let mut monitor = self.command("dbus-monitor");
        monitor.args(names.iter().map(|name| format!("destination='{name}'")));
        let mut monitor =
            Process(monitor.stdout(Stdio::piped()).spawn().expect("dbus-monitor, of dbus"));
        let mut stdout = BufReader::new(monitor.0.stdout.take().unwrap());
        // The first word is about the monitor itself: it listens.
        stdout.read_exact(&mut [0]).unwrap();
        act();
        let last = "/last";
        let mut end = self.command("dbus-send");
        end.args(["--session", "--type=method_call", &format!("--dest={}", names[0])]);
        let sent = end.args([last, "org.x.X.Last"]).output().expect("dbus-send, of dbus");
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let lines = stdout.lines().map_while(Result::ok);
        lines.take_while(|line| !is_message(line) || part(line, "path=") != last).collect()
    }

    /// Waits until somebody offers `name`.
    pub fn wait_for(&self, name: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let mut ask = self.command("dbus-send");
            ask.args(["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/"]);
            ask.arg("org.freedesktop.DBus.NameHasOwner").arg(format!("string:{name}"));
            let answer = ask.output().expect("dbus-send, of the package dbus");
            if String::from_utf8_lossy(&answer.stdout).contains("true") {
                return;
            }
            assert!(Instant::now() < end, "{name} did not come");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether a line of dbus-monitor is the first of a message.
fn is_message(line: &str) -> bool {
    ["method call ", "signal "].iter().any(|start| line.starts_with(start))
}

/// What such a line says after a name.
fn part(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(name).expect("a line of dbus-monitor");
    rest.split([' ', ';']).next().unwrap_or_default().to_owned()
}

/// Nothing of the desktop that the tests may run on.
fn private_environment<'a>(command: &'a mut Command, dir: &Path) -> &'a mut Command {
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL"]
    {
        command.env_remove(name);
    }
    command.env("HOME", dir.join("home")).env("XDG_RUNTIME_DIR", dir.join("run"));
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    command
}
