//! The fallback: another `docker-credential-*` helper, for logins that cannot be exchanged.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::external_helper::{Failure, HelperName, HelperProgram, NOT_ERASED, NoHelper};
use crate::keychain::external_entry;
use crate::protocol::{self, Credentials, IDENTITY_TOKEN_USERNAME, NOT_FOUND};
use crate::secret::Password;
use crate::server_url::ServerUrl;

/// A helper may ask a person (`pass` and its pinentry).
const PERSON_DEADLINE: Duration = Duration::from_secs(60);
const LIST_DEADLINE: Duration = Duration::from_secs(5);

/// A fallback that was found on PATH.
#[derive(Debug)]
pub struct Fallback {
    program: HelperProgram,
    ours: Ours,
}

/// Which of a helper's entries are logins of ours, where the same helper is our keychain: those do
/// not belong to the fallback.
#[derive(Debug, Default)]
pub struct Ours {
    /// Names that may be entries of recorded logins.
    pub names: Vec<String>,
    /// Whether every token is ours: this is the keychain, and there are no records to say otherwise.
    pub all_tokens: bool,
}

impl Ours {
    fn has(&self, entry: &str, username: &str) -> bool {
        let recorded = || self.names.iter().any(|name| name == entry);
        let opaque = || ServerUrl::parse(entry).is_ok_and(|url| url.is_docker_hub_oauth());
        let token = username == IDENTITY_TOKEN_USERNAME;
        external_entry::is_marked(entry)
            || token && self.all_tokens
            || (token || opaque()) && recorded()
    }
}

impl Fallback {
    /// Looks for the helper on PATH.
    ///
    /// # Errors
    /// It is not there, it is this helper under another name, or it is what started us.
    pub fn find(name: &HelperName, ours: Ours) -> Result<Self> {
        let program = HelperProgram::find(name).map_err(|why| {
            let (message, hint) = match why {
                NoHelper::StartedByOne => (
                    "this helper was started by its own fallback".to_owned(),
                    "set fallback to another helper",
                ),
                NoHelper::NotOnPath => (
                    format!("the fallback {name} is not on PATH"),
                    "install it, or correct the setting fallback",
                ),
                NoHelper::Itself => (
                    format!("the fallback {name} is this helper itself"),
                    "set fallback to another helper",
                ),
            };
            Error::new(Kind::Usage, message).hint(hint)
        })?;
        Ok(Self { program, ours })
    }

    /// What it is called.
    pub fn name(&self) -> &HelperName {
        self.program.name()
    }

    /// Hands over a login as the client sent it.
    ///
    /// # Errors
    /// The first line of its own error.
    pub fn store(&self, server_url: &str, username: &str, secret: &Password) -> Result<()> {
        let stored = self.program.store(server_url, username, secret.expose(), PERSON_DEADLINE);
        stored.map_err(|failure| self.failed("store", failure))
    }

    /// Finds out whether it takes logins, by one that is erased again: listing works in a `pass` that was
    /// never initialized.
    ///
    /// # Errors
    /// The first line of its own error.
    pub fn try_out(&self) -> Result<()> {
        let now = jiff::Timestamp::now().as_second();
        let server_url = format!("{now}.{}.invalid", std::process::id());
        self.store(&server_url, "nobody", &Password::new("a dummy".to_owned()))?;
        match self.program.erase(&server_url, PERSON_DEADLINE) {
            Ok(()) | Err(Failure::Absent) => Ok(()),
            Err(failure) => Err(self.failed("erase", failure)),
        }
    }

    /// Asks for a login under exactly this server URL.
    ///
    /// # Errors
    /// [`protocol::not_found`], or the first line of its own error.
    pub fn get(&self, server_url: &str) -> Result<Credentials<Password>> {
        let found = self.program.get(server_url, PERSON_DEADLINE);
        let found = found.map_err(|failure| self.failed("get", failure))?;
        if self.ours.has(server_url, &found.username) {
            return Err(protocol::not_found());
        }
        Ok(found)
    }

    /// Names its logins: server URL to username.
    ///
    /// # Errors
    /// The first line of its own error, or the deadline of 5 s.
    pub fn list(&self) -> Result<BTreeMap<String, String>> {
        let listed = self.program.list(LIST_DEADLINE);
        let mut listed = listed.map_err(|failure| self.failed("list", failure))?;
        listed.retain(|entry, username| !self.ours.has(entry, username));
        Ok(listed)
    }

    /// Removes a login in every spelling that means the same key; whether it was seen to be there.
    ///
    /// # Errors
    /// The first line of its own error, or that it still lists what it said it had removed; the
    /// other spellings are tried all the same.
    pub fn erase(&self, url: &ServerUrl) -> Result<bool> {
        let means_it = |listed: &str| ServerUrl::parse(listed).is_ok_and(|l| l.key() == url.key());
        let listed = self.list().map(|all| all.into_keys().filter(|u| means_it(u)).collect());
        let is_listed = listed.is_ok();
        let mut spellings = listed.unwrap_or_else(|_| spellings(url));
        spellings.sort();
        spellings.dedup();
        let mut outcome = Ok(());
        let mut erased = Vec::new();
        for spelling in spellings {
            // A name alone does not tell whose it is.
            if !is_listed && self.ours.has(&spelling, IDENTITY_TOKEN_USERNAME) {
                match self.get(&spelling) {
                    Ok(_) => {}
                    Err(error) if protocol::is_not_found(&error) => continue,
                    Err(error) => {
                        outcome = Err(error);
                        continue;
                    }
                }
            }
            match self.program.erase(&spelling, PERSON_DEADLINE) {
                Ok(()) => erased.push(spelling),
                Err(Failure::Absent) => {}
                // The next spelling would take just as long.
                Err(failure @ Failure::Silent(_)) => return Err(self.failed("erase", failure)),
                Err(failure) => outcome = Err(self.failed("erase", failure)),
            }
        }
        // Debian's `-secretservice` 0.6.4 erases nothing while locked, and reports success.
        if outcome.is_ok() && is_listed && !erased.is_empty() {
            let left = self.list()?;
            if erased.iter().any(|spelling| left.contains_key(spelling)) {
                return Err(self.failed("erase", Failure::Failed(NOT_ERASED.to_owned())));
            }
        }
        outcome.map(|()| is_listed && !erased.is_empty())
    }

    fn failed(&self, verb: &str, failure: Failure) -> Error {
        let unusable = matches!(failure, Failure::Unavailable(_));
        let why = match failure {
            Failure::Absent if verb == "get" => return protocol::not_found(),
            Failure::Absent => NOT_FOUND.to_owned(),
            Failure::Unavailable(why) | Failure::Failed(why) => why,
            Failure::Silent(limit) => format!("no answer within {} s", limit.as_secs()),
        };
        // As one that is not there.
        let kind = if unusable { Kind::Usage } else { Kind::Other };
        let error = Error::new(kind, format!("{} {verb} failed: {why}", self.name()));
        if unusable {
            error.hint("install it for this system, or set fallback to another")
        } else {
            error
        }
    }
}

/// What clients call one key, for helpers that cannot list.
fn spellings(url: &ServerUrl) -> Vec<String> {
    let key = url.key();
    let mut all = vec![url.asked().to_owned()];
    if url.is_docker_hub_oauth() {
        return all;
    }
    if key == crate::server_url::DOCKER_HUB {
        all.extend(["docker.io", "index.docker.io", "registry-1.docker.io", key].map(Into::into));
    } else if key.contains("://") {
        all.push(key.into());
    } else {
        all.extend([key.into(), format!("https://{key}"), format!("http://{key}")]);
        all.extend([format!("https://{key}/v1/"), format!("https://{key}/v2/")]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_same_helper_is_our_keychain_our_logins_are_not_its() {
        let access_token = "https://index.docker.io/v1/access-token";
        let ours = |all_tokens| Ours { names: vec!["h".into(), access_token.into()], all_tokens };
        for (entry, username, recorded, without_records) in [
            ("h", IDENTITY_TOKEN_USERNAME, true, true),
            ("h", "alice", false, false),
            ("other", IDENTITY_TOKEN_USERNAME, false, true),
            ("other", "alice", false, false),
            // No other program gives such names.
            ("other/[app]", "alice", true, true),
            // Docker Hub's token is kept under a name of its own, with the account.
            (access_token, "alice", true, true),
            ("https://index.docker.io/v1/refresh-token", "alice", false, false),
        ] {
            assert_eq!(ours(false).has(entry, username), recorded, "{entry} {username}");
            assert_eq!(ours(true).has(entry, username), without_records, "{entry} {username}");
        }
    }

    #[test]
    fn every_spelling_means_the_key() {
        for sent in
            ["docker.io", "h:5000/", "http://h:443", "https://index.docker.io/v1/access-token"]
        {
            let url = ServerUrl::parse(sent).unwrap();
            for spelling in spellings(&url) {
                assert_eq!(ServerUrl::parse(&spelling).unwrap().key(), url.key(), "{spelling}");
            }
        }
    }
}
