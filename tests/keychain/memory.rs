//! The memory keychain does what tests rely on: fail once, count, lock.

use docker_credential_refresh::keychain::{Error, KeychainName};
use docker_credential_refresh::secret::RefreshToken;

use crate::support::keychains::memory::{Memory, Person};

fn unavailable() -> Error {
    Error::unavailable(&KeychainName::Kernel, "told so", "none")
}

#[test]
fn the_next_call_fails_as_told_and_changes_nothing() {
    let memory = Memory::new();
    let keychain = memory.keychain(KeychainName::Kernel, "p");
    let token = RefreshToken::new("t".to_owned());
    keychain.put("k", "alice", &token).unwrap();
    let before = memory.items();
    memory.fail_next(unavailable());
    assert!(matches!(keychain.put("k", "bob", &token), Err(Error::Unavailable { .. })));
    memory.fail_next(unavailable());
    assert!(matches!(keychain.get("k"), Err(Error::Unavailable { .. })));
    assert_eq!(memory.items(), before);
    assert_eq!(keychain.get("k").unwrap().account, "alice");
    let calls = memory.calls();
    assert_eq!((calls.put, calls.get, calls.prompts), (2, 2, 0));
}

#[test]
fn a_locked_one_asks_the_person_once() {
    let memory = Memory::new();
    let keychain = memory.keychain(KeychainName::SecretService, "p");
    memory.lock(Person::Absent);
    assert!(matches!(keychain.get("k"), Err(Error::Locked { .. })));
    memory.lock(Person::Dismisses);
    assert!(matches!(keychain.unlock(), Err(Error::Dismissed { unanswered_for: None, .. })));
    memory.lock(Person::Unlocks);
    keychain.unlock().unwrap();
    assert!(matches!(keychain.get("k"), Err(Error::Absent)));
    assert_eq!(memory.calls().prompts, 2);
}

#[test]
fn a_damaged_item_is_not_absent() {
    let memory = Memory::new();
    let keychain = memory.keychain(KeychainName::Kernel, "p");
    keychain.put("k", "alice", &RefreshToken::new("t".to_owned())).unwrap();
    memory.damage("p", "k");
    assert!(matches!(keychain.get("k"), Err(Error::Damaged { .. })));
}
