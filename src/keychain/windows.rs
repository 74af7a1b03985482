//! The `windows` keychain: generic credentials in Windows' Credential Manager, for this user on
//! this machine. Its own tools (`cmdkey /list`, the control panel) show them as
//! `docker-credential-refresh:PROFILE:KEY`, with the account as username.
//!
//! One credential holds 2,560 bytes: [`pieces`] splits longer logins.

use std::path::PathBuf;
use std::time::Duration;

use self::credentials::Credentials;
use self::item::Login;
use self::name::Key;
use self::pieces::Pieces;
use self::told::{damaged, not_ours};
use super::error::Error;
use super::name::KeychainName;
use super::store::{self, Item, Lifetime, Listed, Listing, LoginKey};
use crate::secret::RefreshToken;

mod credentials;
mod item;
mod name;
mod pieces;
#[cfg(test)]
mod tests;
mod told;

/// Opens it; nothing is read yet.
#[cfg(windows)]
pub(super) fn open(options: &super::options::Options) -> Result<Store, Error> {
    use crate::error::Setting;
    use directories::ProjectDirs;

    const LOCK_NAME: &str = "credential-manager.lock";
    /// How many other operations a writer waits for.
    const WRITERS: u32 = 6;

    let directories = ProjectDirs::from("", "", store::SERVICE).ok_or_else(|| {
        let hint = Setting::new("USERPROFILE");
        Error::unavailable(&KeychainName::Windows, "no home directory is known", hint)
    })?;
    let lock = directories.data_local_dir().join(LOCK_NAME);
    Ok(Store::over(Box::new(credentials::open()?), lock, options.deadline * WRITERS))
}

/// Logins in credentials.
pub(super) struct Store(Pieces);

impl Store {
    fn over(credentials: Box<dyn Credentials>, lock: PathBuf, deadline: Duration) -> Self {
        Self(Pieces::over(credentials, lock, deadline))
    }

    /// The keys of a profile's logins.
    fn keys(&self, profile: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        for name in self.0.names()? {
            match name::key_of(&name, profile) {
                Some(Key::Told(key)) => keys.push(key),
                Some(Key::Cut) => match self.0.payload(&name) {
                    Ok(payload) => {
                        let login = Login::parse(&payload);
                        keys.extend(login.map(|login| login.key.to_owned()));
                    }
                    // Deleted since it was found, or not recognisable as a login.
                    Err(Error::Absent | Error::Damaged { .. }) => {}
                    Err(error) => return Err(error),
                },
                None => {}
            }
        }
        Ok(keys)
    }
}

fn name(login: &LoginKey) -> String {
    name::of_login(&login.profile, &login.key)
}

impl store::Store for Store {
    fn unlock(&self) -> Result<(), Error> {
        self.0.try_to_write()
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let payload = self.0.payload(&name(login))?;
        let found = Login::parse(&payload).ok_or_else(not_ours)?;
        if (found.profile, found.key) != (&login.profile, &login.key) {
            return Err(damaged("it is that of another login"));
        }
        let (account, token) = (found.account.to_owned(), found.token.to_vec());
        Item::from_bytes(&KeychainName::Windows, account, token)
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let (LoginKey { profile, key }, token) = (login, token.expose().as_bytes());
        let payload = Login { profile, key, account, token }.to_payload();
        self.0.put(&name(login), account, &payload)
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        self.0.delete(&name(login))
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        for key in self.keys(profile)? {
            match self.0.shown_account(&name::of_login(profile, &key)) {
                Ok(account) => listing.logins.push(Listed { key, account }),
                // Deleted since it was found.
                Err(Error::Absent) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listing)
    }

    fn check(&self, profile: &str) -> Result<(), Error> {
        for key in self.keys(profile)? {
            match self.get(&LoginKey::new(profile, &key)) {
                // Deleted since it was found.
                Ok(_) | Err(Error::Absent) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn check_login(&self, login: &LoginKey) -> Result<(), Error> {
        self.get(login).map(drop)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilDeleted
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}
