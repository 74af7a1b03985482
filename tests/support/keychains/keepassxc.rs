//! A real KeePassXC on a bus of its own, without a screen: its dialogs open, and nobody sees them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::bus::{Bus, OnDemand, Process};

/// Of every database; it goes through pipes and the bus of the test.
const PASSWORD: &str = "of the database";

/// Two groups, the second one shown to the Secret Service.
const DATABASE: &str = "<?xml version='1.0'?><KeePassFile><Meta><CustomData><Item>\
    <Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{11111111-1111-1111-1111-111111111111}</Value>\
    </Item></CustomData></Meta><Root><Group><UUID>IiIiIiIiIiIiIiIiIiIiIg==</UUID>\
    <Name>Root</Name><Group><UUID>EREREREREREREREREREREQ==</UUID><Name>Secrets</Name></Group>\
    </Group></Root></KeePassFile>";

/// It asks nobody for leave to read or delete.
pub const TRUSTING: &str = "[FdoSecrets]\nConfirmAccessItem=false\nConfirmDeleteItem=false";

/// And it does not save: 2.7.4 crashes now and then when a database is changed while it is saved,
/// as it would be all the time in the contract and with many helpers at once.
pub const TRUSTING_UNSAVED: &str = "[FdoSecrets]\nConfirmAccessItem=false\n\
    ConfirmDeleteItem=false\n[General]\nAutoSaveAfterEveryChange=false";

/// KeePassXC with its databases; its processes end with this value.
pub struct KeePassXc {
    program: Option<Process>,
    pub bus: Bus,
}

impl KeePassXc {
    /// One whose default collection is unlocked, and that asks nobody.
    pub fn start() -> Self {
        Self::start_with(TRUSTING)
    }

    /// One with these settings besides.
    pub fn start_with(settings: &str) -> Self {
        let mut keepassxc = Self::prepare(Bus::start(), settings);
        keepassxc.restart();
        keepassxc
    }

    /// One that does not run yet.
    pub fn prepare(bus: Bus, settings: &str) -> Self {
        let keepassxc = Self { program: None, bus };
        keepassxc.settings(settings);
        keepassxc.make_database("logins");
        keepassxc
    }

    /// Sets these besides what it needs, from its next start on.
    pub fn settings(&self, settings: &str) {
        let folder = self.home().join(".config/keepassxc");
        fs::create_dir_all(&folder).unwrap();
        let settings = format!(
            "[General]\nUpdateCheckMessageShown=true\n[GUI]\nCheckForUpdates=false\n\
             [FdoSecrets]\nEnabled=true\n{settings}\n"
        );
        fs::write(folder.join("keepassxc.ini"), settings).unwrap();
    }

    /// A database of this name, empty.
    pub fn make_database(&self, name: &str) {
        let xml = self.home().join("database.xml");
        fs::write(&xml, DATABASE).unwrap();
        let file = self.database(name).display().to_string();
        self.cli(&["import", "-p", "-t", "100", &xml.display().to_string(), &file], 2);
    }

    pub fn database(&self, name: &str) -> PathBuf {
        self.home().join(format!("{name}.kdbx"))
    }

    fn home(&self) -> PathBuf {
        let home = self.environment().into_iter().find(|(name, _)| *name == "HOME");
        home.expect("the bus has a HOME").1.into()
    }

    /// What a child process needs to use it, without a display.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.bus.environment()
    }

    /// Its command line, on the saved database `logins`.
    pub fn on_file(&self, operation: &str, options: &[&str], entries: &[&str]) -> String {
        let file = self.database("logins").display().to_string();
        self.cli(&[&[operation, "-q"], options, &[&file], entries].concat(), 1)
    }

    fn cli(&self, words: &[&str], passwords: usize) -> String {
        let mut cli = self.bus.command("keepassxc-cli");
        cli.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut cli = cli.spawn().expect("keepassxc-cli, of keepassxc");
        let typed = format!("{PASSWORD}\n").repeat(passwords);
        cli.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let done = cli.wait_with_output().unwrap();
        let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(done.status.success(), "{words:?}: {out}{err}");
        out
    }

    /// Starts it, or starts it again after [`kill`](Self::kill), unlocked.
    pub fn restart(&mut self) {
        self.restart_with("logins");
    }

    /// Starts it with this database, unlocked.
    pub fn restart_with(&mut self, database: &str) {
        let mut command = self.command();
        command.arg("--pw-stdin").arg(self.database(database)).stdin(Stdio::piped());
        let mut program = Process(command.spawn().expect("keepassxc"));
        let typed = format!("{PASSWORD}\n");
        program.0.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        self.program = Some(program);
        self.bus.wait_for("org.freedesktop.secrets");
        self.wait_until_locked_is(false);
    }

    /// Lets the bus start it, with these databases, locked.
    pub fn starts_on_demand(&self, services: &Path, databases: &[&str]) -> OnDemand {
        let databases: Vec<_> =
            databases.iter().map(|name| format!("'{}'", self.database(name).display())).collect();
        let environment = format!("QT_QPA_PLATFORM=offscreen TMPDIR='{}'", self.home().display());
        let line = format!("env {environment} keepassxc {}", databases.join(" "));
        self.bus.starts_on_demand(services, &line)
    }

    fn command(&self) -> Command {
        let mut command = self.bus.command("keepassxc");
        // There may be one in each temporary folder.
        command.env("QT_QPA_PLATFORM", "offscreen").env("TMPDIR", self.home());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Locks all databases, as its menu does.
    pub fn lock(&self) {
        self.window("lockAllDatabases", &[]);
        self.wait_until_locked_is(true);
    }

    /// Opens one more database, locked; it becomes the default.
    pub fn open_locked(&self, name: &str) {
        self.window("openDatabase", &[&format!("string:{}", self.database(name).display())]);
        self.wait_until_locked_is(true);
    }

    /// Unlocks a database that is open, and makes it the default, as a person would.
    pub fn unlock(&self, name: &str) {
        let file = format!("string:{}", self.database(name).display());
        self.window("openDatabase", &[&file, &format!("string:{PASSWORD}")]);
    }

    fn window(&self, method: &str, arguments: &[&str]) {
        let name = "org.keepassxc.KeePassXC.MainWindow";
        self.send(name, "/keepassxc", &format!("{name}.{method}"), arguments);
    }

    fn send(&self, name: &str, path: &str, method: &str, arguments: &[&str]) -> String {
        send(&mut self.bus.command("dbus-send"), name, path, method, arguments)
    }

    /// Waits until the default collection is as told.
    pub fn wait_until_locked_is(&self, locked: bool) {
        let alias = "/org/freedesktop/secrets/aliases/default";
        let property = ["string:org.freedesktop.Secret.Collection", "string:Locked"];
        let end = Instant::now() + Duration::from_secs(20);
        let get = "org.freedesktop.DBus.Properties.Get";
        while !self
            .send("org.freedesktop.secrets", alias, get, &property)
            .contains(&format!("boolean {locked}"))
        {
            assert!(Instant::now() < end, "it did not come to locked={locked}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Says "no" to the next prompt, as a person at the screen would.
    pub fn dismiss_next_prompt(&self) -> JoinHandle<()> {
        let mut monitor = self.bus.command("dbus-monitor");
        monitor.arg("interface='org.freedesktop.Secret.Prompt',member='Prompt'");
        let mut monitor =
            Process(monitor.stdout(Stdio::piped()).spawn().expect("dbus-monitor, of dbus"));
        let mut lines = BufReader::new(monitor.0.stdout.take().unwrap()).lines();
        // The first is about the monitor itself: it listens.
        lines.next().unwrap().unwrap();
        let mut dismiss = self.bus.command("dbus-send");
        thread::spawn(move || {
            let _ends_with_this = monitor;
            let called = lines
                .map(Result::unwrap)
                .find(|line| line.contains("member=Prompt"))
                .expect("a prompt");
            let path = called.split("path=").nth(1).and_then(|rest| rest.split(';').next());
            let method = "org.freedesktop.Secret.Prompt.Dismiss";
            send(&mut dismiss, "org.freedesktop.secrets", path.unwrap(), method, &[]);
        })
    }

    /// Kills it, as a crash would; also when it is frozen.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Whether it still runs or how it ended.
    pub fn fate(&mut self) -> String {
        let ended = self.program.as_mut().and_then(|program| program.0.try_wait().unwrap());
        let ended = ended.map_or_else(|| "it still runs".to_owned(), |status| status.to_string());
        format!("KeePassXC: {ended}")
    }

    /// Stops it, so that it is there and does not answer.
    pub fn freeze(&self) {
        self.program.as_ref().expect("it runs").signal(rustix::process::Signal::STOP);
    }

    /// The secrets of all items with this attribute, sorted.
    pub fn secrets(&self, name: &str, value: &str) -> Vec<String> {
        let mut search = self.bus.command("secret-tool");
        let found = search.args(["search", "--all", name, value]).output().unwrap();
        let shown = String::from_utf8(found.stdout).unwrap();
        let secrets = shown.lines().filter_map(|line| line.strip_prefix("secret = "));
        let mut secrets: Vec<_> = secrets.map(str::to_owned).collect();
        secrets.sort();
        secrets
    }

    /// Waits until an item with this attribute is found.
    pub fn wait_until_shown(&self, name: &str, value: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.secrets(name, value).is_empty() {
            assert!(Instant::now() < end, "no item with {name}={value}");
            thread::sleep(Duration::from_millis(20));
        }
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
}

fn send(command: &mut Command, name: &str, path: &str, method: &str, arguments: &[&str]) -> String {
    command.args(["--session", "--print-reply", &format!("--dest={name}"), path, method]);
    let done = command.args(arguments).output().expect("dbus-send, of dbus");
    String::from_utf8_lossy(&done.stdout).into_owned()
}
