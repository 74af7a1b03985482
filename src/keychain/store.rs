//! The interface of a keychain: what each of them can do, and with what.

use std::fmt;

use super::error::Error;
use super::name::KeychainName;
use crate::secret::{RefreshToken, TokenShape, check_token};

/// What marks each of our items, in whatever way a keychain marks its items.
pub const SERVICE: &str = crate::environment::PROGRAM;
/// The profile used if none is set.
pub const DEFAULT_PROFILE: &str = "default";

/// A place that keeps refresh tokens. [`Keychain`](super::Keychain) is how the rest of the program
/// uses one.
///
/// Every operation ends in time (see [`Options`](super::Options)), is safe while other processes
/// do the same, and tells "absent" from "could not look".
pub trait Store: Send + Sync {
    /// Makes sure that a login can be written, before a password is sent. May ask a person.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Dismissed`], [`Error::Unavailable`], [`Error::Failed`].
    fn unlock(&self) -> Result<(), Error>;

    /// The login under exactly this key. May ask a person.
    ///
    /// # Errors
    /// [`Error::Absent`] only if the keychain was searched; [`Error::Damaged`]; as
    /// [`Store::unlock`].
    fn get(&self, login: &LoginKey) -> Result<Item, Error>;

    /// The token of that login, if its account is known already. May ask a person.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn token(&self, login: &LoginKey) -> Result<RefreshToken, Error> {
        self.get(login).map(|item| item.token)
    }

    /// Keeps a token in place of the one that was there. May ask a person.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or as [`Store::unlock`]; the previous item stays.
    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error>;

    /// Removes the login under exactly this key, with all its duplicates. May ask a person.
    ///
    /// # Errors
    /// [`Error::Absent`] if there was none; as [`Store::unlock`].
    fn delete(&self, login: &LoginKey) -> Result<(), Error>;

    /// The logins of a profile. Reads no secret, unlocks nothing and asks nobody.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] if there is none and one may be out of reach; as [`Store::unlock`]. One
    /// login that cannot be read is no error, but part of the answer.
    fn list(&self, profile: &str) -> Result<Listing, Error>;

    /// Whether everything that it keeps for a profile can be read now; unlocks nothing and asks nobody.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unavailable`], [`Error::Failed`]; [`Error::Damaged`] if one login
    /// cannot be read, or [`Error::Elsewhere`] if one may be out of reach: neither says anything
    /// about the others.
    fn check(&self, profile: &str) -> Result<(), Error>;

    /// The same for one login, after [`Store::check`] reported that one cannot be.
    ///
    /// # Errors
    /// As [`Store::check`], or [`Error::Absent`].
    fn check_login(&self, login: &LoginKey) -> Result<(), Error>;

    /// How long it keeps a login.
    fn lifetime(&self) -> Lifetime;

    /// Lets another program keep a login of the server URL that is this key: the fallback may be the
    /// very helper that is this keychain.
    ///
    /// # Errors
    /// As [`Store::unlock`]; the login is as it was.
    fn make_way(&self, login: &LoginKey) -> Result<(), Error>;
}

/// Which login: the key of its server URL, in a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoginKey {
    /// Logins of two profiles never meet.
    pub profile: String,
    /// What [`ServerUrl::key`](crate::server_url::ServerUrl::key) says.
    pub key: String,
}

impl LoginKey {
    /// The login under this key in this profile.
    pub fn new(profile: &str, key: &str) -> Self {
        Self { profile: profile.to_owned(), key: key.to_owned() }
    }
}

/// One login as it was kept.
#[derive(Debug)]
pub struct Item {
    /// The username it was stored with; empty if there was none.
    pub account: String,
    /// The secret.
    pub token: RefreshToken,
}

impl Item {
    /// From the bytes that a keychain returned.
    ///
    /// # Errors
    /// [`Error::Damaged`] if they are not a token; they are wiped then.
    pub fn from_bytes(
        keychain: &KeychainName,
        account: String,
        token: Vec<u8>,
    ) -> Result<Self, Error> {
        let token = RefreshToken::from_bytes(token).map_err(|shape| not_a_token(keychain, shape));
        Ok(Self { account, token: token? })
    }

    /// From a token that a keychain returned.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not one.
    pub fn checked(
        keychain: &KeychainName,
        account: String,
        token: RefreshToken,
    ) -> Result<Self, Error> {
        check_token(token.expose()).map_err(|shape| not_a_token(keychain, shape))?;
        Ok(Self { account, token })
    }
}

fn not_a_token(keychain: &KeychainName, shape: TokenShape) -> Error {
    Error::damaged(keychain, &format!("its token {shape}"))
}

/// One login as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The key it was put under.
    pub key: String,
    /// The username, or empty where the keychain returns it only with the secret (`kernel`,
    /// `macos`).
    pub account: String,
}

/// The logins of one profile.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those that can be read, each key once.
    pub logins: Vec<Listed>,
    /// Items under a key that a newer one has too: another program may have made them.
    pub older: Vec<Listed>,
    /// Why each of the others cannot be read.
    pub damaged: Vec<Error>,
}

impl Listing {
    /// The logins, if every one can be read.
    ///
    /// # Errors
    /// Why the first unreadable one cannot be read.
    pub fn complete(self) -> Result<Vec<Listed>, Error> {
        self.damaged.into_iter().next().map_or(Ok(self.logins), Err)
    }
}

/// How long a keychain keeps a login, to end the sentence "kept in the keychain NAME …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until somebody deletes it.
    UntilDeleted,
    /// Until the machine reboots.
    UntilReboot,
    /// Kernels before 5.3: a reboot, or some days without use.
    UntilUnused,
    /// A user namespace has kernel keyrings of its own.
    UntilNamespaceEnds,
    /// For tests.
    UntilExit,
}

impl Lifetime {
    /// To end "kept until", in a word or two.
    pub fn until(self) -> &'static str {
        match self {
            Self::UntilDeleted => "logout",
            Self::UntilReboot => "reboot",
            Self::UntilUnused => "reboot or disuse",
            Self::UntilNamespaceEnds => "namespace ends",
            Self::UntilExit => "exit",
        }
    }

    /// In a word, for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::UntilDeleted => "logout",
            Self::UntilReboot => "reboot",
            Self::UntilUnused => "unused",
            Self::UntilNamespaceEnds => "namespace",
            Self::UntilExit => "exit",
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UntilDeleted => "until it is deleted",
            Self::UntilReboot => "until the machine reboots",
            Self::UntilUnused => {
                "until the machine reboots or it has not been used for the time in \
                 /proc/sys/kernel/keys/persistent_keyring_expiry (3 days by default)"
            }
            Self::UntilNamespaceEnds => "until this user namespace ends",
            Self::UntilExit => "until this process ends",
        })
    }
}
