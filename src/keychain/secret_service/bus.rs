//! Operations on the session bus that end in time.

use std::env;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use dbus_secret_service::{EncryptionType, SecretService};

use super::fault::{Fault, Step};
use super::wire::Wire;
use super::{peer, stdout};
use crate::keychain::error::Error;
use crate::keychain::options::Options;

/// Whether a prompt could be seen by somebody.
pub(in crate::keychain) fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// One connection and session, made when first needed and used again.
#[derive(Clone)]
pub(super) struct Bus {
    address: String,
    encrypted: bool,
    deadline: Duration,
    /// For a prompt; none where no prompt may be shown.
    prompt: Option<Duration>,
    /// Whether a prompt would be seen.
    display: bool,
    service: Arc<Mutex<Option<SecretService>>>,
}

/// What the thread that talks to the bus reports.
enum News<T> {
    /// A prompt may be showing: its time counts, not the service's.
    Asking,
    /// The service works again.
    Answered,
    Done(Result<T, Fault>),
}

/// Tells the waiting side when a person is asked.
pub(super) struct Asker<'a> {
    tell: &'a dyn Fn(bool),
    bus: &'a Bus,
}

impl Asker<'_> {
    /// Whether somebody would see a prompt, and one may be shown.
    pub(super) fn can_ask(&self) -> bool {
        self.bus.display && self.bus.prompt.is_some()
    }

    /// Runs a step in which the service may show a prompt.
    pub(super) fn ask<T>(
        &self,
        step: impl FnOnce() -> Result<T, dbus_secret_service::Error>,
    ) -> Result<T, Fault> {
        let begin = Instant::now();
        (self.tell)(true);
        let result = step();
        (self.tell)(false);
        result.map_err(|error| match error {
            dbus_secret_service::Error::Prompt => {
                Fault::of_prompt(begin.elapsed(), self.bus.prompt, self.bus.display)
            }
            error => Fault::from(error),
        })
    }

    /// Whether a prompt asks nobody.
    pub(super) fn opens_unasked(&self) -> bool {
        self.bus.opens_unasked()
    }

    /// What it means that nothing was found: KeePassXC knows nothing of a database that is closed.
    pub(super) fn nothing_found(&self) -> Fault {
        let wire = Wire::connect(&self.bus.address, self.bus.deadline / 2);
        if wire.is_some_and(|mut wire| peer::is_keepassxc(&mut wire)) {
            Fault::Elsewhere
        } else {
            Fault::Absent
        }
    }
}

impl Bus {
    pub(super) fn new(address: String, options: &Options) -> Self {
        let display = has_display();
        // Without a display nobody answers, but KWallet unlocks all the same.
        let prompt = if display { options.prompt_deadline } else { unasked(options.deadline) };
        Self {
            address,
            encrypted: options.encrypted_session,
            deadline: options.deadline,
            prompt: options.may_prompt.then_some(prompt),
            display,
            service: Arc::default(),
        }
    }

    /// Runs a job on a thread of its own: libdbus can hang in `connect`, and a client waits
    /// forever. A thread that hangs is left behind; the process ends without it.
    ///
    /// A job that met a dead or silent service is run again, so it begins with its search.
    pub(super) fn run<T: Send + 'static>(
        &self,
        job: impl Fn(&SecretService, &Asker) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        self.told(self.on_thread(job, Instant::now() + self.deadline))
    }

    /// The same, after a quick way on this thread, which ends in time by itself and may come to
    /// nothing. A service that is silent there is not asked once more: GNOME Keyring may not survive
    /// a client that begins as the library does and leaves before it is answered.
    pub(super) fn run_after<T: Send + 'static>(
        &self,
        quick: impl FnOnce(&mut Wire) -> Option<Result<T, Fault>>,
        job: impl Fn(&SecretService, &Asker) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let end = Instant::now() + self.deadline;
        let connected = self.service.lock().expect("no panic while locked").is_some();
        // Closed after the careful way is done: no client is to leave while it begins.
        let mut wire = None;
        if !self.encrypted && !connected {
            wire = Wire::connect(&self.address, self.deadline);
        }
        let done = wire.as_mut().and_then(quick);
        self.told(done.unwrap_or_else(|| match Instant::now() < end {
            true => self.on_thread(job, end),
            false => Err(Fault::Silent(self.deadline)),
        }))
    }

    fn told<T>(&self, result: Result<T, Fault>) -> Result<T, Error> {
        result.map_err(|fault| fault.into_error(self.display))
    }

    fn on_thread<T: Send + 'static>(
        &self,
        job: impl Fn(&SecretService, &Asker) -> Result<T, Fault> + Send + 'static,
        end: Instant,
    ) -> Result<T, Fault> {
        let (sender, receiver) = channel();
        let bus = self.clone();
        // Held by this thread, not by the one that may hang.
        let _quiet = stdout::Quiet::new();
        let work = move || bus.work(&job, &sender);
        let started = thread::Builder::new().name("secret-service".to_owned()).spawn(work);
        match started {
            Ok(_) => self.wait(&receiver, end),
            Err(error) => Err(Fault::Failed(error.to_string())),
        }
    }

    fn work<T>(
        &self,
        job: &dyn Fn(&SecretService, &Asker) -> Result<T, Fault>,
        sender: &Sender<News<T>>,
    ) {
        // A receiver that has gone away gave up: nobody is left to be told.
        let tell = |asking| {
            let _ = sender.send(if asking { News::Asking } else { News::Answered });
        };
        let asker = Asker { tell: &tell, bus: self };
        if self.encrypted {
            // dbus-secret-service 4.1 makes its keys by this generator, and leaves it to be seeded
            // by the time.
            match getrandom::u64() {
                Ok(seed) => fastrand::seed(seed),
                Err(error) => {
                    let _ = sender.send(News::Done(Err(Fault::Failed(error.to_string()))));
                    return;
                }
            }
        }
        let mut result = self.attempt(job, &asker);
        // One session in a hundred is not encrypted alike by KWallet; a busy machine is slower than
        // the 2 s that the library waits for an answer.
        for _ in 0..3 {
            if matches!(&result, Err(fault) if fault.may_pass()) {
                result = self.attempt(job, &asker);
            }
        }
        let _ = sender.send(News::Done(result));
    }

    fn attempt<T>(
        &self,
        job: &dyn Fn(&SecretService, &Asker) -> Result<T, Fault>,
        asker: &Asker,
    ) -> Result<T, Fault> {
        let kept = self.service.lock().expect("no panic while locked").take();
        let service = match kept {
            Some(service) => service,
            None => self.connect()?,
        };
        let result = job(&service, asker);
        if !matches!(&result, Err(fault) if fault.may_pass()) {
            *self.service.lock().expect("no panic while locked") = Some(service);
        }
        result
    }

    fn connect(&self) -> Result<SecretService, Fault> {
        let kind = if self.encrypted { EncryptionType::Dh } else { EncryptionType::Plain };
        let unasked = || self.opens_unasked().then(|| unasked(self.deadline));
        // 0 never shows the prompt; `connect` alone would wait a year for it.
        let seconds = self.prompt.or_else(unasked).map_or(0, |time| time.as_secs().max(1));
        SecretService::connect_with_max_prompt_timeout(kind, seconds)
            .map_err(|error| Fault::from(error).at(Step::Connect))
    }

    fn opens_unasked(&self) -> bool {
        peer::is_open_kwallet(&self.address, self.deadline / 2)
    }

    fn wait<T>(&self, receiver: &Receiver<News<T>>, mut end: Instant) -> Result<T, Fault> {
        loop {
            match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(News::Asking) if self.display => {
                    end = Instant::now() + self.prompt.unwrap_or(self.deadline) + self.deadline;
                }
                Ok(News::Answered) if self.display => end = Instant::now() + self.deadline,
                Ok(News::Asking | News::Answered) => {}
                Ok(News::Done(result)) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Fault::Silent(self.deadline));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Fault::Failed("its thread ended early".to_owned()));
                }
            }
        }
    }
}

/// For a prompt that nobody needs to answer: within the deadline.
fn unasked(deadline: Duration) -> Duration {
    deadline.saturating_sub(Duration::from_secs(1))
}
