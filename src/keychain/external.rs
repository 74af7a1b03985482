//! The `helper:NAME` keychain: another `docker-credential-NAME`, with the refresh token as an
//! identity token. [`entry`] says under which name.
//!
//! An entry is ours if its username is `<token>`. Any other is somebody's login, perhaps a password
//! that could not be restored: it is neither read, replaced nor erased, and ours is stored next to it.
//! Docker Hub's two OAuth keys hold a pair of which the username is a part, so that what is there
//! is ours.
//!
//! A helper keeps no account. It may ask a person for each secret (a pinentry), but not for its
//! list: so the list is used where it is enough. [`writers`] wait for each other. Debian's
//! `-secretservice` 0.6.4 erases nothing while locked, and reports success.

use std::collections::BTreeMap;
use std::time::Duration;

use self::writers::Writers;
use super::error::{Error, keep_elsewhere};
use super::name::KeychainName;
use super::options::Options;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey};
use crate::error::Remedy;
use crate::external_helper::{Failure, HelperName, HelperProgram, NOT_ERASED, NoHelper};
use crate::protocol::{Credentials, IDENTITY_TOKEN_USERNAME, NOT_FOUND};
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;

pub(crate) mod entry;
mod writers;

/// The helper, and how long it may take.
pub(super) struct Store {
    program: HelperProgram,
    /// For operations that may ask a person.
    limit: Duration,
    list_limit: Duration,
    may_prompt: bool,
    writers: Writers,
}

impl Store {
    /// Looks for the helper; does not start it.
    pub(super) fn open(name: &HelperName, options: &Options) -> Result<Self, Error> {
        let program = HelperProgram::find(name).map_err(|why| {
            let keychain = KeychainName::Helper(name.clone());
            let why = match why {
                NoHelper::StartedByOne => "this program was started by such a helper".to_owned(),
                NoHelper::NotOnPath => {
                    let remedy = Remedy::from("install it").or(keep_elsewhere());
                    return Error::unavailable(
                        &keychain,
                        &format!("{name} is not on PATH"),
                        remedy,
                    );
                }
                NoHelper::Itself => format!("{name} is this program itself"),
            };
            Error::unavailable(&keychain, &why, keep_elsewhere())
        })?;
        let limit = if options.may_prompt { options.prompt_deadline } else { options.deadline };
        let may_prompt = options.may_prompt;
        let writers = Writers::to(name, limit, options.deadline);
        Ok(Self { program, limit, list_limit: options.deadline, may_prompt, writers })
    }

    fn name(&self) -> KeychainName {
        KeychainName::Helper(self.program.name().clone())
    }

    fn entries(&self) -> Result<BTreeMap<String, String>, Error> {
        self.program.list(self.list_limit).map_err(|failure| self.error("list", failure))
    }

    fn fetch(&self, entry: &str) -> Result<Credentials<RefreshToken>, Error> {
        self.program.get(entry, self.limit).map_err(|failure| self.error("get", failure))
    }

    fn keep(&self, entry: &str, user: &str, token: &RefreshToken) -> Result<(), Error> {
        let kept = self.program.store(entry, user, token.expose(), self.limit);
        kept.map_err(|failure| self.error("store", failure))
    }

    /// As [`Self::keep`], for an entry that is new.
    fn keep_new(&self, entry: &str, user: &str, token: &RefreshToken) -> Result<(), Error> {
        self.keep(entry, user, token).inspect_err(|_| {
            // Debian's `-pass` 0.6.4 leaves an empty folder, and its list fails from then on.
            let _best_effort = self.program.erase(entry, self.list_limit);
        })
    }

    fn erase(&self, entry: &str) -> Result<(), Error> {
        match self.program.erase(entry, self.limit) {
            Ok(()) if self.entries()?.contains_key(entry) => {
                Err(self.error("erase", Failure::Failed(NOT_ERASED.to_owned())))
            }
            Ok(()) | Err(Failure::Absent) => Ok(()),
            Err(failure) => Err(self.error("erase", failure)),
        }
    }

    fn error(&self, verb: &str, failure: Failure) -> Error {
        let (name, program) = (self.name(), self.program.name());
        let said = |why| format!("{program} {verb}: {why}");
        let mut remedy =
            Remedy::Text(format!("check that {program} works here")).or(keep_elsewhere());
        if verb == "get" {
            // A new token is only stored where the previous one can be read; a logout reads nothing.
            remedy = remedy.or("log out first if the key to it is lost".into());
        }
        if verb == "list" {
            // Debian's `-pass` 0.6.4 names the entry of a store that was cut short. Its words are not
            // parsed for it, and neither `get` nor a list of folders tells such an entry from another.
            let erase = Remedy::Run(format!("echo ENTRY | {program} erase"));
            remedy = remedy.or(erase.when("if it names an entry that is damaged"));
        }
        match failure {
            Failure::Absent if verb == "get" => Error::Absent,
            Failure::Absent => Error::failed(&name, &said(NOT_FOUND.to_owned()), remedy),
            Failure::Unavailable(why) => Error::unavailable(&name, &said(why), remedy),
            // A pinentry, perhaps: a build that asks for many logins does not wait for each.
            Failure::Silent(limit) if self.may_prompt && verb != "list" => {
                Error::Dismissed { keychain: name, unanswered_for: Some(limit) }
            }
            Failure::Silent(limit) => {
                let why = format!("no answer within {} s", limit.as_secs());
                Error::unavailable(&name, &said(why), remedy)
            }
            Failure::Failed(why) => Error::failed(&name, &said(why), remedy),
        }
    }

    /// The username of the entry of each name that a login may have. Without its secret, which might
    /// ask a person: but a helper may list a name in another spelling, so what is not listed is asked
    /// for.
    fn usernames(&self, login: &LoginKey) -> Result<Vec<(String, Option<String>)>, Error> {
        let mut listed = self.entries()?;
        let username = |name: String| {
            let username = match listed.remove(&name) {
                Some(username) => Some(username),
                None => match self.fetch(&name) {
                    Ok(found) => Some(found.username),
                    Err(Error::Absent) => None,
                    Err(error) => return Err(error),
                },
            };
            Ok((name, username))
        };
        names(login).into_iter().map(username).collect()
    }

    fn failed(&self, why: &str) -> Error {
        Error::failed(&self.name(), why, keep_elsewhere())
    }
}

impl store::Store for Store {
    /// It unlocks itself when it is asked for a secret.
    fn unlock(&self) -> Result<(), Error> {
        self.writers.read(|| self.entries()).map(drop)
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        for name in names(login) {
            match self.writers.read(|| self.fetch(&name)) {
                Ok(Credentials { username, secret, .. }) if is_ours(&login.key, &username) => {
                    let account = account_of(&login.key, username);
                    return Item::checked(&self.name(), account, secret);
                }
                Ok(_) | Err(Error::Absent) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Absent)
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let key = &login.key;
        let username = if is_opaque(key) { account } else { IDENTITY_TOKEN_USERNAME };
        let _turn = self.writers.turn()?;
        let mut usernames = self.usernames(login)?;
        let free = |(_, user): &(_, Option<String>)| user.as_ref().is_none_or(|u| is_ours(key, u));
        // Next to a pair with another username, which is removed last.
        let fits = |(_, user): &(_, Option<String>)| user.as_ref().is_none_or(|u| u == username);
        let at = usernames.iter().position(fits).or_else(|| usernames.iter().position(free));
        let Some(at) = at else {
            return Err(self.failed("another login there has the same name"));
        };
        let (name, previous) = usernames.remove(at);
        if previous.as_deref() == Some(username) {
            self.keep(&name, username, token)?;
        } else {
            // Some helpers would keep the pair next to the previous one.
            if previous.is_some() {
                self.erase(&name)?;
            }
            self.keep_new(&name, username, token)?;
        }
        // The one next to another program's entry, which is gone by now.
        for (name, username) in usernames {
            if username.is_some_and(|username| is_ours(key, &username)) {
                self.erase(&name)?;
            }
        }
        Ok(())
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        // What is in the way of a lock is not in the way of a logout.
        let _turn = self.writers.turn();
        let mut deleted = Err(Error::Absent);
        for (name, username) in self.usernames(login)? {
            if username.is_some_and(|username| is_ours(&login.key, &username)) {
                self.erase(&name)?;
                deleted = Ok(());
            }
        }
        deleted
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let ours = |(name, username): (String, String)| {
            let key = entry::key_of(&name, profile)?.to_owned();
            is_ours(&key, &username).then(|| Listed { account: account_of(&key, username), key })
        };
        let entries = self.writers.read(|| self.entries())?;
        let mut logins: Vec<_> = entries.into_iter().filter_map(ours).collect();
        // One may have both of its names.
        logins.sort();
        logins.dedup_by(|a, b| a.key == b.key);
        Ok(Listing { logins, ..Listing::default() })
    }

    fn check(&self, _: &str) -> Result<(), Error> {
        self.unlock()
    }

    fn check_login(&self, _: &LoginKey) -> Result<(), Error> {
        self.unlock()
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilDeleted
    }

    /// Moves the token to the last of its names, so that the first is free for a client's login.
    fn make_way(&self, login: &LoginKey) -> Result<(), Error> {
        let _turn = self.writers.turn()?;
        let usernames = self.usernames(login)?;
        if let [(plain, Some(username)), (marked, _)] = &usernames[..]
            && is_ours(&login.key, username)
        {
            let Credentials { username, secret, .. } = self.fetch(plain)?;
            self.keep_new(marked, &username, &secret)?;
            self.erase(plain)?;
        }
        Ok(())
    }
}

fn names(login: &LoginKey) -> Vec<String> {
    entry::names(&login.key, &login.profile)
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
