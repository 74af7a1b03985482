//! The `helper:NAME` keychain: another `docker-credential-NAME`, with the refresh token as an
//! identity token. [`entry`] says under which name.
//!
//! An entry is ours if its username is `<token>`. Any other is somebody's login, perhaps a password
//! that nobody could give back: it is neither read, replaced nor erased, and our own goes beside it.
//! Docker Hub's two OAuth keys hold a pair of which the username is a part, so that what is there
//! is ours.
//!
//! A helper keeps no account. It may ask a person for each secret (a pinentry), and not for its
//! list: so that is asked where it is enough. Debian's `-pass` 0.6.4 damages an entry that two
//! store at once, and fails to read one that is just being stored; who stores holds the lock of the
//! login records. Debian's `-secretservice` 0.6.4 erases nothing while locked, and reports success.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialPersistence, Entry, Result};

use super::{Error, KeychainName, Options, SERVICE};
use crate::external_helper::{
    Failure, HALF_STORED, HelperName, HelperProgram, NOT_ERASED, NoHelper,
};
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME, NOT_FOUND};
use crate::server_url::ServerUrl;
use crate::text::shell_word;

pub(crate) mod entry;

const OTHER: &str = "set keychain to another one and log in again";

/// The helper, and how long it may take.
#[derive(Clone)]
pub(super) struct Store {
    program: HelperProgram,
    /// For what may ask a person.
    limit: Duration,
    list_limit: Duration,
    may_prompt: bool,
}

impl Store {
    /// Looks for the helper; does not start it.
    pub(super) fn open(name: &HelperName, options: &Options) -> std::result::Result<Self, Error> {
        let program = HelperProgram::find(name).map_err(|why| {
            let keychain = KeychainName::Helper(name.clone());
            let why = match why {
                NoHelper::StartedByOne => "this program was started by such a helper".to_owned(),
                NoHelper::NotOnPath => {
                    let hint = format!("install it, or {OTHER}");
                    return Error::unavailable(&keychain, &format!("{name} is not on PATH"), &hint);
                }
                NoHelper::Itself => format!("{name} is this program itself"),
            };
            Error::unavailable(&keychain, &why, OTHER)
        })?;
        let limit = if options.may_prompt { options.prompt_deadline } else { options.deadline };
        let may_prompt = options.may_prompt;
        Ok(Self { program, limit, list_limit: options.deadline, may_prompt })
    }

    fn name(&self) -> KeychainName {
        KeychainName::Helper(self.program.name().clone())
    }

    fn list(&self) -> std::result::Result<BTreeMap<String, String>, Error> {
        self.program.list(self.list_limit).map_err(|failure| self.error("list", failure))
    }

    fn fetch(&self, entry: &str) -> std::result::Result<Credentials, Error> {
        self.program.get(entry, self.limit).map_err(|failure| self.error("get", failure))
    }

    fn keep(&self, entry: &str, user: &str, secret: &str) -> std::result::Result<(), Error> {
        let kept = self.program.store(entry, user, secret, self.limit);
        kept.map_err(|failure| self.error("store", failure))
    }

    /// As [`Self::keep`], for an entry that is new.
    fn keep_new(&self, entry: &str, user: &str, secret: &str) -> std::result::Result<(), Error> {
        self.keep(entry, user, secret).inspect_err(|_| {
            // Debian's `-pass` 0.6.4 leaves an empty folder, and lists nothing from then on.
            let _best_effort = self.program.erase(entry, self.list_limit);
        })
    }

    fn erase(&self, entry: &str) -> std::result::Result<(), Error> {
        match self.program.erase(entry, self.limit) {
            Ok(()) if self.list()?.contains_key(entry) => {
                Err(self.error("erase", Failure::Failed(NOT_ERASED.to_owned())))
            }
            Ok(()) | Err(Failure::Absent) => Ok(()),
            Err(failure) => Err(self.error("erase", failure)),
        }
    }

    fn error(&self, verb: &str, failure: Failure) -> Error {
        let (name, program) = (self.name(), self.program.name());
        let said = |why| format!("{program} {verb}: {why}");
        let mut hint = format!("see that {program} works here, or {OTHER}");
        if verb == "get" {
            // A new token is only put where the former one can be read; a logout reads nothing.
            hint.push_str(" (if the key to it is lost: log out first)");
        }
        match failure {
            Failure::Absent if verb == "get" => Error::Absent,
            Failure::Absent => Error::failed(&name, &said(NOT_FOUND.to_owned()), &hint),
            Failure::Failed(why) if why.starts_with(HALF_STORED) => {
                let entry = shell_word(&why[HALF_STORED.len()..]);
                let hint = format!("remove what is left there: echo {entry} | {program} erase");
                Error::failed(&name, &said(why), &hint)
            }
            Failure::Unavailable(why) => Error::unavailable(&name, &said(why), &hint),
            // A pinentry, perhaps: a build that asks for many logins does not wait for each.
            Failure::Silent(limit) if self.may_prompt && verb != "list" => {
                Error::Dismissed { keychain: name, unanswered_for: Some(limit) }
            }
            Failure::Silent(limit) => {
                let why = format!("no answer within {} s", limit.as_secs());
                Error::unavailable(&name, &said(why), &hint)
            }
            Failure::Failed(why) => Error::failed(&name, &said(why), &hint),
        }
    }

    /// Of one profile, each key with the username.
    fn listed(&self, profile: &str) -> std::result::Result<Vec<(String, String)>, Error> {
        let ours = |(name, username): (String, String)| {
            let key = entry::key_of(&name, profile)?;
            is_ours(key, &username).then(|| (key.to_owned(), username))
        };
        Ok(self.list()?.into_iter().filter_map(ours).collect())
    }
}

fn is_opaque(key: &str) -> bool {
    ServerUrl::parse(key).is_ok_and(|url| url.is_docker_hub_oauth())
}

fn is_ours(key: &str, username: &str) -> bool {
    username == IDENTITY_TOKEN_USERNAME || is_opaque(key)
}

/// A login has an account here only under Docker Hub's OAuth keys.
fn account_of(key: &str, username: String) -> String {
    if is_opaque(key) { username } else { String::new() }
}

/// One login.
struct Login {
    store: Store,
    service: String,
    user: String,
    target: String,
    account: String,
    /// The account that came with the secret, or with the list.
    read: Mutex<Option<String>>,
}

impl Login {
    fn names(&self) -> Vec<String> {
        entry::names(&self.user, &self.target)
    }

    fn get(&self) -> std::result::Result<Credentials, Error> {
        for name in self.names() {
            match self.store.fetch(&name) {
                Ok(found) if is_ours(&self.user, &found.username) => return Ok(found),
                Ok(_) | Err(Error::Absent) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Absent)
    }

    /// The username of the entry of each name. Without its secret, which might ask a person: but a
    /// helper may list a name in another spelling, so what is not listed is asked for.
    fn usernames(&self) -> std::result::Result<Vec<(String, Option<String>)>, Error> {
        let mut listed = self.store.list()?;
        let username = |name: String| {
            let username = match listed.remove(&name) {
                Some(username) => Some(username),
                None => match self.store.fetch(&name) {
                    Ok(found) => Some(found.username),
                    Err(Error::Absent) => None,
                    Err(error) => return Err(error),
                },
            };
            Ok((name, username))
        };
        self.names().into_iter().map(username).collect()
    }

    fn put(&self, token: &[u8]) -> std::result::Result<(), Error> {
        let opaque = is_opaque(&self.user);
        let username = if opaque { self.account.as_str() } else { IDENTITY_TOKEN_USERNAME };
        let token = str::from_utf8(token).map_err(|_| self.failed("the token is no text"))?;
        let mut usernames = self.usernames()?;
        let free =
            |(_, user): &(_, Option<String>)| user.as_ref().is_none_or(|u| is_ours(&self.user, u));
        // Beside a pair of another username, which goes last.
        let fits = |(_, user): &(_, Option<String>)| user.as_ref().is_none_or(|u| u == username);
        let at = usernames.iter().position(fits).or_else(|| usernames.iter().position(free));
        let Some(at) = at else {
            return Err(self.failed("another login has its name there"));
        };
        let (name, former) = usernames.remove(at);
        if former.as_deref() == Some(username) {
            self.store.keep(&name, username, token)?;
        } else {
            // Some helpers would keep the pair beside the former one.
            if former.is_some() {
                self.store.erase(&name)?;
            }
            self.store.keep_new(&name, username, token)?;
        }
        // The one beside another program's entry, which is gone by now.
        for (name, username) in usernames {
            if username.is_some_and(|username| is_ours(&self.user, &username)) {
                self.store.erase(&name)?;
            }
        }
        Ok(())
    }

    fn delete(&self) -> std::result::Result<(), Error> {
        let mut deleted = Err(Error::Absent);
        for (name, username) in self.usernames()? {
            if username.is_some_and(|username| is_ours(&self.user, &username)) {
                self.store.erase(&name)?;
                deleted = Ok(());
            }
        }
        deleted
    }

    /// Moves the token to the last of its names, so that the first is free for a client's login.
    fn make_way(&self) -> std::result::Result<(), Error> {
        let usernames = self.usernames()?;
        if let [(plain, Some(username)), (marked, _)] = &usernames[..]
            && is_ours(&self.user, username)
        {
            let found = self.store.fetch(plain)?;
            self.store.keep_new(marked, &found.username, found.secret.expose())?;
            self.store.erase(plain)?;
        }
        Ok(())
    }

    fn failed(&self, why: &str) -> Error {
        Error::failed(&self.store.name(), why, OTHER)
    }
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.put(secret).map_err(Error::into_keyring)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let Credentials { username, secret, .. } = self.get().map_err(Error::into_keyring)?;
        let account = account_of(&self.user, username);
        *self.read.lock().expect("no panic while locked") = Some(account);
        Ok(secret.expose().as_bytes().to_vec())
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        let read = || self.read.lock().expect("no panic while locked").clone();
        if read().is_none() {
            self.get_secret().map(drop)?;
        }
        Ok(HashMap::from([
            ("service".to_owned(), self.service.clone()),
            ("username".to_owned(), self.user.clone()),
            ("target".to_owned(), self.target.clone()),
            ("account".to_owned(), read().unwrap_or_default()),
        ]))
    }

    fn delete_credential(&self) -> Result<()> {
        self.delete().map_err(Error::into_keyring)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_attributes().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        SERVICE.to_owned()
    }

    fn id(&self) -> String {
        self.name().to_string()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        let login = Login {
            store: self.clone(),
            service: service.to_owned(),
            user: user.to_owned(),
            target: modifiers.remove("target").unwrap_or_default(),
            account: modifiers.remove("account").unwrap_or_default(),
            read: Mutex::default(),
        };
        Ok(Entry::new_with_credential(Arc::new(login)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let part = |name| spec.get(name).copied().unwrap_or_default();
        let login = |user: &str, read: Option<String>| Login {
            store: self.clone(),
            service: part("service").to_owned(),
            user: user.to_owned(),
            target: part("target").to_owned(),
            account: String::new(),
            read: Mutex::new(read),
        };
        if let Some(key) = spec.get("make_way") {
            let made = login(key, None).make_way();
            return made.map(|()| Vec::new()).map_err(Error::into_keyring);
        }
        // It unlocks by itself when it is asked for a secret.
        let listed = self.listed(part("target")).map_err(Error::into_keyring)?;
        if spec.contains_key("unlock") || spec.contains_key("check") {
            return Ok(Vec::new());
        }
        let entry = |(key, username): (String, String)| {
            let account = account_of(&key, username);
            Entry::new_with_credential(Arc::new(login(&key, Some(account))))
        };
        Ok(listed.into_iter().map(entry).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::UntilDelete
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
