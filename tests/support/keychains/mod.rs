//! Keychains to test with: one in memory, real ones on a private bus, and a process to use them.

pub mod agent;
pub mod bus;
pub mod fake_service;
pub mod gnome_keyring;
pub mod keepassxc;
pub mod kwallet;
pub mod memory;
pub mod pass;
pub mod vault;
