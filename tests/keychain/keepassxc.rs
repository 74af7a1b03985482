//! The Secret Service, on a real KeePassXC.

use std::time::{Duration, Instant};

use crate::support::keychains::agent::Agent;
use crate::support::keychains::bus::Bus;
use crate::support::keychains::keepassxc::{KeePassXc, TRUSTING};

fn agent(keepassxc: &KeePassXc) -> Agent {
    Agent::new("secret-service", "default").environment(keepassxc.environment())
}

#[test]
fn keeps_the_contract() {
    let keepassxc = KeePassXc::start();
    Agent::contract("secret-service").environment(keepassxc.environment()).pass();
}

#[test]
fn keeps_the_contract_over_an_encrypted_session() {
    let keepassxc = KeePassXc::start();
    let agent = Agent::contract("secret-service").environment(keepassxc.environment());
    agent.set("AGENT_ENCRYPTED", "1").pass();
}
