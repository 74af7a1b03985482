//! Keychains: one contract, on each kind, in every kind of process.

mod age_file;
mod agent;
mod auto;
mod contract;
mod fake_service;
mod gnome_keyring;
mod helper;
mod kernel;
mod memory;
mod pass;
mod pass_as_fallback;
