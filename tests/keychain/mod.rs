//! Keychains: one contract, on each kind, in every kind of process.

mod agent;
mod contract;
mod fake_service;
mod gnome_keyring;
mod kernel;
mod memory;
