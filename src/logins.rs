//! `store`, `get`, `erase` and `list`, over token server, keychain, login records and fallback.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Weak;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind, Result};
use crate::fallback::Fallback;
use crate::keychain::{self, Choice, Keychain, KeychainName, Listed};
use crate::login_record::{Credential, Found, Locked, LoginRecord, RecordStore, Records};
use crate::mint::Turn;
use crate::protocol;
use crate::server_url::ServerUrl;
use crate::settings::Settings;
use crate::trace;

mod check;
mod device;
mod docker_hub;
mod elsewhere;
mod entra;
mod erase;
mod erase_unrecorded;
mod exchange;
mod find;
mod get;
mod hand_over;
mod item;
mod keep;
mod left_in;
mod list;
pub mod migrate;
mod minted;
mod new_login;
mod personal;
mod ready;
pub mod refresh;
pub mod renew;
mod revoke;
mod revoke_given;
mod revoked;
mod shared;
mod store;
pub mod survey;
mod unkept;

pub use check::{Checked, verdict};
pub use exchange::Exchange;
pub use get::Answer;
pub use minted::AskPassword;
pub use new_login::NewLogin;
pub use personal::where_revoked;
pub use ready::Destination;
pub use revoked::Revoked;

/// Its modification time is when a person last dismissed a prompt.
const DISMISSED_NAME: &str = "prompt-dismissed";
const NO_SECOND_PROMPT: Duration = Duration::from_secs(60);

/// How keychains are opened: tests put their own in place.
pub type Open =
    fn(&KeychainName, &str, &keychain::Options) -> std::result::Result<Keychain, keychain::Error>;

/// Everything that the verbs work on.
pub struct Logins<'a> {
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
    /// That of the tokens that were made here and are not kept yet, if there are any.
    pub turn: Weak<Turn>,
}

/// What keychains list, and which of them could not be read in full.
#[derive(Default)]
struct Unrecorded {
    found: Vec<(KeychainName, Listed)>,
    unread: Vec<KeychainName>,
}

impl Logins<'_> {
    /// Tells the user something that is not a failure.
    pub fn note(&mut self, text: &str) {
        let line = crate::text::printable(text, usize::MAX);
        // Having nobody to tell is no reason to fail.
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
        // One in the future comes from a wrong clock, and is ignored.
        let recent = since.is_some_and(|at| {
            SystemTime::now().duration_since(at).is_ok_and(|age| age < NO_SECOND_PROMPT)
        });
        keychain::Options { may_prompt: !recent, ..self.options() }
    }

    /// Options for the places that may hold a login without a record.
    fn options_unrecorded(&self, must_answer: bool) -> keychain::Options {
        let options = self.options_unless_dismissed();
        keychain::Options { may_prompt: must_answer && options.may_prompt, ..options }
    }

    fn remember_dismissed(&self) {
        // Without it the next call prompts as well, and nothing worse.
        let _unremembered = self.records.touch(DISMISSED_NAME);
    }

    /// An error of a keychain as the user sees it; a dismissed prompt is remembered.
    fn keychain_error(&self, error: keychain::Error) -> Error {
        if let keychain::Error::Dismissed { .. } = error {
            self.remember_dismissed();
        }
        let told = error.told();
        Error { source: Some(Arc::new(error)), ..told }
    }

    /// Where a login without a record may be, and whether it matters if that is out of reach.
    fn unrecorded_places(&self) -> (Vec<KeychainName>, bool) {
        match &self.settings.keychain {
            Choice::Named(name) => (vec![name.clone()], true),
            Choice::Auto => (KeychainName::of_this_system(), false),
        }
    }

    /// The records under the lock; damaged ones are set aside, and missing ones rebuilt from the
    /// keychains for this profile; for another one when that is used.
    fn records_or_rebuilt(&mut self, locked: &Locked<'_>) -> Result<Records> {
        let profile = self.settings.profile.clone();
        let (mut records, mut is_first) = (Records::rebuilt(), false);
        match locked.read()? {
            Found::Records(found) if found.is_complete(&profile) => return Ok(found),
            Found::Records(found) => records = found,
            Found::Missing => is_first = locked.is_first(),
            Found::Damaged(why) => {
                let file = self.records.file();
                let aside = locked.set_aside()?;
                self.note(&format!(
                    "{} cannot be used ({why}); it was moved to {} and will be rebuilt",
                    file.display(),
                    aside.display()
                ));
            }
        }
        let Unrecorded { found, unread } = self.unrecorded();
        // Where there never were records, none is lost. A server never reaches the desktop's keyring,
        // and should not look for it at each `get`.
        let is_auto = self.settings.keychain == Choice::Auto;
        let is_idle = |name: &KeychainName| is_auto && *name == KeychainName::SecretService;
        if is_first && found.is_empty() && unread.iter().all(is_idle) {
            return Ok(Records::default());
        }
        for (name, login) in found {
            if records.find(&profile, &login.key).is_none() {
                records.put(self.rebuilt(name, login));
            }
        }
        if unread.is_empty() {
            records.set_complete(&profile);
        }
        Ok(records)
    }

    /// What the keychains in question list, without items whose key is not that of a server URL: `get`
    /// would refuse what `list` names. What cannot be read is left out, and named unless it is
    /// merely not there for `auto`.
    fn unrecorded(&mut self) -> Unrecorded {
        let options = keychain::Options { may_prompt: false, ..self.options() };
        let (names, must_answer) = self.unrecorded_places();
        let is_ours =
            |login: &Listed| ServerUrl::parse(&login.key).is_ok_and(|url| url.key() == login.key);
        let mut all = Unrecorded::default();
        for name in names {
            let listed = self.open(&name, &options).and_then(|keychain| keychain.list());
            let (readable, error) = match listed {
                Ok(listing) => (listing.logins, listing.damaged.into_iter().next()),
                Err(error) => (Vec::new(), Some(error)),
            };
            if let Some(error) = error {
                all.unread.push(name.clone());
                let is_elsewhere = matches!(error, keychain::Error::Elsewhere { .. });
                if !is_elsewhere && (must_answer || !error.is_out_of_reach()) {
                    self.note(&format!("logins in {name} are not listed: {error}"));
                }
            }
            let ours = readable.into_iter().filter(is_ours);
            all.found.extend(ours.map(|login| (name.clone(), login)));
        }
        all
    }

    fn rebuilt(&self, keychain: KeychainName, login: Listed) -> LoginRecord {
        let mut record = LoginRecord::new(&self.settings.profile, &login.key, keychain);
        record.account = login.account;
        record.credential = Credential::Unknown;
        record
    }

    /// The helper that takes this registry's logins when they cannot be exchanged.
    fn fallback(&self, url: &ServerUrl) -> Result<Option<Fallback>> {
        self.settings.fallback_for(url).map(|name| self.fallback_named(&name)).transpose()
    }
}

/// A server URL, or why it is not one.
fn parse_url(sent: &str) -> Result<ServerUrl> {
    let url = ServerUrl::parse(sent).map_err(|refused| match refused {
        crate::server_url::Refused::Empty => Error::new(Kind::Usage, protocol::NO_SERVER_URL),
        refused => refused.into(),
    })?;
    trace::step(|| format!("server URL {} means the key {}", url.asked(), url.key()));
    Ok(url)
}
