//! `store`, `get`, `erase` and `list`, over token server, keychain, login records and fallback.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind, Result};
use crate::fallback::Fallback;
use crate::keychain::{self, Choice, Keychain, KeychainName, Listed};
use crate::login_record::{Found, Locked, LoginRecord, RecordStore, Records};
use crate::protocol;
use crate::server_url::ServerUrl;
use crate::settings::Settings;
use crate::trace;

mod erase;
mod get;
mod keep;
mod list;
mod logins;
pub mod migrate;
pub mod refresh;
mod revoke;
mod shared;
pub mod store;
pub mod survey;

pub use keep::Destination;

/// Its modification time is when a person last dismissed a prompt.
const DISMISSED_NAME: &str = "prompt-dismissed";
const NO_SECOND_PROMPT: Duration = Duration::from_secs(60);

/// How keychains are opened: tests put their own in place.
pub type Open =
    fn(&KeychainName, &str, &keychain::Options) -> std::result::Result<Keychain, keychain::Error>;

/// Everything that the verbs work on.
pub struct Helper<'a> {
    /// What is set.
    pub settings: Settings,
    /// Where the login records are.
    pub records: RecordStore,
    /// Folders with certificates for registries.
    pub certs_d: Vec<PathBuf>,
    /// The user's terminal: notes, one line each.
    pub notes: &'a mut dyn Write,
    /// Opens a keychain for a profile.
    pub open_keychain: Open,
}

impl Helper<'_> {
    /// Tells the user something that is no failure.
    pub fn note(&mut self, text: &str) {
        let line = crate::error::printable(text, usize::MAX);
        // Nobody to tell is no reason to fail.
        let _unheard = writeln!(self.notes, "docker-credential-refresh: {line}");
    }

    fn open(
        &self,
        name: &KeychainName,
        options: &keychain::Options,
    ) -> std::result::Result<Keychain, keychain::Error> {
        trace::timed(
            || format!("keychain {name}: open"),
            || (self.open_keychain)(name, &self.settings.profile, options),
            |opened| opened.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned()),
        )
    }

    /// How keychains are used here, a person asked where need be.
    pub fn options(&self) -> keychain::Options {
        keychain::Options {
            encrypted_session: self.settings.encrypted_session,
            ..keychain::Options::default()
        }
    }

    /// Options for a keychain that is asked on behalf of a program, not of a person: after a
    /// dismissed prompt there is no second one for a while (a build asks for many logins).
    fn options_unless_dismissed(&self) -> keychain::Options {
        let marker = self.records.directory().join(DISMISSED_NAME);
        let since = fs::symlink_metadata(marker).and_then(|m| m.modified()).ok();
        // One in the future is from a clock that was wrong: it says nothing.
        let recent = since.is_some_and(|at| {
            SystemTime::now().duration_since(at).is_ok_and(|age| age < NO_SECOND_PROMPT)
        });
        keychain::Options { may_prompt: !recent, ..self.options() }
    }

    /// Options for the places where a login may be that no record tells of.
    fn options_unrecorded(&self, must_answer: bool) -> keychain::Options {
        let options = self.options_unless_dismissed();
        keychain::Options { may_prompt: must_answer && options.may_prompt, ..options }
    }

    /// An error of a keychain as the user sees it; a dismissed prompt is remembered.
    fn keychain_error(&self, error: keychain::Error) -> Error {
        if let keychain::Error::Dismissed { .. } = error {
            // Without it there is one prompt more, and nothing worse.
            let _unremembered = self.records.touch(DISMISSED_NAME);
        }
        Error::new(Kind::Keychain, error.to_string())
    }

    /// Where a login may be that no record tells of, and whether it counts if that is out of reach.
    fn unrecorded_places(&self) -> (Vec<KeychainName>, bool) {
        match &self.settings.keychain {
            Choice::Named(name) => (vec![name.clone()], true),
            Choice::Auto => (KeychainName::of_this_system(), false),
        }
    }

    /// The records under the lock; damaged ones are set aside, and missing ones made again as far
    /// as the keychains tell.
    fn records_or_rebuilt(&mut self, locked: &Locked<'_>) -> Result<Records> {
        match locked.read()? {
            Found::Records(records) => return Ok(records),
            Found::Missing => {}
            Found::Damaged(why) => {
                let file = self.records.file();
                let aside = locked.set_aside()?;
                self.note(&format!(
                    "{} cannot be used ({why}); it was moved to {} and is made again",
                    file.display(),
                    aside.display()
                ));
            }
        }
        let mut records = Records::default();
        for (name, listed) in self.unrecorded() {
            for login in listed {
                if records.find(&self.settings.profile, &login.key).is_none() {
                    records.put(self.rebuilt(name.clone(), login));
                }
            }
        }
        Ok(records)
    }

    /// What the keychains in question list, without items under a key that no server URL has: `get`
    /// would refuse what `list` names. One that cannot be read is left out, and named unless it is
    /// merely not there for `auto`.
    fn unrecorded(&mut self) -> Vec<(KeychainName, Vec<Listed>)> {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let (names, must_answer) = self.unrecorded_places();
        let is_ours =
            |login: &Listed| ServerUrl::parse(&login.key).is_ok_and(|url| url.key() == login.key);
        let mut found = Vec::new();
        for name in names {
            match self.open(&name, &options).and_then(|keychain| keychain.list()) {
                Ok(listed) => found.push((name, listed.into_iter().filter(is_ours).collect())),
                Err(error) if error.is_out_of_reach() && !must_answer => {}
                Err(error) => self.note(&format!("logins in {name} are left out: {error}")),
            }
        }
        found
    }

    fn rebuilt(&self, keychain: KeychainName, login: Listed) -> LoginRecord {
        let mut record = LoginRecord::new(&self.settings.profile, &login.key, keychain);
        record.account = login.account;
        record
    }

    /// The helper that takes this registry's logins when they cannot be exchanged.
    fn fallback(&self, url: &ServerUrl) -> Result<Option<Fallback>> {
        self.settings.fallback_for(url).map(|name| self.fallback_named(&name)).transpose()
    }
}

/// A server URL, or why it is none.
fn parse_url(sent: &str) -> Result<ServerUrl> {
    let url = ServerUrl::parse(sent).map_err(|refused| match refused {
        crate::server_url::Refused::Empty => Error::new(Kind::Usage, protocol::NO_SERVER_URL),
        refused => Error::new(Kind::Usage, format!("the server URL {refused}")),
    })?;
    trace::step(|| format!("server URL {} means the key {}", url.asked(), url.key()));
    Ok(url)
}
