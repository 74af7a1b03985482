//! A keychain in memory: with calls that are counted, a lock with a prompt, and the next error.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use docker_credential_refresh::keychain::{
    Error, Item, Keychain, KeychainName, Lifetime, Listed, Listing, LoginKey, Store,
};
use docker_credential_refresh::secret::RefreshToken;

/// How often it was asked for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    pub unlock: usize,
    pub put: usize,
    pub get: usize,
    pub delete: usize,
    pub list: usize,
    /// Prompts that a person would have seen.
    pub prompts: usize,
}

/// What the person at the prompt does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Person {
    /// Types the password.
    #[default]
    Unlocks,
    /// Says no.
    Dismisses,
    /// Is not there.
    Absent,
}

#[derive(Default)]
struct State {
    /// The account and the secret of each login.
    items: BTreeMap<LoginKey, (String, Vec<u8>)>,
    failures: VecDeque<Error>,
    calls: Calls,
    locked: bool,
    person: Person,
}

/// The store; clones share what they keep.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// A keychain over it, under any name.
    pub fn keychain(&self, name: KeychainName, profile: &str) -> Keychain {
        Keychain::with_store(name, profile, Box::new(self.clone()))
    }

    /// The next call fails so, and changes nothing; may be said several times.
    pub fn fail_next(&self, error: Error) {
        self.state().failures.push_back(error);
    }

    /// Locks it: the next call shows a prompt to this person.
    pub fn lock(&self, person: Person) {
        let mut state = self.state();
        (state.locked, state.person) = (true, person);
    }

    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// The items, to compare before and after.
    pub fn items(&self) -> BTreeMap<LoginKey, (String, Vec<u8>)> {
        self.state().items.clone()
    }

    /// Puts bytes there that no token could be, as an item that was damaged.
    pub fn damage(&self, profile: &str, key: &str) {
        let login = LoginKey::new(profile, key);
        self.state().items.get_mut(&login).expect("an item to damage").1 = vec![0xff, 0];
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn call(
        &self,
        count: impl Fn(&mut Calls) -> &mut usize,
    ) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.state();
        *count(&mut state.calls) += 1;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        Ok(state)
    }

    /// The same for what needs an unlocked keychain.
    fn open(
        &self,
        count: impl Fn(&mut Calls) -> &mut usize,
    ) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.call(count)?;
        let keychain = KeychainName::SecretService;
        if state.locked {
            let error = match state.person {
                Person::Unlocks => None,
                Person::Dismisses => Some(Error::Dismissed { keychain, unanswered_for: None }),
                Person::Absent => {
                    Some(Error::Locked { keychain, remedy: "unlock it first".into() })
                }
            };
            state.calls.prompts += usize::from(state.person != Person::Absent);
            if let Some(error) = error {
                return Err(error);
            }
            state.locked = false;
        }
        Ok(state)
    }
}

impl Store for Memory {
    fn unlock(&self) -> Result<(), Error> {
        self.open(|calls| &mut calls.unlock).map(drop)
    }

    fn get(&self, login: &LoginKey) -> Result<Item, Error> {
        let state = self.open(|calls| &mut calls.get)?;
        let (account, secret) = state.items.get(login).ok_or(Error::Absent)?;
        Item::from_bytes(&KeychainName::Kernel, account.clone(), secret.clone())
    }

    fn put(&self, login: &LoginKey, account: &str, token: &RefreshToken) -> Result<(), Error> {
        let mut state = self.open(|calls| &mut calls.put)?;
        let item = (account.to_owned(), token.expose().as_bytes().to_vec());
        state.items.insert(login.clone(), item);
        Ok(())
    }

    fn delete(&self, login: &LoginKey) -> Result<(), Error> {
        let mut state = self.open(|calls| &mut calls.delete)?;
        state.items.remove(login).map(drop).ok_or(Error::Absent)
    }

    fn list(&self, profile: &str) -> Result<Listing, Error> {
        let state = self.call(|calls| &mut calls.list)?;
        let of_profile = state.items.iter().filter(|(login, _)| login.profile == profile);
        let listed = |(login, (account, _)): (&LoginKey, &(String, Vec<u8>))| Listed {
            key: login.key.clone(),
            account: account.clone(),
        };
        Ok(Listing { logins: of_profile.map(listed).collect(), ..Listing::default() })
    }

    fn check(&self, _: &str) -> Result<(), Error> {
        self.call(|calls| &mut calls.list).map(drop)
    }

    fn check_login(&self, _: &LoginKey) -> Result<(), Error> {
        self.call(|calls| &mut calls.list).map(drop)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::UntilExit
    }

    fn make_way(&self, _: &LoginKey) -> Result<(), Error> {
        Ok(())
    }
}
