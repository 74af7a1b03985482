//! A real GNOME Keyring on a bus of its own, unlocked.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use dbus::Path;
use dbus::channel::Channel;
use dbus::message::{Message, MessageType};

use super::bus::{Bus, Process};

/// How the bus starts one: locked, if it has a keyring at all.
pub const ON_DEMAND: &str = "gnome-keyring-daemon --foreground --components=secrets";

/// The keyring; its processes end with this value.
pub struct GnomeKeyring {
    daemon: Process,
    pub bus: Bus,
}

impl GnomeKeyring {
    /// Starts one whose default collection is unlocked.
    pub fn start() -> Self {
        Self::start_on(Bus::start())
    }

    pub fn start_on(bus: Bus) -> Self {
        let daemon = unlocked(&bus);
        Self { daemon, bus }
    }

    /// What a child process needs to use it, without a display.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.bus.environment()
    }

    /// Locks the default collection; without a display nothing unlocks it again.
    pub fn lock(&self) {
        let mut lock = self.bus.command("dbus-send");
        lock.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"]);
        lock.args(["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"]);
        lock.arg("array:objpath:/org/freedesktop/secrets/collection/login");
        let done = lock.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        self.daemon.0.kill().unwrap();
        self.daemon.0.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.daemon.0.try_wait().unwrap().is_none()
    }

    /// Whether it still runs or how it ended, and what it said.
    pub fn fate(&mut self) -> String {
        let ended = self.daemon.0.try_wait().unwrap();
        let ended = ended.map_or_else(|| "it still runs".to_owned(), |status| status.to_string());
        let said = fs::read_to_string(said(&self.bus)).unwrap();
        format!("GNOME Keyring: {ended}\n{said}")
    }

    /// Stops it, so that it is there and does not answer.
    pub fn freeze(&self) {
        self.daemon.signal(rustix::process::Signal::STOP);
    }

    /// Starts it again after [`kill`](Self::kill), unlocked, with what it had kept.
    pub fn restart(&mut self) {
        self.daemon = unlocked(&self.bus);
    }

    /// A prompter that takes what it is asked and shows nothing, as long as the bus lives.
    pub fn prompter_that_nobody_answers(&self) {
        let mut prompter = Channel::open_private(self.bus.address()).unwrap();
        prompter.register().unwrap();
        let bus = "org.freedesktop.DBus";
        let name = ("org.gnome.keyring.SystemPrompter", 0_u32);
        let ask = Message::call_with_args(bus, "/org/freedesktop/DBus", bus, "RequestName", name);
        prompter.send_with_reply_and_block(ask, Duration::from_secs(5)).unwrap();
        thread::spawn(move || {
            while prompter.read_write(None).is_ok() {
                while let Some(message) = prompter.pop_message() {
                    if message.msg_type() == MessageType::MethodCall {
                        // Or the keyring gives it up after 25 s.
                        let _gone = prompter.send(message.method_return());
                    }
                }
            }
        });
    }

    /// An item as another program would make it.
    pub fn plant(&self, attributes: &[(&str, &str)], secret: &str) {
        let mut store = self.bus.command("secret-tool");
        store.args(["store", "--label=planted"]);
        store.args(attributes.iter().flat_map(|(name, value)| [name, value]));
        let mut store =
            store.stdin(Stdio::piped()).spawn().expect("secret-tool, of libsecret-tools");
        store.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        assert!(store.wait().unwrap().success());
    }

    /// The paths of what a search for these attributes finds, unlocked or locked.
    pub fn search(&self, attributes: &[(&str, &str)]) -> Vec<String> {
        let attributes: HashMap<_, _> = attributes.iter().copied().collect();
        let (service, path) = ("org.freedesktop.secrets", "/org/freedesktop/secrets");
        let interface = "org.freedesktop.Secret.Service";
        let ask = Message::call_with_args(service, path, interface, "SearchItems", (attributes,));
        let mut client = Channel::open_private(self.bus.address()).unwrap();
        client.register().unwrap();
        let found = client.send_with_reply_and_block(ask, Duration::from_secs(5)).unwrap();
        let (unlocked, locked): (Vec<Path>, Vec<Path>) = found.read2().unwrap();
        unlocked.iter().chain(&locked).map(ToString::to_string).collect()
    }

    /// What the desktop's tool shows of all items with this attribute, secrets included.
    pub fn shown(&self, name: &str, value: &str) -> String {
        let mut search = self.bus.command("secret-tool");
        let found = search.args(["search", "--all", name, value]).output().unwrap();
        // Attributes go to stderr, labels and secrets to stdout.
        [found.stdout, found.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
    }
}

/// Where its messages are kept.
fn said(bus: &Bus) -> PathBuf {
    bus.dir().join("gnome-keyring.log")
}

fn unlocked(bus: &Bus) -> Process {
    let mut command = bus.command("gnome-keyring-daemon");
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    let said = File::options().create(true).append(true).open(said(bus)).unwrap();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(said);
    let mut daemon = Process(command.spawn().expect("gnome-keyring-daemon, of gnome-keyring"));
    daemon.0.stdin.take().unwrap().write_all(b"desktop\n").unwrap();
    bus.wait_for("org.freedesktop.secrets");
    daemon
}
