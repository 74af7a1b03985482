//! A Secret Service that behaves as told: what real ones do only in front of a person, or only now
//! and then. It keeps items, and ignores attributes when it searches.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dbus::arg::{PropMap, RefArg, Variant};
use dbus::channel::Channel;
use dbus::{Message, Path};

use super::bus::Bus;

const NAME: &str = "org.freedesktop.secrets";

/// What its prompts come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// Unlocked, without a person: KWallet does that.
    #[default]
    Unlocks,
    Dismissed,
    NeverAnswered,
    /// Ends well, and leaves it locked: KWallet does that if it was closed meanwhile.
    ChangesNothing,
}

/// How it behaves.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    pub locked: bool,
    pub prompt: Prompt,
    /// Asks before it creates an item, and answers with no path.
    pub odd_create: bool,
    /// Has no default collection until one is created.
    pub no_default: bool,
    /// Leaves the bus when it is asked for this member.
    pub dies_at: Option<&'static str>,
    /// Does what this member says, and does not answer.
    pub mute_at: Option<&'static str>,
    /// Answers this member with an error.
    pub fails_at: Option<&'static str>,
    /// The next item whose secret is asked for is deleted just before, and its secret is empty then: KWallet
    /// does that if it has both calls to answer.
    pub deletes_what_is_read: bool,
}

/// One item; its path is its place in the list.
#[derive(Clone, Debug, Default)]
pub struct FakeItem {
    pub attributes: HashMap<String, String>,
    pub secret: Vec<u8>,
    pub modified: u64,
}

/// It leaves the bus with this value.
pub struct FakeService {
    pub bus: Bus,
    state: Arc<Mutex<State>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    manners: Manners,
    items: Vec<Option<FakeItem>>,
    calls: Vec<String>,
}

impl FakeService {
    pub fn start(manners: Manners, items: Vec<FakeItem>) -> Self {
        let bus = Bus::start();
        let mut channel_to_bus = Channel::open_private(bus.address()).unwrap();
        channel_to_bus.register().unwrap();
        let items = items.into_iter().map(Some).collect();
        let state = Arc::new(Mutex::new(State { manners, items, calls: Vec::new() }));
        let (stop, stopped) = channel();
        let shared = state.clone();
        let thread = thread::spawn(move || serve(&channel_to_bus, &shared, &stopped));
        bus.wait_for(NAME);
        Self { bus, state, stop: Some(stop), thread: Some(thread) }
    }

    pub fn items(&self) -> Vec<FakeItem> {
        self.state.lock().unwrap().items.iter().flatten().cloned().collect()
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, manners: Manners) {
        self.state.lock().unwrap().manners = manners;
    }

    /// The members that were called since the last time.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the fake service panicked");
        }
    }
}

fn serve(bus: &Channel, state: &Mutex<State>, stopped: &Receiver<()>) {
    let ask = Message::call_with_args(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "RequestName",
        (NAME, 0_u32),
    );
    bus.send_with_reply_and_block(ask, Duration::from_secs(5)).unwrap();
    while stopped.try_recv() == Err(TryRecvError::Empty) {
        if bus.read_write(Some(Duration::from_millis(20))).is_err() {
            return;
        }
        while let Some(message) = bus.pop_message() {
            if message.msg_type() != dbus::message::MessageType::MethodCall {
                continue;
            }
            let mut state = state.lock().unwrap();
            let member = message.member().unwrap().to_string();
            let dies = state.manners.dies_at == Some(member.as_str());
            let mute = state.manners.mute_at == Some(member.as_str());
            state.calls.push(member);
            if dies {
                return;
            }
            for answer in state.answer(&message).into_iter().filter(|_| !mute) {
                bus.send(answer).unwrap();
            }
        }
    }
}

fn path(number: usize) -> Path<'static> {
    Path::new(format!("/collection/c/{number}")).unwrap()
}

fn variant(value: impl RefArg + 'static) -> Variant<Box<dyn RefArg>> {
    Variant(Box::new(value))
}

type Secret = (Path<'static>, Vec<u8>, Vec<u8>, String);

impl State {
    fn answer(&mut self, call: &Message) -> Vec<Message> {
        let reply = call.method_return();
        let none = || Path::new("/").unwrap();
        let prompt = || Path::new("/prompt").unwrap();
        let target = call.path().unwrap().to_string();
        let number = target.rsplit('/').next().and_then(|n| n.parse::<usize>().ok());
        let member = call.member().unwrap().to_string();
        if self.manners.fails_at == Some(member.as_str()) {
            return vec![call.error(&"org.freedesktop.DBus.Error.Failed".into(), c"no disk")];
        }
        vec![match (member.as_str(), number) {
            ("OpenSession", _) => reply.append2(variant(String::new()), Path::new("/s").unwrap()),
            ("SearchItems", _) => {
                let (open, locked) = match self.manners.locked {
                    true => (Vec::new(), self.paths()),
                    false => (self.paths(), Vec::new()),
                };
                reply.append2(open, locked)
            }
            ("ReadAlias", _) if self.manners.no_default => reply.append1(none()),
            ("ReadAlias", _) => reply.append1(Path::new("/collection/c").unwrap()),
            ("CreateCollection", _) => {
                self.manners.no_default = false;
                reply.append2(Path::new("/collection/c").unwrap(), none())
            }
            ("Unlock", _) => reply.append2(Vec::<Path>::new(), prompt()),
            ("Prompt", _) => return self.prompted(reply, &target),
            ("Get", number) => {
                let (_, name): (String, String) = call.read2().unwrap();
                let item = number.and_then(|n| self.items.get(n).cloned().flatten());
                match (name.as_str(), item) {
                    ("Collections", _) if self.manners.no_default => {
                        reply.append1(variant(Vec::<Path>::new()))
                    }
                    ("Collections", _) => {
                        reply.append1(variant(vec![Path::new("/collection/c").unwrap()]))
                    }
                    ("Items", _) => reply.append1(variant(self.paths())),
                    ("Locked", _) => reply.append1(variant(self.manners.locked)),
                    ("Attributes", Some(item)) => reply.append1(variant(item.attributes)),
                    ("Modified", Some(item)) => reply.append1(variant(item.modified)),
                    _ => return vec![gone(call)],
                }
            }
            ("Set", Some(number)) => {
                let (_, name, value): (String, String, Variant<Box<dyn RefArg>>) =
                    call.read3().unwrap();
                let item = self.items[number].as_mut().unwrap();
                if name == "Attributes" {
                    let mut parts =
                        value.0.as_iter().unwrap().map(|v| v.as_str().unwrap().to_owned());
                    item.attributes.clear();
                    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                        item.attributes.insert(name, value);
                    }
                }
                reply
            }
            ("GetSecret", Some(number)) => match self.items.get(number).cloned().flatten() {
                Some(_) if self.manners.locked => return vec![locked(call)],
                Some(mut item) => {
                    if std::mem::take(&mut self.manners.deletes_what_is_read) {
                        self.items[number] = None;
                        item.secret.clear();
                    }
                    let secret: Secret = (
                        Path::new("/s").unwrap(),
                        Vec::new(),
                        item.secret,
                        "text/plain".to_owned(),
                    );
                    reply.append1(secret)
                }
                None => return vec![gone(call)],
            },
            ("SetSecret", Some(number)) => {
                let (_, _, secret, kind) = call.read1::<Secret>().unwrap();
                assert_eq!(kind, "text/plain");
                let item = self.items[number].as_mut().unwrap();
                (item.secret, item.modified) = (secret, item.modified + 1);
                reply
            }
            ("CreateItem", _) => {
                let (properties, secret, replace): (PropMap, Secret, bool) = call.read3().unwrap();
                assert!(!replace, "KeePassXC would not answer");
                assert_eq!(secret.3, "text/plain");
                if self.manners.odd_create {
                    return vec![reply.append2(none(), prompt())];
                }
                let found = &properties["org.freedesktop.Secret.Item.Attributes"].0;
                let mut parts = found.as_iter().unwrap().map(|v| v.as_str().unwrap().to_owned());
                let mut item = FakeItem { secret: secret.2, ..FakeItem::default() };
                while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                    item.attributes.insert(name, value);
                }
                self.items.push(Some(item));
                reply.append2(path(self.items.len() - 1), none())
            }
            ("Delete", Some(number)) => {
                self.items[number] = None;
                reply.append1(none())
            }
            _ => gone(call),
        }]
    }

    fn paths(&self) -> Vec<Path<'static>> {
        (0..self.items.len()).filter(|i| self.items[*i].is_some()).map(path).collect()
    }

    fn prompted(&mut self, reply: Message, target: &str) -> Vec<Message> {
        if self.manners.prompt == Prompt::NeverAnswered {
            return vec![reply];
        }
        let dismissed = self.manners.prompt == Prompt::Dismissed;
        self.manners.locked &= self.manners.prompt != Prompt::Unlocks;
        let interface = "org.freedesktop.Secret.Prompt";
        let signal = Message::signal(
            &Path::new(target.to_owned()).unwrap(),
            &interface.into(),
            &"Completed".into(),
        );
        vec![reply, signal.append2(dismissed, variant("no path".to_owned()))]
    }
}

fn gone(call: &Message) -> Message {
    call.error(&"org.freedesktop.Secret.Error.NoSuchObject".into(), c"no such object")
}

fn locked(call: &Message) -> Message {
    call.error(&"org.freedesktop.Secret.Error.IsLocked".into(), c"locked")
}
