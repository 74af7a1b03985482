//! A keychain in memory: keyring-core's mock, with attributes, calls that are counted, a lock with
//! a prompt, and the next error.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName};
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::attributes::parse_attributes;
use keyring_core::{Credential, CredentialPersistence, Entry, Result};

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
    /// By target and user, the account and the secret.
    items: BTreeMap<(String, String), (String, Vec<u8>)>,
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
        Keychain::with_store(name, profile, Arc::new(self.clone()))
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
    pub fn items(&self) -> BTreeMap<(String, String), (String, Vec<u8>)> {
        self.state().items.clone()
    }

    /// Puts bytes there that no token could be, as an item that was damaged.
    pub fn damage(&self, profile: &str, key: &str) {
        let key = (profile.to_owned(), key.to_owned());
        self.state().items.get_mut(&key).expect("an item to damage").1 = vec![0xff, 0];
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn call(&self, count: impl Fn(&mut Calls) -> &mut usize) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        *count(&mut state.calls) += 1;
        if let Some(error) = state.failures.pop_front() {
            return Err(boxed(error));
        }
        Ok(state)
    }

    /// The same for what needs an unlocked keychain.
    fn open(&self, count: impl Fn(&mut Calls) -> &mut usize) -> Result<MutexGuard<'_, State>> {
        let mut state = self.call(count)?;
        let keychain = KeychainName::SecretService;
        if state.locked {
            let error = match state.person {
                Person::Unlocks => None,
                Person::Dismisses => Some(Error::Dismissed { keychain, unanswered_for: None }),
                Person::Absent => {
                    Some(Error::Locked { keychain, hint: "unlock it first".to_owned() })
                }
            };
            state.calls.prompts += usize::from(state.person != Person::Absent);
            if let Some(error) = error {
                return Err(boxed(error));
            }
            state.locked = false;
        }
        Ok(state)
    }
}

/// As the stores of the library hand over their errors.
fn boxed(error: Error) -> keyring_core::Error {
    match error {
        Error::Absent => keyring_core::Error::NoEntry,
        error if error.is_out_of_reach() => keyring_core::Error::NoStorageAccess(Box::new(error)),
        error => keyring_core::Error::PlatformFailure(Box::new(error)),
    }
}

struct Login {
    memory: Memory,
    key: (String, String),
    account: String,
}

impl CredentialApi for Login {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        let mut state = self.memory.open(|calls| &mut calls.put)?;
        state.items.insert(self.key.clone(), (self.account.clone(), secret.to_vec()));
        Ok(())
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let state = self.memory.open(|calls| &mut calls.get)?;
        state.items.get(&self.key).map(|item| item.1.clone()).ok_or(keyring_core::Error::NoEntry)
    }

    fn get_attributes(&self) -> Result<HashMap<String, String>> {
        let state = self.memory.state();
        let (account, _) = state.items.get(&self.key).ok_or(keyring_core::Error::NoEntry)?;
        Ok(HashMap::from([
            ("target".to_owned(), self.key.0.clone()),
            ("username".to_owned(), self.key.1.clone()),
            ("account".to_owned(), account.clone()),
        ]))
    }

    fn delete_credential(&self) -> Result<()> {
        let mut state = self.memory.open(|calls| &mut calls.delete)?;
        state.items.remove(&self.key).map(drop).ok_or(keyring_core::Error::NoEntry)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_attributes().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.key.0.clone(), self.key.1.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.key.1)
    }
}

impl CredentialStoreApi for Memory {
    fn vendor(&self) -> String {
        "tests".to_owned()
    }

    fn id(&self) -> String {
        "memory".to_owned()
    }

    fn build(&self, _: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        let mut modifiers = parse_attributes(&["target", "account"], modifiers)?;
        let mut take = |name| modifiers.remove(name).unwrap_or_default();
        let (key, account) = ((take("target"), user.to_owned()), take("account"));
        let login = Login { memory: self.clone(), key, account };
        Ok(Entry::new_with_credential(Arc::new(login)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        if spec.get("unlock") == Some(&"true") {
            return self.open(|calls| &mut calls.unlock).map(|_| Vec::new());
        }
        let state = self.call(|calls| &mut calls.list)?;
        let of_profile = state.items.iter().filter(|item| item.0.0 == spec["target"]);
        let login = |(key, (account, _)): (&(String, String), &(String, Vec<u8>))| {
            let (memory, key, account) = (self.clone(), key.clone(), account.clone());
            Entry::new_with_credential(Arc::new(Login { memory, key, account }))
        };
        Ok(of_profile.map(login).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::ProcessOnly
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}
