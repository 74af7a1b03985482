//! `helper:NAME`: another helper as keychain, whatever it does.

use crate::support::keychains::agent::Agent;
use crate::support::keychains::gnome_keyring::GnomeKeyring;

#[test]
fn secretservice_on_a_gnome_keyring_keeps_the_contract() {
    let keyring = GnomeKeyring::start();
    Agent::contract("helper:secretservice").environment(keyring.environment()).pass();
}
