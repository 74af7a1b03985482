//! A real KWallet on a bus of its own, opened as PAM does it when somebody logs in at the desktop.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use dbus::arg::{AppendAll, PropMap, ReadAll, Variant};
use dbus::channel::Channel;
use dbus::{Message, Path};
use rustix::process::{Pid, Signal, kill_process};

use super::bus::{Bus, Process};

const WALLET: &str = "kdewallet";
/// Where it keeps what comes by the Secret Service.
const FOLDER: &str = "Secret Service";
const SERVICE: &str = "org.freedesktop.secrets";
const OWN_NAME: &str = "org.kde.kwalletd5";
/// A wallet that is not used for the first time asks nobody how it is to be used.
const SETTINGS: &str = "[Wallet]\nFirst Use=false\n";
/// For the bus: how to start it.
pub const SERVICE_FILE: &str = "[D-BUS Service]\nName=org.freedesktop.secrets\n\
    Exec=/usr/bin/env QT_QPA_PLATFORM=offscreen kwalletd5\n";

/// The daemon; it ends with this value, also one that the bus has started.
pub struct KWallet {
    daemon: Option<Process>,
    pub bus: Bus,
}

impl KWallet {
    /// Starts one whose wallet is open.
    pub fn start() -> Self {
        Self::start_on(Bus::start())
    }

    pub fn start_on(bus: Bus) -> Self {
        let mut wallet = Self::not_started_on(bus);
        // The first one makes the wallet, and only the next one knows it as a collection.
        for _ in 0..2 {
            wallet.end(Signal::TERM);
            wallet.restart();
            wallet.open();
        }
        wallet
    }

    /// None that runs, and no wallet; the bus may start one.
    pub fn not_started_on(bus: Bus) -> Self {
        let wallet = Self { daemon: None, bus };
        wallet.configure("");
        wallet
    }

    /// What a child process needs to use it, without a display.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.bus.environment()
    }

    fn home(&self) -> PathBuf {
        let home = self.environment().into_iter().find(|(name, _)| *name == "HOME");
        home.expect("the bus has a HOME").1.into()
    }

    /// The file that holds the attributes of its items.
    pub fn attributes_file(&self) -> PathBuf {
        self.home().join(".local/share/kwalletd").join(format!("{WALLET}_attributes.json"))
    }

    /// Settings beside its own, for the next start.
    pub fn configure(&self, more: &str) {
        let folder = self.home().join(".config");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("kwalletrc"), format!("{SETTINGS}{more}")).unwrap();
    }

    /// Starts it after [`end`](Self::end), with a closed wallet.
    pub fn restart(&mut self) {
        self.start_unwatched();
        self.bus.wait_for(SERVICE);
    }

    /// The same where it is not to offer the Secret Service; waits for its end if it ends at once.
    pub fn start_unwatched(&mut self) {
        let mut command = self.bus.command("kwalletd5");
        command.env("QT_QPA_PLATFORM", "offscreen");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.daemon = Some(Process(command.spawn().expect("kwalletd5, of libkf5wallet-bin")));
    }

    /// Stops it, so that it is there and does not answer.
    pub fn freeze(&self) {
        self.daemon.as_ref().expect("it runs").signal(Signal::STOP);
    }

    /// Ends it by a signal: KILL as a crash would, TERM as the end of a desktop session.
    pub fn end(&mut self, signal: Signal) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.signal(signal);
            daemon.0.wait().unwrap();
        }
        self.end_of_bus();
    }

    /// Ends one that the bus has started, which would outlive the bus.
    fn end_of_bus(&self) {
        // Without a bus, it has ended with it; nothing here panics, as a drop calls it.
        let Ok(mut bus) = Channel::open_private(self.bus.address()) else { return };
        let Ok(()) = bus.register() else { return };
        for name in [SERVICE, OWN_NAME] {
            let ask = |bus: &Channel| {
                let to = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus");
                let method = "GetConnectionUnixProcessID";
                let question = Message::call_with_args(to.0, to.1, to.2, method, (name,));
                let answer = bus.send_with_reply_and_block(question, Duration::from_secs(5));
                answer.ok().and_then(|answer| answer.read1::<u32>().ok())
            };
            let end = Instant::now() + Duration::from_secs(10);
            while let Some(pid) = ask(&bus).filter(|_| Instant::now() < end) {
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
                // It may have ended already.
                let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Opens the wallet as PAM does, with what it makes of the password.
    pub fn open(&self) {
        let () = self.call("pamOpen", (WALLET, vec![7_u8; 56], 0_i32));
        let (open,): (bool,) = self.call("isOpen", (WALLET,));
        assert!(open, "pamOpen did not open it");
    }

    /// Closes and saves the wallet, as a person or its idle time does: then only a person opens it,
    /// in a dialog that nobody sees here.
    pub fn close(&self) {
        let (status,): (i32,) = self.call("close", (WALLET, true));
        assert_eq!(status, 0);
    }

    /// Ends the use of the wallet by programs of the Secret Service, as KWalletManager does.
    pub fn disconnect_programs(&self) {
        let (done,): (bool,) = self.call("disconnectApplication", (WALLET, ""));
        assert!(done);
    }

    /// Does something to an entry, as KWalletManager does.
    pub fn on_entry(&self, method: &str, names: &[&str]) {
        let (handle,): (i32,) = self.call("open", (WALLET, 0_i64, "manager"));
        let (status,): (i32,) = match *names {
            [entry] => self.call(method, (handle, FOLDER, entry, "manager")),
            [old, new] => self.call(method, (handle, FOLDER, old, new, "manager")),
            _ => panic!("one or two names"),
        };
        assert_eq!(status, 0);
    }

    fn call<A: AppendAll, R: ReadAll>(&self, method: &str, arguments: A) -> R {
        let to = (OWN_NAME, "/modules/kwalletd5", "org.kde.KWallet", method);
        ask(&self.channel(), to, arguments)
    }

    fn channel(&self) -> Channel {
        let mut channel = Channel::open_private(self.bus.address()).unwrap();
        channel.register().unwrap();
        channel
    }

    /// An item as another program would make it.
    pub fn plant(&self, attributes: &[(&str, &str)], secret: &str) {
        let channel = self.channel();
        let session = ("plain", Variant(String::new()));
        let service = (SERVICE, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service");
        let to = (service.0, service.1, service.2, "OpenSession");
        let (_, session): (Variant<Vec<u8>>, Path) = ask(&channel, to, session);
        let attributes: std::collections::HashMap<String, String> =
            attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut properties = PropMap::new();
        let label = Variant(Box::new("planted".to_owned()) as Box<dyn dbus::arg::RefArg>);
        properties.insert("org.freedesktop.Secret.Item.Label".to_owned(), label);
        let name = "org.freedesktop.Secret.Item.Attributes".to_owned();
        properties.insert(name, Variant(Box::new(attributes)));
        let secret = (session, Vec::<u8>::new(), secret.as_bytes().to_vec(), "text/plain");
        let collection = format!("/org/freedesktop/secrets/collection/{WALLET}");
        let to = (SERVICE, collection.as_str(), "org.freedesktop.Secret.Collection", "CreateItem");
        let _: (Path, Path) = ask(&channel, to, (properties, secret, false));
    }

    /// The names of its entries, as the desktop's tool shows them.
    pub fn entries(&self) -> Vec<String> {
        let shown = self.query(&["--list-entries"]);
        shown.lines().map(str::to_owned).collect()
    }

    /// The secret of an entry, as the desktop's tool shows it.
    pub fn secret(&self, entry: &str) -> String {
        self.query(&["--read-password", entry]).trim_end_matches('\n').to_owned()
    }

    fn query(&self, arguments: &[&str]) -> String {
        let mut query = self.bus.command("kwallet-query");
        query.args(["--folder", FOLDER]).args(arguments).arg(WALLET);
        let shown = query.env("QT_QPA_PLATFORM", "offscreen").stdin(Stdio::null()).output();
        let shown = shown.expect("kwallet-query, of libkf5wallet-bin");
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        String::from_utf8(shown.stdout).unwrap()
    }
}

impl Drop for KWallet {
    fn drop(&mut self) {
        self.daemon = None;
        self.end_of_bus();
    }
}

fn ask<A: AppendAll, R: ReadAll>(
    channel: &Channel,
    (service, path, interface, method): (&str, &str, &str, &str),
    arguments: A,
) -> R {
    let mut call = Message::new_method_call(service, path, interface, method).unwrap();
    call.append_all(arguments);
    let answer = channel.send_with_reply_and_block(call, Duration::from_secs(10)).unwrap();
    R::read(&mut answer.iter_init()).unwrap()
}
