//! The non-secret facts of each login, and the file that keeps them.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keychain::KeychainName;
use crate::personal_token;
use crate::secret::RefreshToken;
use crate::server_url;
use crate::token_api::MintedToken;

mod format;
#[cfg(fuzzing)]
pub mod fuzzing;
mod last_check;
mod locked;
mod store;
mod turns;

pub use last_check::{LastCheck, Verdict};
pub use locked::{Locked, MintLock, Prepared, RefreshLock};
pub use store::{RecordStore, Stamp};
pub use turns::{ConfigureLock, SettingsLock};

/// What is known of one login. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// Which profile it belongs to.
    pub profile: String,
    /// The key that all spellings of the server URL share.
    pub key: String,
    /// The server URL as the client stored it; `list` answers with it.
    pub server_url: String,
    /// The username the password went with; where a client brought its own token, the one that a
    /// token names, or empty.
    pub account: String,
    /// Which keychain keeps the token.
    pub keychain: KeychainName,
    /// Whether the server was seen to accept it.
    pub proven: bool,
    /// What kind of secret it is.
    #[serde(default, skip_serializing_if = "Credential::is_refresh_token")]
    pub credential: Credential,
    /// What is known of a personal token that was made here, by the registry's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minted: Option<MintedToken>,
    /// The token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The service that the challenge named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The client id that obtained the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_as: Option<String>,
    /// The client id that proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_as: Option<String>,
    /// When the login was kept.
    pub since: Timestamp,
    /// When the token expires, if the server or the token says; a hint that nothing depends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What the token server said when it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<LastCheck>,
    /// Keychains that it was moved away from, until their items are known to be gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_in: Vec<KeychainName>,
}

/// What kind of secret a login's is: a refresh token, unless the record says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Handed out as an identity token; revoked at the token server.
    #[default]
    RefreshToken,
    /// Handed out as it is, with the account; revoked at its issuer's page alone.
    PersonalToken,
    /// The record was lost, and made again without a look at the secret: its form tells.
    Unknown,
}

impl Credential {
    fn is_refresh_token(&self) -> bool {
        *self == Self::RefreshToken
    }

    /// Whether a secret that was kept as this is a personal token.
    pub fn is_personal(self, secret: &RefreshToken) -> bool {
        match self {
            Self::RefreshToken => false,
            Self::PersonalToken => true,
            Self::Unknown => personal_token::form_of(secret.expose()).is_some(),
        }
    }
}

/// What `list` needs of a [`LoginRecord`]; read in less than half the time.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)] // they are those of the record
pub struct Summary<'a> {
    #[serde(borrow)]
    pub profile: Cow<'a, str>,
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow)]
    pub server_url: Cow<'a, str>,
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    pub keychain: KeychainName,
    #[serde(default)]
    pub credential: Credential,
}

/// All logins of all profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records<L = LoginRecord> {
    logins: Vec<L>,
    /// For records that were lost and rebuilt: the profiles whose keychains were all read since.
    rebuilt_for: Option<Vec<String>>,
}

/// The result of reading the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<L = LoginRecord> {
    /// A file of this version.
    Records(Records<L>),
    /// No file.
    Missing,
    /// A file that is empty, truncated, garbage, too large or of another version: why.
    Damaged(String),
}

/// The result of looking for one login.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Its record.
    Found(Box<LoginRecord>),
    /// There is no such login.
    Absent,
    /// It has no record, and not every login has one: the keychains have to be asked.
    Unknown,
    /// A damaged file, as [`Found::Damaged`].
    Damaged(String),
}

impl LoginRecord {
    /// What the keychain alone can tell of a login, kept now.
    pub fn new(profile: &str, key: &str, keychain: KeychainName) -> Self {
        Self {
            profile: profile.to_owned(),
            key: key.to_owned(),
            server_url: key.to_owned(),
            account: String::new(),
            keychain,
            proven: false,
            credential: Credential::RefreshToken,
            minted: None,
            realm: None,
            service: None,
            obtained_as: None,
            proven_as: None,
            since: Timestamp::now(),
            expires: None,
            checked: None,
            left_in: Vec::new(),
        }
    }

    /// Whether it is one of the two that Docker's web login keeps.
    pub fn is_docker_hub_oauth(&self) -> bool {
        // Not parsed: `list` asks this of each login.
        server_url::is_docker_hub_oauth(&self.key)
    }

    /// Replaces a previous record of its login, which may have been in other keychains.
    #[must_use]
    pub fn after(mut self, previous: &Self) -> Self {
        self.left_in.clone_from(&previous.left_in);
        self.left_in.push(previous.keychain.clone());
        self.left_in.retain(|name| *name != self.keychain);
        self
    }
}

impl<'a> Summary<'a> {
    /// Whether it is one of the two that Docker's web login keeps.
    pub fn is_docker_hub_oauth(&self) -> bool {
        // Not parsed: `list` asks this of each login.
        server_url::is_docker_hub_oauth(&self.key)
    }
}

impl<'a> From<&'a LoginRecord> for Summary<'a> {
    fn from(record: &'a LoginRecord) -> Self {
        Self {
            profile: Cow::from(&record.profile),
            key: Cow::from(&record.key),
            server_url: Cow::from(&record.server_url),
            account: Cow::from(&record.account),
            keychain: record.keychain.clone(),
            credential: record.credential,
        }
    }
}

impl<L> Default for Records<L> {
    fn default() -> Self {
        Self { logins: Vec::new(), rebuilt_for: None }
    }
}

impl<L> Records<L> {
    /// The first ones after others were lost.
    pub fn rebuilt() -> Self {
        Self { logins: Vec::new(), rebuilt_for: Some(Vec::new()) }
    }

    /// Whether a login of this profile that is not here does not exist.
    pub fn is_complete(&self, profile: &str) -> bool {
        self.rebuilt_for.as_ref().is_none_or(|all| all.iter().any(|name| name == profile))
    }

    /// The logins of all profiles.
    pub fn all(&self) -> impl Iterator<Item = &L> {
        self.logins.iter()
    }
}

impl Records {
    /// All that the keychains keep for this profile is here now.
    pub fn set_complete(&mut self, profile: &str) {
        if !self.is_complete(profile) {
            self.rebuilt_for.get_or_insert_default().push(profile.to_owned());
        }
    }

    /// The login under exactly this key.
    pub fn find(&self, profile: &str, key: &str) -> Option<&LoginRecord> {
        self.logins.iter().find(|login| login.profile == profile && login.key == key)
    }

    /// The login under the first of these keys that has one.
    pub fn look_up<'k>(&self, profile: &str, mut keys: impl Iterator<Item = &'k str>) -> Lookup {
        match keys.find_map(|key| self.find(profile, key)) {
            Some(record) => Lookup::Found(Box::new(record.clone())),
            None if self.is_complete(profile) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// The logins of one profile.
    pub fn of_profile<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a LoginRecord> {
        self.logins.iter().filter(move |login| login.profile == profile)
    }

    /// Puts a record in the place of the one with its profile and key.
    pub fn put(&mut self, record: LoginRecord) {
        self.remove(&record.profile, &record.key);
        self.logins.push(record);
    }

    /// Removes a record, if it is there.
    pub fn remove(&mut self, profile: &str, key: &str) -> Option<LoginRecord> {
        let at = self.logins.iter().position(|l| l.profile == profile && l.key == key)?;
        Some(self.logins.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, keychain: KeychainName) -> LoginRecord {
        LoginRecord::new("default", key, keychain)
    }

    #[test]
    fn a_record_says_what_its_secret_is_unless_that_is_a_refresh_token() {
        let mut login = record("registry.example.com", KeychainName::File);
        for (credential, written) in [
            (Credential::RefreshToken, None),
            (Credential::PersonalToken, Some("personal-token")),
            (Credential::Unknown, Some("unknown")),
        ] {
            login.credential = credential;
            let json = serde_json::to_value(&login).unwrap();
            assert_eq!(json.get("credential").and_then(|said| said.as_str()), written);
            assert_eq!(serde_json::from_value::<LoginRecord>(json).unwrap(), login);
        }
    }

    #[test]
    fn a_secret_of_a_lost_record_is_personal_by_its_form_alone() {
        let personal = concat!("glpat", "-0123456789abcdefghij");
        for (secret, of_unknown) in [(personal, true), ("a refresh token", false)] {
            let secret = RefreshToken::new(secret.to_owned());
            assert!(!Credential::RefreshToken.is_personal(&secret));
            assert!(Credential::PersonalToken.is_personal(&secret));
            assert_eq!(Credential::Unknown.is_personal(&secret), of_unknown);
        }
    }

    #[test]
    fn the_two_logins_of_dockers_web_login_are_known_by_their_keys() {
        for (key, is_one) in [
            ("https://index.docker.io/v1/access-token", true),
            ("https://index.docker.io/v1/refresh-token", true),
            ("https://index.docker.io/v1/", false),
            ("registry.example.com", false),
        ] {
            let login = record(key, KeychainName::File);
            assert_eq!(login.is_docker_hub_oauth(), is_one, "{key}");
            assert_eq!(Summary::from(&login).is_docker_hub_oauth(), is_one, "{key}");
        }
    }

    #[test]
    fn a_login_that_moves_remembers_where_it_was_and_not_where_it_is() {
        let first = record("a", KeychainName::File);
        let second = record("a", KeychainName::Kernel).after(&first);
        assert_eq!(second.left_in, [KeychainName::File]);
        let again = record("a", KeychainName::Kernel).after(&second);
        assert_eq!(again.left_in, [KeychainName::File]);
        let third = record("a", KeychainName::SecretService).after(&again);
        assert_eq!(third.left_in, [KeychainName::File, KeychainName::Kernel]);
        let back = record("a", KeychainName::File).after(&third);
        assert_eq!(back.left_in, [KeychainName::Kernel, KeychainName::SecretService]);
    }

    #[test]
    fn a_login_without_a_record_is_absent_only_where_each_login_has_one() {
        let mut records = Records::default();
        records.put(record("a", KeychainName::File));
        let found = |records: &Records, asked: &[&'static str]| match records
            .look_up("default", asked.iter().copied())
        {
            Lookup::Found(login) => login.key,
            other => format!("{other:?}"),
        };
        assert_eq!(found(&records, &["a/b", "a"]), "a");
        assert_eq!(found(&records, &["b"]), "Absent");
        let mut records = Records::rebuilt();
        records.put(record("a", KeychainName::File));
        assert_eq!(found(&records, &["a"]), "a");
        assert_eq!(found(&records, &["b"]), "Unknown");
        records.set_complete("work");
        assert_eq!(found(&records, &["b"]), "Unknown");
        records.set_complete("default");
        assert_eq!(found(&records, &["b"]), "Absent");
    }

    #[test]
    fn a_record_is_of_its_profile_and_key_alone() {
        let mut records = Records::default();
        for profile in ["default", "work"] {
            let mut login = record("a", KeychainName::File);
            login.profile = profile.to_owned();
            records.put(login.clone());
            login.account = profile.to_owned();
            records.put(login);
        }
        assert_eq!(records.all().count(), 2);
        let accounts = |records: &Records, profile| {
            let logins = records.of_profile(profile).map(|login| login.account.clone());
            logins.collect::<Vec<_>>()
        };
        assert_eq!(accounts(&records, "work"), ["work"]);
        assert_eq!(records.find("work", "a").map(|login| &*login.account), Some("work"));
        assert_eq!(records.find("work", "b"), None);
        assert_eq!(records.remove("work", "b"), None);
        assert!(records.remove("work", "a").is_some());
        assert_eq!(accounts(&records, "work"), [""; 0]);
        assert_eq!(accounts(&records, "default"), ["default"]);
    }
}
